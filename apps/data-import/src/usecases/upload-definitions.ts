import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import { invalid, type Violation } from '@quire/contracts/failure';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions, type NewJob } from '../db/job-executions.js';
import { UploadDefinitions, type DefinitionRow, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import {
  blockedExtension,
  checkFileName,
  definitionStatus,
  FILES_MAX,
  lastSegment,
} from '../domain/upload-definition.js';
import { ImportFiles } from '../files/import-files.js';
import { JobEvents } from './job-events.js';

/**
 * Drafts that name files: made, added to, changed, emptied (data-import, 3.1 and 3.2). Both families work on one aggregate.
 * Jobs, files and definition are committed together, before the answer.
 */
export interface SentFile {
  readonly id?: string | undefined;
  readonly name: string;
  readonly uiKey?: string | undefined;
  readonly size?: number | undefined;
}

export interface Definition {
  readonly row: DefinitionRow;
  readonly files: readonly FileRow[];
}

/** Limit of one file, in kilobytes as clients declare it. */
const FILE_KB_MAX = 2 * 1024 * 1024;

@Injectable()
export class UploadDrafts {
  constructor(
    private readonly source: DataSource,
    private readonly definitions: UploadDefinitions,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly events: JobEvents,
    private readonly files: ImportFiles,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  create(caller: Caller, sent: readonly SentFile[]): Promise<Definition> {
    checkFiles(sent, (index) => `fileDefinitions[${index}].name`);
    return withTenant(this.source, caller, async (tx) => {
      const id = this.ids.next();
      const single = sent.length === 1;
      const metaJobId = this.ids.next();
      if (!single)
        await this.addJob(tx, caller, {
          id: metaJobId,
          parentJobId: metaJobId,
          subordinationType: 'PARENT_MULTIPLE',
          status: 'PARENT',
        });
      await this.definitions.add(tx, { id, metaJobId, status: 'NEW' }, caller.username);
      for (const [position, file] of sent.entries()) {
        const jobId = single ? metaJobId : this.ids.next();
        await this.addFile(tx, caller, { definitionId: id, metaJobId, position, file, jobId });
      }
      return this.read(tx, id);
    });
  }

  addTo(
    caller: Caller,
    definitionId: string,
    file: SentFile,
    notFound: (id: string) => Error,
  ): Promise<Definition> {
    checkFiles([file], () => 'name');
    return withTenant(this.source, caller, async (tx) => {
      const row = await this.definitions.lock(tx, definitionId);
      if (!row) throw notFound(definitionId);
      if (row.processing_started) throw failures.processedCannotAdd(definitionId);
      const files = await this.definitions.filesOf(tx, [definitionId]);
      if (files.length >= FILES_MAX) throw failures.tooManyFiles('name', files.length + 1);
      await this.append(tx, caller, row, { file, position: nextPosition(files) });
      await this.recompute(tx, definitionId, caller.username);
      return this.read(tx, definitionId);
    });
  }

  /** The seed family's PUT: a list of files replaces the stored one; no list leaves it (3.6). */
  update(
    caller: Caller,
    definitionId: string,
    change: { status?: DefinitionRow['status']; files?: readonly SentFile[] },
  ): Promise<Definition> {
    if (change.files) checkFiles(change.files, (index) => `fileDefinitions[${index}].name`);
    return this.removingObjects(caller, async (tx, removed) => {
      const row = await this.definitions.lock(tx, definitionId);
      if (!row) throw failures.definitionToChangeNotFound(definitionId);
      if (change.files) {
        await this.replaceFiles(tx, caller, row, { sent: change.files, removed });
        await this.recompute(tx, definitionId, caller.username);
      }
      // A free label; it starts and stops nothing, and the next file event computes it anew.
      if (change.status && !row.processing_started)
        await this.definitions.setStatus(tx, definitionId, {
          status: change.status,
          userName: caller.username,
        });
      return this.read(tx, definitionId);
    });
  }

  remove(caller: Caller, definitionId: string, fileId: string): Promise<void> {
    return this.removingObjects(caller, async (tx, removed) => {
      const row = await this.definitions.lock(tx, definitionId);
      if (!row) throw failures.definitionOfFileNotFound(definitionId);
      const file = (await this.definitions.filesOf(tx, [definitionId])).find(
        (one) => one.id === fileId,
      );
      if (!file) throw failures.fileNotFound();
      await this.removeFile(tx, file, removed);
      await this.recompute(tx, definitionId, caller.username);
    });
  }

  async read(tx: TenantTx, id: string): Promise<Definition> {
    const row = await this.definitions.find(tx, id);
    if (!row) throw failures.definitionNotFound(id);
    return { row, files: await this.definitions.filesOf(tx, [id]) };
  }

  /** After every file event, in its transaction (7.1). */
  async recompute(tx: TenantTx, id: string, userName?: string): Promise<void> {
    const row = await this.definitions.lock(tx, id);
    if (!row) return;
    const files = await this.definitions.filesOf(tx, [id]);
    const status = definitionStatus(
      files.map((file) => file.status),
      row.processing_started,
    );
    await this.definitions.setStatus(tx, id, { status, userName });
  }

  private async replaceFiles(
    tx: TenantTx,
    caller: Caller,
    row: DefinitionRow,
    { sent, removed }: { sent: readonly SentFile[]; removed: string[] },
  ): Promise<void> {
    const stored = await this.definitions.filesOf(tx, [row.id]);
    const kept = new Set(sent.map((file) => file.id?.toLowerCase()));
    for (const file of stored) {
      if (kept.has(file.id)) continue;
      if (file.processed) throw failures.processedCannotRemove(file.id);
      await this.removeFile(tx, file, removed);
    }
    let position = nextPosition(stored);
    for (const file of sent) {
      const known = stored.find((one) => one.id === file.id?.toLowerCase());
      if (!known && row.processing_started) throw failures.processedCannotAdd(row.id);
      if (!known) await this.append(tx, caller, row, { file, position: position++ });
      else if (!known.processed && known.name !== file.name)
        await this.rename(tx, known, file.name);
    }
  }

  private async rename(tx: TenantTx, file: FileRow, name: string): Promise<void> {
    await this.definitions.renameFile(tx, file.id, name);
    await this.jobs.lock(tx, file.job_id);
    await this.jobs.change(tx, file.job_id, { fileName: lastSegment(name), sourcePath: name });
  }

  private async append(
    tx: TenantTx,
    caller: Caller,
    row: DefinitionRow,
    { file, position }: { file: SentFile; position: number },
  ): Promise<void> {
    await this.addFile(tx, caller, {
      definitionId: row.id,
      metaJobId: row.meta_job_id,
      position,
      file,
      jobId: this.ids.next(),
    });
  }

  private async addFile(
    tx: TenantTx,
    caller: Caller,
    { definitionId, metaJobId, position, file, jobId }: Added,
  ): Promise<void> {
    const id = this.ids.next();
    const fileName = lastSegment(file.name);
    await this.definitions.addFile(tx, {
      id,
      definitionId,
      position,
      name: file.name,
      uiKey: file.uiKey,
      declaredKb: file.size,
      jobId,
    });
    const subordinationType = jobId === metaJobId ? 'PARENT_SINGLE' : 'CHILD';
    await this.addJob(tx, caller, {
      id: jobId,
      parentJobId: metaJobId,
      subordinationType,
      status: 'NEW',
      fileName,
      sourcePath: file.name,
    });
  }

  private async addJob(tx: TenantTx, caller: Caller, job: Omit<NewJob, 'user'>): Promise<void> {
    const { username: name, firstName, lastName } = caller;
    const made = { ...job, user: { name, firstName, lastName } };
    await this.events.created(tx, made, await this.jobs.add(tx, made));
  }

  /** A job that has not begun is discarded with its file; one that runs or has ended is left alone, its bytes kept. */
  private async removeFile(tx: TenantTx, file: FileRow, removed: string[]): Promise<void> {
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

  /** Objects that the work gave up go after its commit; their intents bring them away if we die before. */
  private async removingObjects<T>(
    caller: Caller,
    work: (tx: TenantTx, removed: string[]) => Promise<T>,
  ): Promise<T> {
    const removed: string[] = [];
    const result = await withTenant(this.source, caller, async (tx) => {
      removed.length = 0;
      const value = await work(tx, removed);
      for (const key of removed) await this.files.doom(tx, key);
      return value;
    });
    for (const key of removed) await this.files.remove(caller, key);
    return result;
  }
}

interface Added {
  readonly definitionId: string;
  readonly metaJobId: string;
  readonly position: number;
  readonly file: SentFile;
  readonly jobId: string;
}

const nextPosition = (files: readonly FileRow[]): number =>
  files.reduce((max, one) => Math.max(max, one.position), -1) + 1;

function checkFiles(files: readonly SentFile[], keyOf: (index: number) => string): void {
  if (files.length > FILES_MAX) throw failures.tooManyFiles('fileDefinitions', files.length);
  const violations = files
    .map((file, index) => checkFileName(file.name, keyOf(index)))
    .filter((one): one is Violation => one !== undefined);
  if (violations.length > 0) throw invalid(...violations);
  const blocked = files.find((file) => blockedExtension(file.name));
  if (blocked) throw failures.blocked(blocked.name);
  const large = files.find((file) => (file.size ?? 0) > FILE_KB_MAX);
  if (large) throw failures.fileSizeInvalid(large.name);
}
