import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';
import {
  UndoCandidates,
  type Candidate,
  type MadeCursor,
  type Verdict,
} from '../db/undo-candidates.js';

/** Records of one transaction (source-record-storage, 9.4). */
export const UNDO_BATCH_RECORDS = 1000;

/** Where an undo stands. Empty: at its beginning. */
export interface UndoCursor {
  readonly phase?: UndoPhase;
  readonly made?: MadeCursor;
  readonly place?: string;
}

/** New generations go before the ones they superseded are put right. */
export const UNDO_PHASES = ['made', 'changed', 'moved'] as const;
export type UndoPhase = (typeof UNDO_PHASES)[number];

export interface UndoPage {
  readonly phase: UndoPhase;
  readonly candidates: readonly Candidate[];
  /** Undefined behind the last page. */
  readonly next: UndoCursor | undefined;
}

/** The pages of an undo, whether it is done or only tried. */
@Injectable()
export class UndoPages {
  constructor(private readonly candidates: UndoCandidates) {}

  async read(tx: TenantRead, snapshotId: string, cursor: UndoCursor): Promise<UndoPage> {
    const { phase = 'made', made, place = '0' } = cursor;
    const candidates =
      phase === 'made'
        ? await this.candidates.made(tx, snapshotId, made, UNDO_BATCH_RECORDS)
        : await this.candidates[phase](tx, snapshotId, place, UNDO_BATCH_RECORDS);
    return { phase, candidates, next: nextOf(cursor, candidates) };
  }

  /** @param isTrial nothing was taken back before */
  judge(
    tx: TenantRead,
    snapshotId: string,
    { phase, candidates }: UndoPage,
    isTrial: boolean,
  ): Promise<Verdict[]> {
    if (candidates.length === 0) return Promise.resolve([]);
    switch (phase) {
      case 'made':
        return this.candidates.judgeMade(tx, snapshotId, candidates);
      case 'changed':
        return this.candidates.judgeChanged(tx, snapshotId, candidates, isTrial);
      case 'moved':
        return this.candidates.judgeMoved(tx, snapshotId, candidates);
    }
  }
}

/** Before the first record without an order. */
const UNORDERED: MadeCursor = { order: null, id: '00000000-0000-0000-0000-000000000000' };

function nextOf(
  { phase = 'made', made }: UndoCursor,
  candidates: readonly Candidate[],
): UndoCursor | undefined {
  const last = candidates.at(-1);
  if (last && candidates.length === UNDO_BATCH_RECORDS)
    return phase === 'made'
      ? { phase, made: { order: last.record_order, id: last.id } }
      : { phase, place: last.place };
  if (phase === 'made' && made?.order !== null) return { phase, made: UNORDERED };
  const following = UNDO_PHASES[UNDO_PHASES.indexOf(phase) + 1];
  return following && { phase: following };
}
