import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { RecordHistory, type Replacing } from '../db/record-history.js';
import { RecordWrites, type PartsOf, type RecordValues } from '../db/record-writes.js';
import type { StoredRow } from '../db/stored-records.js';
import { WriteMark } from '../db/write-mark.js';
import { rawTextOf, storedContentOf } from '../domain/record-shapes.js';
import { Indexing } from './indexing.js';
import { inlineRaw, RawContents } from './raw-contents.js';
import { RecordEvents } from './record-events.js';

/** A row to be made, or to take the place of one with its id. */
export interface NewRecord {
  readonly values: RecordValues;
  readonly parts: PartsOf;
  /** A row with this id is there. */
  readonly replaces: boolean;
  /** Rows that are current under its matched id, and will be no longer. */
  readonly superseded: readonly { readonly id: string; readonly generation: number }[];
}

/** A row that changes in place; it is locked, and read after that. */
export interface ChangedRecord {
  readonly before: StoredRow;
  readonly values: RecordValues;
  readonly parts: PartsOf;
}

/**
 * What belongs to every write of records by REST, in one transaction (source-record-storage, 2.4, rule 8): the mark for
 * streams, the history, the rows and their parts, what is derived from them, and the events. A fixed number of statements.
 */
@Injectable()
export class RecordWriting {
  constructor(
    private readonly writes: RecordWrites,
    private readonly history: RecordHistory,
    private readonly mark: WriteMark,
    private readonly raws: RawContents,
    private readonly indexing: Indexing,
    private readonly events: RecordEvents,
  ) {}

  /** Rows of one snapshot. */
  async put(
    tx: TenantTx,
    records: readonly NewRecord[],
    { snapshotId, userName }: { readonly snapshotId: string; readonly userName: string },
  ): Promise<void> {
    if (records.length === 0) return;
    const ids = records.map(({ values }) => values.id);
    const replaced = records.flatMap(({ replaces, values }) => (replaces ? [values.id] : []));
    const superseded = records.flatMap((record) => record.superseded.map(({ id }) => id));
    await this.mark.set(tx);
    await this.history.keep(tx, replaced, { cause: 'UPDATE', snapshotId, userName });
    await this.writes.supersede(tx, superseded, snapshotId);
    await this.writes.put(
      tx,
      records.map(({ values }) => values),
      userName,
    );
    await this.writeParts(
      tx,
      records.map(({ parts }) => parts),
    );
    await this.indexing.refresh(tx, [...ids, ...superseded]);
    await this.events.saved(
      tx,
      records.map(({ values: { id, generation }, superseded: [previous], replaces }) => ({
        id,
        action: replaces || generation > 0 ? 'UPDATED' : 'CREATED',
        previous,
      })),
    );
  }

  /** Rows that stay what they are. A raw record that was made of the content is kept before that changes. */
  async change(
    tx: TenantTx,
    records: readonly ChangedRecord[],
    replacing: Replacing & { readonly userName: string },
  ): Promise<void> {
    if (records.length === 0) return;
    const ids = records.map(({ values }) => values.id);
    await this.mark.set(tx);
    await this.history.keep(tx, ids, replacing);
    await this.writes.keepRaw(tx, records.flatMap(rawToKeep));
    await this.writes.change(
      tx,
      records.map(({ values }) => values),
      replacing.userName,
    );
    await this.writeParts(
      tx,
      records.map(({ parts }) => parts),
    );
    await this.indexing.refresh(tx, ids);
    if (replacing.cause === 'DELETE') await this.events.deleted(tx, ids);
    else
      await this.events.saved(
        tx,
        ids.map((id) => ({ id, action: 'UPDATED' })),
      );
  }

  private async writeParts(tx: TenantTx, parts: readonly PartsOf[]): Promise<void> {
    const gone = await this.writes.writeParts(tx, parts);
    await this.raws.settle(
      tx,
      parts.map(({ raw }) => raw),
      gone,
    );
  }
}

function rawToKeep({
  before,
  parts,
}: ChangedRecord): (ReturnType<typeof inlineRaw> & { id: string })[] {
  const { id, raw_content: raw, raw_key: key } = before;
  const content = storedContentOf(before);
  if (parts.content === undefined || parts.raw !== undefined || raw || key !== null || !content)
    return [];
  const text = rawTextOf(content);
  if (parts.content && rawTextOf(parts.content) === text) return [];
  return [{ id, ...inlineRaw(Buffer.from(text)) }];
}
