import { Controller, Get, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { badParameter, integerParameter, type Query } from '@quire/contracts/paging';
import { anInteger } from '@quire/contracts/query-parameters';
import { RecordHistoryView } from '@quire/contracts/record-history';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { StoredRecord } from '@quire/contracts/source-records';
import { readTenant, streamTenant } from '@quire/postgres/tenant';
import { located, streamCollection } from '@quire/service/answers';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { RecordHistory } from '../db/record-history.js';
import { failures, texts } from '../domain/failures.js';
import { ChangeTrail } from '../domain/record-changes.js';
import { versionOf } from '../domain/version-shapes.js';
import { etagOf } from '../domain/versions.js';
import { RecordRestoring } from '../usecases/record-restoring.js';
import { StoredRecords } from '../usecases/stored-records.js';
import { idTypeOf, idTypeParameter } from './id-type.js';

const ID = { name: 'id', notFound: texts.matchedRecordNotFound };

/** What was done to a record, by whom and in which job (source-record-storage, 9.3 and 14). */
@Controller('source-storage/records/:id')
export class RecordHistoryController {
  constructor(
    private readonly source: DataSource,
    private readonly history: RecordHistory,
    private readonly restoring: RecordRestoring,
    private readonly records: StoredRecords,
  ) {}

  @Get('history')
  @Permissions(routes.recordHistory)
  @Queries(idTypeParameter('RECORD'))
  @ApiOkResponse({ type: RecordHistoryView })
  async read(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { history } = this;
    const idType = idTypeOf(query, 'RECORD');
    const recordId = await readTenant(this.source, scope, (tx) =>
      history.matchedId(tx, { id, idType }),
    );
    if (recordId === undefined) throw failures.recordOfTypeNotFound(idType, id);
    const items = streamTenant(this.source, scope, async function* (tx) {
      const trail = new ChangeTrail();
      for await (const row of history.steps(tx, recordId))
        yield versionOf(row, trail.take({ ...row, form: row.form ?? 'ISO2709' }));
    });
    await streamCollection(reply, {
      key: 'versions',
      items,
      totalRecords: (rows) => rows,
      rest: { recordId },
    });
  }
  /** A new generation with the content of an earlier one: its last version, unless one is named. */
  @Post('restore')
  @Permissions(routes.restoreRecord)
  @Queries(
    anInteger('generation', { required: true }),
    anInteger('version', { description: 'Absent: the last of the generation.' }),
    idTypeParameter('RECORD'),
  )
  @ApiCreatedResponse({ type: StoredRecord })
  async restore(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @QueryOf() query: Query,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredRecord> {
    const generation = numberOf(query, 'generation');
    if (generation === undefined) throw badParameter('generation', null, 'must not be null');
    const version = numberOf(query, 'version');
    const idType = idTypeOf(query, 'RECORD');
    const made = await this.restoring.restore(caller, { id, idType, generation, version });
    const found = await this.records.find(caller, made);
    if (!found) throw failures.recordNotFound(made);
    located(reply, caller, `/source-storage/records/${made}`);
    void reply.header('etag', etagOf(found.version));
    return found.record;
  }
}

function numberOf(query: Query, name: string): number | undefined {
  const number = integerParameter(query, name, -1);
  return number === -1 ? undefined : number;
}
