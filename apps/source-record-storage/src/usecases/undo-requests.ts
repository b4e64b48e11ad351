import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { SnapshotUndone } from '@quire/contracts/source-record-events';
import { Inbox } from '@quire/messaging/inbox';
import { Outbox } from '@quire/messaging/outbox';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Snapshots } from '../db/snapshots.js';
import { NOTHING_UNDONE } from '../domain/undo-verdicts.js';
import { UndoRuns } from './undo-runs.js';
import { UndoTasks } from './undo-tasks.js';

/**
 * The undo of an import as data-import asks for it, when all chunks of the job are back. The event only makes the task; its
 * end is told by `SnapshotUndone`.
 */
@Injectable()
export class UndoRequests {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly snapshots: Snapshots,
    private readonly undo: UndoTasks,
    private readonly runs: UndoRuns,
  ) {}

  /** Where there is a task a second request has no effect; of a deleted snapshot nothing is left to undo. */
  async take(scope: Scope, snapshotId: string): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'undos.requested', snapshotId))) return;
      const snapshot = await this.snapshots.lock(tx, snapshotId);
      if (snapshot?.undone) return;
      if (snapshot) await this.undo.begin(tx, snapshotId);
      else
        await this.outbox.add(tx, SnapshotUndone, {
          tenantId: tx.tenantId,
          snapshotId,
          ...NOTHING_UNDONE,
        });
    });
    this.runs.wake();
  }
}
