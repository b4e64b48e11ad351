import {
  IncomingMessage,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { AssertedCaller } from '@quire/auth/assertion';
import type { ServiceName } from '@quire/contracts/scope';

/**
 * Calls between services of one process without a connection between them. What a connection costs, twice reading and writing
 * a head, is half of a short read; the rules of the service are the same, for the request goes through its router and hooks.
 *
 * Reads only: what has a body needs a connection's back-pressure.
 */
export type Neighbours = Partial<Record<ServiceName, Neighbour>>;

/** Gives the request to the service's router. The answer begins when its `head` resolves. */
export type Neighbour = (request: NearRequest) => NearAnswer;

export function neighbourOf(
  route: (request: IncomingMessage, response: ServerResponse) => void,
): Neighbour {
  return (request) => {
    const answer = new NearAnswer();
    // Fastify and Nest use of a response what a NearAnswer has.
    route(request, answer as unknown as ServerResponse);
    return answer;
  };
}

export interface NearCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly caller: AssertedCaller;
}

/** A request without a body. Who calls is no header that somebody else could write, but part of the object: nothing needs a signature. */
export class NearRequest extends IncomingMessage {
  readonly caller: AssertedCaller;

  /** @param socket of the client */
  constructor(socket: Socket, { method, target, headers, caller }: NearCall) {
    super(socket);
    this.method = method;
    this.url = target;
    this.headers = headers;
    this.caller = caller;
    this.complete = true;
  }

  override _read(): void {
    this.push(null);
  }
}

/** An answer of a neighbour: written like a `ServerResponse`, read as a stream. */
export class NearAnswer extends PassThrough {
  statusCode = 200;
  /** Names in lower case. */
  readonly headers: OutgoingHttpHeaders = {};
  headersSent = false;
  /** Of an answer that was written in one piece, undefined of one that has to be read. */
  whole: Buffer | string | undefined;
  private inPieces = false;
  private reason: Error | null = null;
  private begin: () => void = () => undefined;
  private readonly begun = new Promise<void>((resolve) => (this.begin = resolve));

  /**
   * Resolves when status and headers stand.
   *
   * @throws Error when the service gave it up before
   */
  async head(): Promise<this> {
    if (!this.headersSent && !this.destroyed) await this.begun;
    if (!this.headersSent) throw this.reason ?? new Error('The service gave no answer.');
    return this;
  }

  setHeader(name: string, value: number | string | readonly string[]): this {
    this.headers[name.toLowerCase()] = value as string;
    return this;
  }

  getHeader(name: string): OutgoingHttpHeaders[string] {
    return this.headers[name.toLowerCase()];
  }

  getHeaders(): OutgoingHttpHeaders {
    return { ...this.headers };
  }

  hasHeader(name: string): boolean {
    return name.toLowerCase() in this.headers;
  }

  removeHeader(name: string): void {
    Reflect.deleteProperty(this.headers, name.toLowerCase());
  }

  writeHead(status: number, headers: OutgoingHttpHeaders = {}): this {
    this.statusCode = status;
    for (const name in headers) this.headers[name.toLowerCase()] = headers[name];
    this.flushHeaders();
    return this;
  }

  flushHeaders(): void {
    this.headersSent = true;
    this.begin();
  }

  override write(chunk: unknown): boolean {
    if (!this.headersSent) this.flushHeaders();
    this.inPieces = true;
    return super.write(chunk);
  }

  /** Fastify gives null for what it leaves out. */
  override end(chunk?: unknown): this {
    if (!this.inPieces) this.whole = (chunk ?? '') as Buffer | string;
    else if (chunk !== undefined && chunk !== null) super.write(chunk);
    if (!this.headersSent) this.flushHeaders();
    return super.end();
  }

  /** Like a response, whose connection has the error. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.reason = error;
    this.begin();
    done();
  }
}
