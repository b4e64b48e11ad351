import { Injectable } from '@nestjs/common';
import type { Caller } from '@quire/contracts/scope';
import type { Snapshot } from '@quire/contracts/snapshots';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { SnapshotRemovals } from '../db/snapshot-removals.js';
import { Snapshots, type SnapshotRow, type SnapshotWrite } from '../db/snapshots.js';
import { failures } from '../domain/failures.js';
import { matchesVersion } from '../domain/versions.js';
import { SnapshotEvents } from './snapshot-events.js';

/** Snapshots as clients write them (source-record-storage, 1.2). Any status may follow any other. */
@Injectable()
export class SnapshotEdits {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
    private readonly removals: SnapshotRemovals,
    private readonly events: SnapshotEvents,
  ) {}

  /** Makes the snapshot, or writes what was sent into the one that is there. @throws Failure refused while it is removed */
  save(caller: Caller, snapshot: Snapshot): Promise<SnapshotRow> {
    return withTenant(this.source, caller, async (tx) => {
      const changed = await this.snapshots.write(tx, writeOf(caller, snapshot));
      // Asked after the write, which waits for a deletion that is under way.
      if (await this.removals.isRemoving(tx, changed.row.id))
        throw failures.snapshotStillDeleted(changed.row.id);
      await this.events.changed(tx, changed);
      return changed.row;
    });
  }

  /** @param ifMatch header of the request: entity tags of which one must be the stored one's */
  replace(caller: Caller, snapshot: Snapshot, ifMatch?: string): Promise<SnapshotRow> {
    return withTenant(this.source, caller, async (tx) => {
      const before = await this.snapshots.lock(tx, snapshot.jobExecutionId);
      if (!before) throw failures.snapshotNotFound(snapshot.jobExecutionId);
      if (!matchesVersion(ifMatch, before.version)) throw failures.versionConflict();
      const changed = await this.snapshots.write(tx, writeOf(caller, snapshot));
      await this.events.changed(tx, changed);
      return changed.row;
    });
  }
}

function writeOf(caller: Caller, snapshot: Snapshot): SnapshotWrite {
  const { jobExecutionId: id, status, processingStartedDate } = snapshot;
  return { id, status, processingStartedDate, userName: caller.username };
}
