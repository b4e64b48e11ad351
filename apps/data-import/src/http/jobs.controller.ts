import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { ImportJobExecution } from '@quire/contracts/data-import';
import { correctTotal, type Paging, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PagingOf, PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { JobExecutions } from '../db/job-executions.js';
import { failures, texts } from '../domain/failures.js';
import { jobOf } from '../domain/shapes.js';
import { jobFilterOf } from './job-filter.js';

const ID = { name: 'id', notFound: texts.jobNotFound };

/** Jobs: one, and the list that clients poll (data-import, 4 and 5.1). Reads only. */
@Controller()
export class JobsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
  ) {}

  @Get('change-manager/jobExecutions/:id')
  @Permissions(routes.readImportJob)
  @ApiOkResponse({ type: ImportJobExecution })
  async read(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<ImportJobExecution> {
    const job = await readTenant(this.source, scope, (tx) => this.jobs.view(tx, id));
    if (!job) throw failures.jobNotFound(id);
    return jobOf(job);
  }

  @Get('metadata-provider/jobExecutions')
  @Permissions(routes.listImportJobs)
  list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): FastifyReply {
    const filter = jobFilterOf(query);
    const found: { total?: number } = {};
    const { jobs } = this;
    async function* listed(tx: TenantRead): AsyncGenerator<ImportJobExecution> {
      // Page and count are of one moment.
      if (paging.totalRecords !== 'none') found.total = await jobs.count(tx, filter);
      if (paging.limit === 0) return;
      for await (const job of jobs.list(tx, filter, paging)) yield jobOf(job);
    }
    return streamCollection(reply, {
      key: 'jobExecutions',
      items: streamTenant(this.source, scope, listed),
      totalRecords: (rows) => correctTotal(rows, found.total, paging),
    });
  }
}
