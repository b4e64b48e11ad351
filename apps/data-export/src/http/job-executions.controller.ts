import { Controller, Get, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import type { DownloadLink } from '@quire/contracts/data-export';
import type { Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { readOnce } from '@quire/postgres/tenant';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { JobExecutions, jobListing, jobOf, type JobRow } from '../db/job-executions.js';
import { failures } from '../domain/failures.js';
import { jobAnswer } from '../domain/job-answer.js';
import { Downloads } from '../usecases/downloads.js';
import { answerDialect } from './dialects.js';
import { answerList, ListQueries } from '@quire/service/listings';

@Controller('data-export/job-executions')
export class JobExecutionsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly downloads: Downloads,
  ) {}

  @Get()
  @Permissions(routes.listExportJobs)
  @ListQueries(jobListing('default'))
  async list(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const dialect = await answerDialect(this.source, caller, reply);
    answerList<JobRow>(this.source, reply, {
      key: 'jobExecutions',
      listing: jobListing(dialect),
      query,
      scope: caller,
      write: (row) => jobAnswer(jobOf(row), dialect),
    });
  }

  @Get(':id')
  @Permissions(routes.readExportJob)
  async read(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: () => failures.jobExecutionNotFound().message }) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const dialect = await answerDialect(this.source, caller, reply);
    const job = await readOnce(this.source, caller, (tx) => this.jobs.find(tx, id));
    if (!job) throw failures.jobExecutionNotFound();
    return jobAnswer(job, dialect);
  }

  @Get(':jobExecutionId/download/:exportFileId')
  @Permissions(routes.downloadExport)
  download(
    @CallerOf() caller: Caller,
    @PathId({ name: 'jobExecutionId', notFound: (id) => failures.downloadJobNotFound(id).message })
    jobId: string,
    @PathId({ name: 'exportFileId', notFound: (id) => failures.exportFileNotFound(id).message })
    fileId: string,
  ): Promise<DownloadLink> {
    return this.downloads.issue(caller, jobId, fileId);
  }
}
