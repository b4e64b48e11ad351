import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { isUuid } from '@quire/contracts/ids';
import { booleanParameter, type Query } from '@quire/contracts/paging';
import { aFlag } from '@quire/contracts/query-parameters';
import { SentRecord } from '@quire/contracts/record-writing';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { StoredRecord } from '@quire/contracts/source-records';
import { located } from '@quire/service/answers';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { failures, texts } from '../domain/failures.js';
import { etagOf } from '../domain/versions.js';
import { RecordEdits } from '../usecases/record-edits.js';
import { RecordStates } from '../usecases/record-states.js';
import { StoredRecords, type Versioned } from '../usecases/stored-records.js';
import { acceptedDocument } from './accepted-format.js';
import { idTypeOf, idTypeParameter } from './id-type.js';

const ID = { name: 'id', notFound: texts.recordNotFound };
const MATCHED_ID = { ...ID, name: 'matchedId' };

/** Single records (source-record-storage, section 3). */
@Controller('source-storage/records')
export class RecordsController {
  constructor(
    private readonly records: StoredRecords,
    private readonly edits: RecordEdits,
    private readonly states: RecordStates,
  ) {}

  @Post()
  @Permissions(routes.createRecord)
  @ApiCreatedResponse({ type: StoredRecord })
  async create(
    @CallerOf() caller: Caller,
    @Body() sent: SentRecord,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredRecord> {
    const id = await this.edits.create(caller, sent);
    located(reply, caller, `/source-storage/records/${id}`);
    return this.answer(reply, caller, id);
  }

  @Get(':id')
  @Permissions(routes.readRecord)
  @ApiOkResponse({ type: StoredRecord })
  async read(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredRecord | Buffer> {
    const found = await this.records.find(scope, id);
    if (!found) throw failures.recordNotFound(id);
    const record = tagged(reply, found);
    return acceptedDocument(reply, found.content) ?? record;
  }

  @Put(':id')
  @Permissions(routes.replaceRecord)
  @ApiOkResponse({ type: StoredRecord })
  @ApiHeader({ name: 'If-Match', required: false })
  async replace(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Body() sent: SentRecord,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredRecord> {
    const ifMatch = reply.request.headers['if-match'];
    await this.edits.replace(caller, { id, ifMatch }, sent);
    return this.answer(reply, caller, id);
  }

  @Put(':matchedId/generation')
  @Permissions(routes.createGeneration)
  @ApiOkResponse({ type: StoredRecord })
  async createGeneration(
    @CallerOf() caller: Caller,
    @PathId(MATCHED_ID) matchedId: string,
    @Body() sent: SentRecord,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredRecord> {
    const id = await this.edits.createGeneration(caller, matchedId, sent);
    return this.answer(reply, caller, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Permissions(routes.deleteRecord)
  @Queries(idTypeParameter('SRS_RECORD'))
  async delete(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @QueryOf() query: Query,
  ): Promise<void> {
    await this.states.delete(caller, { id, idType: idTypeOf(query, 'SRS_RECORD') });
  }

  @Post(':id/un-delete')
  @HttpCode(204)
  @Permissions(routes.undeleteRecord)
  @Queries(idTypeParameter('RECORD'))
  async undelete(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @QueryOf() query: Query,
  ): Promise<void> {
    await this.states.undelete(caller, { id, idType: idTypeOf(query, 'RECORD') });
  }

  @Get(':id/formatted')
  @Permissions(routes.readFormattedRecord)
  @Queries(idTypeParameter('RECORD'))
  @ApiOkResponse({ type: StoredRecord })
  async readFormatted(
    @ScopeOf() scope: Scope,
    @Param('id') id: string,
    @QueryOf() query: Query,
  ): Promise<StoredRecord> {
    const idType = idTypeOf(query, 'RECORD');
    const name = { idType, id: id.toLowerCase() };
    const found = isUuid(id) ? await this.records.formatted(scope, name) : undefined;
    if (!found) throw failures.recordOfTypeNotFound(idType, id);
    return found;
  }

  /** A text, not JSON. */
  @Put(':id/suppress-from-discovery')
  @Permissions(routes.suppressRecord)
  @Queries(idTypeParameter('RECORD'), aFlag('suppress', { default: true }))
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string', enum: ['true'] } } } })
  async suppress(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @QueryOf() query: Query,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const name = { id, idType: idTypeOf(query, 'RECORD') };
    await this.states.suppress(caller, name, booleanParameter(query, 'suppress', true));
    void reply.type('text/plain; charset=utf-8');
    return 'true';
  }

  private async answer(reply: FastifyReply, scope: Scope, id: string): Promise<StoredRecord> {
    const found = await this.records.find(scope, id);
    if (!found) throw failures.recordNotFound(id);
    return tagged(reply, found);
  }
}

function tagged(reply: FastifyReply, { record, version }: Versioned): StoredRecord {
  void reply.header('etag', etagOf(version));
  return record;
}
