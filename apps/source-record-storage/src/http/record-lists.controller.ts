import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import type { Paging, Query } from '@quire/contracts/paging';
import { StoredRecords as StoredRecordsBody } from '@quire/contracts/record-lists';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import type { StoredRecord } from '@quire/contracts/source-records';
import { Page } from '@quire/postgres/pages';
import { streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PagingOf, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import type { BareRow } from '../db/record-reads.js';
import { StoredRecordReads } from '../db/stored-records.js';
import { StoredRecords } from '../usecases/stored-records.js';
import { RECORD_LIST_PARAMETERS, recordListOf } from './record-filter.js';

/** Records of any state with all their parts (section 3). */
@Controller('source-storage/records')
export class RecordListsController {
  constructor(
    private readonly source: DataSource,
    private readonly rows: StoredRecordReads,
    private readonly records: StoredRecords,
  ) {}

  @Get()
  @Permissions(routes.listRecords)
  @Queries(...RECORD_LIST_PARAMETERS)
  @ApiOkResponse({ type: StoredRecordsBody })
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { rows, records } = this;
    const page = new Page<BareRow>(recordListOf(scope.tenantId, query), paging);
    const items = streamTenant<StoredRecord>(this.source, scope, async function* (tx) {
      for await (const batch of rows.completed(tx, page.batches(tx)))
        yield* await records.shaped(tx, batch);
    });
    await streamCollection(reply, {
      key: 'records',
      items,
      totalRecords: (sent) => page.total(sent),
    });
  }
}
