import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, Public } from '@quire/auth/permissions';
import { OriginalLink } from '@quire/contracts/data-import';
import { single, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { sendFile } from '@quire/service/files';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { failures } from '../domain/failures.js';
import { Originals } from '../usecases/originals.js';

const JOB_ID = { name: 'jobExecutionId', notFound: () => failures.fileGone().message };

/** The file that a job read, as it came (data-import, 3.4). */
@Controller('data-import')
export class OriginalsController {
  constructor(private readonly originals: Originals) {}

  @Get('jobExecutions/:jobExecutionId/downloadUrl')
  @Permissions(routes.originalLink)
  @ApiOkResponse({ type: OriginalLink })
  async link(@CallerOf() caller: Caller, @PathId(JOB_ID) jobId: string): Promise<OriginalLink> {
    return { url: await this.originals.issue(caller, jobId) };
  }

  @Get('links/originals/:jobExecutionId')
  @Public(routes.original)
  async read(
    @PathId(JOB_ID) jobId: string,
    @QueryOf() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const file = await this.originals.follow(single(query, 't') ?? '', jobId);
    await sendFile(request, reply, file);
  }
}
