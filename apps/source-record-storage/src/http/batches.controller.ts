import { Body, Controller, HttpCode, Post, Put, Req, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { checkField } from '@quire/contracts/check-contract';
import { invalid } from '@quire/contracts/failure';
import { booleanParameter, type Query } from '@quire/contracts/paging';
import { aFlag } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import {
  FetchedParsedRecords,
  FetchParsedRecords,
  IDS_MAX,
  SavedRecords,
  SentRecords,
  UpdatedParsedRecords,
  VerifiedHrids,
  type FetchedParsedRecord,
} from '@quire/contracts/source-batches';
import type { ParsedRecord, StoredRecord } from '@quire/contracts/source-records';
import { readTenant, streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { missingBody } from '@quire/service/contract.pipe';
import { Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { FetchedRecords } from '../db/fetched-records.js';
import { violationOf, type Remark } from '../domain/batch-rules.js';
import { fetchedRecordOf } from '../domain/fetched-record.js';
import { contentOf } from '../domain/stored-content.js';
import { Batches } from '../usecases/batches.js';
import { ParsedRecordUpdates, type UpdatedBatch } from '../usecases/parsed-record-updates.js';
import { StoredRecords } from '../usecases/stored-records.js';
import { ID_LIST_SCHEMA } from './id-lists.js';

const SKIP_UNCHANGED = aFlag('skipUnchanged', {
  default: false,
  description: 'Saves no new generation of a record that is the same already.',
});
/** Records with all their parts that are in memory at once. */
const RECORDS_AT_ONCE = 100;

/** Many records in one request (source-record-storage, section 5). */
@Controller('source-storage/batch')
export class BatchesController {
  constructor(
    private readonly source: DataSource,
    private readonly fetched: FetchedRecords,
    private readonly batches: Batches,
    private readonly updates: ParsedRecordUpdates,
    private readonly records: StoredRecords,
  ) {}

  @Post('records')
  @Permissions(routes.createRecords)
  @Queries(SKIP_UNCHANGED)
  @ApiCreatedResponse({ type: SavedRecords })
  async save(
    @CallerOf() caller: Caller,
    @Body() { records }: SentRecords,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const skip = booleanParameter(query, 'skipUnchanged', false);
    const { ids, remarks, unchanged } = await this.batches.save(caller, records, skip);
    if (ids.length + unchanged.length === 0 && records.length > 0) {
      await reply.status(422).send({ records: [], ...refusalOf(remarks) });
      return;
    }
    await streamCollection(reply.status(201), {
      key: 'records',
      items: this.stored(caller, ids),
      totalRecords: () => ids.length,
      rest: {
        errorMessages: remarks.map(({ message }) => message),
        ...(skip ? { unchanged } : {}),
      },
    });
  }

  @Put('parsed-records')
  @Permissions(routes.updateParsedRecords)
  @ApiOkResponse({ type: UpdatedParsedRecords })
  async update(
    @CallerOf() caller: Caller,
    @Body() { records }: SentRecords,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { updated, remarks } = await this.updates.update(caller, records);
    if (updated.length === 0 && records.length > 0) {
      await reply.status(422).send({ parsedRecords: [], ...refusalOf(remarks) });
      return;
    }
    await streamCollection(reply, {
      key: 'parsedRecords',
      items: parsedRecords(updated),
      totalRecords: () => updated.length,
      rest: { errorMessages: remarks.map(({ message }) => message) },
    });
  }

  @Post('parsed-records/fetch')
  @HttpCode(200)
  @Permissions(routes.fetchParsedRecords)
  @ApiOkResponse({ type: FetchedParsedRecords })
  async fetch(
    @ScopeOf() scope: Scope,
    @Body() request: FetchParsedRecords,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { fetched } = this;
    const { conditions, recordType, data = [], includeDeleted = false } = request;
    const { idType = 'RECORD', ids = [] } = conditions;
    const items = streamTenant<FetchedParsedRecord>(this.source, scope, async function* (tx) {
      for await (const row of fetched.byIds(tx, { idType, recordType, includeDeleted }, ids))
        yield fetchedRecordOf(row, { form: row.form, bytes: row.content }, data);
    });
    await streamCollection(reply, { key: 'records', items, totalRecords: (rows) => rows });
  }

  @Post('verified-records')
  @HttpCode(200)
  @Permissions(routes.verifyRecords)
  @ApiBody(ID_LIST_SCHEMA)
  @ApiOkResponse({ type: VerifiedHrids })
  async verify(@ScopeOf() scope: Scope, @Req() request: FastifyRequest): Promise<VerifiedHrids> {
    const hrids = hridsOf(request.body);
    const unknown = await readTenant(this.source, scope, (tx) =>
      this.fetched.unknownHrids(tx, hrids),
    );
    return { invalidMarcBibIds: unknown };
  }

  private async *stored(scope: Scope, ids: readonly string[]): AsyncGenerator<StoredRecord> {
    for (let at = 0; at < ids.length; at += RECORDS_AT_ONCE)
      yield* await this.records.list(scope, ids.slice(at, at + RECORDS_AT_ONCE));
  }
}

function* parsedRecords(updated: UpdatedBatch['updated']): Generator<ParsedRecord> {
  for (const { id, content } of updated) yield { id, content: contentOf(content) };
}

/** What follows the empty list of a batch of which nothing was taken; `errors` as in every 422 (conventions, 15.2). */
function refusalOf(remarks: readonly Remark[]): object {
  const errors = remarks.map(violationOf);
  return {
    totalRecords: 0,
    errorMessages: remarks.map(({ message }) => message),
    errors,
    total_records: errors.length,
  };
}

/** The body is a bare list, for which there is no contract class. */
function hridsOf(body: unknown): readonly string[] {
  if (body === undefined) throw missingBody();
  const list = { kind: 'list', of: { kind: 'text' }, min: 0, max: IDS_MAX } as const;
  const checked = checkField(list, body, '');
  if ('violations' in checked) throw invalid(...checked.violations);
  return checked.value as string[];
}
