import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { EVENTS } from '@quire/contracts/catalogue';
import { ChunkReady, type ChunkReadyPayload } from '@quire/contracts/data-import';
import type { EventDefinition } from '@quire/contracts/define-event';
import { ROUTES } from '@quire/contracts/routes';
import type { ServiceName } from '@quire/contracts/scope';
import { Outbox } from '@quire/messaging/outbox';
import { TenantKey } from '@quire/object-store/tenant-key';
import { readTenant, withTenant, type TenantRead } from '@quire/postgres/tenant';
import { randomIds, systemClock } from '@quire/service/clock';
import { startIsolated, type Isolated } from '@quire/service/isolated';
import { ServiceClient, type ServiceAnswer } from '@quire/service/service-client';
import { bucketOfLab } from '@quire/testing/lab/bucket';
import type { DataSource } from 'typeorm';
import type { StorageSettings } from '../src/config.js';
import { sourceRecordStorage } from '../src/service.js';
import { InstanceProjector } from '../src/usecases/instance-projector.js';
import { chunkOf, OTHER_TENANT, TENANT, USER_ID, type Sending } from './chunk-source.js';
import { importStub, type Told } from './import-stub.js';

/** What the service tells everybody. */
const FACTS = EVENTS.filter((one) => one.service === 'source-record-storage' && !one.work);

export interface Fact {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const PERMISSIONS = ROUTES.flatMap(({ service, permission }) =>
  service === 'source-record-storage' && permission !== undefined ? [permission] : [],
);

export interface Ask {
  readonly tenant?: string;
  readonly issuer?: 'gateway' | 'data-export' | 'data-import';
  readonly permissions?: readonly string[];
  readonly body?: object;
  /** Sent as it is, instead of a body. */
  readonly raw?: string;
  readonly accept?: string;
  readonly user?: { readonly id: string; readonly name: string };
  readonly headers?: Readonly<Record<string, string>>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly bytes: Buffer;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever a test expects of an answer
  readonly json: any;
}

/**
 * source-record-storage on its own, beside a data-import that only sends what it is told to, through a real outbox, and
 * keeps the answers.
 */
export class RecordWorld implements AsyncDisposable {
  private readonly facts: Fact[] = [];
  /** Whether what is sent is waited for until it is in the instance view, for specs that look into the table. */
  viewFollows = true;
  /** The services that may call this one themselves. */
  private readonly callers: ReadonlyMap<string, ServiceClient>;

  private constructor(
    readonly isolated: Isolated,
    private readonly told: Told[],
  ) {
    const clientOf = (name: ServiceName): ServiceClient => {
      const { pairs } = isolated.keys.of(name);
      return new ServiceClient(name, isolated.urls, pairs, systemClock, randomIds);
    };
    const callers = ['data-export', 'data-import'] as const;
    this.callers = new Map(callers.map((name) => [name, clientOf(name)]));
    isolated.bus.subscribe({
      group: 'gateway',
      types: FACTS.map(({ type }) => type),
      handle: ({ type, payload }) => {
        const name = FACTS.find((one) => one.type === type)?.name ?? type;
        this.facts.push({ name, payload: JSON.parse(payload) as Fact['payload'] });
        return Promise.resolve();
      },
      giveUp: () => Promise.resolve(),
    });
  }

  static async start(
    databaseUrl: string,
    settings: Partial<StorageSettings> = {},
  ): Promise<RecordWorld> {
    const told: Told[] = [];
    const definitions = [importStub(told), sourceRecordStorage];
    const own = { 'source-record-storage': settings };
    const isolated = await startIsolated(definitions, {
      databaseUrl,
      settings: own,
      ...bucketOfLab('source-record-storage'),
    });
    const world = new RecordWorld(isolated, told);
    for (const tenant of [TENANT, OTHER_TENANT]) await world.isolated.enable(tenant);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.callers.values()) client.close();
    await this.isolated.stop();
  }

  /** Stores a file of these frames and sends its one chunk. @returns the chunk, and what came back of it */
  async send(
    frames: readonly Buffer[],
    sending: Sending = {},
  ): Promise<{ chunk: ChunkReadyPayload; told: Told[] }> {
    const chunk = await this.store(frames, sending);
    return { chunk, told: await this.offer(chunk) };
  }

  /** Stores the file only. */
  async store(frames: readonly Buffer[], sending: Sending = {}): Promise<ChunkReadyPayload> {
    const chunk = chunkOf(frames, sending);
    const before = Buffer.alloc(chunk.offset, 'x');
    const key = TenantKey.parse(chunk.objectKey);
    await this.isolated.store.put(key, Readable.from([before, ...frames]));
    return chunk;
  }

  /** Sends a chunk, for the first time or again, and gives everything that was ever answered to it. */
  async offer(chunk: ChunkReadyPayload): Promise<Told[]> {
    await this.publish(ChunkReady, chunk);
    return this.told.filter(({ payload }) => payload.chunkId === chunk.chunkId);
  }

  async publish<P extends object>(event: EventDefinition<P>, payload: NoInfer<P>): Promise<void> {
    const service = this.isolated.services.get('data-import');
    const { tenantId } = payload as { tenantId?: string };
    const scope = { tenantId: tenantId ?? TENANT, actorId: USER_ID };
    const outbox = service?.app.get(Outbox);
    // eslint-disable-next-line no-restricted-syntax -- stands in for a use case of data-import
    await withTenant(this.source('data-import'), scope, async (tx) => {
      await outbox?.add<P>(tx, event, payload);
    });
    await this.isolated.settled();
    if (this.viewFollows) await this.projected(scope.tenantId);
  }

  /** Until the instance view has everything, as a query waits for it. */
  async projected(tenantId = TENANT): Promise<void> {
    const projector = this.isolated.services
      .get('source-record-storage')
      ?.app.get(InstanceProjector);
    await projector?.current({ tenantId, actorId: USER_ID });
  }

  /** What everybody was told of a snapshot and its records, in order. */
  async factsOf(snapshotId: string): Promise<Fact[]> {
    await this.isolated.settled();
    return this.facts.filter(({ payload }) => payload['snapshotId'] === snapshotId);
  }

  private source(name: ServiceName): DataSource {
    const source = this.isolated.sources.get(name);
    if (!source) throw new Error(`${name} is not started`);
    return source;
  }

  /** Rows of the service's own tables; the first parameter is the tenant. */
  rows<R extends object>(
    sql: string,
    params: readonly unknown[] = [],
    tenantId = TENANT,
  ): Promise<R[]> {
    const ask = (tx: TenantRead): Promise<R[]> => tx.query<R>(sql, [tx.tenantId, ...params]);
    return readTenant(this.source('source-record-storage'), { tenantId, actorId: USER_ID }, ask);
  }

  get(target: string, ask: Ask = {}): Promise<Answer> {
    return this.ask('GET', target, ask);
  }

  /** A request as the gateway would pass it on. */
  async ask(method: Method, target: string, ask: Ask = {}): Promise<Answer> {
    const answer = await this.call(method, target, ask);
    const bytes = await buffer(answer.body);
    const body = bytes.toString('utf8');
    let json: unknown;
    try {
      json = JSON.parse(body);
    } catch {
      json = undefined;
    }
    return { status: answer.status, headers: answer.headers, text: body, bytes, json };
  }

  async bytes(target: string, body: object, tenant = TENANT): Promise<Buffer> {
    const accept = 'application/octet-stream';
    const answer = await this.call('POST', target, { body, tenant, accept, issuer: 'data-export' });
    expect(answer.status).toBe(200);
    return buffer(answer.body);
  }

  /** The answer as it comes: read its body to the end, or destroy it. */
  call(method: Method, target: string, ask: Ask = {}): Promise<ServiceAnswer> {
    const { tenant = TENANT, issuer = 'gateway', permissions = PERMISSIONS, body } = ask;
    const { user = { id: USER_ID, name: 'ann' } } = ask;
    const headers = {
      ...ask.headers,
      ...(ask.accept === undefined ? {} : { accept: ask.accept }),
    };
    const client = this.callers.get(issuer) ?? this.isolated.client;
    return client.call({
      to: 'source-record-storage',
      method,
      target,
      scope: { tenantId: tenant, actorId: user.id },
      claims: { permissions, username: user.name },
      ...(body === undefined ? {} : { body }),
      ...(ask.raw === undefined ? {} : { bytes: Buffer.from(ask.raw) }),
      headers,
    });
  }
}
