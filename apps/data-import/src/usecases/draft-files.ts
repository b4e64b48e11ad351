import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import { invalid, type Violation } from '@quire/contracts/failure';
import type { Caller } from '@quire/contracts/scope';
import type { TenantTx } from '@quire/postgres/tenant';
import { IDS, SETTINGS } from '@quire/service/platform.module';
import { importSettings } from '../config.js';
import { FileExtensions } from '../db/file-extensions.js';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions, type NewJob } from '../db/job-executions.js';
import { UploadDefinitions, type DefinitionRow, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { extensionOf } from '../domain/file-extensions.js';
import { checkFileName, FILES_MAX, lastSegment } from '../domain/upload-definition.js';
import { JobEvents } from './job-events.js';

export interface SentFile {
  readonly id?: string | undefined;
  readonly name: string;
  readonly uiKey?: string | undefined;
  /** Kilobytes, as declared. */
  readonly size?: number | undefined;
}

export interface AddedFile {
  readonly definitionId: string;
  readonly metaJobId: string;
  readonly position: number;
  readonly file: SentFile;
  readonly jobId: string;
}

/** The files of drafts, each with its job (data-import, 3.1): what may come in, and what goes with one that leaves. */
@Injectable()
export class DraftFiles {
  private readonly fileKbMax: number;

  constructor(
    private readonly definitions: UploadDefinitions,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly events: JobEvents,
    private readonly extensions: FileExtensions,
    @Inject(IDS) private readonly ids: Ids,
    @Inject(SETTINGS) settings: object,
  ) {
    this.fileKbMax = Math.ceil(importSettings(settings).fileBytesMax / 1024);
  }

  /** What can be said without looking at the tenant. @throws Failure 422 */
  check(sent: readonly SentFile[], keyOf: (index: number) => string): void {
    checkCount(sent.length, keyOf(FILES_MAX), sent[FILES_MAX]);
    const violations = sent
      .map((file, index) => checkFileName(file.name, keyOf(index)))
      .filter((one): one is Violation => one !== undefined);
    if (violations.length > 0) throw invalid(...violations);
    const large = sent.findIndex((file) => (file.size ?? 0) > this.fileKbMax);
    const { name } = sent[large] ?? {};
    if (name !== undefined)
      throw failures.fileSizeInvalid(name, keyOf(large).replace(/name$/, 'size'));
  }

  /** @throws Failure 422 when the tenant does not take files called so */
  async checkBlocked(
    tx: TenantTx,
    names: readonly string[],
    keyOf: (index: number) => string,
  ): Promise<void> {
    const extensions = names.map(extensionOf);
    const asked = [...new Set(extensions.filter((one) => one !== undefined))];
    if (asked.length === 0) return;
    const blocked = await this.extensions.blockedOf(tx, asked);
    const index = extensions.findIndex((one) => one !== undefined && blocked.has(one));
    const name = names[index];
    if (name !== undefined) throw failures.blocked(name, keyOf(index));
  }

  /** One more, at the end. */
  async append(
    tx: TenantTx,
    caller: Caller,
    row: DefinitionRow,
    { file, position }: Pick<AddedFile, 'file' | 'position'>,
  ): Promise<void> {
    const place = { definitionId: row.id, metaJobId: row.meta_job_id };
    await this.add(tx, caller, [{ ...place, position, file, jobId: this.ids.next() }]);
  }

  /** Each with its job. @param parent a job of their own for all of them, made first */
  async add(
    tx: TenantTx,
    caller: Caller,
    added: readonly AddedFile[],
    parent?: Omit<NewJob, 'user'>,
  ): Promise<void> {
    const files = added.map(({ definitionId, position, file, jobId }) => ({
      id: this.ids.next(),
      definitionId,
      position,
      name: file.name,
      uiKey: file.uiKey,
      declaredKb: file.size,
      jobId,
    }));
    await this.definitions.addFiles(tx, files);
    const { username: name, firstName, lastName } = caller;
    const drafts = [...(parent ? [parent] : []), ...added.map(jobOf)];
    const jobs = drafts.map((job) => ({ ...job, user: { name, firstName, lastName } }));
    // The last statements: everybody who makes a job of this tenant waits from here.
    await this.events.created(tx, jobs, await this.jobs.addAll(tx, jobs));
  }

  async rename(tx: TenantTx, file: FileRow, name: string): Promise<void> {
    await this.definitions.renameFile(tx, file.id, name);
    await this.jobs.lock(tx, file.job_id);
    await this.jobs.change(tx, file.job_id, { fileName: lastSegment(name), sourcePath: name });
  }

  /** May the definition go with this file: has its job not begun? */
  async unused(tx: TenantTx, file: FileRow): Promise<boolean> {
    const job = await this.jobs.lock(tx, file.job_id);
    return !job || ['NEW', 'FILE_UPLOADED', 'DISCARDED'].includes(job.status);
  }

  /**
   * A job that has not begun is discarded with its file; one that runs or has ended is left alone, its bytes kept.
   *
   * @param removed collects the keys of objects that nobody needs any more
   */
  async remove(tx: TenantTx, file: FileRow, removed: string[]): Promise<void> {
    await this.definitions.removeFile(tx, file.id);
    const job = await this.jobs.lock(tx, file.job_id);
    if (job?.status !== 'NEW' && job?.status !== 'FILE_UPLOADED') return;
    await this.chunks.removeAll(tx, job.id);
    await this.events.changed(
      tx,
      await this.jobs.change(tx, job.id, { status: 'DISCARDED', endsNow: true }),
    );
    if (file.object_key !== null) removed.push(file.object_key);
  }
}

/** @param key of the name of the first file that is too many */
export function checkCount(files: number, key: string, tooMany: SentFile | undefined): void {
  if (files > FILES_MAX) throw failures.tooManyFiles(key, tooMany?.name ?? '');
}

const jobOf = ({ metaJobId, file, jobId }: AddedFile): Omit<NewJob, 'user'> => ({
  id: jobId,
  parentJobId: metaJobId,
  subordinationType: jobId === metaJobId ? 'PARENT_SINGLE' : 'CHILD',
  status: 'NEW',
  fileName: lastSegment(file.name),
  sourcePath: file.name,
});
