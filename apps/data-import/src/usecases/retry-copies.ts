import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@quire/contracts/clock';
import type { Scope } from '@quire/contracts/scope';
import type { StoredObject } from '@quire/object-store/object-store';
import { APART, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { CLOCK } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { FileUploads } from '../db/file-uploads.js';
import { failures } from '../domain/failures.js';
import type { UploadChunk } from '../domain/upload-chunk.js';
import { ImportFiles } from '../files/import-files.js';
import { aroundFrames, oneLine, type AroundFrames } from '../pipeline/failed-frames.js';
import { RetryChunks } from '../pipeline/retry-chunks.js';
import { FailedRecords, type FailedPlace } from './failed-records.js';

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
    const ended = await withTenant(this.source, scope, (tx) => this.uploads.end(tx, id), APART);
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
    let around: AroundFrames | undefined;
    /** Bytes that belong to no frame. */
    let skipped = 0;
    const beside = (text: string): Buffer[] => {
      skipped += Buffer.byteLength(text);
      return text === '' ? [] : [Buffer.from(text)];
    };
    let begins = true;
    for await (const { place, bytes, ends } of this.files.pieces(
      copy.originKey,
      this.readable(scope, copy.jobId, left),
    )) {
      const { format = 'MARC_RAW', xmlContext } = place;
      around ??= aroundFrames(format);
      if (begins) yield* beside(around.before(xmlContext));
      begins = ends;
      // By lines, as files of JSON records usually are.
      yield format === 'MARC_JSON' ? oneLine(bytes) : bytes;
      if (!ends) continue;
      waiting.push(...chunks.add({ ...place, origin: place.offset, skipped }));
      skipped = 0;
      yield* beside(around.after);
      if (waiting.length >= CHUNKS_A_WRITE || this.nowMs() - writtenAt >= RENEW_MS) await write();
    }
    waiting.push(...chunks.end());
    await write();
    yield* beside(around?.end() ?? '');
  }

  private async *readable(
    scope: Scope,
    jobId: string,
    left: { out: number },
  ): AsyncGenerator<FailedPlace> {
    for await (const place of this.failed.places(scope, jobId)) {
      if (LEFT_OUT.test(place.code)) left.out += 1;
      else yield place;
    }
  }

  private async keep(scope: Scope, { id }: RetryCopy, chunks: UploadChunk[]): Promise<void> {
    const add = (tx: TenantTx): Promise<boolean> => this.uploads.addChunks(tx, id, chunks);
    const ours = await withTenant(this.source, scope, add, APART);
    if (!ours) throw failures.busy();
  }

  private nowMs(): number {
    return this.clock.now().getTime();
  }
}
