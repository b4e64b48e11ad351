import { Injectable } from '@nestjs/common';
import { uuidArray, uuidBytesArray } from '@quire/postgres/bulk';
import { asSystem, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';

/** Records of a chunk, as they are handed to the projection. */
export interface PendingColumns {
  readonly snapshotId: string;
  /** Bibliographic records of a first generation, with external ids made for them. */
  readonly newIds: readonly Buffer[];
  /** Bibliographic records that may share their external id, and records superseded by the chunk. */
  readonly otherIds: readonly string[];
}

export interface PendingRow {
  readonly place: string;
  /** In order, so that two transactions wait for each other in one direction only. */
  readonly new_ids: readonly string[];
  readonly other_ids: readonly string[];
  readonly records: number;
}

/** Records of a tenant that wait for their rows. */
export interface Backlog {
  readonly tenantId: string;
  readonly records: number;
}

/** A record that nobody has touched since its chunk was saved. */
export interface UntouchedRecord {
  readonly id: string;
  readonly matched_id: string;
  readonly external_id: string;
  readonly external_hrid: string | null;
  readonly leader_status: string;
  /** ISO 2709. */
  readonly content: Buffer;
}

/** What the instance view has not caught up with (source-record-storage, 8.1): a row per chunk of an import. */
@Injectable()
export class PendingInstances {
  async add(tx: TenantTx, { snapshotId, newIds, otherIds }: PendingColumns): Promise<void> {
    const count = newIds.length + otherIds.length;
    if (count === 0) return;
    const ordered = [...newIds].sort((one, other) => one.compare(other));
    await tx.execute(ADD, [
      tx.tenantId,
      snapshotId,
      uuidBytesArray(ordered),
      uuidArray(otherIds),
      count,
    ]);
  }

  /** The oldest row that nobody works at, locked until the transaction ends. */
  take(tx: TenantTx): Promise<PendingRow | undefined> {
    return tx.one<PendingRow>(TAKE, [tx.tenantId]);
  }

  async remove(tx: TenantTx, place: string): Promise<void> {
    await tx.execute(REMOVE, [tx.tenantId, place]);
  }

  /** Places of all rows that can be seen. */
  async places(tx: TenantRead): Promise<string[]> {
    const rows = await tx.query<{ place: string }>(PLACES, [tx.tenantId]);
    return rows.map(({ place }) => place);
  }

  /** Whether one of these places is still there. */
  async isLeft(tx: TenantRead, places: readonly string[]): Promise<boolean> {
    return (await tx.one(LEFT, [tx.tenantId, places])) !== undefined;
  }

  /** Of all tenants that have any. */
  async backlog(source: DataSource): Promise<Backlog[]> {
    const rows = await asSystem(source, (system) =>
      system.call<{ tenant_id: string; records: string }>('select * from instance_backlog()'),
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, records: Number(row.records) }));
  }

  /**
   * Those of the records that are still what their chunk made them, held as they are until the transaction ends: whoever
   * changes or removes one afterwards finds the row that is made of it.
   */
  holdUntouched(tx: TenantTx, ids: readonly string[]): Promise<UntouchedRecord[]> {
    return tx.query<UntouchedRecord>(HOLD_UNTOUCHED, [tx.tenantId, uuidArray(ids)]);
  }

  /**
   * Holds records as they are, and keeps other projections of the tenant from records that may have an external id in common
   * with them: two that see only part of the same instance would leave a row of neither.
   */
  async holdAlone(tx: TenantTx, ids: readonly string[]): Promise<void> {
    await tx.query(HOLD, [tx.tenantId, uuidArray([...ids].sort())]);
    await tx.query(ALONE, [tx.tenantId]);
  }
}

const ADD = `
  insert into instance_pending (tenant_id, snapshot_id, new_ids, other_ids, records)
  values ($1, $2, $3::uuid[], $4::uuid[], $5)`;

const TAKE = `
  select place, new_ids::text[], other_ids::text[], records from instance_pending
  where tenant_id = $1 order by place limit 1 for update skip locked`;

const REMOVE = 'delete from instance_pending where tenant_id = $1 and place = $2';
const PLACES = 'select place from instance_pending where tenant_id = $1 order by place';
const LEFT =
  'select 1 from instance_pending where tenant_id = $1 and place = any ($2::bigint[]) limit 1';

/**
 * Looked up by the id alone: a planner without statistics of the tenant would take each other condition for an index that reads
 * all its records. They are tested on the row as it is under the lock, so who has changed it meanwhile has touched it.
 */
const HOLD_UNTOUCHED = `
  select r.id, r.matched_id, r.external_id, r.external_hrid, r.leader_status, c.content
  from unnest($2::uuid[]) as q (id)
  cross join lateral (
    select id, matched_id, external_id, external_hrid, leader_status, generation, state, record_type, parsed, created_at,
      updated_at, suppress_discovery, staff_suppress
    from record where tenant_id = $1 and id = q.id limit 1 for share) as r
  cross join lateral (
    select content, form from record_content where tenant_id = $1 and record_id = r.id limit 1) as c
  where r.generation = 0 and r.state in ('ACTUAL', 'DELETED') and r.updated_at = r.created_at
    and r.record_type = 'MARC_BIB' and r.external_id is not null and r.parsed and not r.suppress_discovery
    and r.staff_suppress is null and c.form = 'ISO2709'`;

const HOLD = `
  select from unnest($2::uuid[]) as q (id)
  cross join lateral (select from record where tenant_id = $1 and id = q.id limit 1 for share) as r`;

const ALONE = `select pg_advisory_xact_lock(hashtextextended('source_record_storage.instances.' || $1, 0))`;
