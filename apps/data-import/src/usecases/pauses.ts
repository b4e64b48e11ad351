import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobExecutions, type JobRow } from '../db/job-executions.js';
import { JobWork } from '../db/job-work.js';
import { failures } from '../domain/failures.js';
import { Dispatch } from './dispatch.js';

/**
 * Pause and resume (data-import, 10.7): of a paused job nothing further is released; what is out comes home and is counted,
 * and if that was the last, the job ends. The status stays.
 */
@Injectable()
export class Pauses {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly jobWork: JobWork,
    private readonly dispatch: Dispatch,
  ) {}

  /** @throws Failure 404; 400 when the job does not run, or is paused */
  async pause(scope: Scope, id: string): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      const job = await this.running(tx, id, 'paused');
      if (job.paused_at !== null) throw failures.pausedAlready(id);
      await this.jobWork.pause(tx, id);
    });
  }

  /** @throws Failure 404; 400 when the job is not paused */
  async resume(scope: Scope, id: string): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      const job = await this.running(tx, id, 'resumed');
      if (job.paused_at === null) throw failures.notPaused(id);
      await this.jobWork.resume(tx, id);
    });
    this.dispatch.wake();
  }

  private async running(tx: TenantTx, id: string, what: 'paused' | 'resumed'): Promise<JobRow> {
    const job = await this.jobs.lock(tx, id);
    if (!job) throw failures.jobNotFound(id);
    if (job.status !== 'PARSING_IN_PROGRESS') throw failures.notRunning(id, job.status, what);
    return job;
  }
}
