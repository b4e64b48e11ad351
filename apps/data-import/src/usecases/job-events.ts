import { Injectable } from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import {
  ImportCancelled,
  ImportCompleted,
  ImportJobChanged,
  ImportJobCreated,
  ImportUndoRequested,
  type ImportCounts,
} from '@quire/contracts/data-import';
import { Outbox } from '@quire/messaging/outbox';
import type { TenantTx } from '@quire/postgres/tenant';
import type { JobRow, NewJob } from '../db/job-executions.js';
import { uiStatusOf } from '../domain/job-execution.js';

/** What the world learns of jobs, each in the transaction that makes it true. Nobody hears of a dry run. */
@Injectable()
export class JobEvents {
  constructor(private readonly outbox: Outbox) {}

  /** @param hrIds of the jobs, in their order */
  async created(tx: TenantTx, jobs: readonly NewJob[], hrIds: readonly number[]): Promise<void> {
    const payloads = jobs.map((job, index) => ({
      tenantId: tx.tenantId,
      jobExecutionId: job.id,
      jobVersion: 0,
      parentJobId: job.parentJobId,
      subordinationType: job.subordinationType,
      hrId: hrIds[index] ?? 0,
      status: job.status,
      ...(job.fileName === undefined ? {} : { fileName: job.fileName }),
      userId: job.user.id ?? tx.scope.actorId,
    }));
    await this.outbox.addAll(tx, ImportJobCreated, payloads);
  }

  async changed(tx: TenantTx, job: JobRow): Promise<void> {
    if (job.dry_run) return;
    await this.outbox.add(tx, ImportJobChanged, {
      ...about(tx, job),
      status: job.status,
      uiStatus: uiStatusOf(job.status),
      ...(job.error_status === null ? {} : { errorStatus: job.error_status }),
      ...(job.processing_started_at
        ? { processingStartedDate: formatDate(job.processing_started_at) }
        : {}),
      ...(job.profile_id === null ? {} : { jobProfileId: job.profile_id }),
      ...(job.total === null ? {} : { total: Number(job.total) }),
    });
  }

  async completed(tx: TenantTx, job: JobRow, counts: ImportCounts): Promise<void> {
    if (job.dry_run) return;
    await this.outbox.add(tx, ImportCompleted, {
      ...about(tx, job),
      status: job.status,
      result: job.result ?? 'FAILED',
      counts,
      completedDate: formatDate(job.completed_at ?? new Date(0)),
    });
  }

  /** What it has saved is to be taken back. @param userId who asked for it */
  async undoRequested(tx: TenantTx, job: JobRow, userId: string): Promise<void> {
    await this.outbox.add(tx, ImportUndoRequested, {
      ...about(tx, job),
      userId,
    });
  }

  /** Stopped by whoever acts now. */
  async cancelled(tx: TenantTx, job: JobRow): Promise<void> {
    if (job.dry_run) return;
    await this.outbox.add(tx, ImportCancelled, {
      ...about(tx, job),
      status: job.status,
      userId: tx.scope.actorId,
    });
  }
}

function about(
  tx: TenantTx,
  job: JobRow,
): { tenantId: string; jobExecutionId: string; jobVersion: number } {
  return { tenantId: tx.tenantId, jobExecutionId: job.id, jobVersion: Number(job.version) };
}
