import { Injectable } from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import {
  SnapshotChanged,
  SnapshotCreated,
  type SnapshotPayload,
} from '@quire/contracts/source-record-events';
import { Outbox } from '@quire/messaging/outbox';
import type { TenantTx } from '@quire/postgres/tenant';
import type { Changed, SnapshotRow } from '../db/snapshots.js';

/** What everybody is told of snapshots, whoever writes them; in the transaction of the change. */
@Injectable()
export class SnapshotEvents {
  constructor(private readonly outbox: Outbox) {}

  async made(tx: TenantTx, row: SnapshotRow): Promise<void> {
    await this.outbox.add(tx, SnapshotCreated, payloadOf(tx, row));
  }

  async changed(tx: TenantTx, { row, created, previousStatus }: Changed): Promise<void> {
    if (created) return this.made(tx, row);
    await this.outbox.add(tx, SnapshotChanged, {
      ...payloadOf(tx, row),
      ...(previousStatus === undefined ? {} : { previousStatus }),
    });
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
