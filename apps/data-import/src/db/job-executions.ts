import { Injectable } from '@nestjs/common';
import type {
  ChunkOptions,
  ErrorStatus,
  ImportResult,
  SubordinationType,
} from '@quire/contracts/data-import';
import type { JobStatus } from '@quire/contracts/source-records';
import { int4Array, jsonbArray, textArray, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { JobMessage } from '../domain/file-problem.js';
import { TERMINAL } from '../domain/job-execution.js';

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
  readonly part_number: number;
  readonly part_total: number;
  readonly deleted_at: Date | null;
  /** Somebody wants back what it has saved. */
  readonly undo_requested_at: Date | null;
  readonly undo_requested_by: string | null;
  /** All its chunks were back, and source-record-storage was asked. */
  readonly undo_sent: boolean;
  readonly undone_at: Date | null;
  readonly undone: UndoCounts | null;
  readonly origin_file_id: string | null;
}

export interface UndoCounts {
  readonly removed: number;
  readonly restored: number;
  readonly kept: number;
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
  readonly user: JobUser;
  readonly profile?: { readonly id: string; readonly name: string } | undefined;
  readonly part?: { readonly number: number; readonly total: number } | undefined;
  readonly options?: Partial<ChunkOptions> | undefined;
}

/** For whom a job is; names are copied into it when it is made. */
export interface JobUser {
  /** The actor unless given. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

@Injectable()
export class JobExecutions {
  /**
   * Gives their numbers, in the order of the jobs: the next of the tenant, never used again. Whoever makes a job of this tenant
   * waits from here until the commit.
   */
  async addAll(tx: TenantTx, jobs: readonly NewJob[]): Promise<readonly number[]> {
    if (jobs.length === 0) return [];
    const rows = await tx.query<{ hr_id: number }>(ADD, [
      tx.tenantId,
      jobs.length,
      uuidArray(jobs.map((job) => job.id)),
      uuidArray(jobs.map((job) => job.parentJobId)),
      textArray(jobs.map((job) => job.subordinationType)),
      textArray(jobs.map((job) => job.status)),
      textArray(jobs.map((job) => job.fileName ?? null)),
      textArray(jobs.map((job) => job.sourcePath ?? null)),
      uuidArray(jobs.map((job) => job.user.id ?? tx.scope.actorId)),
      textArray(jobs.map((job) => job.user.name)),
      textArray(jobs.map((job) => job.user.firstName ?? null)),
      textArray(jobs.map((job) => job.user.lastName ?? null)),
      uuidArray(jobs.map((job) => job.profile?.id ?? null)),
      textArray(jobs.map((job) => job.profile?.name ?? null)),
      int4Array(jobs.map((job) => job.part?.number ?? 1)),
      int4Array(jobs.map((job) => job.part?.total ?? 1)),
      jsonbArray(jobs.map((job) => job.options ?? null)),
    ]);
    return rows.map((row) => row.hr_id).sort((a, b) => a - b);
  }

  /** Those that there are, in no order. */
  views(tx: TenantRead, ids: readonly string[]): Promise<JobView[]> {
    return tx.query<JobView>(
      `${JOB_VIEW} where j.tenant_id = $1 and j.id = any ($2) and j.deleted_at is null`,
      [tx.tenantId, ids],
    );
  }

  /** Undefined also for one whose logs were deleted. */
  view(tx: TenantRead, id: string): Promise<JobView | undefined> {
    return tx.one<JobView>(
      `${JOB_VIEW} where j.tenant_id = $1 and j.id = $2 and j.deleted_at is null`,
      [tx.tenantId, id],
    );
  }

  lock(tx: TenantTx, id: string): Promise<JobRow | undefined> {
    return tx.one<JobRow>(
      'select * from job_execution where tenant_id = $1 and id = $2 for update',
      [tx.tenantId, id],
    );
  }

  lockChildren(tx: TenantTx, parentId: string): Promise<JobRow[]> {
    return tx.query<JobRow>(
      'select * from job_execution where tenant_id = $1 and parent_job_id = $2 and id <> $2 order by hr_id for update',
      [tx.tenantId, parentId],
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

  /** Does it read its records from a file? */
  async hasFile(tx: TenantRead, id: string): Promise<boolean> {
    const row = await tx.one<{ found: boolean }>(
      `select exists (select from upload_file where tenant_id = $1 and job_id = $2)
         or exists (select from job_chunk where tenant_id = $1 and job_id = $2)
         or exists (select from job_execution where tenant_id = $1 and id = $2 and content_key is not null) as found`,
      [tx.tenantId, id],
    );
    return row?.found ?? false;
  }

  /** Hides those of the jobs that have ended. Gives every job that there is, and whether it is hidden now. */
  hide(tx: TenantTx, ids: readonly string[]): Promise<{ id: string; hidden: boolean }[]> {
    return tx.query(
      `with hidden as (update job_execution set deleted_at = now()
         where tenant_id = $1 and id = any ($2) and deleted_at is null and status = any ($3) returning id)
       select j.id, exists (select from hidden h where h.id = j.id) as hidden from job_execution j
       where j.tenant_id = $1 and j.id = any ($2) and j.deleted_at is null`,
      [tx.tenantId, ids, TERMINAL],
    );
  }

  /** How many of the tenant run or wait for chunks. */
  async running(tx: TenantRead): Promise<number> {
    const row = await tx.one<{ count: string }>(
      `select count(*) from job_execution where tenant_id = $1 and status = 'PARSING_IN_PROGRESS'`,
      [tx.tenantId],
    );
    return Number(row?.count ?? 0);
  }

  /** Jobs that are due, the oldest first. @param after days of unused jobs, minutes of idle ones */
  async swept(tx: TenantRead, what: SweptKind, after = 0): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select j.id from job_execution j where j.tenant_id = $1 and ${SWEPT[what]} order by j.created_at limit ${SWEPT_ROWS}`,
      SWEPT[what].includes('$2') ? [tx.tenantId, after] : [tx.tenantId],
    );
    return rows.map((row) => row.id);
  }

  /** For good, with its messages, and what was written of it since its chunks and errors went. Its history of statuses stays. */
  async remove(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('delete from job_execution where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  /** Objects that only this job refers to. */
  async ownObjects(tx: TenantRead, id: string): Promise<string[]> {
    const rows = await tx.query<{ object_key: string }>(
      `select k.object_key from (
           select object_key from job_chunk where tenant_id = $1 and job_id = $2
           union select content_key from job_execution where tenant_id = $1 and id = $2
           union select origin_key from job_execution where tenant_id = $1 and id = $2) as k
         where k.object_key is not null
           and not exists (select from upload_file f where f.tenant_id = $1 and f.object_key = k.object_key)
           and not exists (select from job_execution j where j.tenant_id = $1 and j.id <> $2
             and k.object_key in (j.content_key, j.origin_key))`,
      [tx.tenantId, id],
    );
    return rows.map((row) => row.object_key);
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

const ADD = `
  with number as (insert into job_number as n (tenant_id, last) values ($1, $2::int)
    on conflict (tenant_id) do update set last = n.last + $2::int returning last)
  insert into job_execution (tenant_id, id, hr_id, parent_job_id, subordination_type, status, file_name, source_path,
    user_id, user_name, user_first_name, user_last_name, profile_id, profile_name, part_number, part_total, options)
  select $1, j.id, number.last - $2::int + j.place, j.parent_job_id, j.subordination_type, j.status, j.file_name, j.source_path,
    j.user_id, j.user_name, j.user_first_name, j.user_last_name, j.profile_id, j.profile_name, j.part_number, j.part_total, j.options
  from number cross join unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::text[],
      $11::text[], $12::text[], $13::uuid[], $14::text[], $15::int4[], $16::int4[], $17::jsonb[]) with ordinality
    as j (id, parent_job_id, subordination_type, status, file_name, source_path, user_id, user_name, user_first_name,
      user_last_name, profile_id, profile_name, part_number, part_total, options, place)
  returning hr_id`;

/** Rows of {@link JobView}, of the alias `j`. */
export const JOB_VIEW = `select j.*, (select coalesce(sum(c.created + c.updated + c.unchanged + c.failed), 0) from job_chunk c
    where (c.tenant_id, c.job_id) = (j.tenant_id, j.id) and c.state = 'DONE') as current
  from job_execution j`;

/** Of one sweep; the next takes the rest. */
const SWEPT_ROWS = 500;
const NO_FILE = `not exists (select from upload_file f where (f.tenant_id, f.job_id) = (j.tenant_id, j.id))
  and not exists (select from job_chunk c where (c.tenant_id, c.job_id) = (j.tenant_id, j.id)) and j.content_key is null`;

/** What becomes due with time (data-import, 4.5, 4.6 and 10.6). */
const SWEPT = {
  deleted: `j.deleted_at < now() - interval '2 days'`,
  reported: `j.dry_run and j.completed_at < now() - interval '7 days'`,
  unused: `j.status = 'NEW' and j.created_at < now() - make_interval(days => $2) and ${NO_FILE}`,
  idle: `j.status = 'PARSING_IN_PROGRESS' and not j.input_complete and j.last_updated < now() - make_interval(mins => $2) and ${NO_FILE}`,
} as const;
export type SweptKind = keyof typeof SWEPT;
