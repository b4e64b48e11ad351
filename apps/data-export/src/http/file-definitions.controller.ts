import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { Readable } from 'node:stream';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { FileDefinition } from '@quire/contracts/data-export';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { readOnce } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { PathId } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { FileDefinitions, type FileDefinitionRecord } from '../db/file-definitions.js';
import { failures } from '../domain/failures.js';
import { metadataOf } from '../domain/job-answer.js';
import { NewFileDefinitions } from '../usecases/file-definitions.js';
import { Uploads } from '../usecases/uploads.js';

const ID = { name: 'id', notFound: (id: string) => failures.fileDefinitionNotFound(id).message };

@Controller('data-export/file-definitions')
export class FileDefinitionsController {
  constructor(
    private readonly source: DataSource,
    private readonly definitions: FileDefinitions,
    private readonly created: NewFileDefinitions,
    private readonly uploads: Uploads,
  ) {}

  @Post()
  @HttpCode(201)
  @Permissions(routes.createFileDefinition)
  async create(
    @CallerOf() caller: Caller,
    @Body() request: FileDefinition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const definition = await this.created.create(caller, request);
    located(reply, caller, `/data-export/file-definitions/${definition.id}`);
    return answer(definition);
  }

  @Get(':id')
  @Permissions(routes.readFileDefinition)
  async read(@CallerOf() caller: Caller, @PathId(ID) id: string): Promise<object> {
    const definition = await readOnce(this.source, caller, (tx) => this.definitions.find(tx, id));
    if (!definition) throw failures.fileDefinitionNotFound(id);
    return answer(definition);
  }

  @Post(':id/upload')
  @HttpCode(200)
  @Permissions(routes.uploadIds)
  async upload(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    // An upload of nothing comes without a body.
    const body = request.body instanceof Readable ? request.body : Readable.from([]);
    return answer(await this.uploads.upload(caller, id, body as AsyncIterable<Buffer>));
  }
}

function answer(definition: FileDefinitionRecord): object {
  const { id, fileName, sizeKilobytes: size, uploadFormat, idType, status } = definition;
  const { jobId: jobExecutionId, sourcePath } = definition;
  return {
    id,
    fileName,
    jobExecutionId,
    ...(sourcePath === undefined ? {} : { sourcePath }),
    ...(size === undefined ? {} : { size }),
    uploadFormat,
    ...(idType === undefined ? {} : { idType }),
    status,
    metadata: metadataOf(definition.stamps),
  };
}
