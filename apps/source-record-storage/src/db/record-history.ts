import { Injectable } from '@nestjs/common';
import type { RecordIdType, RecordState } from '@quire/contracts/source-records';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { ContentForm } from '../domain/record-changes.js';

/** Why a content was replaced. */
export type HistoryCause = 'UPDATE' | 'DELETE' | 'UNDELETE' | 'SUPPRESS' | 'REMOVE' | 'RESTORE';

export interface Replacing {
  readonly cause: HistoryCause;
  /** Snapshot whose work it is; absent for a user's change. */
  readonly snapshotId?: string | undefined;
  readonly userName?: string | undefined;
}

/** One thing that was done to a record, and what a generation of it was afterwards. */
export interface HistoryRow {
  readonly id: string;
  readonly generation: number;
  readonly version: number;
  /** Null: the generation was made. */
  readonly cause: HistoryCause | null;
  readonly removed: boolean;
  readonly at: Date;
  readonly by: string | null;
  readonly by_name: string | null;
  readonly in_snapshot: string | null;
  readonly restored_from: number | null;
  readonly state: RecordState;
  readonly suppressed: boolean;
  readonly leader_status: string | null;
  readonly content: Buffer | null;
  readonly form: ContentForm | null;
}

const byExternalId = (types: string): string => `
  select matched_id from record where tenant_id = $1 and record_type in (${types}) and external_id = $2
    and state in ('ACTUAL', 'DELETED') order by updated_at desc, id desc limit 1`;

const FIND: Readonly<Record<RecordIdType, string>> = {
  RECORD: `select matched_id from record where tenant_id = $1 and matched_id = $2
    union all select matched_id from record_history where tenant_id = $1 and matched_id = $2 limit 1`,
  SRS_RECORD: `select matched_id from record where tenant_id = $1 and id = $2
    union all select matched_id from record_history where tenant_id = $1 and record_id = $2 limit 1`,
  INSTANCE: byExternalId(`'MARC_BIB'`),
  HOLDINGS: byExternalId(`'MARC_HOLDING'`),
  AUTHORITY: byExternalId(`'MARC_AUTHORITY'`),
  EXTERNAL: byExternalId(`'MARC_BIB', 'MARC_HOLDING', 'MARC_AUTHORITY'`),
};

/** Contents of up to 1 MiB each. */
const ROWS_AT_ONCE = 20;

/**
 * Every content that was replaced in place or removed (source-record-storage, 9.3): the row and its bytes as they were. It is
 * written before the change, in its transaction, and never changed by later work. Older generations stay rows of `record`.
 */
@Injectable()
export class RecordHistory {
  /** Keeps what is stored of these records now. */
  async keep(
    tx: TenantTx,
    recordIds: readonly string[],
    { cause, snapshotId, userName }: Replacing,
  ): Promise<void> {
    if (recordIds.length === 0) return;
    await tx.execute(KEEP, [
      tx.tenantId,
      recordIds,
      cause,
      tx.scope.actorId,
      userName ?? null,
      snapshotId ?? null,
    ]);
  }

  /**
   * Which record is meant. Also one of which nothing is left but its history, where it is asked for by its own ids.
   * @returns its matched id
   */
  async matchedId(
    tx: TenantRead,
    { id, idType }: { readonly id: string; readonly idType: RecordIdType },
  ): Promise<string | undefined> {
    const row = await tx.one<{ matched_id: string }>(FIND[idType], [tx.tenantId, id]);
    return row?.matched_id;
  }

  /** All that was done to a record, in the order of time. */
  async *steps(tx: TenantRead, matchedId: string): AsyncGenerator<HistoryRow> {
    const params = [tx.tenantId, matchedId];
    for await (const rows of tx.cursor<HistoryRow>(STEPS, params, ROWS_AT_ONCE)) yield* rows;
  }
}

const KEEP = `
  insert into record_history (tenant_id, record_id, matched_id, snapshot_id, cause, row, content, form, replaced_at,
    replaced_by, replaced_by_name, replaced_in)
  select $1, r.id, r.matched_id, r.snapshot_id, $3, to_jsonb(r) - 'tenant_id', c.content, c.form, statement_timestamp(), $4,
    $5, $6
  from unnest($2::uuid[]) with ordinality as q (id, place)
  cross join lateral (select * from record where tenant_id = $1 and id = q.id limit 1) as r
  left join lateral (
    select content, form from record_content where tenant_id = $1 and record_id = q.id limit 1) as c on true
  order by q.place`;

/**
 * A row of the history says what a generation was, and what was done to it then. So each state of a generation was brought
 * about by the row before its own, the first one by its making; the state of today is the row of `record`, and a generation
 * without one was taken away by its last row.
 */
const STEPS = `
  with kept as (
    select h.record_id, h.place, h.row, h.cause, h.replaced_at, h.replaced_by, h.replaced_by_name, h.replaced_in,
      lag(h.place) over own as before, lead(h.place) over own as next
    from record_history h where h.tenant_id = $1 and h.matched_id = $2
    window own as (partition by h.record_id order by h.place)
  ), states as (
    select k.record_id, k.row, k.before as by_place, k.place as kept_at, false as removed from kept k
    union all
    select r.id, to_jsonb(r), (select max(k.place) from kept k where k.record_id = r.id), null, false
    from record r where r.tenant_id = $1 and r.matched_id = $2
    union all
    select k.record_id, k.row, k.place, null, true from kept k
    where k.next is null
      and not exists (select from record r where r.tenant_id = $1 and r.matched_id = $2 and r.id = k.record_id)
  ), steps as (
    select s.record_id, s.kept_at, s.removed, b.cause, (s.row->>'generation')::int as generation,
      coalesce(b.replaced_at, (s.row->>'created_at')::timestamptz) as at,
      case when b.place is null then (s.row->>'created_by')::uuid else b.replaced_by end as by,
      case when b.place is null then s.row->>'created_by_name' else b.replaced_by_name end as by_name,
      case when b.place is null then (s.row->>'snapshot_id')::uuid else b.replaced_in end as in_snapshot,
      (s.row->>'restored_from')::int as restored_from, s.row->>'state' as state,
      (s.row->>'suppress_discovery')::boolean as suppressed, s.row->>'leader_status' as leader_status,
      coalesce(b.place, 0) as place
    from states s left join kept b on b.place = s.by_place
  )
  select s.record_id as id, s.generation,
    (row_number() over (partition by s.record_id, s.generation order by s.place) - 1)::int as version,
    s.cause, s.removed, s.at, s.by, s.by_name, s.in_snapshot, s.restored_from, s.state, s.suppressed, s.leader_status,
    coalesce(o.content, c.content) as content, coalesce(o.form, c.form) as form
  from steps s
  left join lateral (
    select h.content, h.form from record_history h
    where h.tenant_id = $1 and h.record_id = s.record_id and h.place = s.kept_at limit 1) as o on true
  left join lateral (
    select t.content, t.form from record_content t
    where t.tenant_id = $1 and t.record_id = s.record_id and s.kept_at is null and not s.removed limit 1) as c on true
  order by s.at, s.place, s.generation`;
