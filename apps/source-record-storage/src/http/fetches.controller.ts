import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { booleanParameter, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { streamTenant } from '@quire/postgres/tenant';
import { streamNdjson } from '@quire/service/answers';
import { Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import { RecordFrames, type FrameRules } from '../db/record-frames.js';
import {
  isDeleted,
  RecordReads,
  type FoundRow,
  type IdLookup,
  type RecordRow,
} from '../db/record-reads.js';
import { sourceRecordOf } from '../domain/record-shapes.js';
import {
  asUuid,
  DELETED,
  ID_LIST_SCHEMA,
  idList,
  LOOKUP_PARAMETERS,
  lookupOf,
} from './id-lists.js';

/** Ids whose records are put together in one answer of Postgres: about a megabyte. */
const FRAME_IDS = 500;
const LINE_IDS = 200;
const BYTES_TYPE = 'application/octet-stream';

/** Source records by lists of ids, an answer for every id: for exports (section 6). */
@Controller('source-storage/stream')
export class FetchesController {
  constructor(
    private readonly source: DataSource,
    private readonly records: RecordReads,
    private readonly recordFrames: RecordFrames,
  ) {}

  /**
   * Records by a list of ids, in its order: lines, or for data-export the stored bytes as length-prefixed frames. With
   * `duplicateIds=true` a frame of kind 5 follows each record that shares its external id with others: uint32 BE length of
   * the rest · uint8 kind 5 · uint32 BE index of the id · 16 bytes per matched id of them all, newest first, up to 100.
   */
  @Post('source-records')
  @HttpCode(200)
  @Permissions(routes.fetchSourceRecords)
  @Queries(...LOOKUP_PARAMETERS, DELETED)
  @ApiBody(ID_LIST_SCHEMA)
  async fetch(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lookup = lookupOf(query);
    const deleted = booleanParameter(query, 'deleted', false);
    const ids = idList(request.body);
    if (caller.issuer === 'data-export' && request.headers.accept === BYTES_TYPE) {
      void reply.header('content-type', BYTES_TYPE);
      const duplicateIds = booleanParameter(query, 'duplicateIds', false);
      const frames = this.frames(caller, { ...lookup, duplicateIds }, ids.map(asUuid));
      await reply.send(Readable.from(frames, { objectMode: false }));
    } else await streamNdjson(reply, this.lines(caller, { lookup, deleted, ids }));
  }

  private async *frames(
    scope: Scope,
    rules: FrameRules,
    ids: readonly (string | null)[],
  ): AsyncGenerator<Buffer> {
    const { recordFrames } = this;
    yield* streamTenant<Buffer>(this.source, scope, async function* (tx) {
      for (let at = 0; at < ids.length; at += FRAME_IDS)
        yield* recordFrames.frames(tx, rules, ids.slice(at, at + FRAME_IDS), at);
    });
    yield endFrame(ids.length);
  }

  private lines(
    { tenantId, actorId }: Scope,
    { lookup, deleted, ids }: Fetch,
  ): AsyncGenerator<object> {
    const { records } = this;
    return streamTenant<object>(this.source, { tenantId, actorId }, async function* (tx) {
      for (let at = 0; at < ids.length; at += LINE_IDS) {
        const part = ids.slice(at, at + LINE_IDS);
        const rows = await records.inPlaceOf(tx, lookup, part.map(asUuid), deleted);
        const filled = records.filled(tx, rows.filter(isShown));
        for (const [index, requestId] of part.entries()) {
          const row = rows[index];
          if (row && isShown(row)) yield foundLine(requestId, row, await nextOf(filled));
          else yield missingLine(requestId, row);
        }
      }
    });
  }
}

interface Fetch {
  readonly lookup: IdLookup;
  readonly deleted: boolean;
  readonly ids: readonly string[];
}

/** A source record. */
type ShownRow = Extract<FoundRow, { id: string }>;

const isShown = (row: FoundRow): row is ShownRow => row.id !== null && row.parsed;

function missingLine(requestId: string, row: FoundRow | undefined): object {
  const invalid = asUuid(requestId) === null;
  const unknown = !row || row.id === null;
  const reason = invalid ? 'invalid-id' : unknown ? 'not-found' : 'no-parsed-content';
  return { requestId, found: false, reason };
}

function foundLine(requestId: string, { others }: ShownRow, row: RecordRow): object {
  const duplicates = Number(others);
  return {
    requestId,
    found: true,
    ...(duplicates > 0 ? { duplicates } : {}),
    sourceRecord: sourceRecordOf(row, isDeleted(row)),
  };
}

async function nextOf(rows: AsyncGenerator<RecordRow, void>): Promise<RecordRow> {
  const next = await rows.next();
  if (next.done) throw new Error('There are as many rows as were asked for.');
  return next.value;
}

/** Kind 0: a body without it is incomplete. */
function endFrame(count: number): Buffer {
  const frame = Buffer.alloc(9);
  frame.writeUInt32BE(5, 0);
  frame.writeUInt32BE(count, 5);
  return frame;
}
