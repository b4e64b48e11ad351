import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import {
  ExportAll,
  ExportDeletedAuthorities,
  ExportDeletedRecords,
  QuickExport,
  QuickExportStarted,
  StartExport,
  type ExportStarted,
} from '@quire/contracts/data-export';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { located } from '@quire/service/answers';
import { OptionalBody } from '@quire/service/contract.pipe';
import type { FastifyReply } from 'fastify';
import { QuickExports } from '../usecases/quick-exports.js';
import { UploadExports } from '../usecases/upload-exports.js';
import { WholeExports } from '../usecases/whole-exports.js';

@Controller('data-export')
export class ExportsController {
  constructor(
    private readonly uploadExports: UploadExports,
    private readonly quickExports: QuickExports,
    private readonly wholeExports: WholeExports,
  ) {}

  @Post('export')
  @HttpCode(204)
  @Permissions(routes.startExport)
  async start(
    @CallerOf() caller: Caller,
    @Body() request: StartExport,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    void reply.header('x-job-execution-id', await this.uploadExports.start(caller, request));
  }

  @Post('quick-export')
  @HttpCode(200)
  @Permissions(routes.quickExport)
  quickExport(
    @CallerOf() caller: Caller,
    @Body() request: QuickExport,
  ): Promise<QuickExportStarted> {
    return this.quickExports.start(caller, request);
  }

  /** 204 has no body: where the job is, the headers say. */
  @Post('export-all')
  @HttpCode(204)
  @Permissions(routes.exportAll)
  async exportAll(
    @CallerOf() caller: Caller,
    @Body() request: ExportAll,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const id = await this.wholeExports.all(caller, request);
    located(reply, caller, `/data-export/job-executions/${id}`);
    void reply.header('x-job-execution-id', id);
  }

  @Post('export-deleted')
  @HttpCode(200)
  @Permissions(routes.exportDeleted)
  async exportDeleted(
    @CallerOf() caller: Caller,
    @OptionalBody() request?: ExportDeletedRecords,
  ): Promise<ExportStarted> {
    return { jobExecutionId: await this.wholeExports.deleted(caller, request ?? {}) };
  }

  @Post('export-authority-deleted')
  @HttpCode(200)
  @Permissions(routes.exportDeletedAuthorities)
  async exportDeletedAuthorities(
    @CallerOf() caller: Caller,
    @OptionalBody() request?: ExportDeletedAuthorities,
  ): Promise<ExportStarted> {
    return { jobExecutionId: await this.wholeExports.deletedAuthorities(caller, request ?? {}) };
  }
}
