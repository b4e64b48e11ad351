import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { RecordHistory } from '../db/record-history.js';
import { RecordVersions } from '../db/record-versions.js';
import type { Verdict } from '../db/undo-candidates.js';
import { WriteMark } from '../db/write-mark.js';
import type { UndoCounts } from '../domain/undo-verdicts.js';
import { Indexing } from './indexing.js';
import { RecordEvents } from './record-events.js';

export interface Undoing {
  readonly snapshotId: string;
  readonly userName: string | undefined;
}

/** Records that the snapshot has changed in place get their former row and content back. */
@Injectable()
export class UndoInPlace {
  constructor(
    private readonly versions: RecordVersions,
    private readonly history: RecordHistory,
    private readonly mark: WriteMark,
    private readonly indexing: Indexing,
    private readonly events: RecordEvents,
  ) {}

  async putBack(
    tx: TenantTx,
    free: readonly Verdict[],
    { snapshotId, userName }: Undoing,
  ): Promise<Partial<UndoCounts>> {
    const ids = free.map(({ id }) => id);
    await this.mark.set(tx);
    await this.history.keep(tx, ids, { cause: 'RESTORE', snapshotId, userName });
    await this.versions.putBack(tx, free, userName);
    const matchedIds = free.map((one) => one.matched_id);
    const current = await this.versions.reactivate(tx, snapshotId, matchedIds, userName);
    const changed = [...ids, ...current];
    await this.indexing.refresh(tx, changed);
    await this.events.saved(
      tx,
      changed.map((id) => ({ id, action: 'UPDATED' })),
    );
    return { restored: changed.length };
  }
}
