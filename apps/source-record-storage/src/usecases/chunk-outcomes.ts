import { Injectable } from '@nestjs/common';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { Scope } from '@quire/contracts/scope';
import {
  ChunkRejected,
  ChunkSaved,
  SourceRecordsSaved,
  type ChunkRejectedPayload,
  type ChunkSavedPayload,
} from '@quire/contracts/source-record-events';
import { Inbox } from '@quire/messaging/inbox';
import { Outbox } from '@quire/messaging/outbox';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { Saving } from '../db/records.js';
import { NOTHING_SAVED } from '../domain/chunk-rules.js';
import type { ReadChunk } from '../pipeline/read-chunk.js';
import { ChunkRecords } from './chunk-records.js';
import { ErrorLists, type KeptErrors } from './error-lists.js';
import { SnapshotFollowing } from './snapshots.js';

/** What came of a chunk: one transaction with its inbox row, which keeps the answer to be given again. */
const CONSUMER = 'chunks.save';

/** The answer, as the inbox keeps it. */
type Outcome = { readonly saved: ChunkSavedPayload } | { readonly rejected: ChunkRejectedPayload };

@Injectable()
export class ChunkOutcomes {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly snapshots: SnapshotFollowing,
    private readonly records: ChunkRecords,
    private readonly errors: ErrorLists,
  ) {}

  async save(scope: Scope, chunk: ChunkReadyPayload, read: ReadChunk): Promise<void> {
    const errors = await this.errors.keep(scope, read.errors);
    await this.once(scope, chunk, async (tx) => {
      const saved = await this.saved(tx, chunk, read, errors);
      // A skipped chunk names no list: the one written for it stays announced, as rubbish to be swept.
      if (!saved.skipped) await this.errors.settle(tx, errors);
      return { saved };
    });
  }

  async reject(
    scope: Scope,
    chunk: ChunkReadyPayload,
    reason: ChunkRejectedPayload['reason'],
  ): Promise<void> {
    await this.once(scope, chunk, () => Promise.resolve({ rejected: { ...about(chunk), reason } }));
  }

  /** Answers a chunk again that was answered before; false when it was not. */
  repeat(scope: Scope, chunk: ChunkReadyPayload): Promise<boolean> {
    return withTenant(this.source, scope, (tx) => this.sendStored(tx, chunk));
  }

  private async once(
    scope: Scope,
    chunk: ChunkReadyPayload,
    work: (tx: TenantTx) => Promise<Outcome>,
  ): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      if (!(await this.inbox.first(tx, CONSUMER, chunk.chunkId))) {
        await this.sendStored(tx, chunk);
        return;
      }
      const outcome = await work(tx);
      await this.inbox.remember(tx, CONSUMER, chunk.chunkId, outcome);
      await this.send(tx, outcome);
    });
  }

  private async sendStored(tx: TenantTx, chunk: ChunkReadyPayload): Promise<boolean> {
    const outcome = await this.inbox.outcome<Outcome>(tx, CONSUMER, chunk.chunkId);
    if (outcome) await this.send(tx, outcome);
    return outcome !== undefined;
  }

  private async send(tx: TenantTx, outcome: Outcome): Promise<void> {
    if ('saved' in outcome) await this.outbox.add(tx, ChunkSaved, outcome.saved);
    else await this.outbox.add(tx, ChunkRejected, outcome.rejected);
  }

  private async saved(
    tx: TenantTx,
    chunk: ChunkReadyPayload,
    read: ReadChunk,
    { inline, key }: KeptErrors,
  ): Promise<ChunkSavedPayload> {
    const { rows, counts } = read;
    const saved = {
      ...about(chunk),
      counts,
      errors: inline,
      ...(key ? { errorsKey: key.toString() } : {}),
    };
    // A dry run has no snapshot and no public events.
    if (chunk.options.dryRun) return saved;
    if (!(await this.snapshots.hold(tx, chunk)))
      return { ...about(chunk), counts: NOTHING_SAVED, skipped: true, errors: [] };
    await this.records.save(tx, read, savingOf(chunk));
    if (rows.count === 0) return saved;
    await this.outbox.add(tx, SourceRecordsSaved, {
      tenantId: tx.tenantId,
      snapshotId: chunk.jobExecutionId,
      userId: tx.scope.actorId,
      counts: { created: counts.created, updated: counts.updated },
      firstOrder: chunk.firstOrder,
      lastOrder: chunk.firstOrder + chunk.count - 1,
    });
    return saved;
  }
}

export function savingOf(chunk: ChunkReadyPayload): Saving {
  const { jobExecutionId, source, userName, format, objectKey, origins } = chunk;
  const hasTexts = format === 'MARC_XML' || format === 'MARC_JSON';
  return {
    snapshotId: jobExecutionId,
    sourceId: source.fileDefinitionId ?? source.batchId,
    userName,
    // The records of a retry remember places in another object.
    originalKey: origins ? undefined : objectKey,
    ownText: hasTexts,
  };
}

function about({ tenantId, jobExecutionId, jobVersion, chunkId, chunkNo }: ChunkReadyPayload) {
  return { tenantId, jobExecutionId, jobVersion, chunkId, chunkNo };
}
