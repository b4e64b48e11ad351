import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import type { Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Originals } from '../db/originals.js';
import { FileMissing, ImportFiles } from '../files/import-files.js';

/** The text that a record of MARCXML or MARC-in-JSON had in its file (data-import, 9.1). */
@Injectable()
export class OriginalTexts {
  constructor(
    private readonly source: DataSource,
    private readonly originals: Originals,
    private readonly files: ImportFiles,
  ) {}

  /** Undefined: the record came as ISO 2709, or its file is gone. */
  async find(scope: Scope, recordId: string): Promise<string | undefined> {
    const original = await readTenant(this.source, scope, (tx) =>
      this.originals.find(tx, recordId),
    );
    if (!original) return undefined;
    try {
      const bytes = await this.files.read(scope.tenantId, original.objectKey, original);
      const sha256 = hash('sha256', bytes, 'buffer');
      return sha256.equals(original.sha256) ? bytes.toString('utf8') : undefined;
    } catch (error) {
      if (error instanceof FileMissing) return undefined;
      throw error;
    }
  }
}
