import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import type { TenantRead } from '@quire/postgres/tenant';
import { Originals, type Original } from '../db/originals.js';
import { FileMissing, ImportFiles } from '../files/import-files.js';

/** Ranges of files that are read at a time. */
const READS_AT_ONCE = 8;

/** What records were in the files of their imports (data-import, 9.1), as long as these are kept. */
@Injectable()
export class OriginalTexts {
  constructor(
    private readonly originals: Originals,
    private readonly files: ImportFiles,
  ) {}

  /** Texts of records that came as MARCXML or MARC-in-JSON; those that came as ISO 2709 have none. */
  async find(tx: TenantRead, recordIds: readonly string[]): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    if (recordIds.length === 0) return texts;
    const originals = [...(await this.originals.withTexts(tx, recordIds))];
    for (let at = 0; at < originals.length; at += READS_AT_ONCE) {
      const part = originals.slice(at, at + READS_AT_ONCE);
      const read = await Promise.all(part.map(([, original]) => this.read(tx.tenantId, original)));
      for (const [index, [id]] of part.entries()) {
        const bytes = read[index];
        if (bytes) texts.set(id, bytes.toString('utf8'));
      }
    }
    return texts;
  }

  /** The bytes of a record of any import. */
  async bytes(tx: TenantRead, recordId: string): Promise<Buffer | undefined> {
    const original = await this.originals.find(tx, recordId);
    return original && this.read(tx.tenantId, original);
  }

  /** Undefined: the file is gone, or something else lies in its place. */
  private async read(tenantId: string, original: Original): Promise<Buffer | undefined> {
    try {
      const bytes = await this.files.read(tenantId, original.objectKey, original);
      return hash('sha256', bytes, 'buffer').equals(original.sha256) ? bytes : undefined;
    } catch (error) {
      if (error instanceof FileMissing) return undefined;
      throw error;
    }
  }
}
