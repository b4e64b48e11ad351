import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { SnapshotRemovals } from '../db/snapshot-removals.js';
import { SnapshotTasks } from '../db/snapshot-tasks.js';
import { RecordRemoval, sumOfRemoved } from './record-removal.js';
import type { RemovalTask } from './snapshot-deletion.js';

/**
 * Hidden records of a snapshot under removal still have their ids and generations. Who writes records that may have the same
 * ones says so before: those in the way go at once, the others in their batch.
 */
@Injectable()
export class HiddenRecords {
  constructor(
    private readonly removals: SnapshotRemovals,
    private readonly tasks: SnapshotTasks,
    private readonly removal: RecordRemoval,
  ) {}

  /**
   * One cheap statement as long as no snapshot of the tenant is being removed.
   * @param ids ids and matched ids of records that are about to be written
   */
  async makeWay(tx: TenantTx, ids: readonly string[]): Promise<void> {
    if (ids.length === 0 || !(await this.removals.isAnyRemoving(tx))) return;
    const asked = [...new Set(ids)];
    const found = await this.removals.hiddenAmong(tx, asked);
    if (found.length === 0) return;
    const snapshotIds = [...new Set(found.map((one) => one.snapshot_id))];
    const tasks = await this.tasks.lock<RemovalTask>(tx, snapshotIds, 'REMOVE');
    // A batch that was in hand may have taken them.
    const left = Map.groupBy(await this.removals.hiddenAmong(tx, asked), (one) => one.snapshot_id);
    for (const task of tasks)
      await this.remove(
        tx,
        task,
        (left.get(task.snapshot_id) ?? []).map(({ id }) => id),
      );
  }

  private async remove(tx: TenantTx, task: RemovalTask, ids: readonly string[]): Promise<void> {
    const { snapshot_id: snapshotId, options, created_by_name: userName, cursor } = task;
    const { restorePrevious } = options;
    const removing = { snapshotId, restorePrevious, userName: userName ?? undefined };
    const counts = sumOfRemoved(task.counts, await this.removal.remove(tx, ids, removing));
    await this.tasks.progress(tx, task, { cursor, counts });
  }
}
