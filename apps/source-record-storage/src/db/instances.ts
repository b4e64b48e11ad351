import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import type { ContentForm } from '../domain/stored-content.js';
import { instanceParams, UPSERT_INSTANCES, type InstanceRow } from './instance-rows.js';

/** The record that makes the row of an instance, and how many more there are. */
export interface NewestRecord {
  /** External id. */
  readonly id: string;
  readonly record_id: string;
  readonly others: number;
  /** Both null for a record without parsed content. */
  readonly content: Buffer | null;
  readonly form: ContentForm | null;
}

export interface ToFill {
  readonly instanceIds: readonly string[];
  /** Ids of records. */
  readonly holdings: readonly string[];
}

/** The writing side of the instance view (source-record-storage, 8.1), a batch of external ids at a time. */
@Injectable()
export class Instances {
  /** External ids that these records have or had; also of records that have just gone. */
  async externalIds(tx: TenantTx, recordIds: readonly string[]): Promise<string[]> {
    return idsOf(await tx.query(EXTERNAL_IDS, [tx.tenantId, recordIds]));
  }

  newest(tx: TenantTx, ids: readonly string[]): Promise<NewestRecord[]> {
    return tx.query<NewestRecord>(NEWEST, [tx.tenantId, ids]);
  }

  async write(tx: TenantTx, rows: readonly InstanceRow[]): Promise<void> {
    if (rows.length > 0) await tx.execute(UPSERT_INSTANCES, instanceParams(tx.tenantId, rows));
  }

  async remove(tx: TenantTx, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await tx.execute(DELETE, [tx.tenantId, ids]);
  }

  /**
   * The next instances whose rows are to be made and, when there are none any more, the next holdings; nothing in either at
   * the end; undefined when nothing is to be done. Those it gives count as done when the transaction ends.
   */
  async nextToFill(tx: TenantTx, count: number): Promise<ToFill | undefined> {
    const state = await tx.one<{ after: string | null; holdings_after: string | null }>(LOCK_FILL, [
      tx.tenantId,
    ]);
    if (!state) return undefined;
    const ids = idsOf(await tx.query(NEXT_TO_FILL, [tx.tenantId, state.after ?? NIL, count]));
    if (ids.length > 0) {
      await tx.execute(MOVE_FILL, [tx.tenantId, ids.at(-1)]);
      return { instanceIds: ids, holdings: [] };
    }
    const after = state.holdings_after ?? NIL;
    const holdings = idsOf(await tx.query(NEXT_HOLDINGS, [tx.tenantId, after, count]));
    if (holdings.length > 0) await tx.execute(MOVE_HOLDINGS, [tx.tenantId, holdings.at(-1)]);
    else await tx.execute(END_FILL, [tx.tenantId]);
    return { instanceIds: [], holdings };
  }

  /** Those whose row is not that of their records. */
  async stale(tx: TenantTx, ids: readonly string[]): Promise<string[]> {
    return idsOf(await tx.query(STALE, [tx.tenantId, ids]));
  }
}

const idsOf = (rows: object[]): string[] => (rows as { id: string }[]).map(({ id }) => id);

/** Of a record changed in place or removed, the history knows the id that it had. */
const EXTERNAL_IDS = `
  select distinct e.id from (
    select r.external_id as id from unnest($2::uuid[]) as q (id)
    cross join lateral (
      select external_id, record_type from record where tenant_id = $1 and id = q.id limit 1) as r
    where r.record_type = 'MARC_BIB'
    union all
    select (h.row ->> 'external_id')::uuid from unnest($2::uuid[]) as q (id)
    cross join lateral (
      select row from record_history where tenant_id = $1 and record_id = q.id order by place desc limit 1) as h
    where h.row ->> 'record_type' = 'MARC_BIB') as e
  where e.id is not null order by e.id`;

/** As the index `record_external` has it. */
const NEWEST_RECORD = `(
  select f.id, (count(*) over () - 1)::int as others from record f
  where f.tenant_id = $1 and f.record_type = 'MARC_BIB' and f.external_id = q.id and f.state in ('ACTUAL', 'DELETED')
    and f.parsed
  order by f.updated_at desc, f.id desc limit 1)`;

const NEWEST = `
  select q.id, r.id as record_id, r.others, c.content, c.form
  from unnest($2::uuid[]) as q (id)
  cross join lateral ${NEWEST_RECORD} as r
  left join lateral (
    select content, form from record_content where tenant_id = $1 and record_id = r.id limit 1) as c on true`;

const DELETE = 'delete from instance where tenant_id = $1 and id = any ($2::uuid[])';

const STALE = `
  select q.id from unnest($2::uuid[]) as q (id)
  left join lateral ${NEWEST_RECORD} as r on true
  left join lateral (
    select record_id, duplicates from instance where tenant_id = $1 and id = q.id limit 1) as v on true
  where (r.id, r.others) is distinct from (v.record_id, v.duplicates)`;

const NIL = '00000000-0000-0000-0000-000000000000';
const LOCK_FILL =
  'select after, holdings_after from instance_fill where tenant_id = $1 for update skip locked';
const MOVE_FILL = 'update instance_fill set after = $2 where tenant_id = $1';
const MOVE_HOLDINGS = 'update instance_fill set holdings_after = $2 where tenant_id = $1';
const END_FILL = 'delete from instance_fill where tenant_id = $1';

/** Also those that have a row and no record. */
const NEXT_TO_FILL = `
  select e.id from (
    (select distinct f.external_id as id from record f
     where f.tenant_id = $1 and f.record_type = 'MARC_BIB' and f.external_id > $2::uuid and f.state in ('ACTUAL', 'DELETED')
     order by f.external_id limit $3)
    union
    (select v.id from instance v where v.tenant_id = $1 and v.id > $2::uuid order by v.id limit $3)) as e
  order by e.id limit $3`;

const NEXT_HOLDINGS = `
  select id from record where tenant_id = $1 and record_type = 'MARC_HOLDING' and id > $2::uuid
    and state in ('ACTUAL', 'DELETED')
  order by id limit $3`;
