import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { signAssertion } from '@quire/auth/assertion';
import { ROUTES } from '@quire/contracts/routes';
import type { Clock } from '@quire/contracts/clock';
import type { Dialect } from '@quire/contracts/scope';
import { uuidV5 } from '@quire/contracts/ids';
import { startIsolated, type Isolated, type IsolatedOptions } from '@quire/service/isolated';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { bucketOfLab } from '@quire/testing/lab/bucket';
import { controlField, dataField, writeRecord, type FieldBytes } from '@quire/marc/iso2709/write';
import type { DataSource } from 'typeorm';
import { dataExport } from '../src/service.js';
import { FramesServer } from './frames-server.js';

export const TENANT = 'library';
export const USER = '873bbfa4-7f40-4bd0-aa27-027494a4b5e9';
export const DEFAULT_PROFILE = '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a';
export const PERMISSIONS = ROUTES.flatMap(({ service, permission }) =>
  service === 'data-export' && permission !== undefined ? [permission] : [],
);

export type Bytes = string | Uint8Array | Readable;

export interface Ask {
  readonly tenant?: string;
  readonly permissions?: readonly string[];
  readonly dialect?: Dialect;
  readonly body?: unknown;
  readonly bytes?: Bytes;
  readonly headers?: Readonly<Record<string, string>>;
  readonly firstName?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever a test expects of an answer
  readonly json: any;
}

export interface Job {
  readonly id: string;
  readonly hrId: number;
  readonly status: string;
  readonly exportedFiles?: readonly { readonly fileId: string; readonly fileName: string }[];
  readonly progress: Readonly<Record<string, number>>;
  readonly [property: string]: unknown;
}

/** data-export on its own, with a source-record-storage that tests fill. */
export class ExportWorld implements AsyncDisposable {
  private profiles = 0;

  private constructor(
    readonly isolated: Isolated,
    readonly sources: FramesServer,
    private readonly clock: Clock,
  ) {}

  static async start(
    databaseUrl: string,
    settings: object = {},
    clock: Clock = { now: () => new Date() },
    around: Pick<IsolatedOptions, 'store' | 'outbox'> = {},
  ): Promise<ExportWorld> {
    const isolated = await startIsolated([dataExport], {
      databaseUrl,
      clock,
      ...(around.store === undefined ? bucketOfLab('data-export') : {}),
      ...around,
      settings: { 'data-export': { sweepMs: 100, ...settings } },
    });
    const sources = await FramesServer.start(isolated.keys.of('source-record-storage'));
    isolated.urls['source-record-storage'] = sources.url;
    await isolated.enable(TENANT);
    return new ExportWorld(isolated, sources, clock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.isolated.stop();
    await this.sources.stop();
  }

  /** A request as the gateway would pass it on. */
  async ask(method: string, target: string, ask: Ask = {}): Promise<Answer> {
    const response = await this.open(method, target, ask);
    const text = await response.text();
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  }

  open(method: string, target: string, ask: Ask = {}): Promise<Response> {
    const { tenant = TENANT, permissions = PERMISSIONS, dialect, body, bytes, firstName } = ask;
    const assertion = signAssertion(
      {
        issuer: 'gateway',
        audience: 'data-export',
        method,
        target,
        requestId: 'test',
        tenantId: tenant,
        actorId: USER,
        username: 'admin',
        lastName: 'Admin',
        publicUrl: 'https://library.example/api',
        permissions,
        ...(dialect === undefined ? {} : { dialect }),
        ...(firstName === undefined ? {} : { firstName }),
      },
      this.isolated.keys.of('gateway').pairs,
      this.clock.now(),
    );
    const json = typeof body === 'string' ? body : JSON.stringify(body);
    return send(`${this.isolated.urls['data-export'] ?? ''}${target}`, {
      method,
      headers: {
        'x-internal-assertion': assertion,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...ask.headers,
      },
      body: bytes ?? json,
    });
  }

  /** A link as a script follows it: the gateway passes it on without tenant, user or permission. */
  follow(
    link: string,
    init: { method?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const { method = 'GET' } = init;
    const { pathname, search } = new URL(link);
    const target = `${pathname.replace(/^\/api/, '')}${search}`;
    const assertion = signAssertion(
      { issuer: 'gateway', audience: 'data-export', method, target, requestId: 'test' },
      this.isolated.keys.of('gateway').pairs,
      this.clock.now(),
    );
    return send(`${this.isolated.urls['data-export'] ?? ''}${target}`, {
      method,
      headers: { ...init.headers, 'x-internal-assertion': assertion },
      body: undefined,
    });
  }

  /** Definition and upload in one go. */
  async uploaded(
    content: string | Buffer,
    ask: { definition?: object; tenant?: string } = {},
  ): Promise<{ id: string; jobExecutionId: string }> {
    const { tenant = TENANT } = ask;
    const body = { fileName: 'test.csv', ...ask.definition };
    const made = await this.ask('POST', '/data-export/file-definitions', { body, tenant });
    const id = (made.json as { id: string }).id;
    const sent = await this.ask('POST', `/data-export/file-definitions/${id}/upload`, {
      tenant,
      bytes: content,
      headers: { 'content-type': 'application/octet-stream' },
    });
    if (sent.status !== 200) throw new Error(`${sent.status} ${sent.text}`);
    return { id, jobExecutionId: (sent.json as { jobExecutionId: string }).jobExecutionId };
  }

  /** Uploads, exports and waits for the end. */
  async exported(content: string, request: object = {}, definition: object = {}): Promise<Job> {
    const { id } = await this.uploaded(content, { definition });
    const started = await this.ask('POST', '/data-export/export', {
      body: { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE, ...request },
    });
    if (started.status !== 204) throw new Error(`${started.status} ${started.text}`);
    return this.ended(started.headers.get('x-job-execution-id') ?? '');
  }

  async job(id: string, ask: Ask = {}): Promise<Job> {
    return (await this.ask('GET', `/data-export/job-executions/${id}`, ask)).json as Job;
  }

  /** Polls as clients do. */
  async ended(id: string, ask: Ask = {}): Promise<Job> {
    for (let tries = 0; tries < 3000; tries += 1) {
      const job = await this.job(id, ask);
      if (job.status !== 'NEW' && job.status !== 'IN_PROGRESS') return job;
      await delay(10);
    }
    throw new Error(`${id} does not end.`);
  }

  async logs(jobId: string): Promise<Log[]> {
    const list = await this.ask(
      'GET',
      `/data-export/logs?query=jobExecutionId==${jobId}&limit=10000`,
    );
    const { errorLogs } = list.json as { errorLogs: WireLog[] };
    return errorLogs.map((log) => ({
      code: log.errorMessageCode,
      level: log.logLevel,
      values: log.errorMessageValues,
      ...(log.affectedRecord ? { affected: log.affectedRecord } : {}),
    }));
  }

  /** The bytes behind the link of a finished job. */
  async file(job: Job, ask: Ask = {}): Promise<Buffer> {
    const response = await this.download(job, 0, ask);
    return Buffer.from(await response.arrayBuffer());
  }

  /** What the link to one of its files answers. */
  async download(job: Job, file = 0, ask: Ask = {}): Promise<Response> {
    const fileId = job.exportedFiles?.[file]?.fileId ?? '';
    const path = `/data-export/job-executions/${job.id}/download/${fileId}`;
    const link = await this.ask('GET', path, ask);
    const response = await this.follow((link.json as { link: string }).link);
    if (response.status !== 200) throw new Error(`${response.status}`);
    return response;
  }

  /** A job profile with a mapping profile of its own. */
  async profile(mapping: object): Promise<string> {
    this.profiles += 1;
    const name = `Profile ${this.profiles}`;
    const made = await this.ask('POST', '/data-export/mapping-profiles', {
      body: { name, recordTypes: ['SRS'], ...mapping },
    });
    const mappingProfileId = (made.json as { id: string }).id;
    const body = { name, mappingProfileId };
    const profile = await this.ask('POST', '/data-export/job-profiles', { body });
    if (profile.status !== 201) throw new Error(`${profile.status} ${profile.text}`);
    return (profile.json as { id: string }).id;
  }

  /** Rows of the service's own tables. */
  rows<R extends object>(sql: string, tenantId = TENANT): Promise<R[]> {
    return readTenant(this.database, { tenantId, actorId: USER }, (tx) => tx.query<R>(sql));
  }

  /** Changes rows as nothing of the service would. */
  async change(sql: string, tenantId = TENANT): Promise<void> {
    // eslint-disable-next-line no-restricted-syntax -- what no door of the service does
    await withTenant(this.database, { tenantId, actorId: USER }, (tx) => tx.execute(sql));
  }

  private get database(): DataSource {
    const source = this.isolated.sources.get('data-export');
    if (!source) throw new Error('There is no database.');
    return source;
  }

  /** Gives the tenant source records for these ids. */
  has(
    ids: readonly string[],
    bytesOf = (id: string): Buffer => recordOf(id),
    tenant = TENANT,
  ): void {
    for (const id of ids) this.sources.records.set(`${tenant}:${id}`, { bytes: bytesOf(id) });
  }
}

const NAMESPACE = '2b6c4d6e-8f4f-4c1e-9d55-0f8f0c7a4a11';

export const idOf = (number: number): string => uuidV5(NAMESPACE, String(number));
export const idsOf = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => idOf(from + index));

/** A stored record that says which id it has. */
export function recordOf(id: string, more: readonly FieldBytes[] = []): Buffer {
  return stored([
    controlField('001', `in${id.slice(0, 8)}`),
    dataField('245', '10', [['a', `Title of ${id.slice(0, 8)}`]]),
    ...more,
    dataField('999', 'ff', [
      ['s', id],
      ['i', id],
    ]),
  ]);
}

export function stored(fields: readonly FieldBytes[]): Buffer {
  const record = writeRecord('00000nam a2200000 i 4500', fields);
  if (record.failed) throw new Error(`Record cannot be written: ${record.code}`);
  return record.bytes;
}

interface WireLog {
  readonly errorMessageCode: string;
  readonly logLevel: string;
  readonly errorMessageValues: string[];
  readonly affectedRecord?: object;
}

export interface Log {
  readonly code: string;
  readonly level: string;
  readonly values: string[];
  readonly affected?: object;
}

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes | undefined;
}

/** One connection per request: what `fetch` opens ahead and never uses would hold up the end of the server. */
function send(url: string, { method, headers, body }: Sent): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (answer) => {
      const fields = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      const empty = answer.statusCode === 204 || method === 'HEAD';
      if (empty) answer.resume();
      const bytes = empty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
      const status = answer.statusCode ?? 0;
      resolve(new Response(bytes, { status, headers: fields as [string, string][] }));
    });
    request.on('error', reject);
    if (body instanceof Readable) {
      body.on('error', (error) => request.destroy(error));
      body.pipe(request);
    } else request.end(body);
  });
}

/** Looks until it holds, as long as a client would. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (await holds()) return;
    await delay(10);
  }
  throw new Error('It does not come to pass.');
}

/** Something that waits until it is opened. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
