import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Originals } from '../db/originals.js';
import { StoredRecordReads, type StoredRow } from '../db/stored-records.js';
import { rawTypeOf } from '../domain/raw-type.js';
import { rawBytesOf, storedContentOf } from '../domain/record-shapes.js';
import { OriginalTexts } from './original-texts.js';
import { RawContents } from './raw-contents.js';

export interface OriginalBytes {
  readonly bytes: Buffer;
  /** Media type. */
  readonly type: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/**
 * The bytes that a record came as (source-record-storage, section 14): those that were sent by REST, or those of the imported
 * file. What is stored of a sound import is, without 999 ff, what was imported; its hash tells, and the file is not read. Where
 * nothing original is kept any more, the record is given as its content has it, without 999 ff.
 */
@Injectable()
export class RawBytes {
  constructor(
    private readonly source: DataSource,
    private readonly records: StoredRecordReads,
    private readonly originals: Originals,
    private readonly raws: RawContents,
    private readonly texts: OriginalTexts,
  ) {}

  /** Undefined: there is no such record, or nothing of it. */
  find(scope: Scope, id: string): Promise<OriginalBytes | undefined> {
    return readTenant(this.source, scope, async (tx) => {
      const row = await this.records.byId(tx, id);
      const bytes = row && (await this.bytes(tx, row));
      if (!row || !bytes) return undefined;
      const sha256 = hash('sha256', bytes, 'hex');
      return { bytes, type: rawTypeOf(row.record_type, bytes), sha256 };
    });
  }

  private async bytes(tx: TenantRead, row: StoredRow): Promise<Buffer | undefined> {
    const sent = await this.raws.read(row.raw_content, row.raw_key);
    if (sent) return sent;
    const content = storedContentOf(row);
    const made = content && rawBytesOf(content);
    const imported = row.imported ? await this.originals.sha256(tx, row.id) : undefined;
    if (!imported || (made && hash('sha256', made, 'buffer').equals(imported))) return made;
    return (await this.texts.bytes(tx, row.id)) ?? made;
  }
}
