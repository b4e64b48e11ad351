import { createHmac, randomBytes } from 'node:crypto';
import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadKeys, type KeyRing } from '@quire/auth/keys';
import type { ServiceName } from '@quire/contracts/scope';
import { dataExport } from '@quire/data-export/service';
import { dataImport } from '@quire/data-import/service';
import { startPostgres } from '@quire/embedded/postgres';
import { financeStorage } from '@quire/finance-storage/service';
import { bootstrapTenants, gateway } from '@quire/gateway/service';
import { InProcessBus } from '@quire/messaging/in-process.bus';
import { DiskStore } from '@quire/object-store/disk.store';
import { openSource, prepareDatabase, type PasswordOf } from '@quire/postgres/migrate';
import { startService, type RunningService, type ServiceDefinition } from '@quire/service/boot';
import { randomIds, systemClock } from '@quire/service/clock';
import type { Health } from '@quire/service/health';
import { openLog, type Log } from '@quire/service/log';
import { Metrics } from '@quire/service/metrics';
import { openOperations, type Operations } from '@quire/service/operations';
import type { ServiceUrls } from '@quire/service/service-client';
import { sourceRecordStorage } from '@quire/source-record-storage/service';
import type { QuireSettings } from './config.js';

/*
 * The embedded mode: a real PostgreSQL, the object store on disk, the in-process bus and all five services in one process.
 * Things are opened in the order of their use and closed the other way round, also when a start fails half-way.
 */
export interface RunningQuire {
  /** The public door. */
  readonly url: string;
  readonly operationsUrl: string;
  /** Of the first user; as it was made or given. */
  readonly password: string;
  readonly passwordFile: string;
  /** The password was made in this start. */
  readonly firstStart: boolean;
  /** Base addresses of the services' internal doors. */
  readonly serviceUrls: ServiceUrls;
  /** Resolves when no event is on its way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const DEFINITIONS: readonly ServiceDefinition[] = [
  sourceRecordStorage,
  dataImport,
  dataExport,
  financeStorage,
  gateway,
];

/** Connections of one service; the relay holds one of them for good. */
const POOL_SIZE = 10;
const BUS_GRACE_MS = 20_000;
const LOOPBACK = '127.0.0.1';
/** Of what the server writes, the rest tells of its everyday life. */
const POSTGRES_TROUBLE = /\b(WARNING|ERROR|FATAL|PANIC):/;
const PASSWORD_BYTES = 18;

/**
 * Starts everything. @param say gets the progress, in plain lines
 *
 * @throws Error with a sentence that says what to do: data directory not writable or in use, port taken
 */
export async function startQuire(
  settings: QuireSettings,
  say: (line: string) => void,
): Promise<RunningQuire> {
  const log = openLog();
  const opened = new AsyncDisposableStack();
  try {
    await openDataDir(settings.dataDir);
    const keys = await loadKeys(settings.keysDir);
    const passwordOf = await databasePasswords(settings.keysDir);
    say('Starting the database …');
    const adminUrl = await openDatabase(settings, opened, log);
    await prepareDatabase(
      adminUrl,
      DEFINITIONS.map((one) => one.schema),
      passwordOf,
    );
    const admin = await adminPassword(settings);
    const store = await DiskStore.open(join(settings.dataDir, 'objects'));
    await store.sweepTemporary(0);
    say('Starting the services …');
    const process = new Services({ settings, log, keys, store, adminUrl, passwordOf }, opened);
    await process.start();
    await bootstrapTenants(process.get('gateway').app, {
      tenant: settings.tenant,
      username: settings.adminUsername,
      password: admin.password,
      loadSample: settings.sample,
    });
    return {
      url: process.publicUrl,
      operationsUrl: process.operationsUrl,
      ...admin,
      serviceUrls: process.urls,
      settled: () => process.settled(),
      stop: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

interface Foundations {
  readonly settings: QuireSettings;
  readonly log: Log;
  readonly keys: KeyRing;
  readonly store: DiskStore;
  readonly adminUrl: string;
  readonly passwordOf: PasswordOf;
}

/** The five services of this process, the bus between them, and their operations port. */
class Services {
  readonly urls: ServiceUrls = {};
  private readonly bus = new InProcessBus();
  private readonly running: RunningService[] = [];
  private readonly health = new Map<ServiceName, Health>();
  private readonly metrics = new Metrics();
  private started = false;
  private stopping = false;
  private operations: Operations | undefined;

  constructor(
    private readonly on: Foundations,
    private readonly opened: AsyncDisposableStack,
  ) {}

  get publicUrl(): string {
    return `${this.get('gateway').publicUrl ?? ''}${this.on.settings.pathPrefix}`;
  }

  get operationsUrl(): string {
    return this.operations?.url ?? '';
  }

  get(name: ServiceName): RunningService {
    const found = this.running.find((service) => service.name === name);
    if (!found) throw new Error(`${name} does not run.`);
    return found;
  }

  async start(): Promise<void> {
    const { settings } = this.on;
    this.operations = await openOperations({
      host: settings.operationsHost,
      port: settings.operationsPort,
      metrics: this.metrics,
      health: this.health,
      started: () => this.started,
    });
    const { operations } = this;
    this.opened.defer(() => operations.close());
    for (const definition of DEFINITIONS) await this.startOne(definition);
    // Closed first: nothing new comes in, what is in hand is finished, then the services go.
    this.opened.defer(() => {
      this.stopping = true;
      return this.bus.close(BUS_GRACE_MS);
    });
    for (const service of this.running) service.begin();
    this.started = true;
  }

  async settled(): Promise<void> {
    for (const service of this.running) await service.settled();
  }

  /** Only the reason: the error of node-postgres carries the whole connection. */
  private connectionLost(service: ServiceName, error: Error): void {
    if (this.stopping) return;
    this.on.log.warn({ reason: error.message, service }, 'database connection lost');
  }

  private async startOne(definition: ServiceDefinition): Promise<void> {
    const { settings, log, keys, store, adminUrl, passwordOf } = this.on;
    const { name, schema, openDoor } = definition;
    const source = await openSource(adminUrl, schema.schema, passwordOf, {
      poolSize: POOL_SIZE,
      applicationName: `quire-${name}`,
      onError: (error) => this.connectionLost(name, error),
    });
    this.opened.defer(() => source.destroy());
    const { bus, urls, metrics } = this;
    const shared = { bus, urls, metrics, log, store, clock: systemClock, ids: randomIds };
    const own: Partial<Record<ServiceName, object>> = settings.services;
    const parts = {
      ...shared,
      service: name,
      source,
      keys: keys.of(name),
      settings: own[name] ?? settings,
    };
    const listen = openDoor
      ? { host: settings.host, port: settings.port }
      : { host: LOOPBACK, port: 0 };
    const service = await startService(definition, parts, listen);
    this.opened.defer(() => service.stop());
    this.running.push(service);
    this.health.set(name, service.health);
  }
}

async function openDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK);
  } catch (error) {
    const text = `The data directory ${dataDir} is not writable. Choose another with QUIRE_DATA_DIR.`;
    throw new Error(text, { cause: error });
  }
}

async function openDatabase(
  settings: QuireSettings,
  opened: AsyncDisposableStack,
  log: Log,
): Promise<string> {
  if (settings.databaseUrl !== undefined) return settings.databaseUrl;
  const postgres = await startPostgres({
    dataDir: join(settings.dataDir, 'postgres'),
    log: (line) => {
      if (POSTGRES_TROUBLE.test(line)) log.warn({ postgres: line }, 'the database reports trouble');
    },
  });
  opened.defer(() => postgres.stop());
  return postgres.url;
}

/** Passwords of the database roles, derived from one secret beside the other keys. */
async function databasePasswords(keysDir: string): Promise<PasswordOf> {
  const secret = await readOrMake(join(keysDir, 'database'), () => randomBytes(32).toString('hex'));
  return (role) => createHmac('sha256', secret.text).update(role).digest('hex');
}

async function adminPassword(
  settings: QuireSettings,
): Promise<{ password: string; passwordFile: string; firstStart: boolean }> {
  const passwordFile = join(settings.dataDir, 'admin-password');
  if (settings.adminPassword !== undefined) {
    return { password: settings.adminPassword, passwordFile, firstStart: false };
  }
  const kept = await readOrMake(passwordFile, () =>
    randomBytes(PASSWORD_BYTES).toString('base64url'),
  );
  return { password: kept.text, passwordFile, firstStart: kept.made };
}

async function readOrMake(
  file: string,
  make: () => string,
): Promise<{ readonly text: string; readonly made: boolean }> {
  try {
    return { text: (await readFile(file, 'utf8')).trim(), made: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const text = make();
    await writeFile(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
    return { text, made: true };
  }
}
