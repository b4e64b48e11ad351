import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { SnapshotUndone } from '@quire/contracts/source-record-events';
import { Outbox } from '@quire/messaging/outbox';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { scopeOf, SnapshotTasks, type SnapshotTaskRow } from '../db/snapshot-tasks.js';
import { Snapshots } from '../db/snapshots.js';
import { UndoCandidates } from '../db/undo-candidates.js';
import { NOTHING_UNDONE, sumOf, type UndoCounts } from '../domain/undo-verdicts.js';
import { SnapshotEvents } from './snapshot-events.js';
import { UndoBatches } from './undo-batches.js';
import type { UndoCursor } from './undo-pages.js';

export interface UndoOptions {
  /** Records to look at, as many as there were at the beginning. */
  readonly total: number;
}

export type UndoTask = SnapshotTaskRow<UndoOptions, UndoCursor, Partial<UndoCounts>>;

/**
 * The undo of a snapshot as a leased task (source-record-storage, 9.4):
 *
 *   begun ─ one transaction ─ the snapshot is undone: no chunk of it is saved any more
 *   task  ─ a transaction per thousand records, which moves the cursor too ─ … ─ nothing left ──▶ done
 *   done  ─ the snapshot is DISCARDED, SnapshotUndone
 *
 * A crash leaves the task; its lease runs out, and somebody goes on with the next batch.
 */
@Injectable()
export class UndoTasks {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
    private readonly tasks: SnapshotTasks,
    private readonly candidates: UndoCandidates,
    private readonly batches: UndoBatches,
    private readonly events: SnapshotEvents,
    private readonly outbox: Outbox,
  ) {}

  /** @param snapshotId of a locked snapshot */
  async begin(tx: TenantTx, snapshotId: string, userName?: string): Promise<void> {
    await this.snapshots.setUndone(tx, snapshotId);
    const total = await this.candidates.count(tx, snapshotId);
    await this.tasks.create(tx, { snapshotId, kind: 'UNDO', options: { total }, userName });
  }

  /** The task of a snapshot, if it is open and nobody works on it. */
  claimOf(tx: TenantTx, snapshotId: string): Promise<UndoTask | undefined> {
    return this.tasks.claim<UndoTask>(tx, 'UNDO', snapshotId);
  }

  /** A task that nobody works on, of this tenant. */
  claim(scope: Scope): Promise<UndoTask | undefined> {
    return withTenant(this.source, scope, (tx) => this.tasks.claim<UndoTask>(tx, 'UNDO'));
  }

  async giveBack(scope: Scope, task: UndoTask): Promise<void> {
    await withTenant(this.source, scope, (tx) => this.tasks.giveBack(tx, task));
  }

  /** One batch. @returns false when there is nothing left to do, or somebody else does it */
  goOn({ tenantId }: Scope, task: UndoTask): Promise<boolean> {
    return withTenant(this.source, scopeOf(tenantId, task), async (tx) => {
      const held = await this.tasks.hold<UndoTask>(tx, task);
      return held !== undefined && this.batch(tx, held);
    });
  }

  private async batch(tx: TenantTx, task: UndoTask): Promise<boolean> {
    const { snapshot_id: snapshotId, cursor } = task;
    const userName = task.created_by_name ?? undefined;
    const batch = await this.batches.next(tx, snapshotId, cursor, userName);
    const counts = sumOf({ ...NOTHING_UNDONE, ...task.counts }, batch.counts);
    await this.tasks.progress(tx, task, { cursor: batch.next ?? cursor, counts });
    if (batch.next) return true;
    await this.tasks.finish(tx, task);
    await this.end(tx, snapshotId, counts, userName);
    return false;
  }

  private async end(
    tx: TenantTx,
    snapshotId: string,
    counts: UndoCounts,
    userName: string | undefined,
  ): Promise<void> {
    const changed = await this.snapshots.write(tx, {
      id: snapshotId,
      status: 'DISCARDED',
      userName,
    });
    await this.events.changed(tx, changed);
    await this.outbox.add(tx, SnapshotUndone, { tenantId: tx.tenantId, snapshotId, ...counts });
  }
}
