import { Controller, Get, Res } from '@nestjs/common';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  badParameter,
  booleanParameter,
  correctTotal,
  enumParameter,
  parsePaging,
  single,
  type Query,
} from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { JobErrors } from '../db/job-errors.js';
import { JobExecutions } from '../db/job-executions.js';
import { texts } from '../domain/failures.js';
import { logEntryOf } from '../domain/shapes.js';

/** What is to be said of a job's records, above all of those that failed (data-import, 5.3). */
@Controller()
export class JobLogsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly errors: JobErrors,
  ) {}

  @Get('metadata-provider/jobLogEntries/:jobExecutionId')
  @Permissions(routes.importLogEntries)
  logEntries(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'jobExecutionId', notFound: texts.jobNotFound }) id: string,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): FastifyReply {
    if (!booleanParameter(query, 'errorsOnly', false)) {
      const sent = single(query, 'errorsOnly') ?? null;
      const reason = 'must be true: entries of saved records are not offered yet';
      throw badParameter('errorsOnly', sent, reason);
    }
    const paging = parsePaging(query);
    const descending = enumParameter(query, 'order', ['asc', 'desc']) === 'desc';
    const found: { total?: number } = {};
    const { jobs, errors } = this;
    async function* listed(tx: TenantRead): AsyncGenerator<object> {
      const job = await jobs.view(tx, id);
      if (paging.totalRecords !== 'none') found.total = await errors.count(tx, id);
      if (!job || paging.limit === 0) return;
      for await (const row of errors.list(tx, id, { ...paging, descending }))
        yield logEntryOf(row, { id, profileName: job.profile_name ?? '', tenantId: tx.tenantId });
    }
    return streamCollection(reply, {
      key: 'entries',
      items: streamTenant(this.source, scope, listed),
      totalRecords: (rows) => correctTotal(rows, found.total, paging),
    });
  }
}
