import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import { Failure, tooMany } from '@quire/contracts/failure';
import type { Caller, Scope } from '@quire/contracts/scope';
import type { StoredObject } from '@quire/object-store/object-store';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { FileUploads as FileUploadRows } from '../db/file-uploads.js';
import { JobExecutions } from '../db/job-executions.js';
import { UploadDefinitions, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { ImportFiles } from '../files/import-files.js';
import { UploadFraming, type UploadChunk } from '../pipeline/frame-upload.js';
import { JobEvents } from './job-events.js';
import { UploadDrafts, type Definition } from './upload-definitions.js';

/**
 * Takes the bytes of a file: one pass stores them, hashes them and finds the borders of their records (data-import, 7.2 and
 * 8.1). The upload is a row with a lease while it runs; it becomes the file's content in one transaction at its end. A broken
 * one changes nothing; of two at once the one that ends last wins.
 */
export const FILE_BYTES_MAX = 2 * 1024 * 1024 * 1024;
const CHUNKS_A_WRITE = 32;
const UPLOADS_OF_TENANT_MAX = 4;
const UPLOADS_MAX = 16;
const RETRY_SECONDS = 5;

@Injectable()
export class FileUploads {
  private readonly running = new Map<string, number>();

  constructor(
    private readonly source: DataSource,
    private readonly drafts: UploadDrafts,
    private readonly definitions: UploadDefinitions,
    private readonly uploads: FileUploadRows,
    private readonly end: UploadEnd,
    private readonly files: ImportFiles,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  async take(
    caller: Caller,
    definitionId: string,
    fileId: string,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Definition> {
    await withTenant(this.source, caller, (tx) => this.findFile(tx, definitionId, fileId));
    this.enter(caller.tenantId);
    try {
      return await this.run(caller, definitionId, fileId, body);
    } finally {
      this.leave(caller.tenantId);
    }
  }

  private async run(
    caller: Caller,
    definitionId: string,
    fileId: string,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Definition> {
    const id = this.ids.next();
    const key = this.files.keyOf(caller.tenantId, id);
    await withTenant(this.source, caller, async (tx) => {
      await this.findFile(tx, definitionId, fileId);
      await this.files.announce(tx, key);
      await this.uploads.begin(tx, { id, fileId, objectKey: key });
      await this.definitions.setFileStatus(tx, fileId, ['NEW', 'ERROR'], 'UPLOADING');
      await this.drafts.recompute(tx, definitionId);
    });
    const upload = { id, key, fileId, definitionId };
    const framing = new UploadFraming();
    let stored: StoredObject;
    try {
      stored = await this.files.put(key, this.passing(caller, upload, framing, body), NEVER.signal);
    } catch (error) {
      await this.end.broken(caller, upload);
      throw error instanceof Failure ? error : failures.interrupted(fileId);
    }
    await this.end.whole(caller, upload, { stored, framing });
    return withTenant(this.source, caller, (tx) => this.drafts.read(tx, definitionId));
  }

  /** The bytes on their way to the store, while chunks found in them go to the table. */
  private async *passing(
    caller: Caller,
    { id }: Upload,
    framing: UploadFraming,
    body: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    let waiting: UploadChunk[] = [];
    const write = async (): Promise<void> => {
      const chunks = waiting;
      waiting = [];
      await withTenant(this.source, caller, (tx) => this.uploads.addChunks(tx, id, chunks));
    };
    for await (const part of body) {
      bytes += part.length;
      if (bytes > FILE_BYTES_MAX) throw failures.tooLarge(bytes, FILE_BYTES_MAX);
      waiting.push(...framing.push(Buffer.from(part.buffer, part.byteOffset, part.length)));
      if (waiting.length >= CHUNKS_A_WRITE) await write();
      yield part;
    }
    waiting.push(...framing.end());
    await write();
  }

  private async findFile(tx: TenantTx, definitionId: string, fileId: string): Promise<FileRow> {
    const definition = await this.definitions.find(tx, definitionId);
    if (!definition) throw failures.definitionOfUploadNotFound(definitionId);
    const file = await this.definitions.findFile(tx, fileId);
    if (file?.definition_id !== definitionId) throw failures.fileToUploadNotFound(fileId);
    if (file.processed) throw failures.processedCannotUpload(fileId);
    return file;
  }

  private enter(tenantId: string): void {
    const own = this.running.get(tenantId) ?? 0;
    const all = [...this.running.values()].reduce((sum, count) => sum + count, 0);
    if (own >= UPLOADS_OF_TENANT_MAX || all >= UPLOADS_MAX) throw tooMany(RETRY_SECONDS);
    this.running.set(tenantId, own + 1);
  }

  private leave(tenantId: string): void {
    const left = (this.running.get(tenantId) ?? 1) - 1;
    if (left > 0) this.running.set(tenantId, left);
    else this.running.delete(tenantId);
  }
}

/** An upload ends by itself, by its client or by its limit. */
const NEVER = new AbortController();

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly fileId: string;
  readonly definitionId: string;
}

/** How an upload ends: whole, or broken. */
@Injectable()
export class UploadEnd {
  constructor(
    private readonly source: DataSource,
    private readonly drafts: UploadDrafts,
    private readonly definitions: UploadDefinitions,
    private readonly uploads: FileUploadRows,
    private readonly jobs: JobExecutions,
    private readonly events: JobEvents,
    private readonly files: ImportFiles,
  ) {}

  /** The new content replaces what was there, in one step. */
  async whole(
    scope: Scope,
    upload: Upload,
    { stored, framing }: { stored: StoredObject; framing: UploadFraming },
  ): Promise<void> {
    const old = await withTenant(this.source, scope, async (tx) => {
      const definition = await this.definitions.lock(tx, upload.definitionId);
      const file = definition ? await this.definitions.findFile(tx, upload.fileId) : undefined;
      const job = file ? await this.jobs.lock(tx, file.job_id) : undefined;
      // Deleted or handed over while the bytes came in: the upload is given up.
      if (!file || !job || file.processed) return 'late' as const;
      await this.uploads.handOver(tx, upload.id, job.id, upload.key);
      await this.uploads.end(tx, upload.id);
      const { bytes, sha256 } = stored;
      await this.definitions.setUploaded(tx, file.id, {
        objectKey: upload.key,
        bytes,
        sha256,
        frames: framing.frames,
        problem: framing.problem,
      });
      await this.files.settle(tx, upload.key);
      if (file.object_key !== null) await this.files.doom(tx, file.object_key);
      const change = { total: framing.frames, inputComplete: true, sourcePath: file.name };
      const status = job.status === 'NEW' ? ({ status: 'FILE_UPLOADED' } as const) : {};
      await this.events.changed(tx, await this.jobs.change(tx, job.id, { ...change, ...status }));
      await this.drafts.recompute(tx, upload.definitionId);
      return { objectKey: file.object_key };
    });
    if (old === 'late') {
      await this.broken(scope, upload);
      throw failures.processedCannotUpload(upload.fileId);
    }
    if (old.objectKey !== null) await this.files.remove(scope, old.objectKey);
  }

  /** The client went away, or the process that took the upload died. */
  async broken(scope: Scope, { id, key, fileId, definitionId }: Upload): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      const others = await this.uploads.othersRun(tx, fileId, id);
      await this.uploads.end(tx, id);
      if (!others) await this.definitions.setFileStatus(tx, fileId, ['UPLOADING'], 'ERROR');
      await this.drafts.recompute(tx, definitionId);
    });
    await this.files.remove(scope, key);
  }
}
