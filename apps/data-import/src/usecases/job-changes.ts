import { Injectable } from '@nestjs/common';
import type {
  DeletedJobExecution,
  ImportJobUpdate,
  StatusChange,
} from '@quire/contracts/change-manager';
import type { Scope } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions, type JobChange, type JobRow, type JobView } from '../db/job-executions.js';
import { failures } from '../domain/failures.js';
import { byHand, isEnded, uiStatusOf } from '../domain/job-execution.js';
import { DEFAULT_PROFILE, profileOf } from '../domain/job-profiles.js';
import { ImportFiles } from '../files/import-files.js';
import { profileFor } from './job-drafts.js';
import { JobEndings } from './job-endings.js';
import { JobEvents } from './job-events.js';

/** What clients change of jobs: names, profile, status, their end, their logs (data-import, 4.2 to 4.6). */
@Injectable()
export class JobChanges {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly events: JobEvents,
    private readonly endings: JobEndings,
    private readonly files: ImportFiles,
  ) {}

  /** `PUT /{id}`: names of a job without a file, the profile before work starts, the status; all else is the server's. */
  update(scope: Scope, id: string, sent: ImportJobUpdate): Promise<JobView> {
    return this.changing(scope, id, async (tx, job, removable) => {
      const change = await this.changeOf(tx, job, sent);
      const changed = Object.keys(change).length > 0 ? await this.jobs.change(tx, id, change) : job;
      const isSame = sent.status === job.status;
      if (!isSame) await this.setStatus(tx, changed, sent, removable);
      else if (changed !== job && !isEnded(job.status)) await this.events.changed(tx, changed);
    });
  }

  status(scope: Scope, id: string, sent: StatusChange): Promise<JobView> {
    return this.changing(scope, id, (tx, job, removable) =>
      this.setStatus(tx, job, sent, removable),
    );
  }

  profile(scope: Scope, id: string, profileId: string): Promise<JobView> {
    return this.changing(scope, id, async (tx, job) => {
      const profile = profileFor(profileId);
      if (job.profile_id === profile.id) return;
      if (job.profile_id !== null) throw failures.otherProfile(profileId);
      const change = { profileId: profile.id, profileName: profile.name };
      const changed = await this.jobs.change(tx, id, change);
      if (!isEnded(job.status)) await this.events.changed(tx, changed);
    });
  }

  /** A composite parent with its children. Of a job that has ended nothing changes. */
  async cancel(scope: Scope, id: string): Promise<void> {
    await this.changing(scope, id, async (tx, job, removable) => {
      const isComposite = job.subordination_type === 'COMPOSITE_PARENT';
      const children = isComposite ? await this.jobs.lockChildren(tx, id) : [];
      for (const one of [job, ...children])
        if (!isEnded(one.status)) await this.setStatus(tx, one, { status: 'CANCELLED' }, removable);
    });
  }

  /** Hides the logs of jobs that have ended; ids that are unknown are left out. */
  async remove(scope: Scope, ids: readonly string[]): Promise<DeletedJobExecution[]> {
    if (ids.length === 0) return [];
    const found = await withTenant(this.source, scope, (tx) => this.jobs.hide(tx, ids));
    const hidden = new Map(found.map((job) => [job.id, job.hidden]));
    return [...new Set(ids)].flatMap((id) => {
      const isDeleted = hidden.get(id);
      return isDeleted === undefined ? [] : [{ jobExecutionId: id, isDeleted }];
    });
  }

  /** Works on a locked job and gives it as it is then; bytes that the work gave up go after its commit. */
  private async changing(
    scope: Scope,
    id: string,
    work: (tx: TenantTx, job: JobRow, removable: string[]) => Promise<void>,
  ): Promise<JobView> {
    const removable: string[] = [];
    const view = await withTenant(this.source, scope, async (tx) => {
      removable.length = 0;
      const job = await this.jobs.lock(tx, id);
      if (!job || job.deleted_at !== null) throw failures.jobNotFound(id);
      await work(tx, job, removable);
      return this.jobs.view(tx, id);
    });
    for (const key of removable) await this.files.remove(scope, key);
    if (!view) throw failures.jobNotFound(id);
    return view;
  }

  private async changeOf(tx: TenantTx, job: JobRow, sent: ImportJobUpdate): Promise<JobChange> {
    const { fileName, sourcePath, jobProfileInfo } = sent;
    const named = {
      ...(fileName === undefined || fileName === job.file_name ? {} : { fileName }),
      ...(sourcePath === undefined || sourcePath === job.source_path ? {} : { sourcePath }),
    };
    const names =
      Object.keys(named).length > 0 && !(await this.jobs.hasFile(tx, job.id)) ? named : {};
    const isOpen = job.status === 'NEW' || job.status === 'FILE_UPLOADED';
    if (!isOpen || jobProfileInfo === undefined || jobProfileInfo.id === job.profile_id)
      return names;
    const { id: profileId, name: profileName } = profileFor(jobProfileInfo.id);
    return { ...names, profileId, profileName };
  }

  /** By the rows of 4.3. @throws Failure 400 */
  private async setStatus(
    tx: TenantTx,
    job: JobRow,
    { status, errorStatus }: StatusChange,
    removable: string[],
  ): Promise<void> {
    const hasFile = await this.jobs.hasFile(tx, job.id);
    const { open: openChunks } = await this.chunks.sums(tx, job.id);
    switch (byHand({ from: job.status, to: status, hasFile, openChunks })) {
      case 'to-parent':
        throw failures.toParent();
      case 'of-parent':
        throw failures.ofParent(job.id);
      case 'refused':
        throw failures.statusFixed(job.id, job.status, status);
      case 'unchanged':
        return;
      case 'set':
    }
    if (isEnded(status)) {
      const key = await this.endings.end(tx, job, { status, errorStatus });
      if (key !== undefined) removable.push(key);
      return;
    }
    const { id: profileId, name: profileName } = profileOf(job.profile_id ?? '') ?? DEFAULT_PROFILE;
    const runs = uiStatusOf(status) === 'RUNNING';
    const begins = status === 'PARSING_IN_PROGRESS' && job.processing_started_at === null;
    const changed = await this.jobs.change(tx, job.id, {
      status,
      ...(runs ? { profileId, profileName } : {}),
      ...(begins ? { startsNow: true } : {}),
    });
    await this.events.changed(tx, changed);
  }
}
