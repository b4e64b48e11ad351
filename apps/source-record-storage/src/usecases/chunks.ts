import { Injectable } from '@nestjs/common';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidText } from '@quire/contracts/ids';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { isRefusal, isTakenGeneration, Records } from '../db/records.js';
import { StoredIdsReads } from '../db/stored-ids.js';
import { failures } from '../domain/failures.js';
import { unsupported } from '../domain/chunk-rules.js';
import { NOTHING_STORED, type StoredIds } from '../domain/identity.js';
import { FileMissing, ImportFiles } from '../files/import-files.js';
import { ChunkFrames } from '../pipeline/chunk-frames.js';
import { readFrames, type ReadChunk } from '../pipeline/read-chunk.js';
import { readClaims } from '../pipeline/read-claims.js';
import { ChunkOutcomes, savingOf } from './chunk-outcomes.js';
import { HiddenRecords } from './hidden-records.js';
import { InstanceProjector } from './instance-projector.js';

/**
 * Saves the chunks of an import (data-import, 10.4): reads a chunk's bytes, makes its rows, and writes them with the outcome
 * and the answer in one transaction, whose first statement is the inbox row of the chunk. A chunk that was answered before
 * is only answered again.
 *
 * What makes a chunk be read once more, from its bytes: a row that the database refuses (it becomes an error of its frame),
 * and a generation that somebody else has made meanwhile. Both are found by a failed transaction, so the usual chunk pays
 * nothing for them.
 */
const READS_MAX = 5;

@Injectable()
export class Chunks {
  constructor(
    private readonly source: DataSource,
    private readonly files: ImportFiles,
    private readonly storedIds: StoredIdsReads,
    private readonly records: Records,
    private readonly outcomes: ChunkOutcomes,
    private readonly projector: InstanceProjector,
    private readonly hidden: HiddenRecords,
  ) {}

  /** @throws Failure refused for a chunk of a kind that cannot be read yet: it is given up at once */
  async save(scope: Scope, chunk: ChunkReadyPayload): Promise<void> {
    const why = unsupported(chunk);
    if (why !== undefined) throw failures.unsupportedChunk(why);
    // A chunk that comes again was most likely answered before: then its bytes need not be read.
    if (chunk.attempt > 1 && (await this.outcomes.repeat(scope, chunk))) return;
    await this.projector.whileImporting(scope, async () => {
      const bytes = await this.bytesOf(scope, chunk);
      if (bytes) await this.saveBytes(scope, chunk, bytes);
      else await this.reject(scope, chunk, 'FILE_MISSING');
    });
  }

  /** The chunk is given up; its job must not wait for it. */
  async reject(
    scope: Scope,
    chunk: ChunkReadyPayload,
    reason: 'FILE_MISSING' | 'STORE',
  ): Promise<void> {
    await this.outcomes.reject(scope, chunk, reason);
  }

  private async bytesOf(scope: Scope, chunk: ChunkReadyPayload): Promise<Buffer | undefined> {
    try {
      return await this.files.read(scope.tenantId, chunk.objectKey, chunk);
    } catch (error) {
      if (error instanceof FileMissing) return undefined;
      throw error;
    }
  }

  private async saveBytes(scope: Scope, chunk: ChunkReadyPayload, bytes: Buffer): Promise<void> {
    const refused = new Set<number>();
    const frames = new ChunkFrames(bytes, chunk);
    for (let reads = 1; ; reads += 1) {
      const stored = await this.storedFor(scope, chunk, frames);
      const read = readFrames(frames, chunk, { stored, refused });
      try {
        await this.outcomes.save(scope, chunk, read);
        this.projector.saved(read.rows.count);
        return;
      } catch (error) {
        if (reads === READS_MAX) throw error;
        if (isTakenGeneration(error)) {
          await this.makeWay(scope, read);
          continue;
        }
        if (!isRefusal(error)) throw error;
        const found = await this.refusedOrders(scope, chunk, read);
        // Not a row, then, but something else of the transaction.
        if (found.length === 0) throw error;
        for (const order of found) refused.add(order);
      }
    }
  }

  /** Holdings, accepted ids and profiles that match refer to what is stored. Such chunks come one after the other, so it is committed by now. */
  private async storedFor(
    scope: Scope,
    chunk: ChunkReadyPayload,
    frames: ChunkFrames,
  ): Promise<StoredIds> {
    const claims = readClaims(frames, chunk);
    if (!claims) return NOTHING_STORED;
    return readTenant(this.source, scope, (tx) =>
      this.storedIds.find(tx, claims, chunk.jobExecutionId),
    );
  }

  /** A record of a snapshot that is being removed may have the generation. */
  private async makeWay(scope: Scope, { rows }: ReadChunk): Promise<void> {
    const matchedIds = rows.matchedIds.map(uuidText);
    await withTenant(this.source, scope, (tx) => this.hidden.makeWay(tx, matchedIds));
  }

  private async refusedOrders(
    scope: Scope,
    chunk: ChunkReadyPayload,
    { rows }: ReadChunk,
  ): Promise<number[]> {
    const trial = withTenant(this.source, scope, async (tx) => {
      throw new Tried(await this.records.findRefused(tx, rows, savingOf(chunk)));
    });
    const positions = await trial.catch((error: unknown) => {
      if (error instanceof Tried) return error.positions;
      throw error;
    });
    return positions.map((at) => rows.orders[at] ?? -1);
  }
}

/** Carries the finding out of a transaction that must not be committed. */
class Tried extends Error {
  constructor(readonly positions: readonly number[]) {
    super('tried');
  }
}
