import { Readable } from 'node:stream';
import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { ExportAccounting, ExportManifest } from '@quire/contracts/export-reports';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { PathId } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { failures } from '../domain/failures.js';
import { Reports } from '../usecases/job-reports.js';

const JOB = { name: 'id', notFound: () => failures.jobExecutionNotFound().message } as const;

/** Reports of one job (`data-export.md`, 2.3, 26 to 28). */
@Controller('data-export/job-executions/:id')
export class JobReportsController {
  constructor(private readonly reports: Reports) {}

  @Get('accounting')
  @Permissions(routes.exportAccounting)
  @ApiOkResponse({ type: ExportAccounting })
  accounting(@ScopeOf() scope: Scope, @PathId(JOB) id: string): Promise<ExportAccounting> {
    return this.reports.accounting(scope, id);
  }

  @Get('manifest')
  @Permissions(routes.exportManifest)
  @ApiOkResponse({ type: ExportManifest })
  manifest(@ScopeOf() scope: Scope, @PathId(JOB) id: string): Promise<ExportManifest> {
    return this.reports.manifest(scope, id);
  }

  @Get('errors.csv')
  @Permissions(routes.exportErrorReport)
  async errors(
    @ScopeOf() scope: Scope,
    @PathId(JOB) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const report = await this.reports.errorReport(scope, id);
    void reply.header('content-type', 'text/csv; charset=utf-8');
    await reply.send(Readable.from(report, { objectMode: false }));
  }
}
