import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress, createGzip, constants } from 'node:zlib';
import type { Transform } from 'node:stream';
import { unavailable } from '@quire/contracts/failure';
import { HttpRefusal } from '@quire/service/failure-answer';
import { responseHeaders, withVary } from './headers.js';

/**
 * Carries one request to a service and its answer back, as streams: bodies are neither parsed nor kept, back-pressure and
 * aborts go through in both directions.
 *
 * - A service that cannot be reached: 503, after one more try on a fresh connection for GET and HEAD.
 * - An answer that comes before the body has ended (413, 403 …) is passed on at once; what the client still sends is read
 *   and dropped for a moment, or the reset of the connection would overtake the answer.
 * - Nothing moves for a window of 30 s, or a body moves slower than 1 KiB/s: 408 or 503 before the answer has begun,
 *   afterwards the connection is cut, so that nobody takes half an answer for a whole one.
 */
export interface Passage {
  /** Base address of the service. */
  readonly url: string;
  /** Path and query as the service gets them. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  /** On every answer: request id, CORS. */
  readonly answerHeaders: OutgoingHttpHeaders;
}

export const WINDOW_MS = 30_000;
const UPLOAD_BYTES_PER_SECOND = 1024;
const DRAIN_MS = 1_000;
const RETRY_SECONDS = 5;
const COMPRESSED_BYTES_MIN = 1024;
const BODY_HEADERS = ['content-length', 'transfer-encoding'];

export class Proxy {
  private readonly agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });

  /** @param windowMs how long nothing may move */
  constructor(private readonly windowMs = WINDOW_MS) {}

  /** Resolves when the answer has been sent. Rejects only before it has begun; later faults cut the connection. */
  async pass(request: IncomingMessage, response: ServerResponse, passage: Passage): Promise<void> {
    try {
      await this.attempt(request, response, passage);
    } catch (error) {
      if (!isRead(request) || response.headersSent || !isReset(error)) throw error;
      await this.attempt(request, response, passage);
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private async attempt(
    request: IncomingMessage,
    response: ServerResponse,
    passage: Passage,
  ): Promise<void> {
    const upstream = this.connect(request, passage);
    const watch = new Watch(request, upstream, this.windowMs * windowsOf(request));
    const abandon = (): void => void upstream.destroy();
    response.once('close', abandon);
    try {
      const answer = await answerOf(request, upstream);
      watch.answerBegan(answer, response);
      await relay({ request, response, answer, passage });
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

  private connect(request: IncomingMessage, { url, target, headers }: Passage): ClientRequest {
    const { hostname, port } = new URL(url);
    const { method } = request;
    const sent = { ...headers };
    if (isRead(request)) for (const name of BODY_HEADERS) delete sent[name];
    return httpRequest({ agent: this.agent, hostname, port, method, path: target, headers: sent });
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
    } else request.pipe(upstream);
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: IncomingMessage;
  readonly passage: Passage;
}

async function relay({ request, response, answer, passage }: Exchange): Promise<void> {
  const status = answer.statusCode ?? 502;
  const early = !request.complete;
  const headers = responseHeaders(answer.headers);
  for (const [name, value] of Object.entries(passage.answerHeaders)) {
    if (name === 'vary') withVary(headers, String(value));
    else headers[name] = value;
  }
  if (early || status === 413) headers.connection = 'close';
  const compressor = early ? undefined : compressorFor(request, answer, headers);
  response.writeHead(status, headers);
  response.flushHeaders();
  try {
    if (compressor) await pipeline(answer, compressor, response);
    else {
      await pipeline(answer, response, { end: false });
      if (early) await drained(request);
      response.end();
    }
  } catch {
    // The pipeline has destroyed both sides; the client sees a connection that was cut.
    response.destroy();
  }
}

/** Reads and drops what the client still sends, for a moment. */
export function drained(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, DRAIN_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    request.once('end', done).once('close', done);
    request.resume();
  });
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
function windowsOf({ headers }: IncomingMessage): number {
  const seconds = Number(/(?:^|[\s,;])wait=(\d{1,4})/.exec(String(headers.prefer ?? ''))?.[1] ?? 0);
  return 1 + Math.ceil(seconds / (WINDOW_MS / 1000));
}

/** Only JSON, only when asked, only when it is worth it (K20). Changes the headers accordingly. */
function compressorFor(
  request: IncomingMessage,
  answer: IncomingMessage,
  headers: OutgoingHttpHeaders,
): Transform | undefined {
  const {
    'content-type': type = '',
    'content-encoding': encoding,
    'content-length': length,
  } = answer.headers;
  if (!/^application\/json\b/.test(type) || encoding !== undefined) return undefined;
  withVary(headers, 'Accept-Encoding');
  const worthwhile = length === undefined || Number(length) > COMPRESSED_BYTES_MIN;
  const chosen = worthwhile && request.method !== 'HEAD' ? chosenEncoding(request) : undefined;
  if (!chosen || answer.statusCode === 204 || answer.statusCode === 304) return undefined;
  delete headers['content-length'];
  headers['content-encoding'] = chosen;
  if (chosen === 'gzip') return createGzip();
  return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}

function chosenEncoding({ headers }: IncomingMessage): 'br' | 'gzip' | undefined {
  const accepted = new Map(
    String(headers['accept-encoding'] ?? '')
      .split(',')
      .map((part) =>
        part
          .trim()
          .toLowerCase()
          .split(/\s*;\s*q=/),
      )
      .map(([name = '', weight = '1']) => [name, Number(weight)] as const),
  );
  const weight = (name: string): number => accepted.get(name) ?? 0;
  if (weight('br') > 0 && weight('br') >= weight('gzip')) return 'br';
  return weight('gzip') > 0 ? 'gzip' : undefined;
}

/** A body of GET or HEAD means nothing and is not passed on. */
function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isReset(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return cause?.code === 'ECONNRESET' || cause?.code === 'EPIPE';
}

function translated(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? unavailable(RETRY_SECONDS, { cause: error }) : error;
}
