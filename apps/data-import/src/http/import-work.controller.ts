import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { ImportDetails } from '@quire/contracts/import-work';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { PathId } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { texts } from '../domain/failures.js';
import { FailedRecords } from '../usecases/failed-records.js';
import { JobDetails } from '../usecases/job-details.js';
import { Pauses } from '../usecases/pauses.js';

const ID = { name: 'id', notFound: texts.jobNotFound };

/** What may be asked of a job and done with it beyond FOLIO (data-import, 14). */
@Controller('data-import/jobExecutions/:id')
export class ImportWorkController {
  constructor(
    private readonly details: JobDetails,
    private readonly failed: FailedRecords,
    private readonly pauses: Pauses,
  ) {}

  @Get('details')
  @Permissions(routes.importDetails)
  @ApiOkResponse({ type: ImportDetails })
  readDetails(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<ImportDetails> {
    return this.details.read(scope, id);
  }

  @Post('pause')
  @HttpCode(204)
  @Permissions(routes.pauseImport)
  async pause(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<void> {
    await this.pauses.pause(scope, id);
  }

  @Post('resume')
  @HttpCode(204)
  @Permissions(routes.resumeImport)
  async resume(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<void> {
    await this.pauses.resume(scope, id);
  }

  /** The failed records, each exactly as received, in the order of the file (14, 4). */
  @Get('failedRecords.mrc')
  @Permissions(routes.failedRecords)
  async failedRecords(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bytes = await this.failed.bytes(scope, id);
    void reply
      .header('content-type', 'application/marc')
      .header('content-disposition', `attachment; filename="failed-${id}.mrc"`);
    await reply.send(Readable.from(bytes, { objectMode: false }));
  }
}
