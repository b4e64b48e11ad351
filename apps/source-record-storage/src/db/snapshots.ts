import { Injectable } from '@nestjs/common';
import type { JobStatus } from '@quire/contracts/source-records';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/** A snapshot: what one job saved; it has the id of the job. */
export interface SnapshotRow {
  readonly id: string;
  readonly status: JobStatus;
  readonly processing_started_at: Date | null;
  readonly job_version: string;
  /** What the import job last said of itself; null when none has the id. */
  readonly job_status: JobStatus | null;
  readonly undone: boolean;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
  /** `updated_at` in microseconds since 1970. */
  readonly version: string;
}

/** What an event or a chunk of an import says of its job. */
export interface SnapshotChange {
  readonly id: string;
  readonly status: JobStatus;
  readonly processingStartedDate?: string | undefined;
  readonly jobVersion: number;
}

/** What a client says. An absent date keeps what is stored. */
export interface SnapshotWrite {
  readonly id: string;
  readonly status: JobStatus;
  readonly processingStartedDate?: string | undefined;
  readonly userName: string | undefined;
}

export interface Changed {
  readonly row: SnapshotRow;
  readonly created: boolean;
  readonly previousStatus: JobStatus | undefined;
}

export interface Held {
  readonly status: JobStatus;
  /** The snapshot was deleted: the chunk comes too late. */
  readonly deleted: boolean;
  readonly undone: boolean;
  /** Present: the snapshot was not there. */
  readonly made?: SnapshotRow;
}

/** Columns of a {@link SnapshotRow}, of `snapshot s`. */
export const SNAPSHOT_COLUMNS = `s.id, s.status, s.processing_started_at, s.job_version, s.job_status, s.undone, s.created_at,
  s.created_by, s.created_by_name, s.updated_at, s.updated_by, s.updated_by_name,
  (extract(epoch from s.updated_at) * 1000000)::bigint::text as version`;

@Injectable()
export class Snapshots {
  find(tx: TenantRead, id: string): Promise<SnapshotRow | undefined> {
    return tx.one<SnapshotRow>(FIND, [tx.tenantId, id]);
  }

  /** Nobody else changes or removes it, or saves a chunk of it, until the transaction ends. */
  lock(tx: TenantTx, id: string): Promise<SnapshotRow | undefined> {
    return tx.one<SnapshotRow>(`${FIND} for update`, [tx.tenantId, id]);
  }

  /** Makes or changes a snapshot for a client. Its times are those of the transaction, and never go back. */
  async write(tx: TenantTx, { id, status, ...write }: SnapshotWrite): Promise<Changed> {
    const before = await this.lock(tx, id);
    const row = await tx.one<SnapshotRow & { created: boolean }>(WRITE, [
      tx.tenantId,
      id,
      status,
      write.processingStartedDate ?? null,
      tx.scope.actorId,
      write.userName ?? null,
    ]);
    if (!row) throw new Error('An upsert gives its row.');
    return { row, created: row.created, previousStatus: before?.status };
  }

  /** No chunk of it is saved any more, and no event of its job changes it. */
  async setUndone(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('update snapshot set undone = true where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  /** Takes over what a job's event says; undefined when a later one was applied before, or the snapshot was deleted. */
  async apply(tx: TenantTx, change: SnapshotChange): Promise<Changed | undefined> {
    // Waits for a deletion that is under way; its tombstone is there for the next statement.
    const before = await this.lock(tx, change.id);
    if (await this.wasDeleted(tx, change.id)) return undefined;
    const row = await tx.one<SnapshotRow & { created: boolean }>(APPLY, valuesOf(tx, change));
    return row ? { row, created: row.created, previousStatus: before?.status } : undefined;
  }

  /**
   * For a chunk: makes the snapshot when its event came before the job's, and holds its row, so that neither a deletion nor
   * the end of the job comes in between.
   */
  async hold(tx: TenantTx, change: SnapshotChange): Promise<Held> {
    const held = await this.share(tx, change.id);
    if (held) {
      if (!held.followed && !held.deleted) await tx.execute(FOLLOW, followValues(tx, change));
      return held;
    }
    if (await this.wasDeleted(tx, change.id))
      return { status: change.status, deleted: true, undone: false };
    const made = await tx.one<SnapshotRow>(
      `${INSERT} on conflict do nothing returning ${SNAPSHOT_COLUMNS}`,
      valuesOf(tx, change),
    );
    if (made) return { status: made.status, deleted: false, undone: false, made };
    // Another chunk has made it meanwhile.
    const other = await this.share(tx, change.id);
    return other ?? { status: change.status, deleted: true, undone: false };
  }

  /** Clients may use a deleted id again; the job that had it may not. */
  private async wasDeleted(tx: TenantTx, id: string): Promise<boolean> {
    const row = await tx.one(
      'select 1 as one from snapshot_tombstone where tenant_id = $1 and id = $2',
      [tx.tenantId, id],
    );
    return row !== undefined;
  }

  private share(tx: TenantTx, id: string): Promise<(Held & { followed: boolean }) | undefined> {
    return tx.one(SHARE, [tx.tenantId, id]);
  }
}

const FIND = `select ${SNAPSHOT_COLUMNS} from snapshot s where s.tenant_id = $1 and s.id = $2`;

/** Later than what is stored by at least the unit in which clients see dates. */
const MOVED = `greatest(now(), s.updated_at + interval '1 millisecond')`;

const WRITE = `insert into snapshot as s (tenant_id, id, status, processing_started_at, created_by, created_by_name,
    updated_by, updated_by_name)
  values ($1, $2, $3, case when $3 = 'PARSING_IN_PROGRESS' then now() else $4::timestamptz end,
    $5, $6, $5, $6)
  on conflict (tenant_id, id) do update set status = excluded.status,
    processing_started_at = coalesce(excluded.processing_started_at, s.processing_started_at),
    updated_at = ${MOVED}, updated_by = excluded.updated_by, updated_by_name = excluded.updated_by_name
  returning ${SNAPSHOT_COLUMNS}, xmax = 0 as created`;

const INSERT = `insert into snapshot as s (tenant_id, id, status, processing_started_at, job_version, created_by, updated_by,
    job_status)
  values ($1, $2, $3, $4, $5, $6, $6, $3)`;

const APPLY = `${INSERT}
  on conflict (tenant_id, id) do update set status = excluded.status, job_version = excluded.job_version,
    job_status = excluded.job_status,
    processing_started_at = coalesce(excluded.processing_started_at, s.processing_started_at),
    updated_at = ${MOVED}, updated_by = excluded.updated_by, updated_by_name = null
  where not s.undone
    and (s.job_version < excluded.job_version or (s.job_version = excluded.job_version and s.status <> excluded.status))
  returning ${SNAPSHOT_COLUMNS}, xmax = 0 as created`;

const SHARE = `select s.status, s.undone, s.job_status is not null as followed,
    exists (select from snapshot_tombstone t where t.tenant_id = $1 and t.id = $2) as deleted
  from snapshot s where s.tenant_id = $1 and s.id = $2 for share of s`;

/** A client had made the snapshot before the first chunk of the job came. */
const FOLLOW = `update snapshot set job_version = $3, job_status = $4
  where tenant_id = $1 and id = $2 and job_status is null`;

const followValues = (tx: TenantTx, { id, jobVersion, status }: SnapshotChange): unknown[] => [
  tx.tenantId,
  id,
  jobVersion,
  status,
];

const valuesOf = (tx: TenantTx, change: SnapshotChange): unknown[] => [
  tx.tenantId,
  change.id,
  change.status,
  change.processingStartedDate ?? null,
  change.jobVersion,
  tx.scope.actorId,
];
