import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';

/** The physical end of records, a batch at a time (source-record-storage, 9.1 and 9.2). */
@Injectable()
export class RecordRemovals {
  /** Those that are still there, in the order of the ids: nobody else removes or changes them meanwhile. */
  hold(tx: TenantTx, ids: readonly string[]): Promise<HeldRecord[]> {
    return tx.query<HeldRecord>(HOLD, [tx.tenantId, ids]);
  }

  /** For streams of deletions; of records with parsed content only, as others are in no stream. */
  async bury(tx: TenantTx, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await tx.execute(BURY, [tx.tenantId, ids, tx.scope.actorId]);
  }

  /** Rows, contents and parts. @returns keys of objects that nobody refers to any more */
  async remove(tx: TenantTx, ids: readonly string[]): Promise<string[]> {
    const raw = await tx.query<{ object_key: string | null }>(REMOVE_RAW, [tx.tenantId, ids]);
    await tx.execute(REMOVE_ERRORS, [tx.tenantId, ids]);
    await tx.execute(REMOVE_CONTENTS, [tx.tenantId, ids]);
    await tx.execute(REMOVE_RECORDS, [tx.tenantId, ids]);
    return raw.flatMap(({ object_key: key }) => (key === null ? [] : [key]));
  }

  /** Newest of what is left under these matched ids, where it was superseded. */
  async superseded(tx: TenantTx, matchedIds: readonly string[]): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(SUPERSEDED, [tx.tenantId, matchedIds]);
    return rows.map(({ id }) => id);
  }

  /** They become what they were before they were superseded. */
  async restore(tx: TenantTx, ids: readonly string[], userName: string | undefined): Promise<void> {
    await tx.execute(RESTORE, [tx.tenantId, ids, tx.scope.actorId, userName ?? null]);
  }

  /** A record of which another generation is current was not deleted. */
  async unbury(tx: TenantTx, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await tx.execute(UNBURY, [tx.tenantId, ids]);
  }
}

export interface HeldRecord {
  readonly id: string;
  readonly matched_id: string;
  /** What clients see as current: ACTUAL or DELETED. */
  readonly current: boolean;
}

/** One look-up per id: see the README about indexes and the planner. */
const each = (columns: string): string => `
  from unnest($2::uuid[]) with ordinality as q (id, place)
  cross join lateral (select ${columns} from record where tenant_id = $1 and id = q.id limit 1) as r`;

/** A subquery that locks is no join: one look-up per id, in their order. */
const HOLD = `
  select r.* from unnest($2::uuid[]) with ordinality as q (id, place)
  cross join lateral (
    select id, matched_id, state in ('ACTUAL', 'DELETED') as current from record
    where tenant_id = $1 and id = q.id limit 1 for update) as r
  order by q.place`;

/** Dated by the statement, as all changes that streams find: see `write-mark.ts`. */
const BURY = `
  insert into record_tombstone (tenant_id, record_id, matched_id, generation, snapshot_id, record_type, external_id,
    external_hrid, created_at, created_by, created_by_name, updated_at, updated_by, updated_by_name, removed_at, removed_by)
  select $1, r.id, r.matched_id, r.generation, r.snapshot_id, r.record_type, r.external_id, r.external_hrid, r.created_at,
    r.created_by, r.created_by_name, r.updated_at, r.updated_by, r.updated_by_name, statement_timestamp(), $3 ${each('*')}
  where r.parsed
  on conflict (tenant_id, record_id) do update set removed_at = excluded.removed_at, removed_by = excluded.removed_by,
    matched_id = excluded.matched_id, generation = excluded.generation, snapshot_id = excluded.snapshot_id,
    record_type = excluded.record_type, external_id = excluded.external_id, external_hrid = excluded.external_hrid,
    created_at = excluded.created_at, created_by = excluded.created_by, created_by_name = excluded.created_by_name,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by, updated_by_name = excluded.updated_by_name`;

/** Tables whose only index is their key. */
const REMOVE_RAW = `delete from record_raw where tenant_id = $1 and record_id = any ($2::uuid[]) returning object_key`;
const REMOVE_ERRORS = `delete from record_error where tenant_id = $1 and record_id = any ($2::uuid[])`;
const REMOVE_CONTENTS = `delete from record_content where tenant_id = $1 and record_id = any ($2::uuid[])`;
const REMOVE_RECORDS = `delete from record where tenant_id = $1 and id = any ($2::uuid[])`;

const SUPERSEDED = `
  select r.id from unnest($2::uuid[]) as q (id)
  cross join lateral (
    select id, state from record where tenant_id = $1 and matched_id = q.id and state <> 'DRAFT'
    order by generation desc limit 1) as r
  where r.state = 'OLD' order by r.id`;

/** Of a record superseded before its state was kept, the leader tells it, as it did when it was imported. */
const RESTORE = `
  update record set state = coalesce(superseded_state, case when leader_status = 'd' then 'DELETED' else 'ACTUAL' end),
    superseded_in = null, superseded_state = null, updated_by = $3, updated_by_name = $4,
    updated_at = greatest(statement_timestamp(), updated_at + interval '1 millisecond')
  where tenant_id = $1 and id = any ($2::uuid[]) and state = 'OLD'`;

const UNBURY = `
  delete from record_tombstone t where t.tenant_id = $1 and t.record_id = any ($2::uuid[])
    and (select true from record r where r.tenant_id = $1 and r.matched_id = t.matched_id
      and r.state in ('ACTUAL', 'DELETED') limit 1)`;
