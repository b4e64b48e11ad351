import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { RetentionReport } from '@quire/contracts/retention';
import type { Scope } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { storageSettings } from '../config.js';
import { RetentionRows, type RetentionRules } from '../db/retention.js';
import { batchOf, RetentionRemovals, type RemovedBatch } from './retention-removals.js';

export type RetentionCounts = Omit<RetentionReport, 'dryRun'>;

const EVERY_MS = 3_600_000;
/** A request for a run is answered after this, and what is left goes with the next one: well below the time of a request. */
const RUN_MS = 15_000;
/** Smallest UUID. */
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Takes away what its time is over for (source-record-storage, 9.2), in batches of a thousand, a transaction each. A crash
 * loses nothing but the batch in hand; two that do the same share the work. Snapshots go first, so that a dry run and a run
 * count the same: one that becomes empty by a run goes with the next.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;
  private readonly rules: RetentionRules;
  private stopping = false;

  constructor(
    private readonly source: DataSource,
    private readonly rows: RetentionRows,
    private readonly removals: RetentionRemovals,
    private readonly tenants: Tenants,
    @Inject(LOG) log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    this.rules = storageSettings(settings);
    const name = 'source-record-storage.retention';
    const work = (): Promise<void> => this.sweep();
    this.background = new Background({ name, everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    return this.background.stop();
  }

  /** What would go. */
  preview(scope: Scope): Promise<RetentionCounts> {
    const { rows, rules } = this;
    return readTenant(this.source, scope, async (tx) => ({
      deletedRecords: await over(rules.deletedRetentionDays, (days) =>
        rows.deletedRecords(tx, days),
      ),
      oldGenerations: await over(rules.oldGenerationsKeep, (keep) => rows.oldGenerations(tx, keep)),
      snapshots: await over(rules.snapshotRetentionDays, (days) => rows.emptySnapshots(tx, days)),
      tombstones: await over(rules.tombstoneDays, (days) => rows.tombstones(tx, days)),
      history: await over(rules.historyDays, (days) => rows.history(tx, days)),
    }));
  }

  /** Removes for some seconds at most. @returns what has gone */
  apply(scope: Scope): Promise<RetentionCounts> {
    return this.remove(scope, performance.now() + RUN_MS);
  }

  /** All that is to go, of every tenant. */
  sweep(): Promise<void> {
    return this.tenants.eachAlone('source-record-storage.retention', async (scope) => {
      await this.remove(scope, Number.POSITIVE_INFINITY);
    });
  }

  private async remove(scope: Scope, until: number): Promise<RetentionCounts> {
    const { removals, rows, rules } = this;
    const drain = (limit: number, batch: Batch): Promise<number> =>
      over(limit, () => this.drain(until, limit, batch));
    const write = (limit: number, work: (tx: TenantTx, limit: number) => Promise<number>) =>
      drain(limit, async () =>
        batchOf(await withTenant(this.source, scope, (tx) => work(tx, limit))),
      );
    const snapshots = await drain(rules.snapshotRetentionDays, (days, after) =>
      removals.emptySnapshots(scope, days, after),
    );
    const deletedRecords = await drain(rules.deletedRetentionDays, (days) =>
      removals.deletedRecords(scope, days),
    );
    const oldGenerations = await drain(rules.oldGenerationsKeep, (keep, after) =>
      removals.oldGenerations(scope, keep, after),
    );
    const tombstones = await write(rules.tombstoneDays, (tx, days) =>
      rows.removeTombstones(tx, days),
    );
    const history = await write(rules.historyDays, (tx, days) => rows.removeHistory(tx, days));
    return { deletedRecords, oldGenerations, snapshots, tombstones, history };
  }

  /** Batch after batch, until one is the last. */
  private async drain(until: number, limit: number, batch: Batch): Promise<number> {
    let sum = 0;
    let after = FIRST;
    for (;;) {
      const { removed, more, last = after } = await batch(limit, after);
      sum += removed;
      after = last;
      if (!more || this.stopping || performance.now() > until) return sum;
    }
  }
}

/** @param after id up to which all is done */
type Batch = (
  limit: number,
  after: string,
) => Promise<RemovedBatch & { readonly last?: string | undefined }>;

/** A setting of 0 keeps everything. */
const over = async (limit: number, work: (limit: number) => Promise<number>): Promise<number> =>
  limit === 0 ? 0 : work(limit);
