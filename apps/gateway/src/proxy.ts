import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { unavailable } from '@quire/contracts/failure';
import { Tries, whenConnected } from '@quire/service/addresses';
import { HttpRefusal } from '@quire/service/failure-answer';
import { relay, type Answer } from './relay.js';

/**
 * Carries one request to a service and its answer back, as streams: bodies are neither parsed nor kept, back-pressure and
 * aborts go through in both directions.
 *
 * - A service that cannot be reached: 503, after a try at its other addresses, or one more at its only one. A connection
 *   that breaks: one more try on a fresh connection for GET and HEAD, else 503.
 * - An answer that comes before the body has ended (413, 403 …) is passed on at once; what the client still sends is read
 *   and dropped for a moment, or the reset of the connection would overtake the answer.
 * - Nothing moves for a window of 30 s, or a body moves slower than 1 KiB/s: 408 or 503 before the answer has begun,
 *   afterwards the connection is cut, so that nobody takes half an answer for a whole one.
 */
export interface Passage {
  /** Base addresses of the service, in the order in which they are to be tried. */
  readonly addresses: readonly string[];
  /** Path and query as the service gets them. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  /** On every answer: request id, CORS. */
  readonly answerHeaders: OutgoingHttpHeaders;
  /** Gets the address of a service that takes no more requests soon. */
  readonly onLeave?: (address: string) => void;
}

export const WINDOW_MS = 30_000;
const UPLOAD_BYTES_PER_SECOND = 1024;
const RETRY_SECONDS = 5;
const BODY_HEADERS = ['content-length', 'transfer-encoding'];

/**
 * Its connections are used once. They are announced as kept all the same: a service that is told it is the last request closes
 * at once when it refuses a body, and the reset overtakes its answer.
 */
class FreshAgent extends Agent {
  override keepSocketAlive(): boolean {
    return false;
  }
}

export class Proxy {
  private readonly agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  private readonly freshAgent = new FreshAgent({ keepAlive: true });

  /** @param windowMs how long nothing may move */
  constructor(private readonly windowMs = WINDOW_MS) {}

  /** Resolves when the answer has been sent. Rejects only before it has begun; later faults cut the connection. */
  async pass(request: IncomingMessage, response: ServerResponse, passage: Passage): Promise<void> {
    const tries = new Tries(passage.addresses, isRead(request));
    for (;;) {
      try {
        return await this.attempt(request, response, passage, tries);
      } catch (error) {
        const { cause } = error as { cause?: unknown };
        if (response.headersSent || !tries.goesOn(cause ?? error)) throw error;
      }
    }
  }

  close(): void {
    this.agent.destroy();
    this.freshAgent.destroy();
  }

  private async attempt(
    request: IncomingMessage,
    response: ServerResponse,
    passage: Passage,
    tries: Tries,
  ): Promise<void> {
    // What counts its bytes must not set the body flowing before somebody takes the connection.
    if (!isRead(request)) request.pause();
    const upstream = this.connect(request, passage, tries);
    const watch = new Watch(request, upstream, this.windowMs * windowsOf(request));
    const abandon = (): void => void upstream.destroy();
    response.once('close', abandon);
    try {
      const answer = await answerOf(request, upstream);
      // NOTE: of an answer that is here already nothing moves any more, and who listens to its data makes it flow.
      if (!answer.complete) watch.answerBegan(answer, response);
      const { answerHeaders, onLeave } = passage;
      if (answer.headers.connection === 'close') onLeave?.(tries.address);
      await relay({ request, response, answer: received(answer), answerHeaders });
    } catch (error) {
      upstream.destroy();
      throw watch.reason ?? translated(error);
    } finally {
      response.off('close', abandon);
      watch.stop();
      request.unpipe(upstream);
      if (!upstream.writableFinished) upstream.destroy();
    }
  }

  /**
   * A write gets a fresh connection, like every second try: a kept one may just be closed by a service that restarts, and
   * whether a write was worked then nobody could tell.
   */
  private connect(
    request: IncomingMessage,
    { target, headers }: Passage,
    { address, isFirst }: Tries,
  ): ClientRequest {
    const { hostname, port } = new URL(address);
    const { method } = request;
    const sent = { ...headers };
    if (isRead(request)) for (const name of BODY_HEADERS) delete sent[name];
    const agent = isFirst && isRead(request) ? this.agent : this.freshAgent;
    return httpRequest({ agent, hostname, port, method, path: target, headers: sent });
  }
}

/** Sends the body and waits for the head of the answer. */
function answerOf(request: IncomingMessage, upstream: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.on('response', resolve);
    upstream.on('error', reject);
    request.once('error', (error) => upstream.destroy(error));
    if (isRead(request)) {
      request.resume();
      upstream.end();
    } else whenConnected(upstream, () => request.pipe(upstream));
  });
}

function received(answer: IncomingMessage): Answer {
  const { statusCode: status = 502, headers, complete } = answer;
  return {
    status,
    headers,
    body: answer,
    whole: complete ? ((answer.read() as Buffer | null) ?? '') : undefined,
  };
}

/** Watches that bytes move, and ends what stands still. */
class Watch {
  /** Why it ended the exchange. */
  reason: Error | undefined;
  private moved = 0;
  private before = 0;
  private answering = false;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly request: IncomingMessage,
    private readonly upstream: ClientRequest,
    private readonly windowMs: number,
  ) {
    request.on('data', this.count);
    this.timer = setInterval(() => this.look(), windowMs);
  }

  answerBegan(answer: IncomingMessage, response: ServerResponse): void {
    this.answering = true;
    this.moved = 1;
    this.before = 0;
    answer.on('data', this.count);
    this.upstream.once('close', () => {
      if (this.reason) response.destroy();
    });
  }

  stop(): void {
    clearInterval(this.timer);
    this.request.off('data', this.count);
  }

  private readonly count = (chunk: Buffer): void => {
    this.moved += chunk.length;
  };

  private look(): void {
    const bytes = this.moved - this.before;
    this.before = this.moved;
    if (this.answering) {
      if (bytes === 0) this.end(new Error('The answer stood still.'));
      return;
    }
    if (this.request.complete) {
      if (bytes === 0) this.end(unavailable(RETRY_SECONDS));
      return;
    }
    // A service that takes no bytes at the moment is not the client's fault.
    const slow = bytes < (UPLOAD_BYTES_PER_SECOND * this.windowMs) / 1000;
    if (slow && !this.upstream.writableNeedDrain) this.end(new HttpRefusal(408));
  }

  private end(reason: Error): void {
    this.reason = reason;
    this.upstream.destroy(reason);
  }
}

/** A client that says how long it will wait may wait that long. */
export function windowsOf({ headers }: IncomingMessage): number {
  const seconds = Number(/(?:^|[\s,;])wait=(\d{1,4})/.exec(String(headers.prefer ?? ''))?.[1] ?? 0);
  return 1 + Math.ceil(seconds / (WINDOW_MS / 1000));
}

/** A body of GET or HEAD means nothing and is not passed on. */
export function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function translated(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? unavailable(RETRY_SECONDS, { cause: error }) : error;
}
