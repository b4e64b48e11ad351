import { Controller, Get, Res } from '@nestjs/common';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { INTEGER_MAX, type Paging, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { Page, type CompiledList } from '@quire/postgres/pages';
import { streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { JsonText, streamNdjson } from '@quire/service/answers';
import { PagingOf, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { isDeleted, RecordReads, type BareRow, type RecordRow } from '../db/record-reads.js';
import { sourceRecordStream } from '../db/source-record-lists.js';
import { StoredRecordReads, type StoredRow } from '../db/stored-records.js';
import { WriteMark } from '../db/write-mark.js';
import { sourceRecordJson, tombstoneOf } from '../domain/record-shapes.js';
import { StoredRecords } from '../usecases/stored-records.js';
import { acceptedFormat, streamFormat } from './accepted-format.js';
import { RECORD_LIST_PARAMETERS, recordListOf } from './record-filter.js';
import { filterOf, SOURCE_RECORD_PARAMETERS } from './source-record-filter.js';

/**
 * Streams of records for clients that follow the changes (section 6), as lines of JSON or in a format of catalogues (section
 * 14). `Date` is the safe watermark, taken before the snapshot of the data.
 */
@Controller('source-storage/stream')
export class StreamsController {
  constructor(
    private readonly source: DataSource,
    private readonly records: RecordReads,
    private readonly parts: StoredRecordReads,
    private readonly stored: StoredRecords,
    private readonly mark: WriteMark,
  ) {}

  @Get('records')
  @Permissions(routes.streamRecords)
  @Queries(...RECORD_LIST_PARAMETERS)
  async allRecords(
    @ScopeOf() scope: Scope,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { parts, stored } = this;
    const page = pageOf(recordListOf(scope.tenantId, query), paging);
    await this.answer(reply, scope, {
      batches: (tx) => parts.completed(tx, page.batches(tx)),
      shaped: (tx, rows: readonly StoredRow[]) => stored.shaped(tx, rows),
    });
  }

  @Get('source-records')
  @Permissions(routes.streamSourceRecords)
  @Queries(...SOURCE_RECORD_PARAMETERS)
  async sourceRecords(
    @ScopeOf() scope: Scope,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { records } = this;
    const page = pageOf(sourceRecordStream(scope.tenantId, filterOf(query)), paging);
    await this.answer(reply, scope, {
      batches: (tx) => records.completed(tx, page.batches(tx)),
      shaped: (_tx, rows: readonly RecordRow[]) => Promise.resolve(rows.map(lineOf)),
    });
  }

  private async answer<R extends RecordRow>(
    reply: FastifyReply,
    scope: Scope,
    { batches, shaped }: RecordStream<R>,
  ): Promise<void> {
    void reply.header('date', (await this.mark.watermark(this.source)).toUTCString());
    void reply.header('vary', 'Accept');
    const format = acceptedFormat(reply.request.headers.accept);
    if (format !== undefined) {
      await streamFormat(reply, format, streamTenant(this.source, scope, batches));
      return;
    }
    const lines = streamTenant<object>(this.source, scope, async function* (tx) {
      for await (const rows of batches(tx)) yield* await shaped(tx, rows);
    });
    await streamNdjson(reply, lines);
  }
}

interface RecordStream<R extends RecordRow> {
  readonly batches: (tx: TenantRead) => AsyncIterable<readonly R[]>;
  /** As lines of JSON. */
  readonly shaped: (tx: TenantRead, rows: readonly R[]) => Promise<readonly object[]>;
}

const lineOf = (row: RecordRow): object =>
  row.removed === true ? tombstoneOf(row) : new JsonText(sourceRecordJson(row, isDeleted(row)));

/** Streams are not counted. */
const pageOf = (list: CompiledList, paging: Paging): Page<BareRow> =>
  new Page(list, { ...paging, totalRecords: 'none' });
