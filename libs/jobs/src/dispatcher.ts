import type { Log } from '@quire/contracts/log';
import { asSystem } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';
import { Background } from './background.js';

/**
 * Releases waiting units of work, a bounded window at a time and fairly among jobs and tenants (reliability, section 10).
 * One replica at a time does a round, under a session advisory lock. Who does not get it looks again soon: the round of the
 * other may have looked at the rows before that was committed for which we were woken. Woken by a start, a result or an
 * end, and every five seconds.
 */
export interface DispatcherOptions {
  /** The lock takes one connection of its pool while a round lasts, beside those that the round uses. */
  readonly source: DataSource;
  /** `<schema>.dispatch` */
  readonly lockName: string;
  /** Releases for one job; false when nothing could be released. */
  readonly round: () => Promise<boolean>;
  readonly log: Log;
  readonly sweepMs?: number;
}

const SWEEP_MS = 5000;
const LOCKED_MS = 250;
const ROUNDS_MAX = 10_000; // a bound against a round that says it released and did not

export class Dispatcher implements AsyncDisposable {
  private readonly background: Background;
  private stopped = false;

  constructor(private readonly options: DispatcherOptions) {
    const { lockName, log, sweepMs = SWEEP_MS } = options;
    this.background = new Background({
      name: lockName,
      everyMs: sweepMs,
      work: () => this.dispatch(),
      log,
    });
  }

  start(): void {
    this.stopped = false;
    this.background.start();
  }

  /** Something may be released now. */
  wake(): void {
    this.background.wake();
  }

  /** Returns when the round in hand has ended; no other follows. */
  stop(): Promise<void> {
    this.stopped = true;
    return this.background.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async dispatch(): Promise<void> {
    const { source, lockName } = this.options;
    await asSystem(source, async (system) => {
      const [lock] = await system.call<{ had: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as had',
        [lockName],
      );
      if (!lock?.had) {
        this.background.pauseOnly(Math.min(LOCKED_MS, this.options.sweepMs ?? SWEEP_MS));
        return;
      }
      try {
        await this.rounds();
      } finally {
        await system.call('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName]);
      }
    });
  }

  private async rounds(): Promise<void> {
    for (let rounds = 0; rounds < ROUNDS_MAX && !this.stopped; rounds += 1)
      if (!(await this.options.round())) return;
  }
}
