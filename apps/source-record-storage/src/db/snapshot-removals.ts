import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

interface PlacedRecord {
  readonly id: string;
  readonly record_order: number | null;
}

/** Where the removal of a snapshot's records stands: smaller orders are gone. */
export interface RemovalCursor {
  readonly order?: number | null;
}

/** A hidden row in somebody's way. */
export interface HiddenRecord {
  readonly id: string;
  readonly snapshot_id: string;
}

/** Snapshots whose rows are hidden and go in batches; see `snapshot-removal-policy.ts`. */
@Injectable()
export class SnapshotRemovals {
  async isRemoving(tx: TenantRead, id: string): Promise<boolean> {
    const row = await tx.one(
      'select 1 as one from snapshot_removal where tenant_id = $1 and snapshot_id = $2',
      [tx.tenantId, id],
    );
    return row !== undefined;
  }

  /** Neither records nor frames that changed nothing. Who writes some holds the snapshot's row: lock it before. */
  async isEmpty(tx: TenantTx, snapshotId: string): Promise<boolean> {
    const row = await tx.one(
      `select 1 as one where exists (select from record where tenant_id = $1 and snapshot_id = $2)
         or exists (select from unchanged_frame where tenant_id = $1 and snapshot_id = $2)`,
      [tx.tenantId, snapshotId],
    );
    return row === undefined;
  }

  /** Reads no more than that many entries of an index; before {@link begin}. */
  async hasMoreThan(tx: TenantRead, snapshotId: string, records: number): Promise<boolean> {
    const row = await tx.one(
      'select 1 as one from record where tenant_id = $1 and snapshot_id = $2 offset $3 limit 1',
      [tx.tenantId, snapshotId, records],
    );
    return row !== undefined;
  }

  /** The snapshot's row goes, its tombstone stays, its records are hidden. The row is locked. */
  async begin(tx: TenantTx, snapshotId: string): Promise<void> {
    await tx.execute(BURY, [tx.tenantId, snapshotId, tx.scope.actorId]);
    for (const statement of FORGET) await tx.execute(statement, [tx.tenantId, snapshotId]);
    await tx.execute('insert into snapshot_removal (tenant_id, snapshot_id) values ($1, $2)', [
      tx.tenantId,
      snapshotId,
    ]);
  }

  /** Nothing is hidden any more: nothing is left. */
  async end(tx: TenantTx, snapshotId: string): Promise<void> {
    await tx.execute('delete from original where tenant_id = $1 and snapshot_id = $2', [
      tx.tenantId,
      snapshotId,
    ]);
    await tx.execute('delete from snapshot_removal where tenant_id = $1 and snapshot_id = $2', [
      tx.tenantId,
      snapshotId,
    ]);
  }

  /** For the statements that remove: hidden rows are there. Until {@link hide} or the end of the transaction. */
  async show(tx: TenantTx): Promise<void> {
    await tx.execute(`select set_config('app.hidden', 'shown', true)`);
  }

  async hide(tx: TenantTx): Promise<void> {
    await tx.execute(`select set_config('app.hidden', '', true)`);
  }

  /**
   * The next records to go, in the order of the file and then those without one; with {@link show}. What the cursor says is
   * gone is not looked at again, as the dead entries of the index would be.
   */
  async next(
    tx: TenantTx,
    snapshotId: string,
    { order }: RemovalCursor,
    limit: number,
  ): Promise<{ readonly ids: readonly string[]; readonly cursor: RemovalCursor }> {
    const params = [tx.tenantId, snapshotId, limit];
    const rows = await (order === null
      ? tx.query<PlacedRecord>(UNORDERED, params)
      : tx.query<PlacedRecord>(ORDERED, [...params, order ?? 0]));
    const last = rows.at(-1);
    return { ids: rows.map(({ id }) => id), cursor: last ? { order: last.record_order } : {} };
  }

  /** Entries of frames that changed nothing. @returns how many went */
  removeUnchanged(tx: TenantTx, snapshotId: string, limit: number): Promise<number> {
    return tx.execute(REMOVE_UNCHANGED, [tx.tenantId, snapshotId, limit]);
  }

  /** Hidden records with one of these matched ids or ids. */
  async hiddenAmong(tx: TenantTx, ids: readonly string[]): Promise<HiddenRecord[]> {
    await this.show(tx);
    const rows = await tx.query<HiddenRecord>(HIDDEN, [tx.tenantId, ids]);
    await this.hide(tx);
    return rows;
  }

  /** Does anything hide in this tenant at all? */
  async isAnyRemoving(tx: TenantRead): Promise<boolean> {
    const row = await tx.one('select 1 as one from snapshot_removal where tenant_id = $1 limit 1', [
      tx.tenantId,
    ]);
    return row !== undefined;
  }
}

const BURY = `
  with gone as (delete from snapshot where tenant_id = $1 and id = $2 returning id, job_version)
  insert into snapshot_tombstone as t (tenant_id, id, job_version, deleted_by) select $1, id, job_version, $3 from gone
  on conflict (tenant_id, id) do update set job_version = greatest(t.job_version, excluded.job_version),
    deleted_at = excluded.deleted_at, deleted_by = excluded.deleted_by`;

const FORGET = [
  'delete from snapshot_status where tenant_id = $1 and snapshot_id = $2',
  'delete from snapshot_task where tenant_id = $1 and snapshot_id = $2',
  'delete from undo_conflict where tenant_id = $1 and snapshot_id = $2',
];

/** Served by `record_snapshot`. */
const OF_SNAPSHOT = 'select id, record_order from record where tenant_id = $1 and snapshot_id = $2';
const UNORDERED = `(${OF_SNAPSHOT} and record_order is null limit $3)`;
const ORDERED = `(${OF_SNAPSHOT} and record_order >= $4 order by record_order limit $3) union all ${UNORDERED} limit $3`;

const REMOVE_UNCHANGED = `
  delete from unchanged_frame where tenant_id = $1 and id = any (array(
    select id from unchanged_frame where tenant_id = $1 and snapshot_id = $2 order by record_order limit $3))`;

const HIDDEN = `
  select distinct r.id, r.snapshot_id from unnest($2::uuid[]) as q (id)
  cross join lateral (
    (select id, snapshot_id from record where tenant_id = $1 and matched_id = q.id offset 0)
    union
    (select id, snapshot_id from record where tenant_id = $1 and id = q.id limit 1)) as r
  join snapshot_removal h on h.tenant_id = $1 and h.snapshot_id = r.snapshot_id
  order by r.id`;
