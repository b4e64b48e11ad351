import { Injectable } from '@nestjs/common';
import { isAnyUuid } from '@quire/contracts/ids';
import type { Scope } from '@quire/contracts/scope';
import type { StoredObject } from '@quire/object-store/object-store';
import { readTenant, withTenant, type TenantRead } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { FileUploads as FileUploadRows } from '../db/file-uploads.js';
import { JobExecutions } from '../db/job-executions.js';
import { UploadDefinitions, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { isEnded } from '../domain/job-execution.js';
import type { UploadChunk } from '../domain/upload-chunk.js';
import { ImportFiles } from '../files/import-files.js';
import type { UploadFraming } from '../pipeline/frame-upload.js';
import { DefinitionStates, type Definition, type Editor } from './definition-states.js';
import { JobEvents } from './job-events.js';

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly fileId: string;
  readonly definitionId: string;
}

type Place = Pick<Upload, 'definitionId' | 'fileId'>;

/**
 * The transactions of an upload (data-import, 7.2):
 *
 *   begin ─▶ keep ─▶ keep ─▶ … ─▶ whole     the file's content from now on, in place of any before
 *      └────────┴──────┴───────▶ broken    client or process gone, too long, swept: as if it had not been
 */
@Injectable()
export class UploadSteps {
  constructor(
    private readonly source: DataSource,
    private readonly states: DefinitionStates,
    private readonly definitions: UploadDefinitions,
    private readonly uploads: FileUploadRows,
    private readonly jobs: JobExecutions,
    private readonly events: JobEvents,
    private readonly files: ImportFiles,
  ) {}

  /** May the file be uploaded? @throws Failure 400, 404 */
  async check(scope: Scope, place: Place): Promise<void> {
    await readTenant(this.source, scope, (tx) => this.findFile(tx, place));
  }

  async begin(editor: Editor, upload: Upload): Promise<void> {
    const { id, key, fileId, definitionId } = upload;
    await withTenant(this.source, editor, async (tx) => {
      await this.definitions.lock(tx, definitionId);
      await this.findFile(tx, upload);
      await this.files.announce(tx, key);
      await this.uploads.begin(tx, { id, fileId, objectKey: key });
      await this.definitions.setFileStatus(tx, fileId, ['NEW', 'ERROR'], 'UPLOADING');
      await this.states.recompute(tx, definitionId, editor);
    });
  }

  /** Renews the lease. @throws Failure when the upload was given up meanwhile */
  async keep(scope: Scope, { id, fileId }: Upload, chunks: readonly UploadChunk[]): Promise<void> {
    const ours = await withTenant(this.source, scope, (tx) =>
      this.uploads.addChunks(tx, id, chunks),
    );
    if (!ours) throw failures.interrupted(fileId);
  }

  /** The new content replaces what was there, in one step. */
  async whole(
    editor: Editor,
    upload: Upload,
    { stored, framing }: { stored: StoredObject; framing: UploadFraming },
  ): Promise<Definition> {
    const { id, key, definitionId } = upload;
    let done: { readonly old: string | null; readonly definition: Definition };
    try {
      done = await withTenant(this.source, editor, async (tx) => {
        await this.definitions.lock(tx, definitionId);
        // Deleted or handed over while the bytes came in: the upload is given up.
        const file = await this.findFile(tx, upload);
        const job = await this.jobs.lock(tx, file.job_id);
        if (!job || !(await this.uploads.addChunks(tx, id, [])))
          throw failures.interrupted(file.id);
        // A cancel locks the job, not the definition: it may have come between the look at the file and the lock.
        if (isEnded(job.status)) throw failures.processedCannotUpload(file.id);
        await this.uploads.handOver(tx, { id, objectKey: key }, job.id);
        await this.uploads.end(tx, id);
        const { bytes, sha256 } = stored;
        const { frames, problem, inOrder } = framing;
        const content = { objectKey: key, bytes, sha256, frames, problem };
        await this.definitions.setUploaded(tx, file.id, content);
        await this.files.settle(tx, key);
        if (file.object_key !== null) await this.files.doom(tx, file.object_key);
        const change = { total: problem === undefined ? frames : 0, inputComplete: true, inOrder };
        const status = job.status === 'NEW' ? ({ status: 'FILE_UPLOADED' } as const) : {};
        await this.events.changed(tx, await this.jobs.change(tx, job.id, { ...change, ...status }));
        await this.states.recompute(tx, definitionId, editor);
        return { old: file.object_key, definition: await this.states.read(tx, definitionId) };
      });
    } catch (error) {
      await this.broken(editor, upload);
      throw error;
    }
    if (done.old !== null) await this.files.remove(editor, done.old);
    return done.definition;
  }

  /**
   * The client went away, or the process that took the upload died. Whoever ends the row clears up: an upload without one
   * was swept, or is the file's content although the answer to its commit was lost.
   */
  async broken(editor: Editor, { id, key, fileId, definitionId }: Upload): Promise<void> {
    const ended = await withTenant(this.source, editor, async (tx) => {
      await this.definitions.lock(tx, definitionId);
      const others = await this.uploads.othersRun(tx, fileId, id);
      if (!(await this.uploads.end(tx, id))) return false;
      if (!others) await this.definitions.setFileStatus(tx, fileId, ['UPLOADING'], 'ERROR');
      await this.states.recompute(tx, definitionId, editor);
      return true;
    });
    if (ended) await this.files.remove(editor, key);
  }

  private async findFile(tx: TenantRead, { definitionId, fileId }: Place): Promise<FileRow> {
    // Ids of the seed family are plain strings; those that are no UUID name nothing.
    const isKnown = isAnyUuid(definitionId) && (await this.definitions.find(tx, definitionId));
    if (!isKnown) throw failures.definitionOfUploadNotFound(definitionId);
    const file = isAnyUuid(fileId) ? await this.definitions.findFile(tx, fileId) : undefined;
    if (file?.definition_id !== definitionId) throw failures.fileToUploadNotFound(fileId);
    if (file.processed) throw failures.processedCannotUpload(fileId);
    return file;
  }
}
