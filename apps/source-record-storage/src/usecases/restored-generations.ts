import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { RecordVersions, type FoundVersion, type NewGeneration } from '../db/record-versions.js';
import { Snapshots } from '../db/snapshots.js';
import { WriteMark } from '../db/write-mark.js';
import { Indexing } from './indexing.js';
import { RecordEvents } from './record-events.js';
import { SnapshotEvents } from './snapshot-events.js';

/**
 * Writes the generation that a restore makes, and its snapshot: one of its own, finished at once. So who, when and what stand
 * in the history like any other job's, and the restore can be undone like one. In the snapshot of an import, that import's
 * undo would take the restored record for its own.
 */
@Injectable()
export class RestoredGenerations {
  constructor(
    private readonly snapshots: Snapshots,
    private readonly snapshotEvents: SnapshotEvents,
    private readonly versions: RecordVersions,
    private readonly mark: WriteMark,
    private readonly indexing: Indexing,
    private readonly events: RecordEvents,
  ) {}

  async write(tx: TenantTx, version: FoundVersion, made: NewGeneration): Promise<void> {
    const { snapshotId, userName } = made;
    const written = { id: snapshotId, status: 'COMMITTED', userName } as const;
    await this.snapshotEvents.changed(tx, await this.snapshots.write(tx, written));
    await this.mark.set(tx);
    const superseded = await this.versions.supersede(tx, made.matchedId, snapshotId);
    await this.versions.make(tx, version, made);
    await this.indexing.refresh(tx, [made.id, ...superseded.map(({ id }) => id)]);
    await this.events.saved(tx, [{ id: made.id, action: 'UPDATED', previous: superseded[0] }]);
  }
}
