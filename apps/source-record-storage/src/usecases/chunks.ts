import { Injectable } from '@nestjs/common';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import type { Scope } from '@quire/contracts/scope';
import {
  ChunkRejected,
  ChunkSaved,
  SourceRecordsSaved,
  type ChunkError,
  type ChunkSavedPayload,
  type JobStatus,
} from '@quire/contracts/source-records';
import { Inbox } from '@quire/messaging/inbox';
import { Outbox } from '@quire/messaging/outbox';
import { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Records } from '../db/records.js';
import { Snapshots } from '../db/snapshots.js';
import { FileMissing, ImportFiles } from '../files/import-files.js';
import { parentHrids, readChunk, type ReadChunk } from '../pipeline/read-chunk.js';

/**
 * Saves one chunk of an import (data-import, 10.4): reads its bytes, makes its rows, and writes them, the outcome and the
 * answer in one transaction whose first statement is the inbox row of the chunk. A chunk that was saved before only answers
 * again.
 */
const CONSUMER = 'chunks.save';
const INLINE_ERRORS_MAX = 100;
const INLINE_ERROR_BYTES_MAX = 61_440;
/** A job in one of these was stopped: what still arrives of it is not saved. */
const STOPPED: ReadonlySet<JobStatus> = new Set(['CANCELLED', 'DISCARDED']);

@Injectable()
export class Chunks {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly files: ImportFiles,
    private readonly snapshots: Snapshots,
    private readonly records: Records,
  ) {}

  async save(scope: Scope, chunk: ChunkReadyPayload): Promise<void> {
    let bytes: Buffer;
    try {
      bytes = await this.files.read(chunk.objectKey, chunk.offset, chunk.length);
    } catch (error) {
      if (!(error instanceof FileMissing)) throw error;
      await this.reject(scope, chunk, 'FILE_MISSING');
      return;
    }
    const read = readChunk(bytes, chunk, await this.storedParents(scope, chunk, bytes));
    const errorsKey = await this.keepErrors(scope, chunk, read.errors);
    await withTenant(this.source, scope, async (tx) => {
      if (await this.repeated(tx, chunk)) return;
      const { processingStartedDate, status } = chunk.snapshot;
      const held = await this.snapshots.hold(tx, {
        id: chunk.jobExecutionId,
        status,
        processingStartedDate,
        jobVersion: 0,
      });
      const saved = STOPPED.has(held)
        ? skipped(chunk, read)
        : await this.store(tx, chunk, read, errorsKey);
      await this.inbox.remember(tx, CONSUMER, chunk.chunkId, saved);
      await this.outbox.add(tx, ChunkSaved, saved);
    });
  }

  /** The chunk is given up; its job must not wait for it. */
  async reject(
    scope: Scope,
    chunk: ChunkReadyPayload,
    reason: 'FILE_MISSING' | 'STORE',
  ): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      if (await this.repeated(tx, chunk)) return;
      await this.outbox.add(tx, ChunkRejected, { ...about(chunk), reason });
    });
  }

  private async repeated(tx: TenantTx, chunk: ChunkReadyPayload): Promise<boolean> {
    if (await this.inbox.first(tx, CONSUMER, chunk.chunkId)) return false;
    const outcome = await this.inbox.outcome<ChunkSavedPayload>(tx, CONSUMER, chunk.chunkId);
    if (outcome) await this.outbox.add(tx, ChunkSaved, outcome);
    else await this.outbox.add(tx, ChunkRejected, { ...about(chunk), reason: 'STORE' });
    return true;
  }

  private async store(
    tx: TenantTx,
    chunk: ChunkReadyPayload,
    read: ReadChunk,
    errorsKey: string | undefined,
  ): Promise<ChunkSavedPayload> {
    const { rows } = read;
    const refused = await this.records.insert(tx, rows, {
      snapshotId: chunk.jobExecutionId,
      sourceId: chunk.source.fileDefinitionId ?? chunk.source.batchId,
      userName: chunk.userName,
    });
    const counts = {
      ...read.counts,
      created: rows.count - refused.length,
      failed: read.counts.failed + refused.length,
    };
    const refusals = refused.map((at) => refusal(read, at));
    if (counts.created > 0) {
      await this.outbox.add(tx, SourceRecordsSaved, {
        tenantId: tx.tenantId,
        snapshotId: chunk.jobExecutionId,
        userId: tx.scope.actorId,
        counts: { created: counts.created, updated: 0 },
        firstOrder: chunk.firstOrder,
        lastOrder: chunk.firstOrder + chunk.count - 1,
      });
    }
    const inline = errorsKey === undefined ? [...read.errors, ...refusals] : refusals;
    return {
      ...about(chunk),
      counts,
      errors: inline.slice(0, INLINE_ERRORS_MAX),
      ...(errorsKey === undefined ? {} : { errorsKey }),
    };
  }

  /** Holdings are stored only beside their bibliographic record; those of earlier chunks are committed by now. */
  private async storedParents(
    scope: Scope,
    chunk: ChunkReadyPayload,
    bytes: Buffer,
  ): Promise<ReadonlySet<string>> {
    const hrids = parentHrids(bytes, chunk);
    if (hrids.length === 0) return new Set();
    return withTenant(this.source, scope, (tx) => this.records.storedBibHrids(tx, hrids));
  }

  /** The key of the list when it is too long for an event; written before the commit that names it. */
  private async keepErrors(
    scope: Scope,
    chunk: ChunkReadyPayload,
    errors: readonly ChunkError[],
  ): Promise<string | undefined> {
    const size =
      errors.length > INLINE_ERRORS_MAX
        ? Number.POSITIVE_INFINITY
        : Buffer.byteLength(JSON.stringify(errors));
    if (size <= INLINE_ERROR_BYTES_MAX) return undefined;
    const key = TenantKey.of('records', scope.tenantId, uuidV5(chunk.chunkId, 'errors'));
    await this.files.keepErrors(key, errors);
    return key.toString();
  }
}

function about({ tenantId, jobExecutionId, jobVersion, chunkId, chunkNo }: ChunkReadyPayload) {
  return { tenantId, jobExecutionId, jobVersion, chunkId, chunkNo };
}

const NOTHING = {
  created: 0,
  updated: 0,
  unchanged: 0,
  failed: 0,
  warned: 0,
  byType: {},
  warnings: {},
} as const;

function skipped(chunk: ChunkReadyPayload, _read: ReadChunk): ChunkSavedPayload {
  return { ...about(chunk), counts: NOTHING, skipped: true, errors: [] };
}

function refusal({ rows }: ReadChunk, at: number): ChunkError {
  return {
    o: rows.orders[at] ?? 0,
    at: rows.offsets[at] ?? 0,
    len: rows.lengths[at] ?? 0,
    c: 'STORE',
    n: rows.titles[at]?.slice(0, 20) ?? '',
  };
}
