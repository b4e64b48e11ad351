import { Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { invalid, violation } from '@quire/contracts/failure';
import { isUuid, UUID_PATTERN } from '@quire/contracts/ids';
import {
  correctTotal,
  enumParameter,
  INTEGER_MAX,
  type Paging,
  type Query,
} from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import {
  RECORD_ID_TYPES,
  SourceRecords,
  type SourceRecord,
  type SourceRecordType,
} from '@quire/contracts/source-records';
import { readTenant, streamTenant } from '@quire/postgres/tenant';
import { streamCollection, streamNdjson } from '@quire/service/answers';
import { PagingOf, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import {
  isDeleted,
  RecordReads,
  type RecordRow,
  type SourceRecordFilter,
} from '../db/record-reads.js';
import { sourceRecordOf } from '../domain/record-shapes.js';
import { filterOf } from './source-record-filter.js';

/** Most ids of one request (conventions, section 16). */
const IDS_MAX = 32_767;
/** Ids whose records are put together in one answer of Postgres: about a megabyte. */
const FRAME_IDS = 500;
const RECORD_TYPE_OF: Readonly<Record<string, SourceRecordType>> = {
  INSTANCE: 'MARC_BIB',
  HOLDINGS: 'MARC_HOLDING',
  AUTHORITY: 'MARC_AUTHORITY',
};

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
    const total =
      paging.totalRecords === 'none'
        ? undefined
        : await readTenant(this.source, scope, (tx) => this.records.count(tx, filter));
    await streamCollection(reply, {
      key: 'sourceRecords',
      items: this.sourceRecords(scope, filter, paging),
      // The count is true, so a page past the end does not change it (section 4).
      totalRecords: (rows) => (rows === 0 ? total : correctTotal(rows, total, paging)),
    });
  }

  @Get('stream/source-records')
  @Permissions(routes.streamSourceRecords)
  async stream(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await streamNdjson(reply, this.sourceRecords(scope, filterOf(query), paging));
  }

  /** The bytes of records by a list of ids, in its order, as length-prefixed frames: what an export reads (section 6). */
  @Post('stream/source-records')
  @HttpCode(200)
  @Permissions(routes.fetchSourceRecords)
  @ApiBody({ schema: { type: 'array', items: { type: 'string' }, maxItems: IDS_MAX } })
  async fetch(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const ids = idList(request.body);
    const idType =
      enumParameter(query, 'idType', RECORD_ID_TYPES, (value) => `Unknown id type ${value}`) ??
      'INSTANCE';
    const recordType = RECORD_TYPE_OF[idType];
    if (recordType === undefined)
      throw invalid(violation('must be one of [INSTANCE, HOLDINGS, AUTHORITY]', 'idType', idType));
    void reply.header('content-type', 'application/octet-stream');
    await reply.send(Readable.from(this.frames(scope, recordType, ids), { objectMode: false }));
  }

  private async *sourceRecords(
    scope: Scope,
    filter: SourceRecordFilter,
    page: Paging,
  ): AsyncGenerator<SourceRecord> {
    if (page.limit === 0) return;
    const rows = streamTenant<RecordRow>(this.source, scope, (tx) =>
      this.records.list(tx, filter, page),
    );
    for await (const row of rows) yield sourceRecordOf(row, isDeleted(row));
  }

  private async *frames(
    scope: Scope,
    recordType: SourceRecordType,
    ids: readonly (string | null)[],
  ): AsyncGenerator<Buffer> {
    const { records } = this;
    yield* streamTenant<Buffer>(this.source, scope, async function* (tx) {
      for (let at = 0; at < ids.length; at += FRAME_IDS)
        yield await records.frames(tx, recordType, ids.slice(at, at + FRAME_IDS), at);
    });
    yield endFrame(ids.length);
  }
}

/** Kind 0: a body without it is incomplete. */
function endFrame(count: number): Buffer {
  const frame = Buffer.alloc(9);
  frame.writeUInt32BE(5, 0);
  frame.writeUInt32BE(count, 5);
  return frame;
}

/** What is no UUID becomes null and is answered as such; what is no list of texts is refused. */
function idList(body: unknown): (string | null)[] {
  if (!Array.isArray(body)) throw invalid(violation('must be an array', '', body));
  if (body.length > IDS_MAX)
    throw invalid(
      violation(`size must be between 0 and ${IDS_MAX}`, '', `${body.length} elements`),
    );
  return body.map((id: unknown, index) => {
    if (typeof id !== 'string')
      throw invalid(violation(`must match "${UUID_PATTERN}"`, `[${index}]`, id));
    return isUuid(id) ? id.toLowerCase() : null;
  });
}
