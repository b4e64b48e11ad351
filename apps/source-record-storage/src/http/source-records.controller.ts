import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { booleanParameter, type Paging, type Query } from '@quire/contracts/paging';
import { aFlag } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { SourceRecord, SourceRecords } from '@quire/contracts/source-records';
import { Page } from '@quire/postgres/pages';
import { readTenant, streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { JsonText, streamCollection } from '@quire/service/answers';
import { PagingOf, PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import {
  isDeleted,
  RecordReads,
  type BareRow,
  type IdLookup,
  type RecordRow,
} from '../db/record-reads.js';
import { sourceRecordList } from '../db/source-record-lists.js';
import { failures, texts } from '../domain/failures.js';
import { sourceRecordJson, sourceRecordOf, storedContentOf } from '../domain/record-shapes.js';
import { acceptedDocument } from './accepted-format.js';
import { DELETED, ID_LIST_SCHEMA, LOOKUP_PARAMETERS, lookupOf, uuidList } from './id-lists.js';
import { idTypeOf, idTypeParameter } from './id-type.js';
import { recordStateOf, STATE } from './record-filter.js';
import { filterOf, SOURCE_RECORD_PARAMETERS } from './source-record-filter.js';

const ID = { name: 'id', notFound: texts.sourceRecordNotFound } as const;
const INCLUDE_SHARED = aFlag('includeShared', { default: false, description: 'Without effect.' });
/** Ids that are looked up at a time. */
const BATCH_IDS = 200;

/** The current view of records (section 4). */
@Controller('source-storage/source-records')
export class SourceRecordsController {
  constructor(
    private readonly source: DataSource,
    private readonly records: RecordReads,
  ) {}

  @Get()
  @Permissions(routes.listSourceRecords)
  @Queries(...SOURCE_RECORD_PARAMETERS)
  @ApiOkResponse({ type: SourceRecords })
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { records } = this;
    const page = new Page<BareRow>(sourceRecordList(scope.tenantId, filterOf(query)), paging);
    const items = streamTenant<JsonText>(this.source, scope, async function* (tx) {
      for await (const rows of records.completed(tx, page.batches(tx)))
        for (const row of rows) yield jsonOf(row);
    });
    await streamCollection(reply, {
      key: 'sourceRecords',
      items,
      totalRecords: (rows) => page.total(rows),
    });
  }

  /** By a list of ids, in its order. An external id that several records share gives them all, the newest first. */
  @Post()
  @HttpCode(200)
  @Permissions(routes.findSourceRecords)
  @Queries(...LOOKUP_PARAMETERS, DELETED, INCLUDE_SHARED)
  @ApiBody(ID_LIST_SCHEMA)
  @ApiOkResponse({ type: SourceRecords })
  async find(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @Body() body: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lookup = lookupOf(query);
    const deleted = booleanParameter(query, 'deleted', false);
    // There is no consortium whose records could be shared.
    booleanParameter(query, 'includeShared', false);
    const ids = [...new Set(uuidList(body))];
    const items = streamTenant(this.source, scope, (tx) =>
      this.found(tx, { lookup, deleted, ids }),
    );
    await streamCollection(reply, { key: 'sourceRecords', items, totalRecords: (rows) => rows });
  }

  /** `state` ACTUAL, which is meant when it is absent, finds DELETED records too; others are exact. */
  @Get(':id')
  @Permissions(routes.readSourceRecord)
  @Queries(idTypeParameter('RECORD'), STATE)
  @ApiOkResponse({ type: SourceRecord })
  async read(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [idType, state] = [idTypeOf(query, 'RECORD'), recordStateOf(query) ?? 'ACTUAL'];
    const row = await readTenant(this.source, scope, (tx) =>
      this.records.sourceRecord(tx, id, { idType, state }),
    );
    if (!row) throw failures.sourceRecordNotFound(id);
    const document = acceptedDocument(reply, storedContentOf(row));
    await reply.send(document ?? sourceRecordOf(row, isDeleted(row)));
  }

  private async *found(
    tx: TenantRead,
    { lookup, deleted, ids }: Finding,
  ): AsyncGenerator<JsonText> {
    for (let at = 0; at < ids.length; at += BATCH_IDS) {
      const part = ids.slice(at, at + BATCH_IDS);
      for await (const row of this.records.sourceRecords(tx, lookup, part, deleted))
        yield jsonOf(row);
    }
  }
}

const jsonOf = (row: RecordRow): JsonText => new JsonText(sourceRecordJson(row, isDeleted(row)));

interface Finding {
  readonly lookup: IdLookup;
  readonly deleted: boolean;
  readonly ids: readonly string[];
}
