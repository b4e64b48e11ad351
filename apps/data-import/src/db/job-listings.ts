import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';
import { TERMINAL, TOTAL_UNKNOWN } from '../domain/job-execution.js';
import { JOB_VIEW, type JobView } from './job-executions.js';

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

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

const BATCH_ROWS = 200;

/** Jobs as clients list them. */
@Injectable()
export class JobListings {
  async *list(tx: TenantRead, filter: JobFilter, { offset, limit }: Page): AsyncGenerator<JobView> {
    const { where, params } = conditions(tx, filter);
    // Without an order a polling client must find its own jobs first.
    const order =
      filter.sort.length > 0
        ? filter.sort.flatMap(orderOf)
        : [`(j.user_id = $${params.push(tx.scope.actorId)}) desc`];
    const sql = `${JOB_VIEW} where ${where} order by ${[...order, 'j.started_at desc', 'j.id'].join(', ')} offset ${offset} limit ${limit}`;
    for await (const rows of tx.cursor<JobView>(sql, params, BATCH_ROWS)) yield* rows;
  }

  count(tx: TenantRead, filter: JobFilter): Promise<number> {
    const { where, params } = conditions(tx, filter);
    return countOf(tx, `select count(*) from job_execution j where ${where}`, params);
  }

  /** Those below a job, in the order of their parts. */
  async *children(tx: TenantRead, id: string, page: Page): AsyncGenerator<JobView> {
    const sql = `${JOB_VIEW} where ${CHILDREN} order by j.part_number, j.hr_id offset ${page.offset} limit ${page.limit}`;
    for await (const rows of tx.cursor<JobView>(sql, [tx.tenantId, id], BATCH_ROWS)) yield* rows;
  }

  countChildren(tx: TenantRead, id: string): Promise<number> {
    return countOf(tx, `select count(*) from job_execution j where ${CHILDREN}`, [tx.tenantId, id]);
  }

  /** Profiles of ended jobs, by name. */
  profiles(tx: TenantRead, page: Page): Promise<{ id: string; name: string }[]> {
    return tx.query(
      `select * from (${PROFILES}) p order by lower(name), id offset ${page.offset} limit ${page.limit}`,
      [tx.tenantId, TERMINAL],
    );
  }

  countProfiles(tx: TenantRead): Promise<number> {
    return countOf(tx, `select count(*) from (${PROFILES}) p`, [tx.tenantId, TERMINAL]);
  }

  /** Users of ended jobs, each as the newest of them names it, by last and first name. */
  users(tx: TenantRead, page: Page): Promise<ListedUser[]> {
    return tx.query<ListedUser>(
      `select * from (${USERS}) u order by lower(last_name), lower(first_name), id offset ${page.offset} limit ${page.limit}`,
      [tx.tenantId, TERMINAL],
    );
  }

  countUsers(tx: TenantRead): Promise<number> {
    return countOf(tx, `select count(*) from (${USERS}) u`, [tx.tenantId, TERMINAL]);
  }
}

export interface ListedUser {
  readonly id: string;
  readonly first_name: string;
  readonly last_name: string;
}

/** What no list has. */
const LISTED = `j.tenant_id = $1 and j.deleted_at is null and j.subordination_type <> 'PARENT_MULTIPLE' and not j.dry_run`;
const ENDED = `${LISTED} and j.status = any ($2)`;
const CHILDREN =
  'j.tenant_id = $1 and j.deleted_at is null and not j.dry_run and j.parent_job_id = $2 and j.id <> $2';
const PROFILES = `select j.profile_id as id, (array_agg(j.profile_name order by j.started_at desc))[1] as name
  from job_execution j where ${ENDED} and j.profile_id is not null group by j.profile_id`;
const USERS = `select j.user_id as id, (array_agg(coalesce(j.user_first_name, '') order by j.started_at desc))[1] as first_name,
    (array_agg(coalesce(j.user_last_name, '') order by j.started_at desc))[1] as last_name
  from job_execution j where ${ENDED} group by j.user_id`;

async function countOf(tx: TenantRead, sql: string, params: readonly unknown[]): Promise<number> {
  const row = await tx.one<{ count: string }>(sql, params);
  return Number(row?.count ?? 0);
}

const SORT_COLUMNS = {
  completed_date: 'j.completed_at',
  started_date: 'j.started_at',
  // As it is shown: a placeholder until it is known.
  progress_total: `coalesce(j.total, ${TOTAL_UNKNOWN})`,
  status: 'j.status',
  hrid: 'j.hr_id',
  file_name: `nullif(lower(j.file_name), '')`,
  job_profile_name: `nullif(lower(j.profile_name), '')`,
  job_user_first_name: `nullif(lower(j.user_first_name), '')`,
  job_user_last_name: `nullif(lower(j.user_last_name), '')`,
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
  const where = [LISTED];
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
