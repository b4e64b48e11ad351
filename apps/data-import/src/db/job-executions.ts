import { Injectable } from '@nestjs/common';
import type {
  ChunkOptions,
  ErrorStatus,
  ImportResult,
  SubordinationType,
} from '@quire/contracts/data-import';
import type { JobStatus } from '@quire/contracts/source-records';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { JobMessage } from '../domain/file-problem.js';

export interface JobRow {
  readonly id: string;
  readonly hr_id: number;
  readonly parent_job_id: string;
  readonly subordination_type: SubordinationType;
  readonly status: JobStatus;
  readonly error_status: ErrorStatus | null;
  readonly result: ImportResult | null;
  readonly file_name: string | null;
  readonly source_path: string | null;
  readonly profile_id: string | null;
  readonly profile_name: string | null;
  readonly user_id: string;
  readonly user_name: string | null;
  readonly user_first_name: string | null;
  readonly user_last_name: string | null;
  readonly started_at: Date;
  readonly processing_started_at: Date | null;
  readonly completed_at: Date | null;
  readonly total: string | null;
  readonly input_complete: boolean;
  readonly version: string;
  readonly in_order: boolean;
  /** What was asked; once the work has begun all of them, as they are sent with the chunks. */
  readonly options: Partial<ChunkOptions> | null;
  readonly paused_at: Date | null;
  /** Saves nothing, is listed nowhere, and nobody hears of it. */
  readonly dry_run: boolean;
  readonly retry_of: string | null;
  /** The bytes it reads. */
  readonly content_key: string | null;
  readonly content_bytes: string | null;
  readonly content_sha256: Buffer | null;
  /** The file of which its errors speak, where that is not the one it reads. */
  readonly origin_key: string | null;
}

/** With its live progress: a sum over the chunks that are done. */
export interface JobView extends JobRow {
  readonly current: string;
}

export interface NewJob {
  readonly id: string;
  readonly parentJobId: string;
  readonly subordinationType: SubordinationType;
  readonly status: JobStatus;
  readonly fileName?: string | undefined;
  readonly sourcePath?: string | undefined;
  readonly user: {
    readonly name: string;
    readonly firstName?: string | undefined;
    readonly lastName?: string | undefined;
  };
}

/** Filters of the job list (data-import, 5.1). Empty lists and absent values filter nothing. */
export interface JobFilter {
  readonly statusAny: readonly string[];
  /** The statuses that show one of the wanted uiStatuses. */
  readonly uiStatuses: readonly string[];
  readonly statusNot?: string | undefined;
  readonly profileIdAny: readonly string[];
  readonly profileIdNotAny: readonly string[];
  readonly subordinationTypeNotAny: readonly string[];
  readonly fileNameNotAny: readonly string[];
  readonly userId: readonly string[];
  /** Patterns with `*`; both given: either may match. */
  readonly hrId?: string | undefined;
  readonly fileName?: string | undefined;
  readonly excludeJobProfileName?: string | undefined;
  readonly completedAfter?: Date | undefined;
  readonly completedBefore?: Date | undefined;
  readonly sort: readonly JobSort[];
}

export interface JobSort {
  readonly field: JobSortField;
  readonly descending: boolean;
}

@Injectable()
export class JobExecutions {
  /** Gives its number: the next of the tenant, never used again. */
  async add(tx: TenantTx, job: NewJob): Promise<number> {
    const row = await tx.one<{ hr_id: number }>(
      `with number as (insert into job_number as n (tenant_id, last) values ($1, 1)
           on conflict (tenant_id) do update set last = n.last + 1 returning last)
       insert into job_execution (tenant_id, id, hr_id, parent_job_id, subordination_type, status, file_name, source_path,
         user_id, user_name, user_first_name, user_last_name)
       select $1, $2, number.last, $3, $4, $5, $6, $7, $8, $9, $10, $11 from number returning hr_id`,
      [
        tx.tenantId,
        job.id,
        job.parentJobId,
        job.subordinationType,
        job.status,
        job.fileName ?? null,
        job.sourcePath ?? null,
        tx.scope.actorId,
        job.user.name,
        job.user.firstName ?? null,
        job.user.lastName ?? null,
      ],
    );
    return row?.hr_id ?? 0;
  }

  view(tx: TenantRead, id: string): Promise<JobView | undefined> {
    return tx.one<JobView>(`${VIEW} where j.tenant_id = $1 and j.id = $2`, [tx.tenantId, id]);
  }

  lock(tx: TenantTx, id: string): Promise<JobRow | undefined> {
    return tx.one<JobRow>(
      'select * from job_execution where tenant_id = $1 and id = $2 for update',
      [tx.tenantId, id],
    );
  }

  /** Changes columns of a locked job; the trigger refuses an illegal status. Gives the row as it is then. */
  async change(tx: TenantTx, id: string, change: JobChange): Promise<JobRow> {
    const { startsNow, endsNow, ...values } = change;
    const columns = Object.entries(values);
    const sets = columns.map(([name], index) => `${COLUMN[name as Column]} = $${index + 3}`);
    if (startsNow) sets.push('processing_started_at = now()');
    if (endsNow) sets.push('completed_at = now()');
    const row = await tx.one<JobRow>(
      `update job_execution set ${[...sets, 'last_updated = now()'].join(', ')} where tenant_id = $1 and id = $2 returning *`,
      [tx.tenantId, id, ...columns.map(([, value]) => value)],
    );
    if (!row) throw new Error(`Job ${id} is gone.`);
    return row;
  }

  async addMessage(tx: TenantTx, jobId: string, { code, text }: JobMessage): Promise<void> {
    await tx.execute(
      'insert into job_message (tenant_id, job_id, code, text) values ($1, $2, $3, $4) on conflict do nothing',
      [tx.tenantId, jobId, code, text],
    );
  }

  messages(tx: TenantRead, jobId: string): Promise<{ code: string; text: string; at: Date }[]> {
    return tx.query(
      "select code, text, at from job_message where tenant_id = $1 and job_id = $2 order by at, code = 'HINT', code",
      [tx.tenantId, jobId],
    );
  }

  async *list(
    tx: TenantRead,
    filter: JobFilter,
    { offset, limit }: { offset: number; limit: number },
  ): AsyncGenerator<JobView> {
    const { where, params } = conditions(tx, filter);
    // Without an order a polling client must find its own jobs first.
    const order =
      filter.sort.length > 0
        ? filter.sort.flatMap(orderOf)
        : [`(j.user_id = $${params.push(tx.scope.actorId)}) desc`];
    const sql = `${VIEW} where ${where} order by ${[...order, 'j.started_at desc', 'j.id'].join(', ')} offset ${offset} limit ${limit}`;
    for await (const rows of tx.cursor<JobView>(sql, params, BATCH_ROWS)) yield* rows;
  }

  async count(tx: TenantRead, filter: JobFilter): Promise<number> {
    const { where, params } = conditions(tx, filter);
    const row = await tx.one<{ count: string }>(
      `select count(*) from job_execution j where ${where}`,
      params,
    );
    return Number(row?.count ?? 0);
  }

  /** How many of the tenant run or wait for chunks. */
  async running(tx: TenantRead): Promise<number> {
    const row = await tx.one<{ count: string }>(
      `select count(*) from job_execution where tenant_id = $1 and status = 'PARSING_IN_PROGRESS'`,
      [tx.tenantId],
    );
    return Number(row?.count ?? 0);
  }

  /** Running jobs whose chunks are all done: whoever was to finish them died. */
  async unfinished(tx: TenantRead): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select j.id from job_execution j where j.tenant_id = $1 and j.status = 'PARSING_IN_PROGRESS' and j.input_complete
         and not exists (select from job_chunk c where (c.tenant_id, c.job_id) = (j.tenant_id, j.id) and c.state in ('WAITING', 'RELEASED'))`,
      [tx.tenantId],
    );
    return rows.map((row) => row.id);
  }
}

const BATCH_ROWS = 200;

export interface JobChange {
  readonly status?: JobStatus;
  readonly errorStatus?: ErrorStatus;
  readonly result?: ImportResult;
  readonly profileId?: string;
  readonly profileName?: string;
  /** `processingStartedDate` becomes the time of the transaction. */
  readonly startsNow?: true;
  /** `completedDate` becomes the time of the transaction. */
  readonly endsNow?: true;
  readonly total?: number;
  readonly inputComplete?: boolean;
  readonly fileName?: string;
  readonly sourcePath?: string;
  readonly inOrder?: boolean;
  readonly options?: Partial<ChunkOptions>;
  readonly contentKey?: string | null;
  readonly contentBytes?: number | null;
  readonly contentSha256?: Buffer | null;
}

type Column = Exclude<keyof JobChange, 'startsNow' | 'endsNow'>;

const COLUMN: Readonly<Record<Column, string>> = {
  status: 'status',
  errorStatus: 'error_status',
  result: 'result',
  profileId: 'profile_id',
  profileName: 'profile_name',
  total: 'total',
  inputComplete: 'input_complete',
  fileName: 'file_name',
  sourcePath: 'source_path',
  inOrder: 'in_order',
  options: 'options',
  contentKey: 'content_key',
  contentBytes: 'content_bytes',
  contentSha256: 'content_sha256',
};

const VIEW = `select j.*, (select coalesce(sum(c.created + c.updated + c.unchanged + c.failed), 0) from job_chunk c
    where (c.tenant_id, c.job_id) = (j.tenant_id, j.id) and c.state = 'DONE') as current
  from job_execution j`;

const SORT_COLUMNS = {
  completed_date: 'j.completed_at',
  started_date: 'j.started_at',
  progress_total: 'j.total',
  status: 'j.status',
  hrid: 'j.hr_id',
  file_name: 'lower(j.file_name)',
  job_profile_name: 'lower(j.profile_name)',
  job_user_first_name: 'lower(j.user_first_name)',
  job_user_last_name: 'lower(j.user_last_name)',
} as const;
export type JobSortField = keyof typeof SORT_COLUMNS;
export const JOB_SORT_FIELDS = Object.keys(SORT_COLUMNS) as readonly JobSortField[];

/** Jobs of one status stand by their progress, the other way round. */
function orderOf({ field, descending }: JobSort): string[] {
  const by = `${SORT_COLUMNS[field]} ${descending ? 'desc' : 'asc'} nulls last`;
  return field === 'status' ? [by, `current ${descending ? 'asc' : 'desc'}`] : [by];
}

function conditions(tx: TenantRead, filter: JobFilter): { where: string; params: unknown[] } {
  const params: unknown[] = [tx.tenantId];
  const bound = (value: unknown): string => `$${params.push(value)}`;
  const where = ['j.tenant_id = $1', "j.subordination_type <> 'PARENT_MULTIPLE'", 'not j.dry_run'];
  const any = (column: string, values: readonly string[], cast = ''): void => {
    if (values.length > 0) where.push(`${column} = any (${bound(values)}${cast})`);
  };
  const notAny = (column: string, values: readonly string[], cast = ''): void => {
    // A job without the value passes.
    if (values.length > 0) where.push(`(${column} = any (${bound(values)}${cast})) is not true`);
  };
  any('j.status', filter.statusAny);
  any('j.status', filter.uiStatuses);
  any('j.profile_id', filter.profileIdAny, '::uuid[]');
  any('j.user_id', filter.userId, '::uuid[]');
  notAny('j.profile_id', filter.profileIdNotAny, '::uuid[]');
  notAny('j.subordination_type', filter.subordinationTypeNotAny);
  notAny('j.file_name', filter.fileNameNotAny);
  if (filter.statusNot !== undefined) where.push(`j.status <> ${bound(filter.statusNot)}`);
  where.push(...patterns(filter, bound));
  const { completedAfter, completedBefore } = filter;
  if (completedAfter) where.push(`j.completed_at >= ${bound(completedAfter)}`);
  if (completedBefore) where.push(`j.completed_at <= ${bound(completedBefore)}`);
  return { where: where.join(' and '), params };
}

function patterns(filter: JobFilter, bound: (value: unknown) => string): string[] {
  const { hrId, fileName, excludeJobProfileName: excluded } = filter;
  const either: string[] = [];
  if (hrId !== undefined) either.push(`j.hr_id::text like ${bound(likeOf(hrId))}`);
  if (fileName !== undefined)
    either.push(`lower(j.file_name) like lower(${bound(likeOf(fileName))})`);
  const found = either.length > 0 ? [`(${either.join(' or ')})`] : [];
  if (excluded !== undefined)
    found.push(`(lower(j.profile_name) like lower(${bound(likeOf(excluded))})) is not true`);
  return found;
}

const likeOf = (pattern: string): string => pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
