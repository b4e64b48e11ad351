import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { signAssertion } from '@quire/auth/assertion';
import type { Clock } from '@quire/contracts/clock';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { EventDefinition } from '@quire/contracts/define-event';
import { ROUTES } from '@quire/contracts/routes';
import type { ServiceName } from '@quire/contracts/scope';
import {
  ChunkRejected,
  ChunkSaved,
  SnapshotUndone,
  type ChunkRejectedPayload,
  type ChunkSavedPayload,
  type SnapshotUndonePayload,
} from '@quire/contracts/source-record-events';
import { Outbox } from '@quire/messaging/outbox';
import { TenantKey } from '@quire/object-store/tenant-key';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import type { ServiceDefinition } from '@quire/service/boot';
import { startIsolated, type Isolated, type IsolatedOptions } from '@quire/service/isolated';
import { bucketOfLab } from '@quire/testing/lab/bucket';
import type { DataSource } from 'typeorm';
import type { ImportSettings } from '../src/config.js';
import { dataImport } from '../src/service.js';
import { Sent, storageStub } from './storage-stub.js';

export const TENANT = 'library';
export const OTHER_TENANT = 'archive';
export const USER_ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
export const OTHER_USER_ID = '8e4dab63-1c6f-4a6d-9b64-2a3a8c2eab21';
/** Takes bibliographic records. */
export const PROFILE_ID = 'e34d7b92-9b83-11eb-a8b3-0242ac130003';
export const OTHER_PROFILE_ID = '36a83bc5-9fef-4baa-a36d-7a0f34351dfa';

export const SEED = '/data-import/upload/definition';
export const CURRENT = '/data-import/uploadDefinitions';

const PERMISSIONS = ROUTES.flatMap(({ service, permission }) =>
  service === 'data-import' && permission !== undefined ? [permission] : [],
);

export interface Ask {
  readonly tenant?: string;
  readonly userId?: string;
  readonly permissions?: readonly string[];
  readonly body?: object;
  readonly bytes?: Readable | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever a test expects of an answer
  readonly json: any;
}

/** A definition of one file, as far as tests look at it. */
export interface Drafted {
  readonly id: string;
  readonly fileId: string;
  readonly jobId: string;
}

interface Shown {
  readonly id: string;
  readonly jobExecutionId: string;
}

/** What is not as it usually is. */
export interface Surroundings extends Pick<IsolatedOptions, 'store' | 'outbox'> {
  readonly neighbours?: readonly ServiceDefinition[];
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** data-import on its own, beside a source-record-storage that answers when a test says so, through a real outbox. */
export class ImportWorld implements AsyncDisposable {
  private constructor(
    readonly isolated: Isolated,
    readonly sent: Sent,
    private readonly clock: Clock | undefined,
  ) {}

  static async start(
    databaseUrl: string,
    settings: Partial<ImportSettings> = {},
    clock?: Clock,
    { neighbours = [], ...around }: Surroundings = {},
  ): Promise<ImportWorld> {
    const sent = new Sent();
    const isolated = await startIsolated([dataImport, storageStub(sent), ...neighbours], {
      databaseUrl,
      settings: { 'data-import': settings },
      ...(clock === undefined ? {} : { clock }),
      ...(around.store === undefined ? bucketOfLab('data-import') : {}),
      ...around,
    });
    const world = new ImportWorld(isolated, sent, clock);
    for (const tenant of [TENANT, OTHER_TENANT]) await isolated.enable(tenant);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.isolated.stop();
  }

  /** A request as the gateway would pass it on. */
  async ask(method: Method, target: string, ask: Ask = {}): Promise<Answer> {
    const {
      tenant = TENANT,
      userId = USER_ID,
      permissions = PERMISSIONS,
      body,
      bytes,
      headers,
    } = ask;
    const answer = await this.isolated.client.call({
      to: 'data-import',
      method,
      target,
      scope: { tenantId: tenant, actorId: userId },
      claims: {
        permissions,
        username: 'ann',
        firstName: 'Ann',
        lastName: 'Archer',
        publicUrl: 'https://library.example/api',
      },
      ...(body === undefined ? {} : { body }),
      ...(bytes === undefined ? {} : { bytes }),
      headers: {
        ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        ...headers,
      },
    });
    const whole = await buffer(answer.body);
    const text = whole.toString('utf8');
    const isJson = String(answer.headers['content-type']).startsWith('application/json');
    const json: unknown = isJson ? JSON.parse(text) : undefined;
    return { status: answer.status, headers: answer.headers, bytes: whole, text, json };
  }

  /** A link as a script follows it: the gateway passes it on without tenant, user or permission. */
  follow(
    link: string,
    { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const { pathname, search } = new URL(link);
    const target = `${pathname.replace(/^\/api/, '')}${search}`;
    const assertion = signAssertion(
      { issuer: 'gateway', audience: 'data-import', method, target, requestId: 'test' },
      this.isolated.keys.of('gateway').pairs,
      this.clock?.now() ?? new Date(),
    );
    return fetch(`${this.isolated.urls['data-import'] ?? ''}${target}`, {
      method,
      headers: { ...headers, 'x-internal-assertion': assertion },
    });
  }

  get(target: string, ask: Ask = {}): Promise<Answer> {
    return this.ask('GET', target, ask);
  }

  /** A new definition of the seed family. */
  async create(...names: string[]): Promise<Answer['json']> {
    const body = { fileDefinitions: names.map((name) => ({ name })) };
    const answer = await this.ask('POST', SEED, { body });
    expect(answer.status).toBe(201);
    return answer.json;
  }

  async read(id: string): Promise<Answer['json']> {
    return (await this.get(`${SEED}/${id}`)).json;
  }

  uploadTo(definitionId: string, fileId: string, bytes: Buffer | Readable): Promise<Answer> {
    const query = `uploadDefinitionId=${definitionId}&fileId=${fileId}`;
    return this.ask('POST', `/data-import/upload/file?${query}`, { bytes });
  }

  /** A new definition of the current family with one file. */
  async draft(name = 'records.mrc', ask: Ask = {}): Promise<Drafted> {
    const body = { fileDefinitions: [{ name }] };
    const answer = await this.ask('POST', CURRENT, { ...ask, body });
    expect(answer.status).toBe(201);
    const definition = answer.json as { id: string; fileDefinitions: Shown[] };
    const [file] = definition.fileDefinitions;
    return { id: definition.id, fileId: file?.id ?? '', jobId: file?.jobExecutionId ?? '' };
  }

  upload({ id, fileId }: Drafted, bytes: Readable | Buffer, ask: Ask = {}): Promise<Answer> {
    return this.ask('POST', `/data-import/uploadDefinitions/${id}/files/${fileId}`, {
      ...ask,
      bytes,
    });
  }

  process({ id }: Pick<Drafted, 'id'>, info: object = {}, ask: Ask = {}): Promise<Answer> {
    const body = { uploadDefinition: { id }, jobProfileInfo: { id: PROFILE_ID, ...info } };
    return this.ask('POST', `/data-import/uploadDefinitions/${id}/processFiles`, { body, ...ask });
  }

  /** Uploads a file and starts its import. */
  async start(
    bytes: Buffer,
    name?: string,
    { info, ...ask }: Ask & { readonly info?: object } = {},
  ): Promise<Drafted> {
    const drafted = await this.draft(name, ask);
    expect((await this.upload(drafted, bytes, ask)).status).toBe(200);
    expect(await this.process(drafted, info, ask)).toMatchObject({ status: 204, text: '' });
    return drafted;
  }

  async job(id: string): Promise<Answer['json']> {
    return (await this.get(`/change-manager/jobExecutions/${id}`)).json;
  }

  async details(id: string): Promise<Answer['json']> {
    return (await this.get(`/data-import/jobExecutions/${id}/details`)).json;
  }

  /** source-record-storage says that a chunk is saved: all its records created, unless told otherwise. */
  async saved(chunk: ChunkReadyPayload, changes: Partial<ChunkSavedPayload> = {}): Promise<void> {
    const none = { created: 0, updated: 0, unchanged: 0, failed: 0, warned: 0 };
    const counts = { ...none, created: chunk.count, byType: {}, warnings: {} };
    await this.tell(ChunkSaved, { ...answerTo(chunk), counts, errors: [], ...changes });
  }

  async rejected(chunk: ChunkReadyPayload, reason: ChunkRejectedPayload['reason']): Promise<void> {
    await this.tell(ChunkRejected, { ...answerTo(chunk), reason });
  }

  /** source-record-storage says that it has taken a job's records back. */
  async undone(
    jobId: string,
    counts: Pick<SnapshotUndonePayload, 'removed' | 'restored' | 'kept'>,
  ): Promise<void> {
    await this.tell(SnapshotUndone, { tenantId: TENANT, snapshotId: jobId, ...counts });
  }

  private async tell<P extends ChunkSavedPayload | ChunkRejectedPayload | SnapshotUndonePayload>(
    event: EventDefinition<P>,
    payload: NoInfer<P>,
  ): Promise<void> {
    const outbox = this.isolated.services.get('source-record-storage')?.app.get(Outbox);
    const scope = { tenantId: payload.tenantId, actorId: USER_ID };
    // eslint-disable-next-line no-restricted-syntax -- stands in for a use case of source-record-storage
    await withTenant(this.source('source-record-storage'), scope, async (tx) => {
      await outbox?.add<P>(tx, event, payload);
    });
    await this.isolated.settled();
  }

  /** Rows of the service's own tables; the first parameter is the tenant. */
  rows<R extends object>(
    sql: string,
    params: readonly unknown[] = [],
    tenantId = TENANT,
  ): Promise<R[]> {
    const scope = { tenantId, actorId: USER_ID };
    return readTenant(this.source('data-import'), scope, (tx) =>
      tx.query<R>(sql, [tx.tenantId, ...params]),
    );
  }

  /** The object that holds the bytes of a file. */
  async objectOf(fileId: string): Promise<TenantKey> {
    const [file] = await this.rows<{ object_key: string }>(
      'select object_key from upload_file where tenant_id = $1 and id = $2',
      [fileId],
    );
    return TenantKey.parse(file?.object_key ?? '');
  }

  /** No object is announced and not accounted for. */
  async expectNoIntents(): Promise<void> {
    expect(await this.rows('select key from object_intent where tenant_id = $1')).toEqual([]);
  }

  /** Turns rows into what they become with time. */
  change(sql: string, params: readonly unknown[]): Promise<number> {
    const scope = { tenantId: TENANT, actorId: USER_ID };
    // eslint-disable-next-line no-restricted-syntax -- stands in for time that passes
    return withTenant(this.source('data-import'), scope, (tx) =>
      tx.execute(sql, [tx.tenantId, ...params]),
    );
  }

  private source(name: ServiceName): DataSource {
    const source = this.isolated.sources.get(name);
    if (!source) throw new Error(`${name} is not started`);
    return source;
  }
}

/** The one violation of a 422. */
export function violationOf(answer: Answer): object {
  expect(answer.status).toBe(422);
  const body = answer.json as { total_records: number; errors: object[] };
  expect(body.total_records).toBe(1);
  return body.errors[0] ?? {};
}

type AnswerTo = Omit<ChunkRejectedPayload, 'reason'>;

function answerTo({
  tenantId,
  jobExecutionId,
  jobVersion,
  chunkId,
  chunkNo,
}: ChunkReadyPayload): AnswerTo {
  return { tenantId, jobExecutionId, jobVersion, chunkId, chunkNo };
}
