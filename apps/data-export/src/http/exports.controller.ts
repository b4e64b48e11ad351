import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { QuickExport, QuickExportStarted, StartExport } from '@quire/contracts/data-export';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import type { FastifyReply } from 'fastify';
import { Exports } from '../usecases/exports.js';
import { QuickExports } from '../usecases/quick-exports.js';

@Controller('data-export')
export class ExportsController {
  constructor(
    private readonly exports: Exports,
    private readonly quickExports: QuickExports,
  ) {}

  @Post('export')
  @HttpCode(204)
  @Permissions(routes.startExport)
  async start(
    @CallerOf() caller: Caller,
    @Body() request: StartExport,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    void reply.header('x-job-execution-id', await this.exports.start(caller, request));
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
}
