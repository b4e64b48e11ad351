import { Injectable } from '@nestjs/common';
import { ExportCompleted } from '@quire/contracts/data-export';
import { formatDate } from '@quire/contracts/dates';
import { uuidV5 } from '@quire/contracts/ids';
import { Outbox } from '@quire/messaging/outbox';
import type { TenantTx } from '@quire/postgres/tenant';
import { IdSelections } from '../db/id-selections.js';
import { Stores } from '../db/stores.js';
import { Collected, COLLECTED_MAX, logRows, type LogRow } from '../domain/error-codes.js';
import { filesOf, type ExportJob } from '../domain/job-answer.js';
import { endingOf, failedOf, type Ending } from '../domain/job-execution.js';
import { Fresh } from './fresh.js';

/** How export jobs end: with their last slice, or before it for a reason. Always in the caller's transaction. */
@Injectable()
export class JobEndings {
  constructor(
    private readonly stores: Stores,
    private readonly selections: IdSelections,
    private readonly outbox: Outbox,
    private readonly fresh: Fresh,
  ) {}

  /** Ends a running job whose slices are all done; leaves any other as it is. */
  async closeWhenDone(tx: TenantTx, jobId: string): Promise<void> {
    const job = await this.stores.jobs.lock(tx, jobId);
    if (job?.status !== 'IN_PROGRESS' || (await this.isOpen(tx, jobId))) return;
    const ending = endingOf(job.counts) ?? NOT_ADDING_UP;
    const rows = [...(await this.rowOfNotFound(tx, job)), ...ending.rows];
    await this.end(tx, job, { ...ending, rows });
  }

  /** Ends a job that runs before its time; one that has ended stays as it ended. */
  async fail(tx: TenantTx, jobId: string, row: LogRow): Promise<void> {
    const job = await this.stores.jobs.lock(tx, jobId);
    if (job?.status !== 'IN_PROGRESS') return;
    await this.stores.slices.drop(tx, jobId);
    await this.selections.drop(tx, jobId);
    await this.end(tx, job, { status: 'FAIL', rows: [row] });
  }

  private async isOpen(tx: TenantTx, jobId: string): Promise<boolean> {
    return (
      (await this.stores.slices.open(tx, jobId)) > 0 || (await this.selections.waits(tx, jobId))
    );
  }

  private async end(tx: TenantTx, job: ExportJob, { status, rows }: Ending): Promise<void> {
    const at = this.fresh.now();
    const { id } = job;
    await this.stores.logs.add(
      tx,
      { jobId: id },
      at,
      rows.map((row) => ({ id: uuidV5(id, row.code), row })),
    );
    await this.stores.jobs.end(tx, id, status, at);
    await this.outbox.add(tx, ExportCompleted, {
      tenantId: tx.tenantId,
      jobExecutionId: id,
      jobVersion: job.version + 1,
      hrId: job.hrId,
      status,
      exported: job.counts.exported,
      failed: failedOf(job.counts),
      total: job.counts.total,
      files: status === 'FAIL' ? [] : filesOf(job),
      completedDate: formatDate(at),
    });
  }

  private async rowOfNotFound(tx: TenantTx, job: ExportJob): Promise<LogRow[]> {
    const { notFound } = job.counts;
    if (notFound === 0) return [];
    const ids = await this.stores.slices.notFoundIds(tx, job.id, job.inputId, COLLECTED_MAX);
    return [logRows.uuidsNotFound(new Collected(ids, notFound))];
  }
}

/** Every line ends in exactly one class; a job that breaks that must not look complete. */
const NOT_ADDING_UP: Ending = { status: 'FAIL', rows: [logRows.generic()] };
