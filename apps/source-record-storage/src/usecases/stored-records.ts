import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { RecordIdType, StoredRecord } from '@quire/contracts/source-records';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { RecordLocks } from '../db/record-locks.js';
import { isDeleted } from '../db/record-reads.js';
import { StoredRecordReads, type StoredRow } from '../db/stored-records.js';
import { formattedContent } from '../domain/formatted-content.js';
import { rawTextOf, storedContentOf, storedRecordOf } from '../domain/record-shapes.js';
import type { StoredContent } from '../domain/stored-content.js';
import { OriginalTexts } from './original-texts.js';
import { RawContents } from './raw-contents.js';

/** A record as it is answered, and the version that its ETag tells. */
export interface Versioned {
  readonly record: StoredRecord;
  readonly version: string;
  /** Undefined: no parsed content. */
  readonly content: StoredContent | undefined;
}

/** Records with all their parts (source-record-storage, section 3): what is kept elsewhere is fetched, the rest is made. */
@Injectable()
export class StoredRecords {
  constructor(
    private readonly source: DataSource,
    private readonly records: StoredRecordReads,
    private readonly locks: RecordLocks,
    private readonly raws: RawContents,
    private readonly texts: OriginalTexts,
  ) {}

  find(scope: Scope, id: string): Promise<Versioned | undefined> {
    return readTenant(this.source, scope, async (tx) => {
      const row = await this.records.byId(tx, id);
      const [record] = row ? await this.shaped(tx, [row]) : [];
      return row && record && { record, version: row.version, content: storedContentOf(row) };
    });
  }

  /** In the order of the ids; those that are not there are left out. */
  list(scope: Scope, ids: readonly string[]): Promise<StoredRecord[]> {
    return readTenant(this.source, scope, async (tx) => {
      const rows = await this.records.byIds(tx, ids);
      return this.shaped(tx, rows);
    });
  }

  /** The newest current record with this id, with its content as people read it (3.1). */
  async formatted(
    scope: Scope,
    { idType, id }: { readonly idType: RecordIdType; readonly id: string },
  ): Promise<StoredRecord | undefined> {
    return readTenant(this.source, scope, async (tx) => {
      const place = await this.locks.current(tx, idType, id);
      const row = place && (await this.records.byId(tx, place.id));
      const [record] = row ? await this.shaped(tx, [row]) : [];
      const content = row && storedContentOf(row);
      if (!row || !record?.parsedRecord || !content) return record;
      const text = formattedContent(row.record_type, content);
      return { ...record, parsedRecord: { ...record.parsedRecord, formattedContent: text } };
    });
  }

  /** In their order. Texts in files of imports are looked up for all of them at once. */
  async shaped(tx: TenantRead, rows: readonly StoredRow[]): Promise<StoredRecord[]> {
    const imported = rows.filter((row) => row.imported && !hasRaw(row));
    const texts = await this.texts.find(
      tx,
      imported.map(({ id }) => id),
    );
    const shaped: StoredRecord[] = [];
    for (const row of rows) {
      const raw = await this.rawText(row, texts.get(row.id));
      shaped.push(storedRecordOf(row, isDeleted(row), raw));
    }
    return shaped;
  }

  /** What was sent or imported, as long as it is kept; else what the content gives. */
  private async rawText(row: StoredRow, own: string | undefined): Promise<string> {
    const kept = await this.raws.read(row.raw_content, row.raw_key);
    const content = storedContentOf(row);
    return kept?.toString('utf8') ?? own ?? (content && rawTextOf(content)) ?? '';
  }
}

const hasRaw = (row: StoredRow): boolean => row.raw_content !== null || row.raw_key !== null;
