import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { RecordLocks } from '../db/record-locks.js';
import type { Verdict } from '../db/undo-candidates.js';
import { UndoConflicts } from '../db/undo-conflicts.js';
import { conflictOf, NOTHING_UNDONE, type UndoCounts } from '../domain/undo-verdicts.js';
import { RecordRemoval } from './record-removal.js';
import { UndoInPlace, type Undoing } from './undo-in-place.js';
import { UndoPages, type UndoCursor, type UndoPage } from './undo-pages.js';

export interface UndoBatch {
  readonly counts: UndoCounts;
  readonly next: UndoCursor | undefined;
}

/**
 * One batch of an undo (source-record-storage, 9.4): a page of candidates is locked, judged again, and taken back where nobody
 * has changed it since.
 *
 *   made by the snapshot           removed; what it had superseded is current again
 *   changed in place by it         the former row and content, as a new entry of the history
 *   changed since by somebody else left as it is, and told
 */
@Injectable()
export class UndoBatches {
  constructor(
    private readonly pages: UndoPages,
    private readonly locks: RecordLocks,
    private readonly removal: RecordRemoval,
    private readonly inPlace: UndoInPlace,
    private readonly conflicts: UndoConflicts,
  ) {}

  async next(
    tx: TenantTx,
    snapshotId: string,
    cursor: UndoCursor,
    userName: string | undefined,
  ): Promise<UndoBatch> {
    const page = await this.pages.read(tx, snapshotId, cursor);
    if (page.candidates.length === 0) return { counts: NOTHING_UNDONE, next: page.next };
    await this.locks.take(
      tx,
      page.candidates.map((candidate) => candidate.matched_id),
      page.candidates.map(({ id }) => id),
    );
    const verdicts = await this.pages.judge(tx, snapshotId, page, false);
    const kept = await this.conflicts.add(tx, snapshotId, conflictsOf(verdicts));
    const free = freeOf(verdicts);
    const undoing = { snapshotId, userName };
    const done = await this.takeBack(tx, page, free, undoing);
    return { counts: { ...NOTHING_UNDONE, ...done, kept }, next: page.next };
  }

  private async takeBack(
    tx: TenantTx,
    { phase }: UndoPage,
    free: readonly Verdict[],
    undoing: Undoing,
  ): Promise<Partial<UndoCounts>> {
    if (free.length === 0) return {};
    if (phase === 'changed') return this.inPlace.putBack(tx, free, undoing);
    const ids = free.map(({ id }) => id);
    return this.removal.remove(tx, ids, { ...undoing, restorePrevious: true });
  }
}

/** Verdicts of what is taken back: not touched since, and not gone already. */
export const freeOf = (verdicts: readonly Verdict[]): Verdict[] =>
  verdicts.filter((one) => !one.skipped && conflictOf(one) === undefined);

export function conflictsOf(
  verdicts: readonly Verdict[],
): { readonly id: string; readonly matchedId: string; readonly reason: string }[] {
  return verdicts.flatMap((one) => {
    const reason = one.skipped ? undefined : conflictOf(one);
    return reason === undefined ? [] : [{ id: one.id, matchedId: one.matched_id, reason }];
  });
}
