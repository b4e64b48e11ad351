import { Injectable } from '@nestjs/common';
import type { Caller, Scope } from '@quire/contracts/scope';
import { SnapshotDeleted, SnapshotUndone } from '@quire/contracts/source-record-events';
import { Outbox } from '@quire/messaging/outbox';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { SnapshotRemovals, type RemovalCursor } from '../db/snapshot-removals.js';
import { scopeOf, SnapshotTasks, type SnapshotTaskRow } from '../db/snapshot-tasks.js';
import { Snapshots, type SnapshotRow } from '../db/snapshots.js';
import { hasEnded } from '../domain/chunk-rules.js';
import { failures } from '../domain/failures.js';
import { sumOf, type UndoCounts } from '../domain/undo-verdicts.js';
import { RecordRemoval, sumOfRemoved, type Removed } from './record-removal.js';

interface RemovalOptions {
  readonly restorePrevious: boolean;
}

type UndoTask = SnapshotTaskRow<object, object, Partial<UndoCounts>>;

export type RemovalTask = SnapshotTaskRow<RemovalOptions, RemovalCursor, Partial<Removed>>;

/** Records of one transaction. */
export const BATCH_RECORDS = 1000;
const UNCHANGED_FRAMES_AT_ONCE = 10_000;

/**
 * The end of a snapshot (source-record-storage, 9.1).
 *
 *   DELETE ─ one transaction ─ row locked and gone, tombstone, records hidden, task
 *            no more records than one batch takes: they go too ──▶ done
 *   task   ─ a transaction per batch ─ the next records go ─ … ─ nothing left ──▶ done
 *   done   ─ nothing is hidden any more, no task, SnapshotDeleted
 *
 * From the first commit on nothing of the snapshot is seen, so that the answer does not wait for the rest. A crash leaves the
 * task; the lease runs out and somebody goes on with the next batch.
 */
@Injectable()
export class SnapshotDeletion {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
    private readonly removals: SnapshotRemovals,
    private readonly tasks: SnapshotTasks,
    private readonly records: RecordRemoval,
    private readonly outbox: Outbox,
  ) {}

  /** @returns true when all of it is gone, false when a task removes the rest */
  delete(caller: Caller, id: string, options: RemovalOptions): Promise<boolean> {
    return withTenant(this.source, caller, async (tx) => {
      const snapshot = await this.snapshots.lock(tx, id);
      if (!snapshot) throw failures.snapshotNotFound(id);
      if (isRunning(snapshot)) throw failures.importRunning();
      return this.begin(tx, id, { options, userName: caller.username });
    });
  }

  /** For who found nothing in it: whatever came since then keeps it. @returns false when it stays */
  deleteEmpty(scope: Scope, id: string, userName: string): Promise<boolean> {
    return withTenant(this.source, scope, async (tx) => {
      const snapshot = await this.snapshots.lock(tx, id);
      if (!snapshot || isRunning(snapshot) || !(await this.removals.isEmpty(tx, id))) return false;
      return this.begin(tx, id, { options: { restorePrevious: false }, userName });
    });
  }

  private async begin(
    tx: TenantTx,
    snapshotId: string,
    { options, userName }: { readonly options: RemovalOptions; readonly userName: string },
  ): Promise<boolean> {
    await this.endUndo(tx, snapshotId);
    const large = await this.removals.hasMoreThan(tx, snapshotId, BATCH_RECORDS);
    await this.removals.begin(tx, snapshotId);
    await this.tasks.create(tx, { snapshotId, kind: 'REMOVE', options, userName });
    if (large) return false;
    const task = await this.tasks.find<RemovalTask>(tx, snapshotId, 'REMOVE');
    if (!task) throw new Error('The task was made just now.');
    return this.batch(tx, task);
  }

  /** A task that nobody works on, of this tenant. */
  claim(scope: Scope): Promise<RemovalTask | undefined> {
    return withTenant(this.source, scope, (tx) => this.tasks.claim<RemovalTask>(tx, 'REMOVE'));
  }

  async giveBack(scope: Scope, task: RemovalTask): Promise<void> {
    await withTenant(this.source, scope, (tx) => this.tasks.giveBack(tx, task));
  }

  /** An undo that has not come to its end has nothing left to take back; who asked for it is waiting to be told. */
  private async endUndo(tx: TenantTx, snapshotId: string): Promise<void> {
    const undos = await this.tasks.lock<UndoTask>(tx, [snapshotId], 'UNDO');
    const about = { tenantId: tx.tenantId, snapshotId };
    for (const { finished_at: end, counts } of undos)
      if (end === null)
        await this.outbox.add(tx, SnapshotUndone, { ...about, ...sumOf(counts, {}) });
  }

  /** One batch. @returns false when there is nothing left to do, or somebody else does it */
  goOn({ tenantId }: Scope, task: RemovalTask): Promise<boolean> {
    return withTenant(this.source, scopeOf(tenantId, task), async (tx) => {
      const held = await this.tasks.hold<RemovalTask>(tx, task);
      return held !== undefined && !(await this.batch(tx, held));
    });
  }

  /** @returns true when nothing is left */
  private async batch(tx: TenantTx, task: RemovalTask): Promise<boolean> {
    const { snapshot_id: snapshotId, options, created_by_name: userName } = task;
    await this.removals.show(tx);
    const { ids, cursor } = await this.removals.next(tx, snapshotId, task.cursor, BATCH_RECORDS);
    const { restorePrevious } = options;
    const removing = { snapshotId, restorePrevious, userName: userName ?? undefined };
    const counts = sumOfRemoved(task.counts, await this.records.remove(tx, ids, removing));
    if (ids.length < BATCH_RECORDS && (await this.removeFrames(tx, snapshotId))) {
      await this.end(tx, snapshotId, counts);
      return true;
    }
    await this.tasks.progress(tx, task, { cursor, counts });
    return false;
  }

  private async removeFrames(tx: TenantTx, snapshotId: string): Promise<boolean> {
    await this.removals.show(tx);
    const frames = await this.removals.removeUnchanged(tx, snapshotId, UNCHANGED_FRAMES_AT_ONCE);
    await this.removals.hide(tx);
    return frames < UNCHANGED_FRAMES_AT_ONCE;
  }

  private async end(tx: TenantTx, snapshotId: string, counts: Removed): Promise<void> {
    await this.removals.end(tx, snapshotId);
    await this.tasks.remove(tx, snapshotId, 'REMOVE');
    await this.outbox.add(tx, SnapshotDeleted, { tenantId: tx.tenantId, snapshotId, ...counts });
  }
}

/** Only the job itself knows; a client may have written another status. */
const isRunning = ({ job_status: status }: SnapshotRow): boolean =>
  status !== null && !hasEnded(status);
