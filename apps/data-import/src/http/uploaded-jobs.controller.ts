import { Controller, Delete, Get, Req, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, permissionMissing, Permissions, Public } from '@quire/auth/permissions';
import { Cancelled, OriginalLink } from '@quire/contracts/data-import';
import { UNDO_PERMISSION } from '@quire/contracts/data-import-routes';
import { booleanParameter, single, type Query } from '@quire/contracts/paging';
import { aFlag, LINK_TOKEN } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { sendFile } from '@quire/service/files';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { failures, texts } from '../domain/failures.js';
import { JobChanges } from '../usecases/job-changes.js';
import { Originals } from '../usecases/originals.js';
import { Undos } from '../usecases/undos.js';

const JOB_ID = { name: 'jobExecutionId', notFound: () => failures.fileGone().message };
const CANCELLED_ID = { name: 'jobExecutionId', notFound: texts.jobNotFound };

const UNDO = aFlag('undo', {
  default: false,
  description: `Takes back what is saved; requires ${UNDO_PERMISSION} too.`,
});

/** What the current family has for jobs: cancel, and the file that a job read as it came (data-import, 3.4). */
@Controller('data-import')
export class UploadedJobsController {
  constructor(
    private readonly originals: Originals,
    private readonly changes: JobChanges,
    private readonly undos: Undos,
  ) {}

  @Delete('jobExecutions/:jobExecutionId/cancel')
  @Permissions(routes.cancelImport)
  @Queries(UNDO)
  @ApiOkResponse({ type: Cancelled })
  async cancel(
    @CallerOf() caller: Caller,
    @PathId(CANCELLED_ID) jobId: string,
    @QueryOf() query: Query,
  ): Promise<Cancelled> {
    const undo = booleanParameter(query, 'undo', false);
    if (undo && !caller.permissions.includes(UNDO_PERMISSION))
      throw permissionMissing(caller, UNDO_PERMISSION);
    await this.changes.cancel(caller, jobId);
    if (undo) await this.undos.undo(caller, jobId);
    return { ok: true };
  }

  @Get('jobExecutions/:jobExecutionId/downloadUrl')
  @Permissions(routes.originalLink)
  @ApiOkResponse({ type: OriginalLink })
  async link(@CallerOf() caller: Caller, @PathId(JOB_ID) jobId: string): Promise<OriginalLink> {
    return { url: await this.originals.issue(caller, jobId) };
  }

  @Get('links/originals/:jobExecutionId')
  @Public(routes.original)
  @Queries(LINK_TOKEN)
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
