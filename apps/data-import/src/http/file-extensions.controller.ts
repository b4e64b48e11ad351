import { Body, Controller, Delete, Get, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { DATA_TYPES } from '@quire/contracts/data-import';
import {
  DataTypes,
  FileExtension,
  FileExtensions as FileExtensionList,
  SplitStatus,
} from '@quire/contracts/file-extensions';
import type { Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { answerList, ListQueries } from '@quire/service/listings';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import {
  FILE_EXTENSION_LISTING,
  FileExtensions as FileExtensionRows,
  type FileExtensionRow,
} from '../db/file-extensions.js';
import { ImportTenantSettings } from '../db/tenant-settings.js';
import { failures, texts } from '../domain/failures.js';
import { fileExtensionOf } from '../domain/shapes.js';
import { FileExtensions } from '../usecases/file-extensions.js';

const ID = { name: 'id', notFound: texts.extensionNotFound };

/** File extensions, data types, and whether clients send large files in parts (data-import, 3.3 and 3.5). */
@Controller('data-import')
export class FileExtensionsController {
  constructor(
    private readonly source: DataSource,
    private readonly rows: FileExtensionRows,
    private readonly extensions: FileExtensions,
    private readonly settings: ImportTenantSettings,
  ) {}

  @Get('fileExtensions')
  @Permissions(routes.listFileExtensions)
  @ListQueries(FILE_EXTENSION_LISTING)
  @ApiOkResponse({ type: FileExtensionList })
  list(@ScopeOf() scope: Scope, @QueryOf() query: Query, @Res() reply: FastifyReply): void {
    answerList<FileExtensionRow>(this.source, reply, {
      key: 'fileExtensions',
      listing: FILE_EXTENSION_LISTING,
      query,
      scope,
      write: fileExtensionOf,
    });
  }

  @Post('fileExtensions')
  @Permissions(routes.createFileExtension)
  @ApiCreatedResponse({ type: FileExtension })
  async create(
    @CallerOf() caller: Caller,
    @Body() sent: FileExtension,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FileExtension> {
    const row = await this.extensions.create(caller, sent);
    located(reply, caller, `/data-import/fileExtensions/${row.id}`);
    return fileExtensionOf(row);
  }

  @Get('fileExtensions/:id')
  @Permissions(routes.readFileExtension)
  @ApiOkResponse({ type: FileExtension })
  async read(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<FileExtension> {
    const row = await readTenant(this.source, scope, (tx) => this.rows.find(tx, id));
    if (!row) throw failures.extensionNotFound(id);
    return fileExtensionOf(row);
  }

  @Put('fileExtensions/:id')
  @Permissions(routes.updateFileExtension)
  @ApiOkResponse({ type: FileExtension })
  async update(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Body() sent: FileExtension,
  ): Promise<FileExtension> {
    return fileExtensionOf(await this.extensions.change(caller, id, sent));
  }

  @Delete('fileExtensions/:id')
  @HttpCode(204)
  @Permissions(routes.removeFileExtension)
  async remove(@CallerOf() caller: Caller, @PathId(ID) id: string): Promise<void> {
    await this.extensions.remove(caller, id);
  }

  @Post('fileExtensions/restore/default')
  @HttpCode(200)
  @Permissions(routes.restoreFileExtensions)
  @ApiOkResponse({ type: FileExtensionList })
  async restore(@CallerOf() caller: Caller): Promise<FileExtensionList> {
    const rows = await this.extensions.restoreDefaults(caller);
    return { fileExtensions: rows.map(fileExtensionOf), totalRecords: rows.length };
  }

  @Get('dataTypes')
  @Permissions(routes.listDataTypes)
  @ApiOkResponse({ type: DataTypes })
  dataTypes(): DataTypes {
    return { dataTypes: DATA_TYPES, totalRecords: DATA_TYPES.length };
  }

  @Get('splitStatus')
  @Permissions(routes.readSplitStatus)
  @ApiOkResponse({ type: SplitStatus })
  splitStatus(@ScopeOf() scope: Scope): Promise<SplitStatus> {
    return readTenant(this.source, scope, async (tx) => ({
      splitStatus: await this.settings.read(tx, 'LARGE_FILE_UPLOAD'),
    }));
  }
}
