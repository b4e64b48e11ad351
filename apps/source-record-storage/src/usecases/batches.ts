import { Injectable } from '@nestjs/common';
import type { SentRecord } from '@quire/contracts/record-writing';
import type { Caller } from '@quire/contracts/scope';
import { checkSingleType, messages, snapshotOf, type Remark } from '../domain/batch-rules.js';
import { RecordPreparing } from './record-preparing.js';
import { RecordSaving, type Saved } from './record-saving.js';

/** What became of a batch. */
export interface SavedBatch {
  /** Of the records that are stored now, in the order sent. */
  readonly ids: readonly string[];
  readonly remarks: readonly Remark[];
  /** Stored records that say already what was sent. */
  readonly unchanged: readonly string[];
}

const NOTHING: SavedBatch = { ids: [], remarks: [], unchanged: [] };

/** Many records of one snapshot and type at once (source-record-storage, section 5). A bad one hinders no other. */
@Injectable()
export class Batches {
  constructor(
    private readonly preparing: RecordPreparing,
    private readonly saving: RecordSaving,
  ) {}

  /** @throws Failure refused for several snapshots or types, and as for single records (2.4, rule 3) */
  async save(
    caller: Caller,
    records: readonly SentRecord[],
    skipUnchanged: boolean,
  ): Promise<SavedBatch> {
    const snapshotId = snapshotOf(records);
    checkSingleType(records);
    if (snapshotId === undefined) return NOTHING;
    const prepared = await this.preparing.prepare(caller, records);
    const saved = await this.saving.save(caller, prepared, {
      snapshotId,
      userName: caller.username,
      keepGenerations: false,
      skipUnchanged,
    });
    return {
      ids: saved.flatMap((one) => (one.saved ? [one.id] : [])),
      remarks: saved.flatMap(remarkOf),
      unchanged: saved.flatMap((one) => (one.saved ? [] : (one.unchanged ?? []))),
    };
  }
}

function remarkOf(saved: Saved, at: number): Remark[] {
  const { id } = saved;
  if (!saved.saved && saved.unchanged !== undefined) return [];
  if (!saved.saved) return [{ at, id, message: messages.duplicate(id) }];
  return saved.invalid === undefined
    ? []
    : [{ at, id, message: messages.invalid(id, saved.invalid) }];
}
