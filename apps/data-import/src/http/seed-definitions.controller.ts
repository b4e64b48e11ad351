import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  SeedFileDefinition,
  SeedUploadDefinition,
  SeedUploadDefinitions,
} from '@quire/contracts/data-import';
import { invalid, violation } from '@quire/contracts/failure';
import { isAnyUuid } from '@quire/contracts/ids';
import { checkLang, parsePage, required, type Query } from '@quire/contracts/paging';
import { aText, LANG, pageParameters } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { answerCompletedList } from '@quire/service/listings';
import { cqlOf, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import {
  definitionListing,
  UploadDefinitions,
  type DefinitionRow,
} from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { seedDefinitionOf } from '../domain/shapes.js';
import { FileUploads } from '../usecases/file-uploads.js';
import { UploadDrafts } from '../usecases/upload-definitions.js';
import { AUTOSTART, autostartOf } from './autostart.js';
import { incomingOf } from './incoming.js';

const BASE = '/data-import/upload/definition';
const NOT_FOUND = { definition: failures.definitionOfFileNotFound, file: failures.fileNotFound };
const DEFINITION_ID = aText('uploadDefinitionId', { required: true });
const FILE_ID = aText('fileId', { required: true });
const LISTING = definitionListing('definition');

/** The seed family (data-import, 3.1): ids are plain strings here, one that names nothing is simply unknown. */
@Controller('data-import/upload')
export class SeedDefinitionsController {
  constructor(
    private readonly source: DataSource,
    private readonly drafts: UploadDrafts,
    private readonly uploads: FileUploads,
    private readonly definitions: UploadDefinitions,
  ) {}

  @Post('definition')
  @Permissions(routes.createSeedDefinition)
  @Queries(LANG, AUTOSTART)
  @ApiCreatedResponse({ type: SeedUploadDefinition })
  async create(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Body() sent: SeedUploadDefinition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SeedUploadDefinition> {
    checkLang(query);
    const made = await this.drafts.create(caller, sent.fileDefinitions ?? [], autostartOf(query));
    located(reply, caller, `${BASE}/${made.row.id}`);
    return seedDefinitionOf(made);
  }

  @Get('definition')
  @Permissions(routes.listSeedDefinitions)
  @Queries(cqlOf(LISTING.entity), ...pageParameters(), LANG)
  @ApiOkResponse({ type: SeedUploadDefinitions })
  list(@ScopeOf() scope: Scope, @QueryOf() query: Query, @Res() reply: FastifyReply): void {
    checkLang(query);
    answerCompletedList<DefinitionRow>(this.source, reply, {
      key: 'uploadDefinitions',
      listing: LISTING,
      query,
      scope,
      // The seed knows no totalRecords parameter: the count is always there.
      paging: { ...parsePage(query), totalRecords: 'exact' },
      write: async (tx, rows) =>
        (await this.definitions.withFiles(tx, rows)).map((one) => seedDefinitionOf(one)),
    });
  }

  @Get('definition/:definitionId')
  @Permissions(routes.readSeedDefinition)
  @ApiOkResponse({ type: SeedUploadDefinition })
  async read(
    @ScopeOf() scope: Scope,
    @Param('definitionId') id: string,
  ): Promise<SeedUploadDefinition> {
    const found = await readTenant(this.source, scope, async (tx) => {
      const row = isAnyUuid(id) ? await this.definitions.find(tx, id) : undefined;
      return row ? { row, files: await this.definitions.filesOf(tx, [row.id]) } : undefined;
    });
    if (!found) throw failures.definitionNotFound(id);
    return seedDefinitionOf(found);
  }

  @Put('definition/:definitionId')
  @Permissions(routes.updateSeedDefinition)
  @ApiOkResponse({ type: SeedUploadDefinition })
  async update(
    @CallerOf() caller: Caller,
    @Param('definitionId') id: string,
    @Body() sent: SeedUploadDefinition,
  ): Promise<SeedUploadDefinition> {
    if (!isAnyUuid(id)) throw failures.definitionToChangeNotFound(id);
    const { status, fileDefinitions } = sent;
    const change = {
      ...(status ? { status } : {}),
      ...(fileDefinitions ? { files: fileDefinitions } : {}),
    };
    return seedDefinitionOf(
      await this.drafts.update(caller, id, change, failures.definitionToChangeNotFound),
    );
  }

  @Post('definition/file')
  @Permissions(routes.addSeedFile)
  @ApiCreatedResponse({ type: SeedUploadDefinition })
  async addFile(
    @CallerOf() caller: Caller,
    @Body() file: SeedFileDefinition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SeedUploadDefinition> {
    const id = file.uploadDefinitionId;
    if (id === undefined) throw invalid(violation('may not be null', 'uploadDefinitionId', null));
    if (!isAnyUuid(id)) throw failures.definitionToChangeNotFound(id);
    const changed = await this.drafts.addTo(caller, id, file, failures.definitionToChangeNotFound);
    located(reply, caller, `${BASE}/${changed.row.id}`);
    return seedDefinitionOf(changed);
  }

  @Delete('definition/file/:fileId')
  @HttpCode(204)
  @Permissions(routes.removeSeedFile)
  @Queries(DEFINITION_ID)
  async removeFile(
    @CallerOf() caller: Caller,
    @Param('fileId') fileId: string,
    @QueryOf() query: Query,
  ): Promise<void> {
    const id = required(query, 'uploadDefinitionId');
    if (!isAnyUuid(id)) throw failures.definitionOfFileNotFound(id);
    await this.drafts.remove(caller, id, fileId.toLowerCase(), NOT_FOUND);
  }

  @Post('file')
  @HttpCode(200)
  @Permissions(routes.uploadSeedFile)
  @Queries(DEFINITION_ID, FILE_ID)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOkResponse({ type: SeedUploadDefinition })
  async upload(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Req() request: FastifyRequest,
  ): Promise<SeedUploadDefinition> {
    const incoming = incomingOf(request);
    const definitionId = required(query, 'uploadDefinitionId');
    const fileId = required(query, 'fileId');
    const place = { definitionId: asStored(definitionId), fileId: asStored(fileId) };
    return seedDefinitionOf(await this.uploads.take(caller, place, incoming));
  }
}

/** An id that is no UUID stays as it is: it names nothing, and the answer repeats it. */
const asStored = (id: string): string => (isAnyUuid(id) ? id.toLowerCase() : id);
