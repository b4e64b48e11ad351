import { Injectable } from '@nestjs/common';
import type { SnapshotStats } from '@quire/contracts/snapshots';
import type { TenantRead } from '@quire/postgres/tenant';
import {
  statsOf,
  type SnapshotCounts,
  type SnapshotExtras,
  type StatusChangeFacts,
} from '../domain/snapshot-shapes.js';

/** What snapshots consist of, and what became of them (source-record-storage, section 14). */
@Injectable()
export class SnapshotFacts {
  /** In the order of the ids, in two statements; their cost follows the number of records. */
  async stats(tx: TenantRead, ids: readonly string[]): Promise<SnapshotStats[]> {
    if (ids.length === 0) return [];
    const counts = await tx.query<SnapshotCounts>(COUNTS, [tx.tenantId, ids]);
    const extras = await tx.query<SnapshotExtras>(EXTRAS, [tx.tenantId, ids]);
    return ids.map((id) =>
      statsOf(
        id,
        counts.filter((one) => one.snapshot_id === id),
        extras.find((one) => one.snapshot_id === id),
      ),
    );
  }

  /** In the order in which they happened. */
  statusChanges(tx: TenantRead, id: string): Promise<StatusChangeFacts[]> {
    return tx.query<StatusChangeFacts>(
      `select status, previous, at, by_user_id from snapshot_status
       where tenant_id = $1 and snapshot_id = $2 order by place`,
      [tx.tenantId, id],
    );
  }
}

/** A record written by REST has no action: then its generation tells. Served by `record_snapshot`. */
const COUNTS = `
  select q.id as snapshot_id, c.* from unnest($2::uuid[]) as q (id)
  cross join lateral (
    select record_type, state, count(*)::int as records,
      (count(*) filter (where coalesce(action = 'UPDATED', generation > 0)))::int as updated,
      min(created_at) as first_write, max(created_at) as last_write
    from record where tenant_id = $1 and snapshot_id = q.id group by 1, 2 order by 1, 2) as c`;

/** Errors are few: they look for their records, not the records for their errors. */
const EXTRAS = `
  with failed as (
    select r.snapshot_id, count(*)::int as errors from record_error e
    cross join lateral (
      select snapshot_id from record where tenant_id = $1 and id = e.record_id limit 1) as r
    where e.tenant_id = $1 and r.snapshot_id = any ($2::uuid[]) group by 1)
  select q.id as snapshot_id, f.*, coalesce(failed.errors, 0) as errors from unnest($2::uuid[]) as q (id)
  cross join lateral (
    select count(*)::int as unchanged, min(saved_at) as first_write, max(saved_at) as last_write
    from unchanged_frame where tenant_id = $1 and snapshot_id = q.id) as f
  left join failed on failed.snapshot_id = q.id`;
