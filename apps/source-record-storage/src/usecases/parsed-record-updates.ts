import { Injectable } from '@nestjs/common';
import type { SentRecord } from '@quire/contracts/record-writing';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { RecordLocks } from '../db/record-locks.js';
import { valuesOf } from '../db/record-writes.js';
import { StoredRecordReads, type StoredRow } from '../db/stored-records.js';
import { checkParsedIds, checkSingleType, type Remark } from '../domain/batch-rules.js';
import { parsedChangeOf, recordIdOf, type ParsedChange } from '../domain/parsed-record-change.js';
import { contentColumns } from '../domain/record-values.js';
import type { StoredContent } from '../domain/stored-content.js';
import { RecordWriting, type ChangedRecord } from './record-writing.js';

export interface UpdatedBatch {
  /** What is stored now, in the order sent; of a record that was sent twice the later. */
  readonly updated: readonly { readonly id: string; readonly content: StoredContent }[];
  readonly remarks: readonly Remark[];
}

/** Records whose stored parts are in memory at once. */
const RECORDS_AT_ONCE = 1000;

/** New parsed content for many records, in place (source-record-storage, section 5). A bad one hinders no other. */
@Injectable()
export class ParsedRecordUpdates {
  constructor(
    private readonly source: DataSource,
    private readonly locks: RecordLocks,
    private readonly records: StoredRecordReads,
    private readonly writing: RecordWriting,
  ) {}

  /** @throws Failure refused for a parsed record without id, or several types */
  async update(caller: Caller, records: readonly SentRecord[]): Promise<UpdatedBatch> {
    checkParsedIds(records);
    checkSingleType(records);
    if (records.length === 0) return { updated: [], remarks: [] };
    return withTenant(this.source, caller, (tx) => this.updateIn(tx, caller, records));
  }

  private async updateIn(
    tx: TenantTx,
    { username: userName }: Caller,
    records: readonly SentRecord[],
  ): Promise<UpdatedBatch> {
    const ids = [...new Set(records.map(recordIdOf))];
    await this.lock(tx, ids);
    const plan = new UpdatePlan(records);
    for (let at = 0; at < ids.length; at += RECORDS_AT_ONCE) {
      const part = ids.slice(at, at + RECORDS_AT_ONCE);
      const changed = plan.changes(part, await this.records.byIds(tx, part));
      await this.writing.change(tx, changed, { cause: 'UPDATE', userName });
    }
    return plan.outcome;
  }

  private async lock(tx: TenantTx, ids: readonly string[]): Promise<void> {
    const places = await this.locks.places(tx, ids);
    if (places.length === 0) return;
    const matchedIds = places.map((place) => place.matched_id);
    await this.locks.take(tx, matchedIds, ids);
  }
}

/** Decides record by record. */
class UpdatePlan {
  private readonly sent = new Map<string, { at: number; record: SentRecord }[]>();
  private readonly updated = new Map<string, StoredContent>();
  private readonly remarks: Remark[] = [];

  constructor(private readonly records: readonly SentRecord[]) {
    for (const [at, record] of records.entries()) {
      const id = recordIdOf(record);
      const others = this.sent.get(id);
      if (others) others.push({ at, record });
      else this.sent.set(id, [{ at, record }]);
    }
  }

  changes(ids: readonly string[], rows: readonly StoredRow[]): ChangedRecord[] {
    const stored = new Map(rows.map((row) => [row.id, row]));
    return ids.flatMap((id) => {
      const before = stored.get(id);
      let change: ParsedChange | undefined;
      for (const { at, record } of this.sent.get(id) ?? []) {
        const decided = parsedChangeOf(record, before);
        if (typeof decided === 'string') this.remarks.push({ at, id, message: decided });
        else change = decided;
      }
      if (!before || !change) return [];
      this.updated.set(id, change.content);
      return [changedRecord(before, change)];
    });
  }

  get outcome(): UpdatedBatch {
    const ids = [...new Set(this.records.map(recordIdOf))];
    return {
      updated: ids.flatMap((id) => {
        const content = this.updated.get(id);
        return content ? [{ id, content }] : [];
      }),
      remarks: this.remarks.sort((one, other) => one.at - other.at),
    };
  }
}

function changedRecord(
  before: StoredRow,
  { content, facts, columns }: ParsedChange,
): ChangedRecord {
  return {
    before,
    values: { ...valuesOf(before), ...contentColumns(facts), ...columns },
    parts: { id: before.id, content },
  };
}
