import { Injectable } from '@nestjs/common';
import type { JobStatus } from '@quire/contracts/source-records';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/** A snapshot: what one job saved; it has the id of the job. */
export interface SnapshotRow {
  readonly id: string;
  readonly status: JobStatus;
  readonly processing_started_at: Date | null;
  readonly job_version: string;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
}

export interface SnapshotChange {
  readonly id: string;
  readonly status: JobStatus;
  readonly processingStartedDate?: string | undefined;
  readonly jobVersion: number;
}

export interface Changed {
  readonly row: SnapshotRow;
  readonly created: boolean;
  readonly previousStatus: JobStatus | undefined;
}

export interface Held {
  readonly status: JobStatus;
  /** Present: the snapshot was not there. */
  readonly made?: SnapshotRow;
}

@Injectable()
export class Snapshots {
  find(tx: TenantRead, id: string): Promise<SnapshotRow | undefined> {
    return tx.one<SnapshotRow>('select * from snapshot where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  /** Takes over what a job's event says; undefined when a later one was applied before. */
  async apply(tx: TenantTx, change: SnapshotChange): Promise<Changed | undefined> {
    const before = await tx.one<SnapshotRow>(
      'select * from snapshot where tenant_id = $1 and id = $2 for update',
      [tx.tenantId, change.id],
    );
    const row = await tx.one<SnapshotRow & { created: boolean }>(
      `${INSERT}
       on conflict (tenant_id, id) do update set status = excluded.status, job_version = excluded.job_version,
         processing_started_at = coalesce(excluded.processing_started_at, s.processing_started_at),
         updated_at = greatest(now(), s.updated_at), updated_by = excluded.updated_by
       where s.job_version < excluded.job_version or (s.job_version = excluded.job_version and s.status <> excluded.status)
       returning s.*, xmax = 0 as created`,
      valuesOf(tx, change),
    );
    return row ? { row, created: row.created, previousStatus: before?.status } : undefined;
  }

  /**
   * For a chunk: makes the snapshot when its event came before the job's, and holds its row, so that neither a deletion nor
   * the end of the job comes in between.
   */
  async hold(tx: TenantTx, change: SnapshotChange): Promise<Held> {
    const made = await tx.one<SnapshotRow>(
      `${INSERT} on conflict do nothing returning s.*`,
      valuesOf(tx, change),
    );
    if (made) return { status: made.status, made };
    const row = await tx.one<{ status: JobStatus }>(
      'select status from snapshot where tenant_id = $1 and id = $2 for share',
      [tx.tenantId, change.id],
    );
    return { status: row?.status ?? change.status };
  }
}

const INSERT = `insert into snapshot as s (tenant_id, id, status, processing_started_at, job_version, created_by, updated_by)
  values ($1, $2, $3, $4, $5, $6, $6)`;

const valuesOf = (tx: TenantTx, change: SnapshotChange): unknown[] => [
  tx.tenantId,
  change.id,
  change.status,
  change.processingStartedDate ?? null,
  change.jobVersion,
  tx.scope.actorId,
];
