import { Injectable } from '@nestjs/common';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { Delivery } from '@quire/messaging/event-bus';
import { Inbox } from '@quire/messaging/inbox';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Snapshots, type SnapshotChange } from '../db/snapshots.js';
import { Statistics } from '../db/statistics.js';
import { hasEnded } from '../domain/chunk-rules.js';
import { IndexUpkeep } from './index-upkeep.js';
import { SnapshotEvents } from './snapshot-events.js';

/** From so many records on, an import ends with merged indexes and new statistics for the planner. */
const STATISTICS_RECORDS_MIN = 1000;

/** Snapshots follow the jobs of data-import by their events; a late one changes nothing, also of a deleted snapshot. */
@Injectable()
export class SnapshotFollowing {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly events: SnapshotEvents,
    private readonly snapshots: Snapshots,
    private readonly statistics: Statistics,
    private readonly indexes: IndexUpkeep,
  ) {}

  async follow(change: SnapshotChange, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'snapshots.follow', delivery.id))) return;
      const changed = await this.snapshots.apply(tx, change);
      if (changed) await this.events.changed(tx, changed);
    });
  }

  /** @param saved records that the job has saved */
  async end(change: SnapshotChange, saved: number, delivery: Delivery): Promise<void> {
    await this.follow(change, delivery);
    if (saved < STATISTICS_RECORDS_MIN) return;
    await this.indexes.merge();
    await this.statistics.refresh(this.source);
  }

  /**
   * Holds a chunk's snapshot as it is until the transaction ends; makes it if it is not there yet.
   * @returns false when nothing of the job may be saved any more: it was stopped, deleted or undone
   */
  async hold(tx: TenantTx, chunk: ChunkReadyPayload): Promise<boolean> {
    const { status, deleted, undone, made } = await this.snapshots.hold(tx, {
      id: chunk.jobExecutionId,
      jobVersion: chunk.jobVersion,
      ...chunk.snapshot,
    });
    if (made) await this.events.made(tx, made);
    return !deleted && !undone && !hasEnded(status);
  }
}
