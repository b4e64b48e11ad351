import { Controller, Get, Req, Res } from '@nestjs/common';
import { Public } from '@quire/auth/permissions';
import { single, type Query } from '@quire/contracts/paging';
import { LINK_TOKEN } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import { sendFile } from '@quire/service/files';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { failures } from '../domain/failures.js';
import { Downloads } from '../usecases/downloads.js';

/** The bytes of an output, for whoever holds a link (`data-export.md`, 7.4). GET and HEAD, whole or one range. */
@Controller('data-export/files')
export class FilesController {
  constructor(private readonly downloads: Downloads) {}

  @Get(':fileId')
  @Public(routes.exportedFile)
  @Queries(LINK_TOKEN)
  async read(
    @PathId({ name: 'fileId', notFound: (id) => failures.exportFileNotFound(id).message })
    fileId: string,
    @QueryOf() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const file = await this.downloads.follow(single(query, 't') ?? '', fileId);
    await sendFile(request, reply, file);
  }
}
