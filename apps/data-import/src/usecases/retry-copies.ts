import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@quire/contracts/clock';
import type { Scope } from '@quire/contracts/scope';
import type { StoredObject } from '@quire/object-store/object-store';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { CLOCK } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { FileUploads } from '../db/file-uploads.js';
import { JobChunks, type Written } from '../db/job-chunks.js';
import { placeOf, type Place } from '../db/job-errors.js';
import { failures } from '../domain/failures.js';
import type { UploadChunk } from '../domain/upload-chunk.js';
import { ImportFiles } from '../files/import-files.js';
import { RetryChunks } from '../pipeline/retry-chunks.js';
import { FailedRecords } from './failed-records.js';

/** The object that a retry will read. While it is written it is an upload like any other: a row with a lease. */
export interface RetryCopy {
  readonly id: string;
  readonly key: string;
  /** The job whose failed records are copied, and the object in which they stand. */
  readonly jobId: string;
  readonly originKey: string;
}

export interface Copied {
  readonly stored: StoredObject;
  readonly frames: number;
  readonly leftOut: number;
}

const LEFT_OUT = /^TOO_LARGE$|_SYNTAX$/;
/** The lease is 60 s. */
const RENEW_MS = 10_000;
const CHUNKS_A_WRITE = 32;

/** Copies the failed records of a job into a file of their own (data-import, 14, 5). */
@Injectable()
export class RetryCopies {
  constructor(
    private readonly source: DataSource,
    private readonly uploads: FileUploads,
    private readonly files: ImportFiles,
    private readonly failed: FailedRecords,
    private readonly chunks: JobChunks,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async copy(scope: Scope, copy: RetryCopy): Promise<Copied> {
    const chunks = new RetryChunks();
    const left = { out: 0 };
    try {
      const stored = await this.files.put(copy.key, this.passing(scope, copy, chunks, left));
      return { stored, frames: chunks.frames, leftOut: left.out };
    } catch (error) {
      await this.giveUp(scope, copy);
      throw error;
    }
  }

  /** As if it had not been. */
  async giveUp(scope: Scope, { id, key }: RetryCopy): Promise<void> {
    const ended = await withTenant(this.source, scope, (tx) => this.uploads.end(tx, id));
    if (ended) await this.files.remove(scope, key);
  }

  private async *passing(
    scope: Scope,
    copy: RetryCopy,
    chunks: RetryChunks,
    left: { out: number },
  ): AsyncGenerator<Uint8Array> {
    let waiting: UploadChunk[] = [];
    let writtenAt = this.nowMs();
    const write = async (): Promise<void> => {
      const complete = waiting;
      waiting = [];
      await this.keep(scope, copy, complete);
      writtenAt = this.nowMs();
    };
    for await (const { place, bytes, ends } of this.files.pieces(
      copy.originKey,
      this.readable(scope, copy.jobId, left),
    )) {
      if (ends) waiting.push(...chunks.add({ origin: place.offset, skipped: 0, ...place }));
      if (waiting.length >= CHUNKS_A_WRITE || this.nowMs() - writtenAt >= RENEW_MS) await write();
      yield bytes;
    }
    waiting.push(...chunks.end());
    await write();
  }

  private async *readable(
    scope: Scope,
    jobId: string,
    left: { out: number },
  ): AsyncGenerator<Place & Partial<Written>> {
    const written = await readTenant(this.source, scope, (tx) => this.chunks.written(tx, jobId));
    let holds: Written | undefined;
    for await (const row of this.failed.rows(scope, jobId)) {
      const place = placeOf(row);
      while (written[0] && written[0].firstOrder <= place.order) holds = written.shift();
      if (LEFT_OUT.test(row.code)) left.out += 1;
      else yield { ...place, ...holds };
    }
  }

  private async keep(scope: Scope, { id }: RetryCopy, chunks: UploadChunk[]): Promise<void> {
    const ours = await withTenant(this.source, scope, (tx) =>
      this.uploads.addChunks(tx, id, chunks),
    );
    if (!ours) throw failures.busy();
  }

  private nowMs(): number {
    return this.clock.now().getTime();
  }
}
