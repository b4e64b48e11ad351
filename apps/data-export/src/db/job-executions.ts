import { Injectable } from '@nestjs/common';
import {
  EXPORT_STATUSES,
  type Encoding,
  type ExportStatus,
  type IdType,
  type OutputFormat,
  type OversizeMode,
} from '@quire/contracts/data-export';
import type { Dialect } from '@quire/contracts/scope';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { ExportFile, ExportJob } from '../domain/job-answer.js';
import type { JobCounts, StartParameters } from '../domain/job-execution.js';
import type { MappingSnapshot } from '../domain/mapping-profile.js';
import type { Output } from '../domain/output.js';
import type { InputCounts } from './file-definitions.js';
import type { Listing } from '@quire/postgres/pages';
import { STAMP_COLUMNS, stampsOf, stampValues, type StampRow } from './stamps.js';
import type { Stamps } from '../domain/job-answer.js';

export interface JobRow extends StampRow {
  readonly id: string;
  readonly hr_id: number;
  readonly status: ExportStatus;
  readonly version: string;
  readonly file_definition_id: string;
  readonly input_id: string;
  readonly base_name: string;
  readonly file_id: string | null;
  readonly file_name: string | null;
  readonly oversize_file_id: string | null;
  readonly oversize_file_name: string | null;
  readonly output_format: OutputFormat;
  readonly encoding: Encoding;
  readonly oversize: OversizeMode;
  readonly job_profile_id: string | null;
  readonly job_profile_name: string | null;
  readonly mapping: MappingSnapshot | null;
  readonly id_type: IdType | null;
  readonly request: StartParameters | null;
  readonly run_by: string | null;
  readonly run_by_first_name: string | null;
  readonly run_by_last_name: string | null;
  readonly total: number;
  readonly blank: number;
  readonly exported: number;
  readonly invalid: number;
  readonly duplicated: number;
  readonly not_found: number;
  readonly faulty: number;
  readonly source_duplicates: number;
  readonly output_removed: boolean;
  readonly started_at: Date | null;
  readonly completed_at: Date | null;
  readonly last_updated: Date | null;
}

const COLUMNS = [
  'id, hr_id, status, version, file_definition_id, input_id, base_name, file_id, file_name',
  'oversize_file_id, oversize_file_name, output_format, encoding, oversize, job_profile_id, job_profile_name',
  'mapping, id_type, request, run_by, run_by_first_name, run_by_last_name, total, blank, exported, invalid',
  'duplicated, not_found, faulty, source_duplicates, output_removed_at is not null as output_removed, started_at, completed_at, last_updated',
  STAMP_COLUMNS,
].join(', ');

export interface NewJob {
  readonly id: string;
  readonly hrId: number;
  readonly fileDefinitionId: string;
  readonly inputId: string;
  readonly baseName: string;
  readonly lines: InputCounts;
  readonly stamps: Stamps;
}

export interface JobStart {
  readonly id: string;
  readonly file: ExportFile;
  readonly output: Output;
  /** Absent: the profile is gone, the job is the continuation of an older one. */
  readonly jobProfileId?: string;
  readonly jobProfileName: string;
  readonly mapping: MappingSnapshot;
  readonly idType: IdType;
  readonly request: StartParameters;
  readonly runBy: {
    readonly userId: string;
    readonly firstName: string;
    readonly lastName: string;
  };
  readonly at: Date;
}

@Injectable()
export class JobExecutions {
  async find(tx: TenantRead, id: string): Promise<ExportJob | undefined> {
    const sql = `select ${COLUMNS} from job_execution where tenant_id = $1 and id = $2`;
    const row = await tx.one<JobRow>(sql, [tx.tenantId, id]);
    return row && jobOf(row);
  }

  async lock(tx: TenantTx, id: string): Promise<ExportJob | undefined> {
    const sql = `select ${COLUMNS} from job_execution where tenant_id = $1 and id = $2 for update`;
    const row = await tx.one<JobRow>(sql, [tx.tenantId, id]);
    return row && jobOf(row);
  }

  /** The next number of the tenant; waits for other transactions of the tenant that take one. */
  async nextHrId(tx: TenantTx): Promise<number> {
    const row = await tx.one<{ last_id: number }>(
      `insert into hr_counter (tenant_id, last_id) values ($1, 1)
       on conflict (tenant_id) do update set last_id = hr_counter.last_id + 1 returning last_id`,
      [tx.tenantId],
    );
    return row?.last_id ?? 0;
  }

  async insert(tx: TenantTx, job: NewJob): Promise<void> {
    const { lines } = job;
    await tx.execute(
      `insert into job_execution (tenant_id, id, hr_id, file_definition_id, input_id, base_name, total, blank, invalid,
         duplicated, ${STAMP_COLUMNS})
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
      [
        tx.tenantId,
        job.id,
        job.hrId,
        job.fileDefinitionId,
        job.inputId,
        job.baseName,
        lines.total,
        lines.blank,
        lines.invalid,
        lines.duplicated,
        ...stampValues(job.stamps),
      ],
    );
  }

  async start(tx: TenantTx, start: JobStart): Promise<void> {
    await tx.execute(
      `update job_execution set status = 'IN_PROGRESS', file_id = $3, file_name = $4, job_profile_id = $5,
         job_profile_name = $6, mapping_profile_id = $7, mapping = $8, id_type = $9, request = $10, run_by = $11,
         run_by_first_name = $12, run_by_last_name = $13, started_at = $14, last_updated = $14, updated_at = $14,
         updated_by = $11, output_format = $15, encoding = $16, oversize = $17
       where tenant_id = $1 and id = $2`,
      [
        tx.tenantId,
        start.id,
        start.file.fileId,
        start.file.fileName,
        start.jobProfileId ?? null,
        start.jobProfileName,
        start.mapping.id,
        JSON.stringify(start.mapping),
        start.idType,
        JSON.stringify(start.request),
        start.runBy.userId,
        start.runBy.firstName,
        start.runBy.lastName,
        start.at,
        start.output.format,
        start.output.encoding,
        start.output.oversize,
      ],
    );
  }

  /** Counts of an export that is refused by a rule are 0/0/0: none of its lines was looked at. */
  async clearCounts(tx: TenantTx, id: string): Promise<void> {
    await tx.execute(
      'update job_execution set total = 0, invalid = 0, duplicated = 0 where tenant_id = $1 and id = $2',
      [tx.tenantId, id],
    );
  }

  /** What was found for a job whose ids did not come with its request. */
  async setLines(tx: TenantTx, id: string, lines: InputCounts, at: Date): Promise<void> {
    await tx.execute(
      `update job_execution set total = $3, blank = $4, invalid = $5, duplicated = $6,
         last_updated = greatest(last_updated, $7)
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, lines.total, lines.blank, lines.invalid, lines.duplicated, at],
    );
  }

  /** The file beside the output has something in it now. */
  async addOversizeFile(tx: TenantTx, id: string, file: ExportFile): Promise<void> {
    await tx.execute(
      `update job_execution set oversize_file_id = $3, oversize_file_name = $4
       where tenant_id = $1 and id = $2 and oversize_file_id is null`,
      [tx.tenantId, id, file.fileId, file.fileName],
    );
  }

  /** Nobody adds to a counter in place: counts are the sums over the slices that are done. */
  async sumUp(tx: TenantTx, id: string, at: Date): Promise<void> {
    await tx.execute(
      `update job_execution j set exported = s.exported, not_found = s.not_found, faulty = s.faulty,
         source_duplicates = s.source_duplicates, last_updated = greatest(j.last_updated, $3)
       from (select coalesce(sum(exported), 0) as exported, coalesce(sum(not_found), 0) as not_found,
               coalesce(sum(faulty), 0) as faulty, coalesce(sum(source_duplicates), 0) as source_duplicates
             from slice where tenant_id = $1 and job_id = $2 and state = 'DONE') as s
       where j.tenant_id = $1 and j.id = $2`,
      [tx.tenantId, id, at],
    );
  }

  /** A worker lives: the job does not expire. */
  async touch(tx: TenantTx, id: string, at: Date): Promise<void> {
    await tx.execute(
      `update job_execution set last_updated = greatest(last_updated, $3)
       where tenant_id = $1 and id = $2 and status = 'IN_PROGRESS'`,
      [tx.tenantId, id, at],
    );
  }

  async end(tx: TenantTx, id: string, status: ExportStatus, at: Date): Promise<void> {
    await tx.execute(
      `update job_execution set status = $3, completed_at = $4, last_updated = greatest(last_updated, $4),
         updated_at = greatest(updated_at, $4)
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, status, at],
    );
  }

  /** Jobs show the name that their profile has. */
  async renameProfile(tx: TenantTx, jobProfileId: string, name: string): Promise<void> {
    await tx.execute(
      'update job_execution set job_profile_name = $3 where tenant_id = $1 and job_profile_id = $2',
      [tx.tenantId, jobProfileId, name],
    );
  }

  /** The profile goes; its jobs keep the name it had. */
  async detachProfile(tx: TenantTx, jobProfileId: string): Promise<void> {
    await tx.execute(
      'update job_execution set job_profile_id = null where tenant_id = $1 and job_profile_id = $2',
      [tx.tenantId, jobProfileId],
    );
  }

  /** Exports of the tenant that run now. */
  async running(tx: TenantRead): Promise<number> {
    const row = await tx.one<{ n: number }>(
      `select count(*)::int as n from job_execution where tenant_id = $1 and status = 'IN_PROGRESS'`,
      [tx.tenantId],
    );
    return row?.n ?? 0;
  }
}

export function jobOf(row: JobRow): ExportJob {
  const counts: JobCounts = {
    total: row.total,
    exported: row.exported,
    invalid: row.invalid,
    duplicated: row.duplicated,
    notFound: row.not_found,
    faulty: row.faulty,
  };
  return {
    id: row.id,
    hrId: row.hr_id,
    status: row.status,
    version: Number(row.version),
    fileDefinitionId: row.file_definition_id,
    inputId: row.input_id,
    baseName: row.base_name,
    ...(row.file_id === null
      ? {}
      : { file: { fileId: row.file_id, fileName: row.file_name ?? '' } }),
    ...(row.oversize_file_id === null
      ? {}
      : {
          oversizeFile: { fileId: row.oversize_file_id, fileName: row.oversize_file_name ?? '' },
        }),
    output: { format: row.output_format, encoding: row.encoding, oversize: row.oversize },
    ...(row.job_profile_id === null ? {} : { jobProfileId: row.job_profile_id }),
    ...(row.job_profile_name === null ? {} : { jobProfileName: row.job_profile_name }),
    ...(row.mapping === null ? {} : { mapping: row.mapping }),
    ...(row.id_type === null ? {} : { idType: row.id_type }),
    ...(row.request === null ? {} : { request: row.request }),
    ...(row.run_by === null ? {} : { runBy: runByOf(row, row.run_by) }),
    counts,
    blank: row.blank,
    sourceDuplicates: row.source_duplicates,
    outputRemoved: row.output_removed,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.completed_at === null ? {} : { completedAt: row.completed_at }),
    ...(row.last_updated === null ? {} : { updatedAt: row.last_updated }),
    metadata: stampsOf(row),
  };
}

function runByOf(row: JobRow, userId: string): NonNullable<ExportJob['runBy']> {
  return {
    firstName: row.run_by_first_name ?? '',
    lastName: row.run_by_last_name ?? '',
    userId,
  };
}

/** `SUCCESS` is a word of old scripts: both happy ends in their dialect, the plain one elsewhere. */
export function jobListing(dialect: Dialect): Listing {
  const success = dialect === '2020' ? ['COMPLETED', 'COMPLETED_WITH_ERRORS'] : ['COMPLETED'];
  const fields: CqlEntity['fields'] = {
    ...plainFields,
    status: {
      type: 'enum',
      sql: 'job.status',
      values: EXPORT_STATUSES,
      aliases: { SUCCESS: success },
    },
  };
  return {
    collection: 'job-executions',
    table: 'job_execution',
    alias: 'job',
    columns: COLUMNS,
    entity: { fields },
    defaultOrder: 'job.created_at desc, job.id',
  };
}

const number = (column: string) =>
  ({ type: 'number', sql: `job.${column}`, integer: true }) as const;
const uuid = (column: string) => ({ type: 'uuid', sql: `job.${column}` }) as const;
const text = (column: string) => ({ type: 'text', sql: `job.${column}` }) as const;
const date = (column: string) => ({ type: 'date', sql: `job.${column}` }) as const;

const plainFields: CqlEntity['fields'] = {
  id: uuid('id'),
  jobProfileId: uuid('job_profile_id'),
  mappingProfileId: uuid('mapping_profile_id'),
  runById: uuid('run_by'),
  'runBy.userId': uuid('run_by'),
  'exportedFiles.fileId': {
    type: 'uuid',
    sql: 'exported.id',
    within: { from: 'unnest(array[job.file_id, job.oversize_file_id]) as exported (id)' },
    sortable: false,
  },
  'metadata.createdByUserId': uuid('created_by'),
  hrId: number('hr_id'),
  hrid: number('hr_id'),
  total: number('total'),
  'progress.total': number('total'),
  exported: number('exported'),
  'progress.exported': number('exported'),
  failed: number('failed'),
  'progress.failed': number('failed'),
  jobProfileName: text('job_profile_name'),
  fileName: text('file_name'),
  'exportedFiles.fileName': text('file_name'),
  runByFirstName: text('run_by_first_name'),
  'runBy.firstName': text('run_by_first_name'),
  runByLastName: text('run_by_last_name'),
  'runBy.lastName': text('run_by_last_name'),
  startedDate: date('started_at'),
  completedDate: date('completed_at'),
  lastUpdatedDate: date('last_updated'),
  'metadata.createdDate': date('created_at'),
  'metadata.updatedDate': date('updated_at'),
};
