import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  ImportJobExecutions,
  JobProfileInfos,
  JobUsersInfo,
} from '@quire/contracts/change-manager';
import { correctTotal, INTEGER_MAX, type Paging, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PagingOf, PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { JobExecutions, type JobView } from '../db/job-executions.js';
import { JobListings } from '../db/job-listings.js';
import { failures, texts } from '../domain/failures.js';
import { jobOf } from '../domain/shapes.js';
import { JOB_FILTER_PARAMETERS, jobFilterOf } from './job-filter.js';

const ID = { name: 'id', notFound: texts.jobNotFound };

/** Jobs, many at a time: the list that clients poll, children, profiles and users of ended jobs (data-import, 4.6 and 5). */
@Controller()
export class JobListsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly listings: JobListings,
  ) {}

  @Get('metadata-provider/jobExecutions')
  @Permissions(routes.listImportJobs)
  @Queries(...JOB_FILTER_PARAMETERS)
  @ApiOkResponse({ type: ImportJobExecutions })
  list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): FastifyReply {
    const filter = jobFilterOf(query);
    return this.stream(scope, paging, reply, {
      count: (tx) => this.listings.count(tx, filter),
      list: (tx) => this.listings.list(tx, filter, paging),
    });
  }

  @Get('change-manager/jobExecutions/:id/children')
  @Permissions(routes.importJobChildren)
  @ApiOkResponse({ type: ImportJobExecutions })
  children(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): FastifyReply {
    return this.stream(scope, paging, reply, {
      count: async (tx) => {
        if (!(await this.jobs.view(tx, id))) throw failures.jobNotFound(id);
        return this.listings.countChildren(tx, id);
      },
      list: (tx) => this.listings.children(tx, id, paging),
    });
  }

  @Get('metadata-provider/jobExecutions/jobProfiles')
  @Permissions(routes.importJobsProfiles)
  @ApiOkResponse({ type: JobProfileInfos })
  profiles(@ScopeOf() scope: Scope, @PagingOf() paging: Paging): Promise<JobProfileInfos> {
    return readTenant(this.source, scope, async (tx) => {
      const total = await this.listings.countProfiles(tx);
      const found = await this.listings.profiles(tx, paging);
      const jobProfilesInfo = found.map(
        ({ id, name }) => ({ id, name, dataType: 'MARC', hidden: false }) as const,
      );
      return { jobProfilesInfo, ...totalOf(total, paging) };
    });
  }

  @Get('metadata-provider/jobExecutions/users')
  @Permissions(routes.importJobsUsers)
  @ApiOkResponse({ type: JobUsersInfo })
  users(@ScopeOf() scope: Scope, @PagingOf() paging: Paging): Promise<JobUsersInfo> {
    return readTenant(this.source, scope, async (tx) => {
      const total = await this.listings.countUsers(tx);
      const found = await this.listings.users(tx, paging);
      const jobExecutionUsersInfo = found.map((user) => ({
        userId: user.id,
        jobUserFirstName: user.first_name,
        jobUserLastName: user.last_name,
      }));
      return { jobExecutionUsersInfo, ...totalOf(total, paging) };
    });
  }

  /** Page and count are of one moment. */
  private stream(
    scope: Scope,
    paging: Paging,
    reply: FastifyReply,
    { count, list }: Listing,
  ): FastifyReply {
    const found: { total?: number } = {};
    async function* listed(tx: TenantRead): AsyncGenerator<object> {
      found.total = await count(tx);
      if (paging.limit === 0) return;
      for await (const job of list(tx)) yield jobOf(job);
    }
    return streamCollection(reply, {
      key: 'jobExecutions',
      items: streamTenant(this.source, scope, listed),
      totalRecords: (rows) =>
        paging.totalRecords === 'none' ? undefined : correctTotal(rows, found.total, paging),
    });
  }
}

interface Listing {
  /** Also refuses what there is no list of. */
  readonly count: (tx: TenantRead) => Promise<number>;
  readonly list: (tx: TenantRead) => AsyncIterable<JobView>;
}

const totalOf = (total: number, paging: Paging): { totalRecords?: number } =>
  paging.totalRecords === 'none' ? {} : { totalRecords: total };
