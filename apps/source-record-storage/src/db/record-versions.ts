import { Injectable } from '@nestjs/common';
import { int8Array, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/**
 * Brings back versions of records that the history or an older generation has: whole rows and their bytes, whatever columns a
 * row has. What a row had not yet when it was kept stays as it is.
 */
export interface VersionPlace {
  readonly id: string;
  /** In the history. */
  readonly place: string;
}

/** A version as a new generation is made of it. */
export interface FoundVersion {
  /** Generation that had the content. */
  readonly id: string;
  /** Null: it has it still. */
  readonly place: string | null;
}

export interface NewGeneration {
  readonly id: string;
  readonly snapshotId: string;
  readonly matchedId: string;
  /** Whose content it takes. */
  readonly from: number;
  readonly userName: string;
}

/** Without its schema it would be the type of any row. */
const ROW = 'null::source_record_storage.record';

@Injectable()
export class RecordVersions {
  /** Rows and contents become again what the history has of them. The records are there, and locked. */
  async putBack(
    tx: TenantTx,
    versions: readonly VersionPlace[],
    userName: string | undefined,
  ): Promise<void> {
    if (versions.length === 0) return;
    const ids = uuidArray(versions.map(({ id }) => id));
    const places = int8Array(versions.map(({ place }) => Number(place)));
    const rows = await tx.query<{ row: string }>(FORMER_ROWS, [
      tx.tenantId,
      ids,
      places,
      tx.scope.actorId,
      userName ?? null,
    ]);
    await tx.execute('delete from record where tenant_id = $1 and id = any ($2::uuid[])', [
      tx.tenantId,
      ids,
    ]);
    await tx.execute(
      `insert into record select r.* from jsonb_populate_recordset(${ROW}, $1::jsonb) as r`,
      [`[${rows.map(({ row }) => row).join(',')}]`],
    );
    await tx.execute(
      'delete from record_content where tenant_id = $1 and record_id = any ($2::uuid[])',
      [tx.tenantId, ids],
    );
    await tx.execute(FORMER_CONTENTS, [tx.tenantId, ids, places]);
  }

  /** Generations that were superseded by this snapshot and have no successor any more are what they were before. */
  async reactivate(
    tx: TenantTx,
    snapshotId: string,
    matchedIds: readonly string[],
    userName: string | undefined,
  ): Promise<string[]> {
    if (matchedIds.length === 0) return [];
    const rows = await tx.query<{ id: string }>(REACTIVATE, [
      tx.tenantId,
      snapshotId,
      uuidArray([...new Set(matchedIds)].sort()),
      tx.scope.actorId,
      userName ?? null,
    ]);
    return rows.map(({ id }) => id);
  }

  /**
   * A version of a generation: the last one, or the one with this number. A generation that is there goes before one of the
   * same number that was removed.
   */
  find(
    tx: TenantRead,
    matchedId: string,
    generation: number,
    version: number | undefined,
  ): Promise<FoundVersion | undefined> {
    const order =
      version === undefined ? 'desc nulls first limit 1' : 'asc nulls last limit 1 offset $4';
    return tx.one<FoundVersion>(`${VERSIONS} order by place ${order}`, [
      tx.tenantId,
      matchedId,
      generation,
      ...(version === undefined ? [] : [version]),
    ]);
  }

  /** What is current of a record is so no longer. */
  supersede(
    tx: TenantTx,
    matchedId: string,
    snapshotId: string,
  ): Promise<{ id: string; generation: number }[]> {
    return tx.query(
      `update record set state = 'OLD', superseded_in = $3, superseded_state = state
       where tenant_id = $1 and matched_id = $2 and state in ('ACTUAL', 'DELETED') returning id, generation`,
      [tx.tenantId, matchedId, snapshotId],
    );
  }

  /** Makes a generation of a version, the next of its record. What was current keeps its suppression from discovery. */
  async make(tx: TenantTx, version: FoundVersion, made: NewGeneration): Promise<void> {
    await tx.execute(MAKE_ROW, [
      tx.tenantId,
      version.id,
      version.place,
      made.id,
      made.snapshotId,
      made.matchedId,
      made.from,
      tx.scope.actorId,
      made.userName,
    ]);
    const content = [tx.tenantId, version.id, made.id];
    if (version.place !== null) {
      await tx.execute(MAKE_CONTENT_OF_HISTORY, [...content, version.place]);
      return;
    }
    await tx.execute(MAKE_CONTENT, content);
    await tx.execute(MAKE_ERROR, content);
  }
}

const EACH = 'from unnest($2::uuid[], $3::int8[]) as q (id, place)';
const KEPT = (columns: string): string => `cross join lateral (
    select ${columns} from record_history where tenant_id = $1 and record_id = q.id and place = q.place limit 1) as h`;

/** As text: what is in them goes through this process unread. */
const FORMER_ROWS = `
  select to_jsonb(jsonb_populate_record(r.one, h.row || jsonb_build_object('updated_by', $4::uuid, 'updated_by_name', $5::text,
    'updated_at', greatest(statement_timestamp(), (r.one).updated_at + interval '1 millisecond'))))::text as row
  ${EACH} cross join lateral (select n as one from record n where n.tenant_id = $1 and n.id = q.id limit 1) as r
  ${KEPT('row')}`;

const FORMER_CONTENTS = `
  insert into record_content (tenant_id, record_id, content, form)
  select $1, q.id, h.content, h.form ${EACH} ${KEPT('content, form')} where h.content is not null`;

const REACTIVATE = `
  update record r set state = r.superseded_state, superseded_in = null, superseded_state = null, updated_by = $4,
    updated_by_name = $5, updated_at = greatest(statement_timestamp(), r.updated_at + interval '1 millisecond')
  from (
    select p.id from unnest($3::uuid[]) as q (id)
    cross join lateral (
      select id from record where tenant_id = $1 and matched_id = q.id and state = 'OLD' and superseded_in = $2
      order by generation desc limit 1) as p
    where not exists (select from record c where c.tenant_id = $1 and c.matched_id = q.id
      and c.state in ('ACTUAL', 'DELETED'))) as f
  where r.tenant_id = $1 and r.id = f.id returning r.id`;

const VERSIONS = `
  with versions as (
    select record_id as id, place from record_history
    where tenant_id = $1 and matched_id = $2 and (row->>'generation')::int = $3
    union all
    select id, null from record where tenant_id = $1 and matched_id = $2 and generation = $3
  )
  select id, place from versions
  where id = (select id from versions order by place desc nulls first limit 1)`;

/** A leader that says deleted makes a deleted record, as when it is imported. */
const MAKE_ROW = `
  insert into record select r.*
  from (select coalesce(
      (select row from record_history where tenant_id = $1 and record_id = $2 and place = $3::int8 limit 1),
      (select to_jsonb(o) from record o where o.tenant_id = $1 and o.id = $2 limit 1)) as row) as v
  left join lateral (
    select coalesce(suppressed_before, suppress_discovery) as suppressed, staff_suppress, additional_info from record
    where tenant_id = $1 and matched_id = $6 and superseded_in = $5 limit 1) as c on true
  cross join lateral jsonb_populate_record(${ROW}, v.row || jsonb_build_object(
    'tenant_id', $1::text, 'id', $4::uuid, 'snapshot_id', $5::uuid, 'matched_id', $6::uuid, 'restored_from', $7::int,
    'generation', (select coalesce(max(generation) + 1, 0) from record where tenant_id = $1 and matched_id = $6),
    'state', case when v.row->>'leader_status' = 'd' then 'DELETED' else 'ACTUAL' end,
    'action', 'UPDATED', 'record_order', null, 'superseded_in', null, 'superseded_state', null, 'suppressed_before', null,
    'suppress_discovery', coalesce(c.suppressed, (v.row->>'suppress_discovery')::boolean),
    'staff_suppress', coalesce(c.staff_suppress, (v.row->>'staff_suppress')::boolean),
    'additional_info', coalesce(c.additional_info, v.row->'additional_info'),
    'created_at', statement_timestamp(), 'created_by', $8::uuid, 'created_by_name', $9::text,
    'updated_at', statement_timestamp(), 'updated_by', $8::uuid, 'updated_by_name', $9::text)) as r`;

const MAKE_CONTENT = `
  insert into record_content (tenant_id, record_id, content, form)
  select $1, $3::uuid, content, form from record_content where tenant_id = $1 and record_id = $2`;
const MAKE_CONTENT_OF_HISTORY = `
  insert into record_content (tenant_id, record_id, content, form)
  select $1, $3::uuid, content, form from record_history
  where tenant_id = $1 and record_id = $2 and place = $4::int8 and content is not null`;
/** What was said to be wrong with it is wrong again. */
const MAKE_ERROR = `
  insert into record_error (tenant_id, record_id, description, content)
  select $1, $3::uuid, description, content from record_error where tenant_id = $1 and record_id = $2`;
