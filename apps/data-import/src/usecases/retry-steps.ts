import { Injectable } from '@nestjs/common';
import type { Caller } from '@quire/contracts/scope';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { FileUploads } from '../db/file-uploads.js';
import { JobErrors } from '../db/job-errors.js';
import { JobExecutions, type JobRow, type JobView } from '../db/job-executions.js';
import { JobWork } from '../db/job-work.js';
import { failures } from '../domain/failures.js';
import { leftOut } from '../domain/file-problem.js';
import { isEnded } from '../domain/job-execution.js';
import type { JobOptions } from '../domain/job-options.js';
import { profileOf } from '../domain/job-profiles.js';
import { ImportFiles } from '../files/import-files.js';
import { ExtraJobs } from './extra-jobs.js';
import type { Launch } from './retries.js';
import type { RetryCopy } from './retry-copies.js';

/** The transactions of a retry. */
@Injectable()
export class RetrySteps {
  constructor(
    private readonly jobs: JobExecutions,
    private readonly errors: JobErrors,
    private readonly uploads: FileUploads,
    private readonly jobWork: JobWork,
    private readonly extra: ExtraJobs,
    private readonly files: ImportFiles,
  ) {}

  /** Checks that it may be, and announces its object. @throws Failure 400, 404 */
  async begin(tx: TenantTx, jobId: string, copyId: string): Promise<RetryCopy> {
    const job = await this.lock(tx, jobId, copyId);
    if (!(await this.errors.any(tx, jobId))) throw failures.noFailedRecords(jobId);
    const originKey = job.origin_key ?? job.content_key;
    if (originKey === null || !(await this.files.exists(originKey))) throw failures.fileGone();
    await this.extra.checkRoom(tx);
    const key = this.files.keyOf(tx.tenantId, copyId);
    await this.files.announce(tx, key);
    // The lease says that a retry of this job is being made.
    await this.uploads.begin(tx, { id: copyId, fileId: jobId, objectKey: key });
    return { id: copyId, key, jobId, originKey };
  }

  async launch(tx: TenantTx, caller: Caller, { id, copy, copied, asked }: Launch): Promise<void> {
    const job = await this.lock(tx, copy.jobId, copy.id);
    if (copied.frames === 0) throw failures.nothingToRetry(job.id);
    // Swept meanwhile: we were too slow.
    if (!(await this.uploads.addChunks(tx, copy.id, []))) throw failures.busy();
    const profile = profileOf(job.profile_id ?? '');
    if (!profile) throw failures.profileNotFound(job.profile_id ?? '');
    await this.extra.add(tx, caller, { id, fileName: job.file_name, sourcePath: job.source_path });
    const origin = { key: copy.originKey, fileId: await this.originFile(tx, job) };
    await this.jobWork.setRetry(tx, id, job.id, origin);
    await this.uploads.handOver(tx, { id: copy.id, objectKey: copy.key }, id);
    await this.uploads.end(tx, copy.id);
    await this.files.settle(tx, copy.key);
    const { stored, frames } = copied;
    await this.extra.launch(tx, id, {
      profile,
      asked: { ...askedBefore(job), ...given(asked) },
      messages: copied.leftOut > 0 ? [leftOut(copied.leftOut)] : [],
      content: { key: copy.key, bytes: stored.bytes, sha256: stored.sha256 },
      total: frames,
      inOrder: job.in_order,
    });
  }

  async view(tx: TenantRead, id: string): Promise<JobView> {
    const job = await this.jobs.view(tx, id);
    if (!job) throw failures.jobNotFound(id);
    return job;
  }

  /** One retry of a job at a time. */
  private async lock(tx: TenantTx, jobId: string, copyId: string): Promise<JobRow> {
    const job = await this.jobs.lock(tx, jobId);
    if (!job || job.deleted_at !== null) throw failures.jobNotFound(jobId);
    if (job.dry_run) throw failures.dryRunCannotBeRetried(jobId);
    if (!isEnded(job.status)) throw failures.notEnded(jobId);
    const runs =
      (await this.jobWork.retryRuns(tx, jobId)) ||
      (await this.uploads.othersRun(tx, jobId, copyId));
    if (runs) throw failures.retryRuns(jobId);
    return job;
  }

  private async originFile(tx: TenantRead, job: JobRow): Promise<string | undefined> {
    return job.origin_file_id ?? this.extra.fileOf(tx, job.id);
  }
}

/** What the first job was asked is asked again, but for what is asked now. */
function askedBefore({ options }: JobRow): JobOptions {
  const { on999ff, strict, skipUnchanged } = options ?? {};
  return given({ on999ff, strict, skipUnchanged });
}

const given = (options: JobOptions): JobOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
