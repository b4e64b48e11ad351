import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ASSERTION_HEADER, signAssertion, type Assertion } from '@quire/auth/assertion';
import type { PairKeys } from '@quire/auth/keys';
import type { Clock, Ids } from '@quire/contracts/clock';
import { unavailable } from '@quire/contracts/failure';
import type { Scope, ServiceName } from '@quire/contracts/scope';
import { Addresses, Tries, whenConnected } from './addresses.js';

/** Where the services are, each perhaps at several addresses with commas between; filled when all of them listen. */
export type ServiceUrls = Partial<Record<ServiceName, string>>;

export interface ServiceCall {
  readonly to: ServiceName;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  readonly scope: Scope;
  /** The job the call is made for. */
  readonly jobId?: string;
  readonly requestId?: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as they are, instead of a body. */
  readonly bytes?: Readable | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further claims of the assertion: what the user may do, who it is, where the client came in. */
  readonly claims?: Pick<
    Assertion,
    'permissions' | 'username' | 'firstName' | 'lastName' | 'publicUrl' | 'dialect'
  >;
  readonly signal?: AbortSignal;
  /** Longest silence, before the answer begins and inside it; 30 s. */
  readonly idleMs?: number;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Read it to its end or destroy it: it holds a connection. */
  readonly body: Readable;
}

const IDLE_MS = 30_000;
/** Most characters of an answer that is read as a whole. */
const TEXT_CHARACTERS_MAX = 33_554_432;
const RETRY_SECONDS = 5;

/** Signed calls from one service to another, over kept connections. Answers are streams. */
export class ServiceClient {
  private readonly agent = new Agent({ keepAlive: true, maxFreeSockets: 16 });
  private readonly addresses: Addresses;

  constructor(
    private readonly issuer: ServiceName,
    urls: ServiceUrls,
    private readonly keys: PairKeys,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {
    this.addresses = new Addresses(urls);
  }

  /** @throws Failure unavailable (transient) when the other service cannot be reached or stays silent */
  async call(call: ServiceCall): Promise<ServiceAnswer> {
    const addresses = this.addresses.of(call.to);
    if (addresses.length === 0) throw unavailable(RETRY_SECONDS);
    const tries = new Tries(addresses, call.method === 'GET');
    for (;;) {
      try {
        return await this.send(call, tries);
      } catch (error) {
        if (call.signal?.aborted || !tries.goesOn(error)) throw failed(error, call);
      }
    }
  }

  /** The whole answer as JSON. @throws UnexpectedAnswer for a status other than 2xx */
  async json<T>(call: ServiceCall): Promise<T> {
    const answer = await this.call(call);
    const text = await wholeText(answer.body);
    if (answer.status < 200 || answer.status > 299)
      throw new UnexpectedAnswer(call, answer.status, text);
    return JSON.parse(text === '' ? 'null' : text) as T;
  }

  close(): void {
    this.agent.destroy();
  }

  private send(call: ServiceCall, { address, isFirst }: Tries): Promise<ServiceAnswer> {
    const { signal, method, idleMs = IDLE_MS } = call;
    const url = new URL(address);
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        agent: isFirst && this.agent,
        host: url.hostname,
        port: url.port,
        path: call.target,
        method,
        headers: this.headers(call, body),
        ...(signal ? { signal } : {}),
      });
      request.setTimeout(idleMs, () => request.destroy(new Silence(idleMs)));
      request.on('error', reject);
      request.on('response', (response) => {
        if (isFirst && response.headers.connection === 'close') this.addresses.leaves(address);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
      });
      const { bytes } = call;
      // A stream is begun when somebody takes the connection: what was read of it could not be sent elsewhere.
      if (bytes instanceof Readable)
        whenConnected(request, () => void pipeline(bytes, request).catch(reject));
      else request.end(bytes ?? body);
    });
  }

  private headers(call: ServiceCall, body: Buffer | undefined): OutgoingHttpHeaders {
    const { to, method, target, scope, jobId, claims, requestId = this.ids.next() } = call;
    const assertion = { issuer: this.issuer, audience: to, method, target, requestId, ...scope };
    const more = { ...claims, ...(jobId === undefined ? {} : { jobId }) };
    return {
      ...call.headers,
      [ASSERTION_HEADER]: signAssertion({ ...assertion, ...more }, this.keys, this.clock.now()),
      ...(body ? { 'content-type': 'application/json', 'content-length': body.length } : {}),
    };
  }
}

class Silence extends Error {
  readonly transient = true;

  constructor(idleMs: number) {
    super(`Nothing came for ${idleMs} ms.`);
  }
}

/** A status nobody expected. 502 to 504 are transient. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  readonly transient: boolean;

  constructor(
    { to, method, target }: ServiceCall,
    readonly status: number,
    readonly text: string,
  ) {
    super(`${to} answered ${method} ${target.split('?')[0] ?? ''} with ${status}.`);
    this.transient = status >= 502 && status <= 504;
  }
}

async function wholeText(body: Readable): Promise<string> {
  let text = '';
  await pipeline(body.setEncoding('utf8'), async (chunks: AsyncIterable<string>) => {
    for await (const chunk of chunks) {
      text += chunk;
      if (text.length > TEXT_CHARACTERS_MAX)
        throw new Error('The answer is too long to be read as a whole.');
    }
  });
  return text;
}

function failed(error: unknown, { signal }: ServiceCall): unknown {
  if (signal?.aborted) return signal.reason;
  const { code, transient } = error as { code?: unknown; transient?: unknown };
  const away = typeof code === 'string' && /^E[A-Z]+$/.test(code);
  return away || transient === true ? unavailable(RETRY_SECONDS, { cause: error }) : error;
}
