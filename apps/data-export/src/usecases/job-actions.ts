import { Injectable } from '@nestjs/common';
import type { QuickExportStarted } from '@quire/contracts/data-export';
import { uuidV5 } from '@quire/contracts/ids';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobContinuations } from '../db/job-continuations.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { logRows } from '../domain/error-codes.js';
import { failures } from '../domain/failures.js';
import type { ExportJob } from '../domain/job-answer.js';
import { isTerminal, type StartParameters } from '../domain/job-execution.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';
import { Launches, type LaunchProfile } from './launches.js';
import { NewJobs } from './new-jobs.js';

/** A job that was started once, and with what. */
interface StartedJob {
  readonly job: ExportJob;
  readonly request: StartParameters;
  /** As they were then. */
  readonly profile: LaunchProfile;
}

/** What can be done to a job: end it, go on with it, try its failed lines again (`data-export.md`, section 14, B3–B5). */
@Injectable()
export class JobActions {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly continuations: JobContinuations,
    private readonly launches: Launches,
    private readonly endings: JobEndings,
    private readonly newJobs: NewJobs,
    private readonly fresh: Fresh,
  ) {}

  /** No slice starts any more; the lease of those that run is over, and their workers find out with the next heartbeat. */
  cancel(caller: Caller, id: string): Promise<ExportJob> {
    return withTenant(this.source, caller, async (tx) => {
      const job = await this.stores.jobs.lock(tx, id);
      if (!job) throw failures.jobExecutionNotFound();
      if (job.status !== 'IN_PROGRESS') throw failures.notInProgress(id);
      await this.endings.fail(tx, id, logRows.cancelled(caller.username));
      return (await this.stores.jobs.find(tx, id)) ?? job;
    });
  }

  /** A new job that takes over the finished slices of one that failed, and does only the rest. */
  resume(caller: Caller, id: string): Promise<QuickExportStarted> {
    return withTenant(this.source, caller, async (tx) => {
      const { job, request, profile } = await this.started(tx, id, failures.nothingToResume);
      if (job.status !== 'FAIL') throw failures.nothingToResume(id);
      const to = this.fresh.id();
      const hrId = await this.continued(tx, caller, { job, id: to });
      if ((await this.continuations.takeOver(tx, { from: id, to })) === 0)
        throw failures.nothingToResume(id);
      await this.launches.launch(tx, caller, {
        ...{ jobId: to, hrId, profile, request, continues: job.output },
        fileDefinitionId: job.fileDefinitionId,
        baseName: job.baseName,
        total: job.counts.total,
      });
      await this.countTakenOver(tx, to);
      return { jobExecutionId: to, jobExecutionHrId: hrId };
    });
  }

  /** A new job over the lines that were not found or gave no record, with the same profiles and options. */
  retryFailed(caller: Caller, id: string): Promise<QuickExportStarted> {
    return withTenant(this.source, caller, async (tx) => {
      const { job, request, profile } = await this.started(tx, id, failures.nothingToRetry);
      const { notFound, faulty } = job.counts;
      if (!isTerminal(job.status) || notFound + faulty === 0) throw failures.nothingToRetry(id);
      const made = await this.newJobs.withOwnInput(tx, caller, { baseName: job.baseName });
      await this.launches.launch(tx, caller, {
        ...made,
        ...{ profile, request, continues: job.output },
        selection: { kind: 'failed lines', jobId: id },
      });
      return { jobExecutionId: made.jobId, jobExecutionHrId: made.hrId };
    });
  }

  private async started(
    tx: TenantTx,
    id: string,
    notStarted: typeof failures.nothingToResume,
  ): Promise<StartedJob> {
    const job = await this.stores.jobs.lock(tx, id);
    if (!job) throw failures.jobExecutionNotFound();
    const { request, mapping, jobProfileId, jobProfileName = '' } = job;
    if (!request || !mapping) throw notStarted(id);
    return {
      ...{ job, request },
      profile: { ...(jobProfileId === undefined ? {} : { jobProfileId }), jobProfileName, mapping },
    };
  }

  /** The same input; the upload shows the new job from now on. */
  private async continued(
    tx: TenantTx,
    caller: Caller,
    { job, id }: { readonly job: ExportJob; readonly id: string },
  ): Promise<number> {
    const hrId = await this.stores.jobs.nextHrId(tx);
    const { fileDefinitionId, inputId, baseName, counts } = job;
    const { total, invalid, duplicated } = counts;
    const lines = { total, blank: job.blank, invalid, duplicated };
    const stamps = newStamps(caller, this.fresh.now());
    await this.stores.jobs.insert(tx, {
      ...{ id, hrId, fileDefinitionId, inputId, baseName, lines, stamps },
    });
    await this.stores.definitions.replaceJob(tx, fileDefinitionId, { from: job.id, to: id });
    return hrId;
  }

  private async countTakenOver(tx: TenantTx, jobId: string): Promise<void> {
    const at = this.fresh.now();
    await this.stores.jobs.sumUp(tx, jobId, at);
    if (!(await this.continuations.hasDeletedAuthorities(tx, jobId))) return;
    const row = logRows.profileUsedForNonDeleted();
    await this.stores.logs.add(tx, { jobId }, at, [{ id: uuidV5(jobId, row.code), row }]);
  }
}
