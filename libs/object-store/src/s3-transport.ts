/**
 * HTTP to the store with a time-out on everything, under the client library, which has none.
 *
 * It also keeps answers from that library which it would lose: its handling of 5xx leaves the body unread, and with it a
 * connection open.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { ClientOptions } from 'minio';

/** What one call may take. */
export interface CallLimits {
  /** No byte in either direction for so long. */
  readonly idleMs: number;
  /** From its begin to the end of the answer, or, where the answer is streamed, to its begin. */
  readonly deadlineMs: number;
  /** The body of the answer is read by somebody else, at any pace. */
  readonly streamed?: boolean;
  readonly signal?: AbortSignal;
}

/** Nobody answered. Retries give up early, since waiting for a store that is not there helps nobody. */
export class StoreNotReached extends Error {
  override readonly name = 'StoreNotReached';
}

/** The store answered that it cannot answer now. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';

  constructor(readonly status: number) {
    super(`The store answered with HTTP ${status}.`);
  }
}

const CONNECT_TIMEOUT_MS = 2_000;
/** Each upload or reading has one; more wait for a free one. */
const CONNECTIONS_MAX = 128;

const NOT_REACHED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

export class S3Transport {
  readonly agent: http.Agent;
  readonly #limits = new AsyncLocalStorage<CallLimits>();

  constructor(private readonly secure: boolean) {
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    this.agent = secure ? new https.Agent(options) : new http.Agent(options);
  }

  /** What the client library is to use in place of `node:http`. */
  get forClient(): NonNullable<ClientOptions['transport']> {
    const request = (options: RequestOptions, answered: (response: IncomingMessage) => void) =>
      this.#request(options, answered);
    return { request } as NonNullable<ClientOptions['transport']>;
  }

  /** Every request that the work makes keeps to these limits. */
  within<T>(limits: CallLimits, work: () => Promise<T>): Promise<T> {
    return this.#limits.run(limits, work);
  }

  close(): void {
    this.agent.destroy();
  }

  #request(options: RequestOptions, answered: (response: IncomingMessage) => void): ClientRequest {
    const limits = this.#limits.getStore();
    if (!limits) throw new Error('A request to the store without limits.');
    const request = (this.secure ? https : http).request({ ...options, agent: this.agent });
    const { signal, idleMs, deadlineMs, streamed } = limits;
    const giveUp = (text: string) => request.destroy(new Error(text));
    const deadline = setTimeout(
      () => giveUp(`The store took more than ${deadlineMs} ms.`),
      deadlineMs,
    );
    const abort = (): void => void request.destroy(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    request.setTimeout(idleMs, () => giveUp(`The store was silent for ${idleMs} ms.`));
    limitConnecting(request);
    request.once('close', () => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', abort);
    });
    request.once('response', (response) => {
      if (streamed === true) clearTimeout(deadline);
      const { statusCode = 0 } = response;
      if (statusCode < 500 && statusCode !== 408 && statusCode !== 429) {
        answered(response);
        return;
      }
      response.resume();
      request.emit('error', new StoreBusy(statusCode));
    });
    return request;
  }
}

function limitConnecting(request: ClientRequest): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const late = setTimeout(
      () => request.destroy(new StoreNotReached(`No connection in ${CONNECT_TIMEOUT_MS} ms.`)),
      CONNECT_TIMEOUT_MS,
    );
    const settled = (): void => clearTimeout(late);
    socket.once('connect', settled).once('close', settled);
  });
}

/** Whether the request cannot have had any effect. */
export function isNotReached(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'StoreNotReached' || (typeof code === 'string' && NOT_REACHED.has(code));
}
