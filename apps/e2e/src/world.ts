import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readQuireSettings } from '@quire/quire/config';
import { startQuire, type RunningQuire } from '@quire/quire/embedded';
import { openS3Store } from '@quire/object-store/s3.store';
import { TenantKey } from '@quire/object-store/tenant-key';
import { tellBackEnds } from '@quire/testing/lab/back-ends';
import { LabBucket, objectNames } from '@quire/testing/lab/bucket';
import { LabTopics } from '@quire/testing/lab/topics';
import { objection } from './seed-oracle.js';

/** A public door, and requests to it as a client makes them. */
export class Site {
  /** @param url of the door */
  constructor(readonly url: string) {}

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
    const response = await fetchOnce(path.startsWith('http') ? path : this.url + path, {
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
}

/**
 * All of Quire for a story, as a user starts it: five services in this process and a PostgreSQL of its own; in the lab, events
 * over Kafka and objects on S3, else the in-process bus and files on disk. Nothing is shared with another story; the roles of
 * a database belong to its whole server.
 */
export class World extends Site implements AsyncDisposable {
  private constructor(
    readonly quire: RunningQuire,
    /** Those of its start, for another one on the same data. */
    readonly settings: Readonly<Record<string, string>>,
    private readonly opened: AsyncDisposableStack,
  ) {
    super(quire.url);
  }

  /** @param settings with an `EVENT_BUS`: what they do not say is embedded, and nothing is taken from the lab */
  static async open(settings: Readonly<Record<string, string>> = {}): Promise<World> {
    const opened = new AsyncDisposableStack();
    try {
      const dataDir = await mkdtemp(join(tmpdir(), 'quire-world-'));
      opened.defer(() => rm(dataDir, { recursive: true, force: true }));
      const own = 'EVENT_BUS' in settings ? EMBEDDED : takeEngines(opened);
      const all = {
        QUIRE_DATA_DIR: dataDir,
        QUIRE_PORT: '0',
        QUIRE_OPERATIONS_PORT: '0',
        QUIRE_ADMIN_PASSWORD: PASSWORD,
        // Stories share the machine: a process that gets no processor for two seconds is not an outage.
        QUIRE_DATABASE_WAIT_MS: '20000',
        ...own,
        ...settings,
      };
      const read = readQuireSettings(all);
      tellBackEnds({
        world: 'stories',
        kafka: read.kafka !== undefined,
        s3: read.s3 !== undefined,
      });
      const quire = await startQuire(read, () => undefined);
      opened.defer(() => quire.stop());
      return new World(quire, all, opened);
    } catch (error) {
      await opened.disposeAsync();
      throw error;
    }
  }

  get dataDir(): string {
    return this.settings.QUIRE_DATA_DIR ?? '';
  }

  /** Names of all objects in `<prefix>/<tenant>`, as the store has them. */
  async objectNames(folder: string): Promise<string[]> {
    const { s3 } = readQuireSettings(this.settings);
    if (s3) return objectNames(s3, folder);
    const names = await readdir(join(this.dataDir, 'objects', folder));
    // What begins with a dot is being written.
    return names.filter((name) => !name.startsWith('.')).map((name) => `${folder}/${name}`);
  }

  /** Removes an object past all services. */
  async removeObject(name: string): Promise<void> {
    const { s3 } = readQuireSettings(this.settings);
    if (!s3) return rm(join(this.dataDir, 'objects', name), { recursive: true });
    using store = await openS3Store(s3);
    await store.remove(TenantKey.parse(name));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.opened.disposeAsync();
  }
}

/** The engines that Quire brings along. */
const EMBEDDED = { EVENT_BUS: 'in-process', OBJECT_STORE: 'disk' };

/** Of the lab, what is there. @param opened gets what has to be removed */
function takeEngines(opened: AsyncDisposableStack): Record<string, string> {
  const topics = opened.use(LabTopics.take());
  const bucket = opened.use(LabBucket.take());
  return { ...EMBEDDED, ...topics?.settings, ...bucket?.settings };
}

/**
 * On a connection of its own: a server closes one that was idle for a minute, and on a busy machine that happens in the moment in
 * which a client uses it again.
 */
export function fetchOnce(target: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('connection', 'close');
  return fetch(target, { ...init, headers });
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
    private readonly site: Site,
    readonly headers: Readonly<Record<string, string>>,
  ) {}

  send(method: string, path: string, request: Sent = {}): Promise<Answer> {
    return this.site.send(method, path, {
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
