import { Injectable } from '@nestjs/common';
import type { ImportUndo } from '@quire/contracts/import-work';
import type { Scope } from '@quire/contracts/scope';
import type { SnapshotUndonePayload } from '@quire/contracts/source-record-events';
import { Inbox } from '@quire/messaging/inbox';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions, type JobRow } from '../db/job-executions.js';
import { JobWork } from '../db/job-work.js';
import { failures } from '../domain/failures.js';
import { isEnded } from '../domain/job-execution.js';
import { undoneOf } from '../domain/undo-state.js';
import { JobEvents } from './job-events.js';

/**
 * Takes back what an ended job has saved (data-import, 14, 6 and 8). The records are source-record-storage's, so here it is
 * only asked for, once, and its counts are kept:
 *
 *   WAITING ─ the last chunk that is out is back ─▶ RUNNING ─ SnapshotUndone ─▶ DONE
 *
 * A chunk that is out may still save records: the request must not be faster than its answer. The status of the job stays.
 */
@Injectable()
export class Undos {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly jobs: JobExecutions,
    private readonly jobWork: JobWork,
    private readonly chunks: JobChunks,
    private readonly events: JobEvents,
  ) {}

  /**
   * Of a composite parent all children. A second time has no effect.
   * @throws Failure 404; 400 of a job that has not ended, and of a dry run
   */
  async undo(scope: Scope, id: string): Promise<ImportUndo> {
    const { undone } = await withTenant(this.source, scope, async (tx) => {
      const job = await this.jobs.lock(tx, id);
      if (!job || job.deleted_at !== null) throw failures.jobNotFound(id);
      const isComposite = job.subordination_type === 'COMPOSITE_PARENT';
      const children = isComposite ? await this.jobs.lockChildren(tx, id) : [];
      const savers = children.length > 0 ? children : [job];
      for (const one of savers) checkUndoable(one);
      for (const one of savers) await this.request(tx, one);
      if (children.length > 0) await this.jobWork.requestUndo(tx, id);
      return undoneOf((await this.jobs.lock(tx, id)) ?? job);
    });
    if (!undone) throw new Error(`The undo of job ${id} was not written.`);
    return undone;
  }

  /** After the answer of a chunk was taken home, under the lock of its job. */
  async chunkIsBack(tx: TenantTx, jobId: string): Promise<void> {
    const job = await this.jobs.lock(tx, jobId);
    if (job && job.undo_requested_at !== null && !job.undo_sent) await this.sendIfBack(tx, job);
  }

  async done(scope: Scope, { snapshotId, ...counts }: SnapshotUndonePayload): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'undos.done', snapshotId))) return;
      const { removed, restored, kept } = counts;
      await this.jobWork.setUndone(tx, snapshotId, { removed, restored, kept });
    });
  }

  private async request(tx: TenantTx, job: JobRow): Promise<void> {
    if (job.undo_requested_at !== null) return;
    await this.jobWork.requestUndo(tx, job.id);
    await this.sendIfBack(tx, job);
  }

  private async sendIfBack(tx: TenantTx, job: JobRow): Promise<void> {
    const { open } = await this.chunks.sums(tx, job.id);
    if (open > 0) return;
    await this.jobWork.setUndoSent(tx, job.id);
    await this.events.undoRequested(tx, job, job.undo_requested_by ?? tx.scope.actorId);
  }
}

function checkUndoable(job: JobRow): void {
  if (job.dry_run) throw failures.dryRunCannotBeUndone(job.id);
  if (!isEnded(job.status)) throw failures.notEnded(job.id);
}
