import { Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { invalid, violation } from '@quire/contracts/failure';
import { isUuid, UUID_PATTERN } from '@quire/contracts/ids';
import {
  badParameter,
  booleanParameter,
  enumParameter,
  INTEGER_MAX,
  type Paging,
  type Query,
} from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import {
  RECORD_ID_TYPES,
  type RecordIdType,
  type SourceRecord,
  type SourceRecordType,
} from '@quire/contracts/source-records';
import { streamTenant } from '@quire/postgres/tenant';
import { streamNdjson } from '@quire/service/answers';
import { PagingOf, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import { isDeleted, RecordReads, type FoundRow, type FrameRules } from '../db/record-reads.js';
import { WriteMark } from '../db/write-mark.js';
import { sourceRecordOf } from '../domain/record-shapes.js';
import { filterOf } from './source-record-filter.js';

/** Most ids of one request (conventions, section 16). */
const IDS_MAX = 32_767;
/** Ids whose records are put together in one answer of Postgres: about a megabyte. */
const FRAME_IDS = 500;
const LINE_IDS = 200;
const BYTES_TYPE = 'application/octet-stream';

/** Which records an id type means; those by which a stream cannot find are missing. */
const RECORD_TYPE_OF: Partial<Record<RecordIdType, SourceRecordType>> = {
  INSTANCE: 'MARC_BIB',
  HOLDINGS: 'MARC_HOLDING',
  AUTHORITY: 'MARC_AUTHORITY',
};

/** Streams of source records: for clients that follow the changes, and for exports (section 6). */
@Controller('source-storage/stream')
export class StreamsController {
  constructor(
    private readonly source: DataSource,
    private readonly records: RecordReads,
    private readonly mark: WriteMark,
  ) {}

  @Get('source-records')
  @Permissions(routes.streamSourceRecords)
  async stream(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const filter = filterOf(query);
    const { records } = this;
    void reply.header('date', (await this.mark.watermark(this.source)).toUTCString());
    const items = streamTenant<SourceRecord>(this.source, scope, async function* (tx) {
      if (paging.limit === 0) return;
      for await (const row of records.list(tx, filter, paging))
        yield sourceRecordOf(row, isDeleted(row));
    });
    await streamNdjson(reply, items);
  }

  /**
   * Records by a list of ids, in its order: lines, or for data-export the stored bytes as length-prefixed frames. With
   * `duplicateIds=true` a frame of kind 5 follows each record that shares its external id with others: uint32 BE length of
   * the rest · uint8 kind 5 · uint32 BE index of the id · 16 bytes per matched id of them all, newest first, up to 100.
   */
  @Post('source-records')
  @HttpCode(200)
  @Permissions(routes.fetchSourceRecords)
  @ApiBody({ schema: { type: 'array', items: { type: 'string' }, maxItems: IDS_MAX } })
  async fetch(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const recordType = recordTypeParameter(query);
    const deleted = booleanParameter(query, 'deleted', false);
    const ids = idList(request.body);
    if (caller.issuer === 'data-export' && request.headers.accept === BYTES_TYPE) {
      void reply.header('content-type', BYTES_TYPE);
      const duplicateIds = booleanParameter(query, 'duplicateIds', false);
      const frames = this.frames(caller, { recordType, duplicateIds }, ids.map(asUuid));
      await reply.send(Readable.from(frames, { objectMode: false }));
    } else await streamNdjson(reply, this.lines(caller, { recordType, deleted, ids }));
  }

  private async *frames(
    scope: Scope,
    rules: FrameRules,
    ids: readonly (string | null)[],
  ): AsyncGenerator<Buffer> {
    const { records } = this;
    yield* streamTenant<Buffer>(this.source, scope, async function* (tx) {
      for (let at = 0; at < ids.length; at += FRAME_IDS)
        yield* records.frames(tx, rules, ids.slice(at, at + FRAME_IDS), at);
    });
    yield endFrame(ids.length);
  }

  private lines(
    { tenantId, actorId }: Scope,
    { recordType, deleted, ids }: Fetch,
  ): AsyncGenerator<object> {
    const { records } = this;
    return streamTenant<object>(this.source, { tenantId, actorId }, async function* (tx) {
      for (let at = 0; at < ids.length; at += LINE_IDS) {
        const part = ids.slice(at, at + LINE_IDS);
        const rows = await records.byExternalIds(tx, recordType, part.map(asUuid), deleted);
        for (const [index, requestId] of part.entries()) yield lineOf(requestId, rows[index]);
      }
    });
  }
}

interface Fetch {
  readonly recordType: SourceRecordType;
  readonly deleted: boolean;
  readonly ids: readonly string[];
}

function lineOf(requestId: string, row: FoundRow | undefined): object {
  if (asUuid(requestId) === null) return { requestId, found: false, reason: 'invalid-id' };
  if (!row || row.id === null) return { requestId, found: false, reason: 'not-found' };
  const duplicates = Number(row.others);
  return {
    requestId,
    found: true,
    ...(duplicates > 0 ? { duplicates } : {}),
    sourceRecord: sourceRecordOf(row, isDeleted(row)),
  };
}

/** Kind 0: a body without it is incomplete. */
function endFrame(count: number): Buffer {
  const frame = Buffer.alloc(9);
  frame.writeUInt32BE(5, 0);
  frame.writeUInt32BE(count, 5);
  return frame;
}

function recordTypeParameter(query: Query): SourceRecordType {
  const unknown = (value: string): string => `Unknown id type ${value}`;
  const idType = enumParameter(query, 'idType', RECORD_ID_TYPES, unknown) ?? 'INSTANCE';
  const recordType = RECORD_TYPE_OF[idType];
  if (recordType === undefined)
    throw badParameter('idType', idType, 'must match "INSTANCE|HOLDINGS|AUTHORITY"');
  return recordType;
}

/** What is no UUID is answered as such; what is no list of texts is refused. */
function idList(body: unknown): readonly string[] {
  if (!Array.isArray(body)) throw invalid(violation('must be an array', '', body));
  if (body.length > IDS_MAX)
    throw invalid(
      violation(`size must be between 0 and ${IDS_MAX}`, '', `${body.length} elements`),
    );
  const wrong = body.findIndex((id: unknown) => typeof id !== 'string');
  if (wrong >= 0)
    throw invalid(violation(`must match "${UUID_PATTERN}"`, `[${wrong}]`, body[wrong]));
  return body as string[];
}

const asUuid = (id: string): string | null => (isUuid(id) ? id.toLowerCase() : null);
