import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKeys, type KeyRing } from '@quire/auth/keys';
import type { Clock, Ids } from '@quire/contracts/clock';
import type { ServiceName } from '@quire/contracts/scope';
import { InProcessBus } from '@quire/messaging/in-process.bus';
import { OutboxSettings } from '@quire/messaging/outbox-level';
import type { S3Settings } from '@quire/object-store/config';
import { DiskStore } from '@quire/object-store/disk.store';
import type { ObjectStore } from '@quire/object-store/object-store';
import { openS3Store } from '@quire/object-store/s3.store';
import { openSource, prepareDatabase } from '@quire/postgres/migrate';
import type { DataSource } from 'typeorm';
import { startService, type RunningService, type ServiceDefinition } from './boot.js';
import { randomIds, systemClock } from './clock.js';
import { openLog, type Log } from './log.js';
import { Metrics } from './metrics.js';
import { ServiceClient, type ServiceUrls } from './service-client.js';

/**
 * Services on their own, for specs: real ones on an empty database of theirs, with keys and objects in a temporary folder, or
 * objects in a bucket, a bus in process and free loopback ports.
 *
 *     database = await testDatabase();
 *     world = await startIsolated([dataExport], { databaseUrl: database.url });
 *     await world.enable('library');
 *     const answer = await world.client.call({ to: 'data-export', method: 'GET', target: '/…', scope, claims: { permissions } });
 *     await world.settled();
 *     await world.stop();
 */
export interface Isolated {
  readonly services: ReadonlyMap<ServiceName, RunningService>;
  /** Calls the services as the gateway would. */
  readonly client: ServiceClient;
  readonly sources: ReadonlyMap<ServiceName, DataSource>;
  readonly store: ObjectStore;
  /** For specs that listen to what services tell the world. */
  readonly bus: InProcessBus;
  readonly keys: KeyRing;
  readonly urls: ServiceUrls;
  /** Makes a tenant known to all of them, with its built-in data. */
  enable(
    tenantId: string,
    request?: { loadReference?: boolean; loadSample?: boolean },
  ): Promise<void>;
  /** Until every outbox is empty and no event is in hand. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface IsolatedOptions {
  readonly databaseUrl: string;
  /** By service; none: an empty object. */
  readonly settings?: Partial<Record<ServiceName, object>>;
  /** Bounds of every outbox, over the defaults. */
  readonly outbox?: Partial<OutboxSettings>;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** In place of one in the temporary folder; whoever opened it closes it. */
  readonly store?: ObjectStore;
  /** In place of the temporary folder; removed at the end. */
  readonly bucket?: AsyncDisposable & { readonly store: S3Settings };
  /** Silent unless given. */
  readonly log?: Log;
  /** Reads that come in at the gateway need no connection, as where all services are one process. */
  readonly near?: boolean;
}

/** Roles belong to the whole server, which specs share: every spec must use the same passwords. */
export const passwordOfRole = (role: string): string => `password-of-${role}`;

const ENABLER = '11111111-1111-4111-8111-111111111111';
const GRACE_MS = 5_000;
/** Specs share the machine: one that has no processor for two seconds is not an outage of the database. */
const WAIT_MS = 20_000;
const LISTEN = { host: '127.0.0.1', port: 0 };

export async function startIsolated(
  definitions: readonly ServiceDefinition[],
  options: IsolatedOptions,
): Promise<Isolated> {
  const { databaseUrl, clock = systemClock, ids = randomIds, settings = {} } = options;
  const opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'quire-isolated-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const keys = await loadKeys(join(folder, 'keys'));
  const { bucket } = options;
  if (bucket) opened.use(bucket);
  const s3 = bucket && opened.use(await openS3Store(bucket.store));
  const store = options.store ?? s3 ?? (await DiskStore.open(join(folder, 'objects')));
  const bus = new InProcessBus();
  const log = options.log ?? openLog({ level: 'silent' });
  const urls: ServiceUrls = {};
  const outbox = Object.assign(new OutboxSettings(), options.outbox);
  const near = options.near ? { neighbours: {} } : {};
  const shared = { bus, store, clock, ids, log, urls, outbox, metrics: new Metrics(), ...near };
  const services = new Map<ServiceName, RunningService>();
  const sources = new Map<ServiceName, DataSource>();
  try {
    const schemas = definitions.map((one) => one.schema);
    await prepareDatabase(databaseUrl, schemas, passwordOfRole);
    for (const definition of definitions) {
      const { name, schema } = definition;
      const source = await openSource(databaseUrl, schema.schema, passwordOfRole, {
        waitMs: WAIT_MS,
      });
      opened.defer(() => source.destroy());
      sources.set(name, source);
      const own = { service: name, source, keys: keys.of(name), settings: settings[name] ?? {} };
      const service = await startService(definition, { ...shared, ...own }, LISTEN);
      opened.defer(() => service.stop());
      services.set(name, service);
    }
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
  for (const service of services.values()) service.begin();
  const client = new ServiceClient('gateway', urls, keys.of('gateway').pairs, clock, ids);
  return {
    services,
    client,
    sources,
    store,
    bus,
    keys,
    urls,
    enable: async (tenantId, body = {}) => {
      const scope = { tenantId, actorId: ENABLER };
      for (const to of services.keys()) {
        await client.json({ to, method: 'PUT', target: '/internal/tenant', scope, body });
      }
    },
    settled: async () => {
      for (let round = 0; round < 2; round += 1) {
        for (const service of services.values()) await service.settled();
      }
    },
    stop: async () => {
      await bus.close(GRACE_MS);
      client.close();
      await opened.disposeAsync();
    },
  };
}
