import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import { startPostgres, type EmbeddedPostgres } from '@quire/embedded/postgres';
import { environment, type KafkaAddress, type S3Address } from './lab/config.js';
import { GuardedProcess, runGuarded } from './lab/guarded-process.js';
import { quietPorts } from './quiet-ports.js';

/*
 * Quire as separate processes, for tests and tools: every service in processes of its own, several replicas of each, on one
 * PostgreSQL of the fleet and on the Kafka and S3 of the lab, with topics and a bucket of its own.
 *
 *     await using fleet = await Fleet.open({ main, kafka, s3, replicas: 2 });   // keys and database made, nothing runs
 *     await fleet.startAll();                                                    // resolves when every process is ready
 *     await fleet.kill('data-export', 1);           // SIGKILL; resolves when it is gone
 *     await fleet.start('data-export', 1);          // the same replica at the same addresses; resolves when it is ready
 *     const { code, ms } = await fleet.stop('gateway', 0);                       // SIGTERM; exit code and time
 *     fleet.freeze('source-record-storage', 0);     // SIGSTOP …
 *     fleet.continue('source-record-storage', 0);   // … SIGCONT
 *     await fleet.stopDatabase('SIGKILL'); await fleet.startDatabase();          // on the same port
 *     fleet.url                                     // public door of the first gateway; fleet.urls: of each
 *     fleet.password                                // of the user `admin` of the tenants `library` and `supertenant`
 *
 * No process outlives the fleet, nor the test that dies. Each is a Node process of 100 to 150 MB that takes 2 s to start alone
 * on two cores, much longer beside others; `start` waits two minutes.
 */
export interface FleetOptions {
  /** The built program: `apps/quire/dist/src/main.js`. */
  readonly main: string;
  readonly kafka: Pick<KafkaAddress, 'brokers'>;
  readonly s3: Omit<S3Address, 'engine' | 'bucket'>;
  /** Of each service; 1. */
  readonly replicas?: number;
  /** For all processes. */
  readonly settings?: Readonly<Record<string, string>>;
  /** For the processes of one service. */
  readonly settingsOf?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  /** Gets every line of every process, with the name of its replica. */
  readonly onLine?: (name: string, line: string) => void;
}

/** As the probe of a process answered. */
export interface ProbedReadiness {
  /** 0: nobody answers. */
  readonly httpStatus: number;
  readonly status: string;
  readonly checks: Readonly<Record<string, string>>;
}

/** How a replica ended that was asked to. */
export interface Stopped {
  readonly code: number | null;
  /** What it died of instead. */
  readonly signal: NodeJS.Signals | null;
  readonly ms: number;
}

interface Replica {
  readonly service: ServiceName;
  readonly name: string;
  readonly ports: { readonly service: number; readonly operations: number; readonly door: number };
  process?: GuardedProcess;
}

const READY_TIMEOUT_MS = 120_000;
const READY_POLL_MS = 100;
const PROBE_TIMEOUT_MS = 5000;
/** The watchdog of a process ends it after 28 s. */
const STOP_TIMEOUT_MS = 35_000;
const STEP_TIMEOUT_MS = 120_000;
const HOST = '127.0.0.1';

export class Fleet implements AsyncDisposable {
  /** Of the superuser; the same after a restart. */
  readonly databaseUrl: string;
  readonly password = randomBytes(12).toString('base64url');
  private readonly replicas: readonly Replica[];

  private constructor(
    private readonly options: FleetOptions,
    private readonly dir: string,
    private database: EmbeddedPostgres | undefined,
    private readonly ports: readonly number[],
    private readonly id = randomBytes(4).toString('hex'),
  ) {
    this.databaseUrl = database?.url ?? '';
    const { replicas = 1 } = options;
    this.replicas = SERVICES.flatMap((service) =>
      Array.from({ length: replicas }, (_, number) => ({ service, name: `${service}-${number}` })),
    ).map((replica, index) => {
      const [first = 0, second = 0, third = 0] = ports.slice(3 * index);
      return { ...replica, ports: { service: first, operations: second, door: third } };
    });
  }

  /** Starts PostgreSQL, makes the keys, the schemas, the topics and the bucket. @throws Error with the last words of a step */
  static async open(options: FleetOptions): Promise<Fleet> {
    const dir = await mkdtemp(join(tmpdir(), 'quire-fleet-'));
    const count = 3 * SERVICES.length * (options.replicas ?? 1);
    const ports = await quietPorts(count + 1);
    let fleet: Fleet | undefined;
    try {
      const database = await startPostgres(databaseOf(dir, ports[count] ?? 0));
      fleet = new Fleet(options, dir, database, ports);
      await fleet.run('keys', join(dir, 'keys'));
      await fleet.migrate();
      return fleet;
    } catch (error) {
      if (fleet) await fleet[Symbol.asyncDispose]();
      else await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /** Public doors, one per gateway. */
  get urls(): readonly string[] {
    return this.of('gateway').map(({ ports }) => `http://${HOST}:${ports.door}`);
  }

  get url(): string {
    return this.urls[0] ?? '';
  }

  /** Of its objects. */
  get bucket(): string {
    return `fleet-${this.id}`;
  }

  /** `quire migrate`, once more. */
  async migrate(): Promise<void> {
    await this.run('migrate');
  }

  async startAll(): Promise<void> {
    for (const replica of this.replicas) if (!replica.process) this.launch(replica);
    await Promise.all(this.replicas.map((replica) => this.untilReady(replica)));
    await this.untilTold();
  }

  /** @param ready false: resolves at once */
  async start(service: ServiceName, number = 0, ready = true): Promise<void> {
    const replica = this.replica(service, number);
    this.launch(replica);
    if (ready) await this.untilReady(replica);
  }

  async kill(service: ServiceName, number = 0): Promise<void> {
    const replica = this.replica(service, number);
    const { process } = replica;
    delete replica.process;
    await process?.end('SIGKILL');
  }

  /** @param killAfterMs SIGKILL, unless it has ended by then */
  async stop(service: ServiceName, number = 0, killAfterMs = STOP_TIMEOUT_MS): Promise<Stopped> {
    const replica = this.replica(service, number);
    const { process } = replica;
    if (!process) throw new Error(`${replica.name} does not run.`);
    delete replica.process;
    const since = performance.now();
    await process.end('SIGTERM', killAfterMs);
    const { exitCode: code, signalCode: signal } = process;
    return { code, signal, ms: Math.round(performance.now() - since) };
  }

  freeze(service: ServiceName, number = 0): void {
    this.replica(service, number).process?.signal('SIGSTOP');
  }

  continue(service: ServiceName, number = 0): void {
    this.replica(service, number).process?.signal('SIGCONT');
  }

  /** Starts again what ended by itself, as an orchestrator does. @returns its names */
  async restartEnded(): Promise<string[]> {
    const ended = this.replicas.filter(({ process }) => process?.hasEnded);
    for (const replica of ended) this.launch(replica);
    await Promise.all(this.replicas.map((replica) => this.untilReady(replica)));
    return ended.map(({ name }) => name);
  }

  /** 0: it does not run. */
  pid(service: ServiceName, number = 0): number {
    return this.replica(service, number).process?.pid ?? 0;
  }

  async readiness(service: ServiceName, number = 0): Promise<ProbedReadiness> {
    const answer = await this.ask(this.replica(service, number), '/health/ready');
    if (!answer) return { httpStatus: 0, status: 'DOWN', checks: {} };
    const body = JSON.parse(answer.text) as Pick<ProbedReadiness, 'status' | 'checks'>;
    return { httpStatus: answer.status, ...body };
  }

  /** Prometheus text; undefined: nobody answers. */
  async metrics(service: ServiceName, number = 0): Promise<string | undefined> {
    return (await this.ask(this.replica(service, number), '/metrics'))?.text;
  }

  async stopDatabase(signal: 'SIGINT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const { database } = this;
    this.database = undefined;
    if (signal === 'SIGKILL') await database?.kill();
    else await database?.stop();
  }

  async startDatabase(): Promise<void> {
    this.database = await startPostgres(databaseOf(this.dir, this.ports.at(-1) ?? 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.replicas.flatMap(({ process }) => process ?? []);
    for (const process of running) process.signal('SIGCONT');
    await Promise.all(running.map((process) => process.end('SIGTERM', STOP_TIMEOUT_MS)));
    await this.database?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  private of(service: ServiceName): readonly Replica[] {
    return this.replicas.filter((one) => one.service === service);
  }

  private replica(service: ServiceName, number: number): Replica {
    const found = this.of(service)[number];
    if (!found) throw new Error(`There is no ${service}-${number} in this fleet.`);
    return found;
  }

  private launch(replica: Replica): void {
    if (replica.process && !replica.process.hasEnded)
      throw new Error(`${replica.name} runs already.`);
    const { main, onLine } = this.options;
    replica.process = new GuardedProcess(process.execPath, [...NODE_FLAGS, main, 'start'], {
      env: this.settingsOf(replica),
      ...(onLine ? { onLine: (line) => onLine(replica.name, line) } : {}),
    });
  }

  private async untilReady(replica: Replica): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const { process } = replica;
      if (!process || process.hasEnded)
        throw new Error(`${replica.name} ended: ${process?.lastWords ?? ''}`);
      if ((await this.ask(replica, '/health/ready'))?.status === 200) return;
      if (performance.now() > giveUpAt)
        throw new Error(`${replica.name} did not become ready: ${process.lastWords}`);
      await delay(READY_POLL_MS);
    }
  }

  /** The gateways make the first tenant and tell the others of it when they have become ready. */
  private async untilTold(): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const told = await this.query(
        `select from gateway.tenant where tenant_id = 'library' and announced`,
      );
      if (told.length > 0) return;
      if (performance.now() > giveUpAt)
        throw new Error('The services were not told of the tenant.');
      await delay(READY_POLL_MS);
    }
  }

  /** As the superuser, who sees every row. */
  async query<R extends object>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
    const client = new Client({ connectionString: this.databaseUrl });
    await client.connect();
    try {
      return (await client.query<R>(sql, [...params])).rows;
    } finally {
      await client.end();
    }
  }

  private async ask(
    { ports }: Replica,
    path: string,
  ): Promise<{ readonly status: number; readonly text: string } | undefined> {
    try {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      const answer = await fetch(`http://${HOST}:${ports.operations}${path}`, { signal });
      return { status: answer.status, text: await answer.text() };
    } catch {
      return undefined;
    }
  }

  private async run(...args: readonly string[]): Promise<void> {
    const env = {
      ...this.shared(),
      DATABASE_URL: this.databaseUrl,
      QUIRE_KEYS_DIR: join(this.dir, 'keys', 'migrate'),
    };
    const words = [this.options.main, ...args];
    await runGuarded(process.execPath, words, { env, timeoutMs: STEP_TIMEOUT_MS });
  }

  private settingsOf({ service, ports }: Replica): Record<string, string> {
    const url = new URL(this.databaseUrl);
    const addresses = SERVICES.map((other) => [
      `${other.replaceAll('-', '_').toUpperCase()}_URL`,
      this.of(other)
        .map((one) => `http://${HOST}:${one.ports.service}`)
        .join(','),
    ]);
    return {
      ...this.shared(),
      ...(Object.fromEntries(addresses) as Record<string, string>),
      QUIRE_SERVICES: service,
      DATABASE_URL: `postgres://${url.host}${url.pathname}`,
      QUIRE_KEYS_DIR: join(this.dir, 'keys', service),
      QUIRE_HOST: HOST,
      QUIRE_PORT: String(ports.door),
      QUIRE_SERVICE_PORT: String(ports.service),
      QUIRE_OPERATIONS_HOST: HOST,
      QUIRE_OPERATIONS_PORT: String(ports.operations),
      QUIRE_RATE_LIMIT: '0',
      ...(service === 'gateway' ? { QUIRE_ADMIN_PASSWORD: this.password } : {}),
      ...this.options.settings,
      ...this.options.settingsOf?.[service],
    };
  }

  private shared(): Record<string, string> {
    const { kafka, s3 } = this.options;
    return {
      PATH: environment.PATH ?? '',
      MALLOC_ARENA_MAX: '2',
      EVENT_BUS: 'kafka',
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: `fleet-${this.id}-`,
      OBJECT_STORE: 's3',
      S3_URL: s3.url,
      S3_REGION: s3.region,
      S3_BUCKET: this.bucket,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    };
  }
}

const NODE_FLAGS = ['--max-semi-space-size=8'];

/** Ten services with a pool each, and tests that look on. */
function databaseOf(dir: string, port: number): Parameters<typeof startPostgres>[0] {
  return { dataDir: join(dir, 'postgres'), port, settings: { max_connections: '400' } };
}
