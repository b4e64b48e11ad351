import { Injectable } from '@nestjs/common';
import { ObjectIntents } from '@quire/jobs/intents';
import type { TenantTx } from '@quire/postgres/tenant';
import { RecordHistory } from '../db/record-history.js';
import { RecordRemovals } from '../db/record-removals.js';
import { SnapshotRemovals } from '../db/snapshot-removals.js';
import { WriteMark } from '../db/write-mark.js';
import { Indexing } from './indexing.js';
import { RecordEvents } from './record-events.js';

export interface Removing {
  /** Snapshot that goes, and its records with it; absent where records go for other reasons. */
  readonly snapshotId?: string;
  /** The generation that a removed one had superseded becomes current again. */
  readonly restorePrevious: boolean;
  readonly userName?: string | undefined;
}

export interface Removed {
  readonly removed: number;
  readonly restored: number;
}

const NOTHING_REMOVED: Removed = { removed: 0, restored: 0 };

export function sumOfRemoved(before: Partial<Removed>, more: Removed): Removed {
  const { removed, restored } = { ...NOTHING_REMOVED, ...before };
  return { removed: removed + more.removed, restored: restored + more.restored };
}

/**
 * Takes records away for good, with everything that hangs on them: what they said goes to the history, what was current is
 * told to everybody and leaves a tombstone, and what is derived from them is brought up to date.
 */
@Injectable()
export class RecordRemoval {
  constructor(
    private readonly hidden: SnapshotRemovals,
    private readonly records: RecordRemovals,
    private readonly history: RecordHistory,
    private readonly mark: WriteMark,
    private readonly indexing: Indexing,
    private readonly events: RecordEvents,
    private readonly intents: ObjectIntents,
  ) {}

  /** @param wanted up to about a thousand */
  async remove(tx: TenantTx, wanted: readonly string[], removing: Removing): Promise<Removed> {
    if (wanted.length === 0) return NOTHING_REMOVED;
    await this.mark.set(tx);
    await this.hidden.show(tx);
    const held = await this.records.hold(tx, wanted);
    const ids = held.map(({ id }) => id);
    const current = held.filter((one) => one.current);
    const currentIds = current.map(({ id }) => id);
    await this.history.keep(tx, ids, { cause: 'REMOVE', ...removing });
    await this.events.deleted(tx, currentIds);
    await this.records.bury(tx, currentIds);
    await this.intents.discard(tx, await this.records.remove(tx, ids));
    // From here on only what stays is seen: it decides what is current, and what the indexes say.
    await this.hidden.hide(tx);
    const restored = removing.restorePrevious
      ? await this.restore(
          tx,
          current.map((one) => one.matched_id),
          removing,
        )
      : [];
    await this.records.unbury(tx, currentIds);
    await this.indexing.refresh(tx, [...ids, ...restored]);
    return { removed: ids.length, restored: restored.length };
  }

  private async restore(
    tx: TenantTx,
    matchedIds: readonly string[],
    { snapshotId, userName }: Removing,
  ): Promise<readonly string[]> {
    const ids = await this.records.superseded(tx, matchedIds);
    if (ids.length === 0) return ids;
    await this.history.keep(tx, ids, { cause: 'RESTORE', snapshotId, userName });
    await this.records.restore(tx, ids, userName);
    await this.events.saved(
      tx,
      ids.map((id) => ({ id, action: 'UPDATED' })),
    );
    return ids;
  }
}
