/**
 * A way to an S3 server on which things go wrong, as a spec says: an HTTP proxy that passes requests on as they are (so
 * their signatures hold) and spoils those that its rule picks.
 */
import { once } from 'node:events';
import {
  createServer,
  request as send,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';

/** What goes wrong with one request. */
export interface Fault {
  /** Answers with this status and passes nothing on. */
  readonly status?: number;
  /** Cuts the connection when so many bytes of the request's body have come. */
  readonly resetAfterBytes?: number;
  /** Lets the server do it, and cuts the connection instead of answering. */
  readonly answerLost?: boolean;
  /** Cuts the connection when so many bytes of the answer's body have been passed on. */
  readonly answerCutAfterBytes?: number;
  /** Ends the answer in good order, so many bytes too early. */
  readonly answerShortBy?: number;
  /** Never answers. */
  readonly silent?: boolean;
  /** In place of those of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SeenRequest {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  /** How many like it (method, key, part number) came before. */
  readonly before: number;
}

export type Rule = (request: SeenRequest) => Fault | undefined;

export class FaultProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  rule: Rule = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
    readonly url: string,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      this.#pass(request, response);
    });
  }

  static async open(target: string): Promise<FaultProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new FaultProxy(server, new URL(target), `http://127.0.0.1:${address.port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** How many requests like this came. */
  count(method: string, like: (request: SeenRequest) => boolean = () => true): number {
    return this.seen.filter((one) => one.method === method && like(one)).length;
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const fault = this.rule(this.#see(request)) ?? {};
    if (fault.silent === true) return;
    if (fault.status !== undefined) {
      request.resume().once('end', () => response.writeHead(fault.status as number).end());
      return;
    }
    if (fault.resetAfterBytes !== undefined) {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= (fault.resetAfterBytes as number)) request.socket.destroy();
      });
      return;
    }
    const { method, url: path, headers } = request;
    const { hostname, port } = this.target;
    const passed = send({ hostname, port, method, path, headers, agent: false });
    passed.on('error', () => request.socket.destroy());
    passed.on('response', (answer) => answerWith(answer, response, fault));
    request.pipe(passed);
  }

  #see({ method = '', url = '' }: IncomingMessage): SeenRequest {
    const { pathname, searchParams: query } = new URL(url, this.target);
    const key = pathname.split('/').slice(2).join('/');
    const part = query.get('partNumber');
    const before = this.count(
      method,
      (one) => one.key === key && one.query.get('partNumber') === part,
    );
    const request = { method, key, query, before };
    this.seen.push(request);
    return request;
  }
}

function answerWith(answer: IncomingMessage, response: ServerResponse, fault: Fault): void {
  answer.on('error', () => response.destroy());
  if (fault.answerLost === true) {
    answer.resume().once('end', () => response.destroy());
    return;
  }
  const headers: IncomingHttpHeaders = { ...answer.headers, ...fault.headers };
  let left = fault.answerCutAfterBytes ?? Infinity;
  if (fault.answerShortBy !== undefined) {
    left = Number(headers['content-length']) - fault.answerShortBy;
    headers['content-length'] = String(left);
  }
  response.writeHead(answer.statusCode ?? 500, headers);
  answer.on('data', (chunk: Buffer) => {
    if (left <= 0) return;
    if (!response.write(chunk.subarray(0, left))) {
      answer.pause();
      response.once('drain', () => answer.resume());
    }
    left -= chunk.length;
    if (left <= 0 && fault.answerShortBy === undefined) response.destroy();
  });
  answer.on('end', () => response.end());
}
