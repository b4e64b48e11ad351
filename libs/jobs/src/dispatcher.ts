import type { Log } from '@quire/contracts/log';
import { asSystem } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';
import { Background } from './background.js';

/**
 * Releases waiting units of work, a bounded window at a time and fairly among jobs and tenants (reliability, section 10).
 * One replica at a time does a round, under a session advisory lock; who does not get it leaves the round to the other.
 * Woken by a start, a result or an end, and every five seconds.
 */
export interface DispatcherOptions {
  readonly source: DataSource;
  /** `<schema>.dispatch` */
  readonly lockName: string;
  /** Releases for one job; false when nothing could be released. */
  readonly round: () => Promise<boolean>;
  readonly log: Log;
  readonly sweepMs?: number;
}

const SWEEP_MS = 5000;
const ROUNDS_MAX = 10_000; // a bound against a round that says it released and did not

export class Dispatcher {
  private readonly background: Background;

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
    this.background.start();
  }

  wake(): void {
    this.background.wake();
  }

  stop(): Promise<void> {
    return this.background.stop();
  }

  private async dispatch(): Promise<void> {
    const { source, lockName, round } = this.options;
    await asSystem(source, async (system) => {
      const [lock] = await system.call<{ had: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as had',
        [lockName],
      );
      if (!lock?.had) return;
      try {
        for (let rounds = 0; rounds < ROUNDS_MAX && (await round()); rounds += 1);
      } finally {
        await system.call('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName]);
      }
    });
  }
}
