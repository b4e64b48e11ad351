import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { UndoCounts } from './job-executions.js';

/** What is known of jobs beyond FOLIO: their content, their pauses, how long they have worked (data-import, 14). */
@Injectable()
export class JobWork {
  /**
   * @param hashes SHA-256 of each file
   * @returns by hash (hex) the number of the latest job that imported such content and has ended. One whose file was refused
   * as a whole has imported nothing
   */
  async importedBefore(
    tx: TenantRead,
    hashes: readonly Buffer[],
  ): Promise<ReadonlyMap<string, number>> {
    if (hashes.length === 0) return new Map();
    const rows = await tx.query<{ hash: string; hr_id: number }>(
      `select encode(content_sha256, 'hex') as hash, max(hr_id) as hr_id from job_execution
       where tenant_id = $1 and content_sha256 = any ($2) and status in ('COMMITTED', 'ERROR') and not dry_run
         and undo_requested_at is null and processing_started_at is not null
       group by content_sha256`,
      [tx.tenantId, hashes],
    );
    return new Map(rows.map((row) => [row.hash, row.hr_id]));
  }

  async pause(tx: TenantTx, id: string): Promise<void> {
    await tx.execute(
      'update job_execution set paused_at = now(), last_updated = now() where tenant_id = $1 and id = $2',
      [tx.tenantId, id],
    );
  }

  async resume(tx: TenantTx, id: string): Promise<void> {
    await tx.execute(
      'update job_execution set paused_at = null, last_updated = now() where tenant_id = $1 and id = $2',
      [tx.tenantId, id],
    );
  }

  /** For whoever acts now; who asked first stays. */
  async requestUndo(tx: TenantTx, id: string): Promise<void> {
    await tx.execute(
      `update job_execution set undo_requested_at = now(), undo_requested_by = $3, last_updated = now()
       where tenant_id = $1 and id = $2 and undo_requested_at is null`,
      [tx.tenantId, id, tx.scope.actorId],
    );
  }

  async setUndoSent(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('update job_execution set undo_sent = true where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  /** It may have been undone without being asked for here. */
  async setUndone(tx: TenantTx, id: string, counts: UndoCounts): Promise<void> {
    await tx.execute(
      `update job_execution set undo_requested_at = coalesce(undo_requested_at, now()), undo_sent = true, undone_at = now(),
         undone = $3, last_updated = now()
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, JSON.stringify(counts)],
    );
    await tx.execute(UNDONE_WHOLE, [tx.tenantId, id]);
  }

  /** @param origin where the failed records stand in the file that the first of all these jobs read */
  async setRetry(
    tx: TenantTx,
    id: string,
    retryOf: string,
    origin: { readonly key: string; readonly fileId: string | undefined },
  ): Promise<void> {
    await tx.execute(
      'update job_execution set retry_of = $3, origin_key = $4, origin_file_id = $5 where tenant_id = $1 and id = $2',
      [tx.tenantId, id, retryOf, origin.key, origin.fileId ?? null],
    );
  }

  async retryRuns(tx: TenantRead, id: string): Promise<boolean> {
    const row = await tx.one(
      `select from job_execution where tenant_id = $1 and retry_of = $2
         and status not in ('COMMITTED', 'ERROR', 'CANCELLED', 'DISCARDED') limit 1`,
      [tx.tenantId, id],
    );
    return row !== undefined;
  }

  async setDryRun(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('update job_execution set dry_run = true where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  /** Seconds since its work began, until its end or now, by the clock of the database; undefined before it began. */
  async workedSeconds(tx: TenantRead, id: string): Promise<number | undefined> {
    const row = await tx.one<{ seconds: string | null }>(
      `select extract(epoch from coalesce(completed_at, clock_timestamp()) - processing_started_at) as seconds
       from job_execution where tenant_id = $1 and id = $2`,
      [tx.tenantId, id],
    );
    return row?.seconds == null ? undefined : Number(row.seconds);
  }

  /** The bytes that the job reads, or will read: those of its uploaded file until its work begins. */
  async content(
    tx: TenantRead,
    id: string,
  ): Promise<{ readonly bytes?: number; readonly sha256?: Buffer }> {
    const row = await tx.one<{ bytes: string | null; sha256: Buffer | null }>(
      `select coalesce(j.content_bytes, f.bytes) as bytes, coalesce(j.content_sha256, f.sha256) as sha256
       from job_execution j left join upload_file f on (f.tenant_id, f.job_id) = (j.tenant_id, j.id)
       where j.tenant_id = $1 and j.id = $2`,
      [tx.tenantId, id],
    );
    return {
      ...(row?.bytes == null ? {} : { bytes: Number(row.bytes) }),
      ...(row?.sha256 == null ? {} : { sha256: row.sha256 }),
    };
  }
}

/** A composite parent is undone with the last of its children, and shows what they did together. */
const UNDONE_WHOLE = `
  update job_execution p set undo_sent = true, undone_at = now(), undone = c.sums, last_updated = now()
  from (select parent_job_id, bool_and(undone_at is not null) as done,
      jsonb_build_object('removed', sum((undone->>'removed')::bigint), 'restored', sum((undone->>'restored')::bigint),
        'kept', sum((undone->>'kept')::bigint)) as sums
    from job_execution where tenant_id = $1 and id <> parent_job_id
      and parent_job_id = (select parent_job_id from job_execution where tenant_id = $1 and id = $2)
    group by parent_job_id) c
  where p.tenant_id = $1 and p.id = c.parent_job_id and p.subordination_type = 'COMPOSITE_PARENT'
    and p.undo_requested_at is not null and c.done`;
