import { Injectable } from '@nestjs/common';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { formatDate } from '@quire/contracts/dates';
import {
  SnapshotChanged,
  SnapshotCreated,
  type JobStatus,
  type SnapshotPayload,
} from '@quire/contracts/source-records';
import type { Delivery } from '@quire/messaging/event-bus';
import { Inbox } from '@quire/messaging/inbox';
import { Outbox } from '@quire/messaging/outbox';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Snapshots, type SnapshotChange, type SnapshotRow } from '../db/snapshots.js';
import { Statistics } from '../db/statistics.js';

/** From so many records on, an import ends with new statistics for the planner. */
const STATISTICS_RECORDS_MIN = 1000;

/** Snapshots follow the jobs of data-import by their events; a late one changes nothing. */
@Injectable()
export class SnapshotFollowing {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly snapshots: Snapshots,
    private readonly statistics: Statistics,
  ) {}

  async follow(change: SnapshotChange, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'snapshots.follow', delivery.id))) return;
      const changed = await this.snapshots.apply(tx, change);
      if (!changed) return;
      const { row, created, previousStatus } = changed;
      if (created) await this.outbox.add(tx, SnapshotCreated, payloadOf(tx, row));
      else
        await this.outbox.add(tx, SnapshotChanged, {
          ...payloadOf(tx, row),
          ...(previousStatus === undefined ? {} : { previousStatus }),
        });
    });
  }

  /** @param saved records that the job has saved */
  async end(change: SnapshotChange, saved: number, delivery: Delivery): Promise<void> {
    await this.follow(change, delivery);
    if (saved >= STATISTICS_RECORDS_MIN) await this.statistics.refresh(this.source);
  }

  /** The status of a chunk's snapshot, which stays as it is until the transaction ends; made if it is not there yet. */
  async hold(tx: TenantTx, chunk: ChunkReadyPayload): Promise<JobStatus> {
    const { status, made } = await this.snapshots.hold(tx, {
      id: chunk.jobExecutionId,
      jobVersion: chunk.jobVersion,
      ...chunk.snapshot,
    });
    if (made) await this.outbox.add(tx, SnapshotCreated, payloadOf(tx, made));
    return status;
  }
}

function payloadOf(tx: TenantTx, row: SnapshotRow): SnapshotPayload {
  return {
    tenantId: tx.tenantId,
    snapshotId: row.id,
    status: row.status,
    ...(row.processing_started_at
      ? { processingStartedDate: formatDate(row.processing_started_at) }
      : {}),
    updatedDate: formatDate(row.updated_at),
  };
}
