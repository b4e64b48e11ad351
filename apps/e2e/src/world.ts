import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readQuireSettings } from '@quire/quire/config';
import { startQuire, type RunningQuire } from '@quire/quire/embedded';
import { objection } from './seed-oracle.js';

/**
 * All of Quire for a story, as a user starts it: five services in this process, a PostgreSQL of its own, files on disk, the
 * in-process bus. Nothing is shared with another story; the roles of a database belong to its whole server.
 */
export class World implements AsyncDisposable {
  private constructor(
    readonly quire: RunningQuire,
    readonly dataDir: string,
  ) {}

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<World> {
    const dataDir = await mkdtemp(join(tmpdir(), 'quire-world-'));
    const quire = await startQuire(
      readQuireSettings({
        QUIRE_DATA_DIR: dataDir,
        QUIRE_PORT: '0',
        QUIRE_OPERATIONS_PORT: '0',
        QUIRE_ADMIN_PASSWORD: PASSWORD,
        ...settings,
      }),
      () => undefined,
    );
    return new World(quire, dataDir);
  }

  get url(): string {
    return this.quire.url;
  }

  async token(tenant = 'library', username = 'admin', password = PASSWORD): Promise<string> {
    const answer = await this.send('POST', '/authn/login', {
      headers: { 'x-okapi-tenant': tenant },
      json: { username, password },
    });
    if (answer.status !== 201) throw new Error(`Login failed: ${answer.status} ${answer.text}`);
    return (answer.json as { okapiToken: string }).okapiToken;
  }

  /**
   * One request, with the answer read whole.
   *
   * @throws Error if the seed that the call is of does not declare the status, or its schema does not take the answer
   */
  async send(method: string, path: string, request: Sent = {}): Promise<Answer> {
    const { json, body = json === undefined ? undefined : JSON.stringify(json) } = request;
    const response = await fetch(path.startsWith('http') ? path : this.url + path, {
      method,
      headers: {
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      redirect: 'manual',
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const text = bytes.toString('utf8');
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      bytes,
      text,
      json:
        isJson && text !== '' && method !== 'HEAD' && !text.includes('\n')
          ? JSON.parse(text)
          : undefined,
    };
    const wrong = objection({ method, target: path }, answer);
    if (wrong !== undefined) throw new Error(`${wrong}\n${text.slice(0, 500)}`);
    return answer;
  }

  /** A caller with a token, for most requests of a story. */
  async as(tenant = 'library', username = 'admin', password = PASSWORD): Promise<Person> {
    const token = await this.token(tenant, username, password);
    return new Person(this, { 'x-okapi-tenant': tenant, 'x-okapi-token': token });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quire.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

export const PASSWORD = 'correct horse battery';

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  readonly json: unknown;
}

export class Person {
  constructor(
    private readonly world: World,
    readonly headers: Readonly<Record<string, string>>,
  ) {}

  send(method: string, path: string, request: Sent = {}): Promise<Answer> {
    return this.world.send(method, path, {
      ...request,
      headers: { ...this.headers, ...request.headers },
    });
  }

  /** A GET whose answer must be 200. */
  async get<T>(path: string): Promise<T> {
    return expectStatus(await this.send('GET', path), 200).json as T;
  }

  async post<T>(path: string, json: unknown, status = 201): Promise<T> {
    return expectStatus(await this.send('POST', path, { json }), status).json as T;
  }

  async upload<T>(path: string, body: Uint8Array | string): Promise<T> {
    const headers = { 'content-type': 'application/octet-stream' };
    return expectStatus(await this.send('POST', path, { body, headers }), 200).json as T;
  }
}

function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status !== status)
    throw new Error(`Wanted ${status}, got ${answer.status}: ${answer.text}`);
  return answer;
}
