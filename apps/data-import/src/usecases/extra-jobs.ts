import { Injectable } from '@nestjs/common';
import type { Caller } from '@quire/contracts/scope';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { JobExecutions, type JobRow, type NewJob } from '../db/job-executions.js';
import { JobWork } from '../db/job-work.js';
import { UploadDefinitions, type FileRow } from '../db/upload-definitions.js';
import type { FileProblem, JobMessage } from '../domain/file-problem.js';
import { failures } from '../domain/failures.js';
import type { JobOptions } from '../domain/job-options.js';
import { ImportStarts } from './import-starts.js';
import { ImportWork, type Beginning, type Content } from './import-work.js';
import { JobEvents } from './job-events.js';

export interface ExtraJob {
  readonly id: string;
  readonly fileName: string | null;
  readonly sourcePath: string | null;
  /** It saves nothing, and nobody hears of it. */
  readonly dryRun?: boolean;
}

export interface ExtraLaunch extends Pick<Beginning, 'profile' | 'messages'> {
  readonly asked: JobOptions;
  readonly content: Content;
  /** Frames that it reads. */
  readonly total: number;
  readonly inOrder: boolean;
  /** Why nothing of it can be imported. */
  readonly problems?: readonly FileProblem[];
}

/** Jobs that no upload made: retries and dry runs (data-import, 14). */
@Injectable()
export class ExtraJobs {
  constructor(
    private readonly jobs: JobExecutions,
    private readonly jobWork: JobWork,
    private readonly definitions: UploadDefinitions,
    private readonly starts: ImportStarts,
    private readonly work: ImportWork,
    private readonly events: JobEvents,
  ) {}

  checkRoom(tx: TenantRead): Promise<void> {
    return this.starts.checkRoom(tx, 1);
  }

  async add(tx: TenantTx, caller: Caller, extra: ExtraJob): Promise<void> {
    const { id, fileName, sourcePath, dryRun = false } = extra;
    const { username: name, firstName, lastName } = caller;
    const job: NewJob = {
      id,
      parentJobId: id,
      subordinationType: 'PARENT_SINGLE',
      status: 'NEW',
      fileName: fileName ?? undefined,
      sourcePath: sourcePath ?? undefined,
      user: { name, firstName, lastName },
    };
    const hrIds = await this.jobs.addAll(tx, [job]);
    if (dryRun) await this.jobWork.setDryRun(tx, id);
    else await this.events.created(tx, [job], hrIds);
  }

  /** Its chunks are there. */
  async launch(tx: TenantTx, id: string, launch: ExtraLaunch): Promise<void> {
    const { profile, asked, messages, content, total, inOrder, problems = [] } = launch;
    const added = await this.lock(tx, id);
    const options = await this.starts.settle(tx, asked, { profile, dryRun: added.dry_run });
    const job = await this.jobs.change(tx, id, { total, inputComplete: true, inOrder });
    const read = { profile, options, content };
    if (problems.length > 0) await this.work.refuseAll(tx, job, read, problems);
    else await this.work.launch(tx, job, { ...read, messages });
  }

  /** What is to be said of files whose content was imported before; a dry run of them is never refused. */
  async duplicates(tx: TenantRead, files: readonly FileRow[]): Promise<readonly JobMessage[]> {
    return [...(await this.starts.importedBefore(tx, files, true)).values()].flat();
  }

  async fileOf(tx: TenantRead, jobId: string): Promise<string | undefined> {
    return (await this.definitions.fileOfJob(tx, jobId))?.id;
  }

  private async lock(tx: TenantTx, id: string): Promise<JobRow> {
    const job = await this.jobs.lock(tx, id);
    if (!job) throw failures.jobNotFound(id);
    return job;
  }
}
