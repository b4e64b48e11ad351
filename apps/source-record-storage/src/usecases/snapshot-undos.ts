import { Injectable } from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import type { Caller, Scope } from '@quire/contracts/scope';
import {
  UNDO_CONFLICTS_MAX,
  type SnapshotUndoResult,
  type SnapshotUndoTask,
} from '@quire/contracts/snapshot-undo';
import { readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { SnapshotTasks } from '../db/snapshot-tasks.js';
import { Snapshots } from '../db/snapshots.js';
import { UndoConflicts } from '../db/undo-conflicts.js';
import { failures } from '../domain/failures.js';
import { isFinished, sumOf, type UndoCounts } from '../domain/undo-verdicts.js';
import { UndoRuns } from './undo-runs.js';
import { UndoTasks, type UndoTask } from './undo-tasks.js';

/** Up to so many records a client waits for the end (source-record-storage, 9.4). */
const WAITED_RECORDS_MAX = 10_000;

/** The undo of a snapshot as clients ask for it: they wait for a small one, and look after the task of a large one. */
@Injectable()
export class SnapshotUndos {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
    private readonly tasks: SnapshotTasks,
    private readonly conflicts: UndoConflicts,
    private readonly undo: UndoTasks,
    private readonly runs: UndoRuns,
  ) {}

  /**
   * @returns what was taken back; undefined when the task goes on without the caller
   * @throws Failure not-found; conflict when the snapshot is not finished
   */
  async start(caller: Caller, id: string): Promise<SnapshotUndoResult | undefined> {
    const { done, claimed } = await withTenant(this.source, caller, async (tx) => {
      const snapshot = await this.snapshots.lock(tx, id);
      if (!snapshot) throw failures.snapshotNotFound(id);
      if (!snapshot.undone) {
        if (!isFinished(snapshot.status)) throw failures.snapshotNotFinished(id);
        await this.undo.begin(tx, id, caller.username);
      }
      return this.claimed(tx, id);
    });
    if (done) return resultOf(id, {}, []);
    if (claimed) {
      await this.runs.run(caller, claimed);
      const { task, counts, conflicts } = await this.outcome(caller, id);
      if (task.finished_at !== null) return resultOf(id, counts, conflicts);
    }
    this.runs.wake();
    return undefined;
  }

  /** In the transaction that has made the task, so that no worker is faster. */
  private async claimed(
    tx: TenantTx,
    id: string,
  ): Promise<{ readonly done: boolean; readonly claimed?: UndoTask | undefined }> {
    const task = await this.tasks.find<UndoTask>(tx, id, 'UNDO');
    if (!task || task.finished_at !== null) return { done: true };
    if (task.options.total > WAITED_RECORDS_MAX) return { done: false };
    return { done: false, claimed: await this.undo.claimOf(tx, id) };
  }

  /** @throws Failure not-found also when nobody has asked for it */
  async read(scope: Scope, id: string): Promise<SnapshotUndoTask> {
    const { task, counts, conflicts } = await this.outcome(scope, id);
    return {
      snapshotId: id,
      state: task.finished_at === null ? 'RUNNING' : 'DONE',
      total: task.options.total,
      ...counts,
      conflicts,
      requestedDate: formatDate(task.created_at),
      ...(task.finished_at === null ? {} : { completedDate: formatDate(task.finished_at) }),
      userId: task.created_by,
      ...(task.created_by_name === null ? {} : { userName: task.created_by_name }),
    };
  }

  private outcome(scope: Scope, id: string): Promise<Outcome> {
    return readTenant(this.source, scope, async (tx) => {
      if (!(await this.snapshots.find(tx, id))) throw failures.snapshotNotFound(id);
      const task = await this.tasks.find<UndoTask>(tx, id, 'UNDO');
      if (!task) throw failures.snapshotNotUndone(id);
      const conflicts = await this.conflicts.list(tx, id, UNDO_CONFLICTS_MAX);
      return { task, counts: sumOf(task.counts, {}), conflicts };
    });
  }
}

interface Outcome {
  readonly task: UndoTask;
  readonly counts: UndoCounts;
  readonly conflicts: SnapshotUndoResult['conflicts'];
}

export function resultOf(
  snapshotId: string,
  { removed = 0, restored = 0 }: Partial<UndoCounts>,
  conflicts: SnapshotUndoResult['conflicts'],
  dryRun = false,
): SnapshotUndoResult {
  return { snapshotId, dryRun, removed, restored, conflicts };
}
