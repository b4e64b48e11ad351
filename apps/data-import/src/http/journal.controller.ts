import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { IncomingRecord, JournalRecords } from '@quire/contracts/job-logs';
import { INTEGER_MAX, parsePaging, type Query } from '@quire/contracts/paging';
import { pagingParameters } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { failures, texts } from '../domain/failures.js';
import { IncomingRecords } from '../usecases/incoming-records.js';
import { JobLog } from '../usecases/job-log.js';
import { Journal } from '../usecases/journal.js';
import { streamLog } from './listings.js';
import { JOURNAL_VIEW_PARAMETERS, journalViewOf } from './log-views.js';

/** What was done with each record, and the records themselves as they came in (data-import, 5.4). */
@Controller('metadata-provider')
export class JournalController {
  constructor(
    private readonly log: JobLog,
    private readonly journal: Journal,
    private readonly incoming: IncomingRecords,
  ) {}

  @Get('journalRecords/:jobExecutionId')
  @Permissions(routes.importJournal)
  @Queries(...JOURNAL_VIEW_PARAMETERS, ...pagingParameters(INTEGER_MAX))
  @ApiOkResponse({ type: JournalRecords })
  journalRecords(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'jobExecutionId', notFound: texts.jobNotFound }) id: string,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): FastifyReply {
    const view = journalViewOf(query);
    const paging = parsePaging(query, INTEGER_MAX);
    return streamLog(reply, 'journalRecords', paging, async () => {
      const job = await this.log.job(scope, id);
      if (!job) throw failures.jobNotFound(id);
      const { total, rows } = await this.journal.open(scope, job, view, paging);
      return { total, items: rows, show: (row) => row };
    });
  }

  @Get('incomingRecords/:recordId')
  @Permissions(routes.incomingRecord)
  @ApiOkResponse({ type: IncomingRecord })
  async incomingRecord(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'recordId', notFound: texts.incomingNotFound }) id: string,
  ): Promise<IncomingRecord> {
    const record = await this.incoming.find(scope, id);
    if (!record) throw failures.incomingNotFound(id);
    return record;
  }
}
