import { Readable } from 'node:stream';
import { Controller, Get, Res } from '@nestjs/common';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { formatDate } from '@quire/contracts/dates';
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
import { readTenant, streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobErrors } from '../db/job-errors.js';
import { JobExecutions } from '../db/job-executions.js';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { failures, texts } from '../domain/failures.js';
import { jobOf, logEntryOf } from '../domain/shapes.js';
import { FailedRecords } from '../usecases/failed-records.js';

const ID = { name: 'id', notFound: texts.jobNotFound };
const JOB_ID = { name: 'jobExecutionId', notFound: texts.jobNotFound };

/** What is to be said of a job's records, above all of those that failed (data-import, 5.3 and 14). */
@Controller()
export class JobLogsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly errors: JobErrors,
    private readonly definitions: UploadDefinitions,
    private readonly failed: FailedRecords,
  ) {}

  @Get('metadata-provider/jobLogEntries/:jobExecutionId')
  @Permissions(routes.importLogEntries)
  logEntries(
    @ScopeOf() scope: Scope,
    @PathId(JOB_ID) id: string,
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

  @Get('data-import/jobExecutions/:id/details')
  @Permissions(routes.importDetails)
  async details(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<object> {
    return readTenant(this.source, scope, async (tx) => {
      const job = await this.jobs.view(tx, id);
      if (!job) throw failures.jobNotFound(id);
      const { created, updated, unchanged, failed, warned } = await this.chunks.sums(tx, id);
      const file = await this.definitions.fileOfJob(tx, id);
      const messages = await this.jobs.messages(tx, id);
      const total = jobOf(job).progress?.total ?? 0;
      return {
        ...(job.result === null ? {} : { result: job.result }),
        counts: { total, created, updated, unchanged, failed, warned },
        messages: messages.map(({ code, text, at }) => ({ code, text, date: formatDate(at) })),
        warnings: await this.chunks.warnings(tx, id),
        source: {
          ...(job.file_name === null ? {} : { fileName: job.file_name }),
          ...(file?.bytes == null ? {} : { bytes: Number(file.bytes) }),
          ...(file?.sha256 == null ? {} : { sha256: file.sha256.toString('hex') }),
        },
      };
    });
  }

  /** The failed records, each exactly as received, in the order of the file (data-import, 14, 4). */
  @Get('data-import/jobExecutions/:id/failedRecords.mrc')
  @Permissions(routes.failedRecords)
  async failedRecords(
    @ScopeOf() scope: Scope,
    @PathId(ID) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bytes = await this.failed.bytes(scope, id);
    void reply
      .header('content-type', 'application/marc')
      .header('content-disposition', `attachment; filename="failed-${id}.mrc"`);
    await reply.send(Readable.from(bytes, { objectMode: false }));
  }
}
