import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { ImportJobExecution } from '@quire/contracts/data-import';
import { ImportDetails, ImportUndo, RetryRequest } from '@quire/contracts/import-work';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { located } from '@quire/service/answers';
import { PathId } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { texts } from '../domain/failures.js';
import { jobOf } from '../domain/shapes.js';
import type { FileFormat } from '../domain/upload-chunk.js';
import { FailedRecords } from '../usecases/failed-records.js';
import { JobDetails } from '../usecases/job-details.js';
import { Pauses } from '../usecases/pauses.js';
import { Retries } from '../usecases/retries.js';
import { Undos } from '../usecases/undos.js';

const ID = { name: 'id', notFound: texts.jobNotFound };

/** What may be asked of a job and done with it beyond FOLIO (data-import, 14). */
@Controller('data-import/jobExecutions/:id')
export class ImportWorkController {
  constructor(
    private readonly details: JobDetails,
    private readonly failed: FailedRecords,
    private readonly pauses: Pauses,
    private readonly retries: Retries,
    private readonly undos: Undos,
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

  /** Takes back what the job has saved (14, 6); how far that is, the details say. */
  @Post('undo')
  @HttpCode(202)
  @Permissions(routes.undoImport)
  @ApiAcceptedResponse({ type: ImportUndo })
  async undo(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportUndo> {
    const undo = await this.undos.undo(caller, id);
    located(reply, caller, `/data-import/jobExecutions/${id}/details`);
    return undo;
  }

  /** The failed records, each exactly as received, in the order of the file and in its form, whatever that is (14, 4). */
  @Get('failedRecords.mrc')
  @Permissions(routes.failedRecords)
  async failedRecords(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendFailed(reply, id, await this.failed.file(scope, id));
  }

  @Get('failedRecords.xml')
  @Permissions(routes.failedRecordsXml)
  async failedXml(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendFailed(reply, id, await this.failed.file(scope, id, 'MARC_XML'));
  }

  @Get('failedRecords.json')
  @Permissions(routes.failedRecordsJson)
  async failedJson(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendFailed(reply, id, await this.failed.file(scope, id, 'MARC_JSON'));
  }

  /** The same as a table for a spreadsheet. */
  @Get('failedRecords.csv')
  @Permissions(routes.failedRecordsTable)
  async failedTable(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lines = await this.failed.csv(scope, id);
    void reply
      .header('content-type', 'text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="failed-${id}.csv"`);
    await reply.send(Readable.from(lines, { objectMode: false }));
  }

  /** A new job over only the failed records (14, 5). */
  @Post('retry')
  @Permissions(routes.retryImport)
  @ApiCreatedResponse({ type: ImportJobExecution })
  async retry(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Body() { options = {} }: RetryRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportJobExecution> {
    const job = jobOf(await this.retries.retry(caller, id, options));
    located(reply, caller, `/change-manager/jobExecutions/${job.id}`);
    return job;
  }
}

const FORM: Readonly<Record<FileFormat, { readonly type: string; readonly extension: string }>> = {
  MARC_RAW: { type: 'application/marc', extension: 'mrc' },
  MARC_XML: { type: 'application/marcxml+xml', extension: 'xml' },
  MARC_JSON: { type: 'application/x-ndjson', extension: 'json' },
};

async function sendFailed(
  reply: FastifyReply,
  id: string,
  { format, bytes }: { readonly format: FileFormat; readonly bytes: AsyncIterable<Buffer> },
): Promise<void> {
  const { type, extension } = FORM[format];
  void reply
    .header('content-type', type)
    .header('content-disposition', `attachment; filename="failed-${id}.${extension}"`);
  await reply.send(Readable.from(bytes, { objectMode: false }));
}
