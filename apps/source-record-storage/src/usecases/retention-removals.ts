import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { ObjectIntents } from '@quire/jobs/intents';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { RecordRemovals } from '../db/record-removals.js';
import { RetentionRows, ROWS_AT_ONCE, SNAPSHOTS_AT_ONCE } from '../db/retention.js';
import { Indexing } from './indexing.js';
import { RecordRemoval } from './record-removal.js';
import { SnapshotDeletion } from './snapshot-deletion.js';

/** Whose work it is, in the history. */
const USER_NAME = 'retention';

export interface RemovedBatch {
  readonly removed: number;
  /** There may be more to remove. */
  readonly more: boolean;
}

export const batchOf = (removed: number): RemovedBatch => ({
  removed,
  more: removed === ROWS_AT_ONCE,
});

/** The batches of retention that end records and snapshots for good. */
@Injectable()
export class RetentionRemovals {
  constructor(
    private readonly source: DataSource,
    private readonly rows: RetentionRows,
    private readonly removal: RecordRemoval,
    private readonly records: RecordRemovals,
    private readonly intents: ObjectIntents,
    private readonly indexing: Indexing,
    private readonly deletion: SnapshotDeletion,
  ) {}

  /** They leave a tombstone each, and what they said stays in the history for its own time. */
  deletedRecords(scope: Scope, days: number): Promise<RemovedBatch> {
    return withTenant(this.source, scope, async (tx) => {
      const ids = await this.rows.nextDeletedRecords(tx, days);
      await this.removal.remove(tx, ids, { restorePrevious: false, userName: USER_NAME });
      return batchOf(ids.length);
    });
  }

  /**
   * Whoever wants fewer generations does not want copies of them: they go without a trace. Numbers of later ones stay.
   * @param after matched id up to which all is done
   */
  oldGenerations(
    scope: Scope,
    keep: number,
    after: string,
  ): Promise<RemovedBatch & { readonly last: string | undefined }> {
    return withTenant(this.source, scope, async (tx) => {
      const { ids, last, found } = await this.rows.nextOldGenerations(tx, keep, after);
      if (ids.length > 0) {
        await this.intents.discard(tx, await this.records.remove(tx, ids));
        await this.indexing.refresh(tx, ids);
      }
      return { removed: ids.length, more: found === ROWS_AT_ONCE, last };
    });
  }

  /** As if a user had deleted them. One that was taken up again meanwhile stays. */
  async emptySnapshots(
    scope: Scope,
    days: number,
    after: string,
  ): Promise<RemovedBatch & { readonly last: string | undefined }> {
    const ids = await readTenant(this.source, scope, (tx) =>
      this.rows.nextEmptySnapshots(tx, days, after),
    );
    let removed = 0;
    for (const id of ids) if (await this.deletion.deleteEmpty(scope, id, USER_NAME)) removed += 1;
    return { removed, more: ids.length === SNAPSHOTS_AT_ONCE, last: ids.at(-1) };
  }
}
