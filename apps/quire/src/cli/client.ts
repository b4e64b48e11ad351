import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { Readable, Writable } from 'node:stream';
import { CommandFailure, EXIT, exitCodeOf } from './exit-codes.js';

/**
 * Talks to the public API as any FOLIO client would: `POST /authn/login`, then the token in `X-Okapi-Token`. Bodies of
 * files are streamed both ways. An answer other than 2xx becomes a {@link CommandFailure} with the server's sentence.
 */
export interface Connection {
  /** Base address of the gateway, with its path prefix. */
  readonly url: string;
  readonly tenant: string;
  readonly username: string;
  readonly password: string;
}

/** No byte for this long: the server counts as gone. Jobs are polled, so no call waits longer. */
const IDLE_MS = 60_000;
/** Text of an error or JSON answer that is read into memory. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

export class QuireClient {
  private token: string | undefined;
  private readonly agent: http.Agent;

  constructor(private readonly connection: Connection) {
    this.agent = connection.url.startsWith('https:')
      ? new https.Agent({ keepAlive: true })
      : new http.Agent({ keepAlive: true });
  }

  close(): void {
    this.agent.destroy();
  }

  get<T>(path: string): Promise<T> {
    return this.json<T>('GET', path);
  }

  post<T>(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.json<T>('POST', path, { body, headers });
  }

  async delete(path: string): Promise<void> {
    await this.json('DELETE', path);
  }

  /** The text of an answer as it arrives. Whoever stops reading ends it. */
  async text(path: string): Promise<AsyncIterable<string>> {
    const answer = await this.authorised('GET', path, {});
    return answer.setEncoding('utf8') as AsyncIterable<string>;
  }

  /** Streams `source` as the body of a POST. `bytes` is its length where it is known. */
  async upload<T>(path: string, source: Readable, bytes?: number): Promise<T> {
    const headers: Record<string, string> = { 'content-type': 'application/octet-stream' };
    if (bytes !== undefined) headers['content-length'] = String(bytes);
    const answer = await this.authorised('POST', path, headers, (request) =>
      pipeline(source, request),
    );
    return (await readJson(answer)) as T;
  }

  /** Streams the answer of `url` (absolute, or a path of this server) into `sink`; gives its size and SHA-256. */
  async download(
    url: string,
    sink: Writable,
    onPart?: (part: Buffer) => void,
  ): Promise<{ bytes: number; sha256: string }> {
    const answer = url.startsWith('http')
      ? await this.send('GET', new URL(url), {})
      : await this.authorised('GET', url, {});
    if (answer.statusCode !== 200) throw await failureOf(answer);
    const hash = createHash('sha256');
    let bytes = 0;
    const seen = async function* (parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const part of parts) {
        hash.update(part);
        bytes += part.length;
        onPart?.(part);
        yield part;
      }
    };
    await pipeline(answer, seen, sink, { end: sink !== process.stdout });
    return { bytes, sha256: hash.digest('hex') };
  }

  private async json<T>(
    method: string,
    path: string,
    {
      body,
      headers: more = {},
    }: { body?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> =
      text === undefined
        ? { ...more }
        : {
            ...more,
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(text)),
          };
    const answer = await this.authorised(
      method,
      path,
      headers,
      (request) => void request.end(text),
    );
    return (await readJson(answer)) as T;
  }

  /** Sends with the token. An expired one is replaced once, unless the body was a stream that is spent by then. */
  private async authorised(
    method: string,
    path: string,
    headers: Record<string, string>,
    write?: (request: http.ClientRequest) => unknown,
  ): Promise<http.IncomingMessage> {
    this.token ??= await this.login();
    const send = (): Promise<http.IncomingMessage> =>
      this.send(
        method,
        new URL(this.connection.url + path),
        { ...headers, ...this.identity() },
        write,
      );
    const answer = await send();
    if (answer.statusCode !== 401 || headers['content-type'] === 'application/octet-stream')
      return checked(answer);
    answer.resume();
    this.token = await this.login();
    return checked(await send());
  }

  private identity(): Record<string, string> {
    return { 'x-okapi-tenant': this.connection.tenant, 'x-okapi-token': this.token ?? '' };
  }

  private async login(): Promise<string> {
    const { username, password, tenant } = this.connection;
    const text = JSON.stringify({ username, password });
    const headers = { 'content-type': 'application/json', 'x-okapi-tenant': tenant };
    const answer = await this.send(
      'POST',
      new URL(`${this.connection.url}/authn/login`),
      headers,
      (request) => request.end(text),
    );
    if (answer.statusCode === 422 || answer.statusCode === 401) {
      answer.resume();
      throw new CommandFailure(
        EXIT.notAllowed,
        `Login of "${username}" in tenant "${tenant}" was refused: wrong username, wrong password, or the account is blocked.`,
      );
    }
    const body = (await readJson(await checked(answer))) as { okapiToken: string };
    return body.okapiToken;
  }

  private async send(
    method: string,
    url: URL,
    headers: Record<string, string>,
    write?: (request: http.ClientRequest) => unknown,
  ): Promise<http.IncomingMessage> {
    const transport = url.protocol === 'https:' ? https : http;
    const request = transport.request(url, {
      method,
      headers,
      agent: this.agent,
      timeout: IDLE_MS,
    });
    request.on('timeout', () => request.destroy(new Error(`no answer for ${IDLE_MS / 1000} s`)));
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    // The server may answer and close before it has taken the whole body (413): its answer counts, not our broken pipe.
    const written = Promise.resolve(write ? write(request) : request.end()).catch(
      (error: unknown) => error,
    );
    try {
      const [answer] = await answered;
      return answer;
    } catch (error) {
      await written;
      throw new CommandFailure(
        EXIT.unreachable,
        `Quire at ${this.connection.url} cannot be reached: ${reasonOf(error)}. Is it running (npm start)?`,
        { cause: error },
      );
    }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message === '' && code !== undefined ? code : error.message;
}

async function checked(answer: http.IncomingMessage): Promise<http.IncomingMessage> {
  const status = answer.statusCode ?? 0;
  if (status >= 200 && status < 300) return answer;
  throw await failureOf(answer);
}

async function failureOf(answer: http.IncomingMessage): Promise<CommandFailure> {
  const status = answer.statusCode ?? 0;
  const text = await readText(answer);
  return new CommandFailure(
    exitCodeOf(status),
    `The server answered ${status}: ${sentenceOf(text)}`,
  );
}

/** The messages of a 422 body, or the text itself. */
function sentenceOf(text: string): string {
  try {
    const body = JSON.parse(text) as {
      errors?: { message: string; parameters?: { key: string; value: string }[] }[];
    };
    if (!body.errors) return text;
    return body.errors
      .map((error) =>
        [
          error.message,
          ...(error.parameters ?? []).map((one) => `(${one.key}: ${one.value})`),
        ].join(' '),
      )
      .join('; ');
  } catch {
    return text;
  }
}

async function readText(answer: http.IncomingMessage): Promise<string> {
  answer.setEncoding('utf8');
  let text = '';
  for await (const part of answer as AsyncIterable<string>) {
    text += part;
    if (text.length > ANSWER_BYTES_MAX)
      throw new CommandFailure(EXIT.unexpected, 'The answer is too long.');
  }
  return text;
}

async function readJson(answer: http.IncomingMessage): Promise<unknown> {
  const text = await readText(answer);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
