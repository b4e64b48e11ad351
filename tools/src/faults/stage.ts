import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@quire/contracts/scope';
import { hasContainerEngine } from '@quire/testing/lab/container-host';
import { readEngineKind } from '@quire/testing/lab/config';
import { KafkaBroker } from '@quire/testing/lab/kafka-broker';
import { S3Server } from '@quire/testing/lab/s3-server';
import { Fleet, type Stopped } from '@quire/testing/fleet';
import { Client } from 'pg';
import { MAIN } from '../bench/quire-process.js';
import { targetOf, type Engine, type Fault, type Strike } from './schedule.js';

/** Shorter than the defaults, so that a run needs no minutes to see a lease taken over. */
const LEASES: Readonly<Record<string, string>> = {
  QUIRE_EXPORT_LEASE_MS: '8000',
  QUIRE_EXPORT_LEASE_RENEW_MS: '2000',
  QUIRE_EXPORT_SWEEP_MS: '2000',
  QUIRE_IMPORT_SWEEP_MS: '5000',
};
/** By how much an export is taken over earlier than by the defaults, of 30 s and 5 s. */
const SAVED_MS = 22_000 + 3000;

/** Everything that can be hit: the processes of a fleet, and a broker, a store and a database of its own. */
export class Stage implements AsyncDisposable {
  private constructor(
    readonly fleet: Fleet,
    private readonly broker: KafkaBroker,
    readonly store: S3Server,
    /** Of each service. */
    private readonly replicas: number,
    private readonly opened: AsyncDisposableStack,
  ) {}

  /** @throws EngineMissing when a broker or a store cannot be had here */
  static async open(
    replicas: number,
    onLine: (name: string, line: string) => void,
    settings: Readonly<Record<string, string>> = LEASES,
  ): Promise<Stage> {
    const opened = new AsyncDisposableStack();
    try {
      const kind =
        readEngineKind(process.env) ?? ((await hasContainerEngine()) ? 'containers' : 'programs');
      const broker = opened.use(await KafkaBroker.open(kind));
      const store = opened.use(await S3Server.open(kind));
      const kafka = { brokers: [broker.address] };
      const fleet = opened.use(
        await Fleet.open({ main: MAIN, kafka, s3: store, replicas, settings, onLine }),
      );
      endOnSignal(fleet);
      await fleet.startAll();
      return new Stage(fleet, broker, store, replicas, opened);
    } catch (error) {
      await opened.disposeAsync();
      throw error;
    }
  }

  get engines(): string {
    return `${this.broker.engine}, ${this.store.engine}`;
  }

  readonly savedMs = SAVED_MS;

  /** SIGKILL for all replicas at once; resolves when they are gone. */
  async killAll(service: ServiceName): Promise<void> {
    await Promise.all(this.numbers().map((number) => this.fleet.kill(service, number)));
  }

  /** Resolves when all replicas are ready. */
  async startAgain(service: ServiceName): Promise<void> {
    await Promise.all(this.numbers().map((number) => this.fleet.start(service, number)));
  }

  /** Lets nobody write to a table. Dispose to give it back. */
  async lock(table: string): Promise<AsyncDisposable> {
    const client = new Client({ connectionString: this.fleet.databaseUrl });
    await client.connect();
    await client.query(`begin`);
    await client.query(`lock table ${table} in share mode`);
    return { [Symbol.asyncDispose]: () => client.end() };
  }

  private numbers(): readonly number[] {
    return Array.from({ length: this.replicas }, (_, number) => number);
  }

  /** Resolves when all strikes are over and everything was started again. @returns what did not go as promised */
  async strike(strikes: readonly Strike[]): Promise<string[]> {
    const since = performance.now();
    const notes: string[] = [];
    // A machine that is slow to start something may come to its next strike late, never into the middle of a start.
    const targets = [...Map.groupBy(strikes, ({ fault }) => targetOf(fault)).values()];
    const strikeAll = async (target: readonly Strike[]): Promise<void> => {
      for (const { atMs, lastsMs, fault } of target) {
        await delay(Math.max(0, since + atMs - performance.now()));
        const note = await this.hit(fault);
        if (note !== undefined) notes.push(note);
        await delay(lastsMs);
        await this.mend(fault);
      }
    };
    await Promise.all(targets.map(strikeAll));
    return notes;
  }

  /** Asks it to end, unless it is killed. Resolves when it has. */
  async endEngine(engine: Engine, killed = false): Promise<void> {
    if (engine === 'database') await this.fleet.stopDatabase(killed ? 'SIGKILL' : 'SIGINT');
    else if (killed) await this[engine].kill();
    else await this[engine].stop();
  }

  /** On its old data and address. Resolves when it answers. */
  async startEngine(engine: Engine): Promise<void> {
    if (engine === 'database') await this.fleet.startDatabase();
    else await this[engine].start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.opened.disposeAsync();
  }

  private async hit(fault: Fault): Promise<string | undefined> {
    const { fleet } = this;
    if ('engine' in fault) await this.endEngine(fault.engine, fault.kind === 'kill');
    else if (fault.kind === 'freeze') fleet.freeze(fault.service, fault.replica);
    else if (fault.kind === 'kill') await fleet.kill(fault.service, fault.replica);
    else if (fault.kind === 'cut') await fleet.stop(fault.service, fault.replica, CUT_MS);
    else return exitNote(targetOf(fault), await fleet.stop(fault.service, fault.replica));
    return undefined;
  }

  private async mend(fault: Fault): Promise<void> {
    const { fleet } = this;
    if ('engine' in fault) return this.startEngine(fault.engine);
    if (fault.kind === 'freeze') return fleet.continue(fault.service, fault.replica);
    await fleet.start(fault.service, fault.replica, false);
  }
}

/** Ctrl-C: all others end with us by themselves. */
function endOnSignal(fleet: Fleet): void {
  const end = (code: number): void =>
    void fleet.stopDatabase().finally(() => {
      process.exit(code);
    });
  process.once('SIGINT', () => end(130));
  process.once('SIGTERM', () => end(143));
}

/** Between SIGTERM and SIGKILL: the process is in the middle of giving back what it has. */
const CUT_MS = 1000;
/** Whatever is away, SIGTERM is answered within 25 s (reliability, section 15). */
const EXIT_MS = 25_000;

function exitNote(name: string, { code, signal, ms }: Stopped): string | undefined {
  // Who is struck while Node still loads its program has opened nothing, and hears the signal as Node does.
  const isWell = code === 0 || signal === 'SIGTERM';
  if (isWell && ms <= EXIT_MS) return undefined;
  return `${name} ended with ${signal ?? code} ${(ms / 1000).toFixed(1)} s after SIGTERM`;
}
