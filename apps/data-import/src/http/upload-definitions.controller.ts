import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { ProcessFiles, UploadDefinition } from '@quire/contracts/data-import';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { PathId } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { failures, texts } from '../domain/failures.js';
import { definitionOf } from '../domain/shapes.js';
import { FileUploads } from '../usecases/file-uploads.js';
import { Imports } from '../usecases/imports.js';
import { UploadDrafts } from '../usecases/upload-definitions.js';
import { incomingOf } from './incoming.js';

const ID = { name: 'id', notFound: texts.definitionNotFound };
const FILE_ID = { name: 'fileId', notFound: texts.fileToUploadNotFound };

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
  @ApiCreatedResponse({ type: UploadDefinition })
  async create(
    @CallerOf() caller: Caller,
    @Body() sent: UploadDefinition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UploadDefinition> {
    const definition = definitionOf(await this.drafts.create(caller, sent.fileDefinitions ?? []));
    located(reply, caller, `/data-import/uploadDefinitions/${definition.id ?? ''}`);
    return definition;
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
  ): Promise<void> {
    await this.imports.start(caller, id, request);
  }
}
