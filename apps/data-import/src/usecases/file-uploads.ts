import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import { Failure, tooMany } from '@quire/contracts/failure';
import type { Caller } from '@quire/contracts/scope';
import type { StoredObject } from '@quire/object-store/object-store';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { FileUploads as FileUploadRows } from '../db/file-uploads.js';
import { UploadDefinitions, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { ImportFiles } from '../files/import-files.js';
import { UploadFraming, type UploadChunk } from '../pipeline/frame-upload.js';
import { UploadEnd, type Upload } from './upload-end.js';
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
