import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { ImportJobExecution, UI_STATUSES } from '@quire/contracts/data-import';
import { formatDate } from '@quire/contracts/dates';

import {
  badParameter,
  booleanParameter,
  correctTotal,
  single,
  type Paging,
  type Query,
} from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { JOB_STATUSES, type JobStatus } from '@quire/contracts/source-records';
import { readTenant, streamTenant } from '@quire/postgres/tenant';
import { PagingOf, PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions, type JobFilter } from '../db/job-executions.js';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { errorText } from '../domain/error-text.js';
import { failures, texts } from '../domain/failures.js';
import { uiStatusOf } from '../domain/job-execution.js';
import { JOB_PROFILES } from '../domain/job-profiles.js';
import { jobOf } from '../domain/shapes.js';
import { ImportFiles } from '../files/import-files.js';

const ID = { name: 'id', notFound: texts.jobNotFound };
const JOB_ID = { name: 'jobExecutionId', notFound: texts.jobNotFound };

/** Jobs: one, the list, what is to be said of their records (data-import, 4, 5 and 14). Reads only. */
@Controller()
export class JobsController {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly definitions: UploadDefinitions,
    private readonly files: ImportFiles,
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
  ): Promise<object> {
    const filter = filterOf(query);
    return readTenant(this.source, scope, async (tx) => {
      const rows = paging.limit === 0 ? [] : await this.jobs.list(tx, filter, paging);
      const total = paging.totalRecords === 'none' ? undefined : await this.jobs.count(tx, filter);
      return {
        jobExecutions: rows.map(jobOf),
        totalRecords: correctTotal(rows.length, total, paging),
      };
    });
  }

  @Get('metadata-provider/jobLogEntries/:jobExecutionId')
  @Permissions(routes.importLogEntries)
  logEntries(
    @ScopeOf() scope: Scope,
    @PathId(JOB_ID) id: string,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
  ): Promise<object> {
    if (!booleanParameter(query, 'errorsOnly', false)) {
      throw badParameter(
        'errorsOnly',
        single(query, 'errorsOnly') ?? null,
        'must be true: entries of saved records are not offered yet',
      );
    }
    return readTenant(this.source, scope, async (tx) => {
      const job = await this.jobs.view(tx, id);
      const rows = job && paging.limit > 0 ? await this.chunks.errors(tx, id, paging) : [];
      const entries = rows.map((row) => ({
        jobExecutionId: id,
        incomingRecordId: row.record_id,
        sourceRecordOrder: row.record_order,
        sourceRecordTitle: row.title ?? 'No content',
        sourceRecordActionStatus: 'DISCARDED',
        ...(row.record_type === null ? {} : { sourceRecordType: LOG_TYPE[row.record_type] }),
        error: errorText({
          jobId: id,
          order: Number(row.record_order),
          at: Number(row.byte_offset),
          code: row.code,
          field: row.field ?? undefined,
          detail: row.detail ?? undefined,
          type: row.record_type ?? undefined,
          profileName: job?.profile_name ?? '',
        }),
        sourceRecordTenantId: tx.tenantId,
        ...NOTHING_RELATED,
      }));
      const total =
        paging.totalRecords === 'none' ? undefined : await this.chunks.countErrors(tx, id);
      return { entries, totalRecords: correctTotal(entries.length, total, paging) };
    });
  }

  @Get('data-import/jobExecutions/:id/details')
  @Permissions(routes.importDetails)
  async details(@ScopeOf() scope: Scope, @PathId(ID) id: string): Promise<object> {
    return readTenant(this.source, scope, async (tx) => {
      const job = await this.jobs.view(tx, id);
      if (!job) throw failures.jobNotFound(id);
      const { open: _, ...counts } = await this.chunks.sums(tx, id);
      const file = await this.definitions.fileOfJob(tx, id);
      const messages = await this.jobs.messages(tx, id);
      return {
        ...(job.result === null ? {} : { result: job.result }),
        counts: { total: jobOf(job).progress?.total ?? 0, ...counts },
        messages: messages.map(({ code, text, at }) => ({ code, text, date: formatDate(at) })),
        warnings: await this.chunks.warnings(tx, id),
        source: {
          fileName: job.file_name,
          ...(file?.bytes == null ? {} : { bytes: Number(file.bytes) }),
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
    const file = await readTenant(this.source, scope, (tx) => this.definitions.fileOfJob(tx, id));
    if (file?.object_key == null) throw failures.jobNotFound(id);
    const places = streamTenant(this.source, scope, (tx) => this.chunks.errorPlaces(tx, id));
    void reply
      .header('content-type', 'application/marc')
      .header('content-disposition', `attachment; filename="failed-${id}.mrc"`);
    await reply.send(
      Readable.from(this.files.parts(file.object_key, places), { objectMode: false }),
    );
  }

  @Get('data-import-profiles/jobProfiles')
  @Permissions(routes.listImportJobProfiles)
  profiles(@PagingOf() paging: Paging): object {
    const sorted = [...JOB_PROFILES].sort((a, b) => (a.name < b.name ? -1 : 1));
    const jobProfiles = sorted
      .slice(paging.offset, paging.offset + paging.limit)
      .map(({ id, name, description }) => ({
        id,
        name,
        description,
        dataType: 'MARC',
        tags: { tagList: [] },
        userInfo: { firstName: '', lastName: '', userName: 'System' },
        parentProfiles: [],
        childProfiles: [],
        hidden: false,
      }));
    return { jobProfiles, totalRecords: JOB_PROFILES.length };
  }
}

const LOG_TYPE: Readonly<Record<string, string>> = {
  B: 'MARC_BIBLIOGRAPHIC',
  A: 'MARC_AUTHORITY',
  H: 'MARC_HOLDINGS',
};
const NO_IDS = { idList: [], hridList: [] };
/** The web UI reads these without checking; they must never be missing (5.3). */
const NOTHING_RELATED = {
  relatedInstanceInfo: NO_IDS,
  relatedAuthorityInfo: NO_IDS,
  relatedPoLineInfo: NO_IDS,
  relatedInvoiceInfo: NO_IDS,
  relatedInvoiceLineInfo: {},
  relatedHoldingsInfo: [],
  relatedItemInfo: [],
};

const SORT_COLUMNS: Readonly<Record<string, string>> = {
  completed_date: 'j.completed_at',
  started_date: 'j.started_at',
  progress_total: 'j.total',
  status: 'j.status',
  hrid: 'j.hr_id',
  file_name: 'lower(j.file_name)',
  job_profile_name: 'lower(j.profile_name)',
  job_user_first_name: 'lower(j.user_first_name)',
  job_user_last_name: 'lower(j.user_last_name)',
};

function filterOf(query: Query): JobFilter {
  const uiStatuses = enums(query, 'uiStatusAny', UI_STATUSES);
  return {
    statusAny: enums(query, 'statusAny', JOB_STATUSES),
    uiStatuses: JOB_STATUSES.filter((status: JobStatus) => uiStatuses.includes(uiStatusOf(status))),
    statusNot: single(query, 'statusNot'),
    hrId: single(query, 'hrId'),
    fileName: single(query, 'fileName'),
    order: many(query, 'sortBy').map(sortKey),
  };
}

function many(query: Query, name: string): readonly string[] {
  const value = query[name.toLowerCase()];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function enums<T extends string>(query: Query, name: string, values: readonly T[]): T[] {
  return many(query, name).map((text) => {
    const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
    if (found === undefined) throw badParameter(name, text, `must match "${values.join('|')}"`);
    return found;
  });
}

function sortKey(text: string): string {
  const [field = '', direction = 'asc', ...rest] = text.split(',');
  const column = Object.hasOwn(SORT_COLUMNS, field) ? SORT_COLUMNS[field] : undefined;
  if (column === undefined || (direction !== 'asc' && direction !== 'desc') || rest.length > 0) {
    const reason = `The specified parameter for sorting jobExecutions is invalid: '${text}'. Valid sortable fields are: [${Object.keys(SORT_COLUMNS).join(', ')}]. Valid sorting order values are: asc, desc.`;
    throw badParameter('sortBy', text, reason);
  }
  return `${column} ${direction} nulls last`;
}
