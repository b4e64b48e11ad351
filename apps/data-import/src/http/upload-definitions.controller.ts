import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Post,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  ProcessFiles,
  UploadDefinition,
  UploadDefinitions as UploadDefinitionList,
  UploadFileDefinition,
} from '@quire/contracts/data-import';
import { checkLang, single, type Paging, type Query } from '@quire/contracts/paging';
import { LANG } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { answerCompletedList } from '@quire/service/listings';
import { cqlOf, PagingOf, PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import {
  CREATED_BY,
  definitionListing,
  UploadDefinitions,
  type DefinitionRow,
} from '../db/upload-definitions.js';
import { failures, texts } from '../domain/failures.js';
import { definitionOf } from '../domain/shapes.js';
import { FileUploads } from '../usecases/file-uploads.js';
import { Imports } from '../usecases/imports.js';
import { UploadDrafts } from '../usecases/upload-definitions.js';
import { AUTOSTART, autostartOf } from './autostart.js';
import { incomingOf, wantedOf } from './incoming.js';

const ID = { name: 'id', notFound: texts.definitionNotFound };
const FILE_ID = { name: 'fileId', notFound: texts.fileToUploadNotFound };
const LISTING = definitionListing('uploadDefinitions');
const BASE = '/data-import/uploadDefinitions';
const NOT_FOUND = {
  definition: failures.definitionOfUploadNotFound,
  file: failures.fileToRemoveNotFound,
};

/** The current family (data-import, 3.2 and 3.4), on the same aggregate as the seed's. */
@Controller('data-import/uploadDefinitions')
export class UploadDefinitionsController {
  constructor(
    private readonly source: DataSource,
    private readonly drafts: UploadDrafts,
    private readonly uploads: FileUploads,
    private readonly imports: Imports,
    private readonly definitions: UploadDefinitions,
  ) {}

  @Post()
  @Permissions(routes.createUploadDefinition)
  @Queries(AUTOSTART)
  @ApiCreatedResponse({ type: UploadDefinition })
  async create(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Body() sent: UploadDefinition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UploadDefinition> {
    const made = await this.drafts.create(caller, sent.fileDefinitions ?? [], autostartOf(query));
    located(reply, caller, `${BASE}/${made.row.id}`);
    return definitionOf(made);
  }

  /** A query finds only what the caller made; without one everybody's drafts are shown. */
  @Get()
  @Permissions(routes.listUploadDefinitions)
  @Queries(cqlOf(LISTING.entity), LANG)
  @ApiOkResponse({ type: UploadDefinitionList })
  list(
    @ScopeOf() scope: Scope,
    @QueryOf() sent: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): void {
    checkLang(sent);
    const asked = (single(sent, 'query') ?? '').trim() !== '';
    answerCompletedList<DefinitionRow>(this.source, reply, {
      key: 'uploadDefinitions',
      listing: LISTING,
      query: asked ? sent : {},
      scope,
      paging,
      ...(asked ? { only: { column: CREATED_BY, value: scope.actorId } } : {}),
      write: async (tx, rows) =>
        (await this.definitions.withFiles(tx, rows)).map((one) => definitionOf(one)),
    });
  }

  @Get(':id')
  @Permissions(routes.readUploadDefinition)
  @ApiOkResponse({ type: UploadDefinition })
  async read(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<UploadDefinition> {
    const found = await readTenant(this.source, scope, async (tx) => {
      const row = await this.definitions.find(tx, id);
      return row ? { row, files: await this.definitions.filesOf(tx, [id]) } : undefined;
    });
    if (!found) throw failures.definitionNotFound(id);
    return definitionOf(found);
  }

  @Put(':id')
  @Permissions(routes.updateUploadDefinition)
  @ApiOkResponse({ type: UploadDefinition })
  async update(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Body() { status }: UploadDefinition,
  ): Promise<UploadDefinition> {
    const change = status ? { status } : {};
    return definitionOf(await this.drafts.update(caller, id, change, NOT_FOUND.definition));
  }

  @Delete(':id')
  @HttpCode(204)
  @Permissions(routes.removeUploadDefinition)
  async remove(@CallerOf() caller: Caller, @PathId(ID) id: string): Promise<void> {
    await this.drafts.delete(caller, id);
  }

  @Post(':id/files')
  @Permissions(routes.addFile)
  @ApiCreatedResponse({ type: UploadDefinition })
  async addFile(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Body() file: UploadFileDefinition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UploadDefinition> {
    const { uploadDefinitionId = id } = file;
    if (uploadDefinitionId !== id) throw failures.idsDiffer();
    const definition = await this.drafts.addTo(caller, id, file, NOT_FOUND.definition);
    located(reply, caller, `${BASE}/${id}`);
    return definitionOf(definition);
  }

  @Delete(':id/files/:fileId')
  @HttpCode(204)
  @Permissions(routes.removeFile)
  async removeFile(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @PathId(FILE_ID) fileId: string,
  ): Promise<void> {
    await this.drafts.remove(caller, id, fileId, NOT_FOUND);
  }

  @Post(':id/files/:fileId')
  @HttpCode(200)
  @Permissions(routes.uploadFile)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOkResponse({ type: UploadDefinition })
  async upload(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @PathId(FILE_ID) fileId: string,
    @Req() request: FastifyRequest,
  ): Promise<UploadDefinition> {
    const place = { definitionId: id, fileId };
    return definitionOf(await this.uploads.take(caller, place, incomingOf(request)));
  }

  @Post(':id/processFiles')
  @HttpCode(204)
  @Permissions(routes.processFiles)
  async processFiles(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Body() request: ProcessFiles,
    @Headers() headers: FastifyRequest['headers'],
  ): Promise<void> {
    await this.imports.start(caller, id, request, wantedOf(headers));
  }
}
