import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { UNDO_CONFLICTS_MAX, type SnapshotUndoResult } from '@quire/contracts/snapshot-undo';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Snapshots } from '../db/snapshots.js';
import type { Verdict } from '../db/undo-candidates.js';
import { failures } from '../domain/failures.js';
import { isFinished, type UndoCounts } from '../domain/undo-verdicts.js';
import { resultOf } from './snapshot-undos.js';
import { conflictsOf, freeOf } from './undo-batches.js';
import { UndoPages, type UndoCursor, type UndoPhase } from './undo-pages.js';

/** What an undo would do: the same pages and judgements, over one snapshot of the database, and nothing changes (9.4). */
@Injectable()
export class UndoTrials {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
    private readonly pages: UndoPages,
  ) {}

  /** @throws Failure as the undo itself */
  run(scope: Scope, id: string): Promise<SnapshotUndoResult> {
    return readTenant(this.source, scope, async (tx) => {
      const snapshot = await this.snapshots.find(tx, id);
      if (!snapshot) throw failures.snapshotNotFound(id);
      if (snapshot.undone) return resultOf(id, {}, [], true);
      if (!isFinished(snapshot.status)) throw failures.snapshotNotFinished(id);
      return this.tryAll(tx, id);
    });
  }

  private async tryAll(tx: TenantRead, id: string): Promise<SnapshotUndoResult> {
    const counts = { removed: 0, restored: 0 };
    const conflicts = new Map<string, SnapshotUndoResult['conflicts'][number]>();
    let cursor: UndoCursor | undefined = {};
    while (cursor) {
      const page = await this.pages.read(tx, id, cursor);
      const verdicts = await this.pages.judge(tx, id, page, true);
      const { removed, restored } = effectOf(page.phase, verdicts);
      counts.removed += removed;
      counts.restored += restored;
      for (const { id: record, matchedId, reason } of conflictsOf(verdicts))
        if (conflicts.size < UNDO_CONFLICTS_MAX && !conflicts.has(record))
          conflicts.set(record, { matchedId, reason });
      cursor = page.next;
    }
    return resultOf(id, counts, [...conflicts.values()], true);
  }
}

function effectOf(phase: UndoPhase, verdicts: readonly Verdict[]): Omit<UndoCounts, 'kept'> {
  const free = freeOf(verdicts);
  if (phase === 'changed') return { removed: 0, restored: free.length };
  return { removed: free.length, restored: free.filter((one) => one.has_previous).length };
}
