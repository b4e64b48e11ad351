import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  DeleteJobExecutions,
  DeleteJobExecutionsAnswer,
  ImportJob,
  ImportJobUpdate,
  InitJobExecutions,
  InitJobExecutionsAnswer,
  StatusChange,
} from '@quire/contracts/change-manager';
import { JobProfileInfo } from '@quire/contracts/data-import';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { PathId } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { JobExecutions } from '../db/job-executions.js';
import { failures, texts } from '../domain/failures.js';
import { parseJobOptions } from '../domain/job-options.js';
import { wholeJobOf } from '../domain/shapes.js';
import { JobChanges } from '../usecases/job-changes.js';
import { JobDrafts } from '../usecases/job-drafts.js';

const ID = { name: 'id', notFound: texts.jobNotFound };

/** Jobs, one at a time: made, read, changed, stopped, their logs deleted (data-import, section 4). */
@Controller('change-manager/jobExecutions')
export class JobsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly drafts: JobDrafts,
    private readonly changes: JobChanges,
  ) {}

  @Post()
  @Permissions(routes.createImportJobs)
  @ApiCreatedResponse({ type: InitJobExecutionsAnswer })
  async create(
    @CallerOf() caller: Caller,
    @Body() sent: InitJobExecutions,
    @Headers('x-quire-import-options') options: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<InitJobExecutionsAnswer> {
    const asked = parseJobOptions(options);
    const { parentId, jobs } = await this.drafts.create(caller, sent, asked);
    located(reply, caller, `/change-manager/jobExecutions/${parentId}`);
    return { parentJobExecutionId: parentId, jobExecutions: jobs.map(wholeJobOf) };
  }

  @Delete()
  @Permissions(routes.deleteImportJobs)
  @ApiOkResponse({ type: DeleteJobExecutionsAnswer })
  async remove(
    @ScopeOf() scope: Scope,
    @Body() { ids = [] }: DeleteJobExecutions,
  ): Promise<DeleteJobExecutionsAnswer> {
    return { jobExecutionDetails: await this.changes.remove(scope, ids) };
  }

  @Get(':id')
  @Permissions(routes.readImportJob)
  @ApiOkResponse({ type: ImportJob })
  async read(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<ImportJob> {
    const job = await readTenant(this.source, scope, (tx) => this.jobs.view(tx, id));
    if (!job) throw failures.jobNotFound(id);
    return wholeJobOf(job);
  }

  @Put(':id')
  @Permissions(routes.updateImportJob)
  @ApiOkResponse({ type: ImportJob })
  async update(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Body() sent: ImportJobUpdate,
  ): Promise<ImportJob> {
    return wholeJobOf(await this.changes.update(scope, id, sent));
  }

  @Put(':id/status')
  @Permissions(routes.setImportJobStatus)
  @ApiOkResponse({ type: ImportJob })
  async setStatus(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Body() sent: StatusChange,
  ): Promise<ImportJob> {
    return wholeJobOf(await this.changes.status(scope, id, sent));
  }

  @Put(':id/jobProfile')
  @Permissions(routes.setImportJobProfile)
  @ApiOkResponse({ type: ImportJob })
  async setProfile(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Body() profile: JobProfileInfo,
  ): Promise<ImportJob> {
    return wholeJobOf(await this.changes.profile(scope, id, profile.id));
  }

  @Delete(':id/records')
  @HttpCode(204)
  @Permissions(routes.cancelImportJob)
  async cancel(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<void> {
    await this.changes.cancel(scope, id);
  }
}
