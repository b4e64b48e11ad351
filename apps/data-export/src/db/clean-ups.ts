import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/** An upload, and what may still need it. */
export interface OldUpload {
  readonly id: string;
  readonly jobId: string;
  readonly inputId: string | undefined;
  readonly objectKey: string | undefined;
}

interface UploadRow {
  readonly id: string;
  readonly job_id: string;
  readonly input_id: string | null;
  readonly object_key: string | null;
}

const COLUMNS = 'd.id, d.job_id, d.input_id, d.object_key';
/** Nobody writes it and no job that runs is made of it. */
const IDLE = `not (d.status = 'IN_PROGRESS' and coalesce(d.lease_until > clock_timestamp(), false))
  and not exists (select from job_execution j where j.tenant_id = d.tenant_id and j.file_definition_id = d.id
    and j.status = 'IN_PROGRESS')`;

/** What is old enough to go, and what goes with it (`data-export.md`, section 7). */
@Injectable()
export class CleanUps {
  /** Jobs that run on paper only: idle since `before`, and nothing left that anybody could work on. */
  async idleJobs(tx: TenantRead, before: Date, limit: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select j.id from job_execution j
       where j.tenant_id = $1 and j.status = 'IN_PROGRESS' and j.last_updated <= $2 and ${NOTHING_OPEN}
       order by j.last_updated, j.id limit $3`,
      [tx.tenantId, before, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Is it still so? The caller has locked the job. */
  async isIdle(tx: TenantRead, jobId: string, before: Date): Promise<boolean> {
    const row = await tx.one(
      `select from job_execution j
       where j.tenant_id = $1 and j.id = $2 and j.status = 'IN_PROGRESS' and j.last_updated <= $3 and ${NOTHING_OPEN}`,
      [tx.tenantId, jobId, before],
    );
    return row !== undefined;
  }

  /** Jobs that ended before a day; `withOutput`: only those whose files are still kept. */
  async endedJobs(
    tx: TenantRead,
    { before, withOutput }: { readonly before: Date; readonly withOutput: boolean },
    limit: number,
  ): Promise<string[]> {
    const which = withOutput
      ? `status in ('COMPLETED', 'COMPLETED_WITH_ERRORS') and output_removed_at is null`
      : `status in ('COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAIL')`;
    const rows = await tx.query<{ id: string }>(
      `select id from job_execution where tenant_id = $1 and completed_at <= $2 and ${which}
       order by completed_at, id limit $3`,
      [tx.tenantId, before, limit],
    );
    return rows.map((row) => row.id);
  }

  /** @returns false when they were gone already */
  async markOutputRemoved(tx: TenantTx, jobId: string, at: Date): Promise<boolean> {
    const marked = await tx.execute(
      `update job_execution set output_removed_at = $3
       where tenant_id = $1 and id = $2 and output_removed_at is null`,
      [tx.tenantId, jobId, at],
    );
    return marked === 1;
  }

  async oldUploads(tx: TenantRead, before: Date, limit: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select d.id from file_definition d
       where d.tenant_id = $1 and d.updated_at <= $2 and ${IDLE} order by d.updated_at, d.id limit $3`,
      [tx.tenantId, before, limit],
    );
    return rows.map((row) => row.id);
  }

  /** The upload, locked, if it still is one that may go. */
  async takeUpload(tx: TenantTx, id: string, before: Date): Promise<OldUpload | undefined> {
    const locked = await tx.one(
      `select from file_definition d where d.tenant_id = $1 and d.id = $2 and d.updated_at <= $3 for update`,
      [tx.tenantId, id, before],
    );
    if (!locked) return undefined;
    const row = await tx.one<UploadRow>(
      `select ${COLUMNS} from file_definition d where d.tenant_id = $1 and d.id = $2 and ${IDLE}`,
      [tx.tenantId, id],
    );
    return row && uploadOf(row);
  }

  /** The upload of a job that goes, if no other job is made of it; locked. */
  async uploadOfLastJob(tx: TenantTx, id: string, jobId: string): Promise<OldUpload | undefined> {
    const row = await tx.one<UploadRow>(
      `select ${COLUMNS} from file_definition d where d.tenant_id = $1 and d.id = $2
         and not exists (select from job_execution j where j.tenant_id = d.tenant_id and j.file_definition_id = d.id
           and j.id <> $3)
       for update`,
      [tx.tenantId, id, jobId],
    );
    return row && uploadOf(row);
  }

  /** Jobs say where they came from when the upload is gone. */
  async keepSource(tx: TenantTx, uploadId: string): Promise<void> {
    await tx.execute(
      `update job_execution j set source = jsonb_strip_nulls(jsonb_build_object('name', d.file_name,
         'type', d.upload_format, 'sha256', encode(d.sha256, 'hex')))
       from file_definition d
       where d.tenant_id = $1 and d.id = $2 and j.tenant_id = d.tenant_id and j.file_definition_id = d.id`,
      [tx.tenantId, uploadId],
    );
  }

  async removeUpload(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('delete from file_definition where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  /** Objects of the job's slices, of both its files; every object belongs to the slice of one job. */
  async objectKeys(tx: TenantRead, jobId: string): Promise<string[]> {
    const rows = await tx.query<{ key: string }>(
      `select key from slice cross join lateral unnest(array[object_key, oversize_key]) as o (key)
       where tenant_id = $1 and job_id = $2 and key is not null`,
      [tx.tenantId, jobId],
    );
    return rows.map((row) => row.key);
  }

  /** The job with its slices and log rows. */
  async removeJob(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('delete from job_execution where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  async isInputUsed(tx: TenantRead, inputId: string): Promise<boolean> {
    const row = await tx.one(
      'select from job_execution where tenant_id = $1 and input_id = $2 limit 1',
      [tx.tenantId, inputId],
    );
    return row !== undefined;
  }
}

const NOTHING_OPEN = `not exists (select from slice s where s.tenant_id = j.tenant_id and s.job_id = j.id
  and s.state in ('WAITING', 'RELEASED'))
  and not exists (select from id_selection i where i.tenant_id = j.tenant_id and i.job_id = j.id)`;

function uploadOf(row: UploadRow): OldUpload {
  return {
    id: row.id,
    jobId: row.job_id,
    inputId: row.input_id ?? undefined,
    objectKey: row.object_key ?? undefined,
  };
}
