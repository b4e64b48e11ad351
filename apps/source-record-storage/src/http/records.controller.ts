import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { StoredRecord } from '@quire/contracts/source-records';
import { readTenant } from '@quire/postgres/tenant';
import { PathId } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import { isDeleted, RecordReads } from '../db/record-reads.js';
import { failures, texts } from '../domain/failures.js';
import { storedRecordOf } from '../domain/record-shapes.js';
import { OriginalTexts } from '../usecases/original-texts.js';

@Controller('source-storage/records')
export class RecordsController {
  constructor(
    private readonly source: DataSource,
    private readonly records: RecordReads,
    private readonly texts: OriginalTexts,
  ) {}

  @Get(':id')
  @Permissions(routes.readRecord)
  @ApiOkResponse({ type: StoredRecord })
  async read(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'id', notFound: texts.recordNotFound }) id: string,
  ): Promise<StoredRecord> {
    const row = await readTenant(this.source, scope, (tx) => this.records.byId(tx, id));
    if (!row) throw failures.recordNotFound(id);
    return storedRecordOf(row, isDeleted(row), await this.texts.find(scope, id));
  }
}
