import { Injectable } from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import { SnapshotChanged, SnapshotCreated } from '@quire/contracts/source-records';
import type { Delivery } from '@quire/messaging/event-bus';
import { Inbox } from '@quire/messaging/inbox';
import { Outbox } from '@quire/messaging/outbox';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Snapshots, type SnapshotChange } from '../db/snapshots.js';

/** Snapshots follow the jobs of data-import by their events; a late one changes nothing. */
@Injectable()
export class SnapshotFollowing {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly snapshots: Snapshots,
  ) {}

  async follow(change: SnapshotChange, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'snapshots.follow', delivery.id))) return;
      const changed = await this.snapshots.apply(tx, change);
      if (!changed) return;
      const { row, previousStatus } = changed;
      await this.outbox.add(tx, previousStatus === undefined ? SnapshotCreated : SnapshotChanged, {
        tenantId: tx.tenantId,
        snapshotId: row.id,
        status: row.status,
        ...(previousStatus === undefined ? {} : { previousStatus }),
        ...(row.processing_started_at
          ? { processingStartedDate: formatDate(row.processing_started_at) }
          : {}),
        updatedDate: formatDate(row.updated_at),
      });
    });
  }
}
