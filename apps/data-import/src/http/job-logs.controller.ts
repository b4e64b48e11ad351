import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { JobLogEntries, JobLogEntry, JobSummary } from '@quire/contracts/job-logs';
import { parsePaging, type Query } from '@quire/contracts/paging';
import { pagingParameters } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions } from '../db/job-executions.js';
import { failures, texts } from '../domain/failures.js';
import { isEnded } from '../domain/job-execution.js';
import { logEntryOf } from '../domain/logged-record.js';
import { JobLog } from '../usecases/job-log.js';
import { LOG_VIEW_PARAMETERS, logViewOf } from './log-views.js';
import { streamLog } from './listings.js';

/** How a job went and what became of each of its records (data-import, 5.2 and 5.3). */
@Controller('metadata-provider')
export class JobLogsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly log: JobLog,
  ) {}

  @Get('jobSummary/:jobExecutionId')
  @Permissions(routes.importSummary)
  @ApiOkResponse({ type: JobSummary })
  summary(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'jobExecutionId', notFound: texts.summaryNotFound }) id: string,
  ): Promise<JobSummary> {
    return readTenant(this.source, scope, async (tx) => {
      const job = await this.jobs.view(tx, id);
      const { created, updated, unchanged, failed } = await this.chunks.sums(tx, id);
      const handled = created + updated + unchanged + failed;
      if (!job || (handled === 0 && !isEnded(job.status))) throw failures.summaryNotFound(id);
      return {
        jobExecutionId: id,
        totalErrors: failed,
        sourceRecordSummary: {
          totalCreatedEntities: created,
          totalUpdatedEntities: updated,
          totalDiscardedEntities: unchanged + failed,
          totalErrors: failed,
        },
      };
    });
  }

  @Get('jobLogEntries/:jobExecutionId')
  @Permissions(routes.importLogEntries)
  @Queries(...LOG_VIEW_PARAMETERS, ...pagingParameters())
  @ApiOkResponse({ type: JobLogEntries })
  entries(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'jobExecutionId', notFound: texts.jobNotFound }) id: string,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): FastifyReply {
    const view = logViewOf(query);
    const paging = parsePaging(query);
    return streamLog(reply, 'entries', paging, async () => {
      const job = await this.log.job(scope, id);
      if (!job || !view) return undefined;
      const page = { skip: paging.offset, limit: paging.limit };
      const { total, records } = await this.log.open(scope, job, view, page);
      return { total, items: records, show: (record) => logEntryOf(record, job) };
    });
  }

  @Get('jobLogEntries/:jobExecutionId/records/:recordId')
  @Permissions(routes.importLogEntry)
  @ApiOkResponse({ type: JobLogEntry })
  async entry(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'jobExecutionId', notFound: texts.entryNotFound }) id: string,
    @PathId({ name: 'recordId', notFound: texts.entryNotFound }) recordId: string,
  ): Promise<JobLogEntry> {
    const job = await this.log.job(scope, id);
    const record = job && (await this.log.find(scope, job, recordId));
    if (!record) throw failures.entryNotFound();
    return logEntryOf(record, job);
  }
}
