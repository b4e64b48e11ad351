import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { correctTotal, type Paging, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { SourceRecords, type SourceRecord } from '@quire/contracts/source-records';
import { streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PagingOf, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { isDeleted, RecordReads } from '../db/record-reads.js';
import { sourceRecordOf } from '../domain/record-shapes.js';
import { filterOf } from './source-record-filter.js';

/** `GET /source-storage/source-records`: the current records, as pages (section 4). */
@Controller('source-storage')
export class SourceRecordsController {
  constructor(
    private readonly source: DataSource,
    private readonly records: RecordReads,
  ) {}

  @Get('source-records')
  @Permissions(routes.listSourceRecords)
  @ApiOkResponse({ type: SourceRecords })
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const filter = filterOf(query);
    const { records } = this;
    let total: number | undefined;
    // Count and page in one transaction, so that they speak of the same moment.
    const items = streamTenant<SourceRecord>(this.source, scope, async function* (tx) {
      if (paging.totalRecords !== 'none') total = await records.count(tx, filter);
      if (paging.limit === 0) return;
      for await (const row of records.list(tx, filter, paging))
        yield sourceRecordOf(row, isDeleted(row));
    });
    await streamCollection(reply, {
      key: 'sourceRecords',
      items,
      totalRecords: (rows) => correctTotal(rows, total, paging),
    });
  }
}
