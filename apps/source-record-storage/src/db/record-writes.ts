import { Injectable } from '@nestjs/common';
import type { RecordState, SourceRecordType } from '@quire/contracts/source-records';
import {
  boolArray,
  byteaArray,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
} from '@quire/postgres/bulk';
import type { TenantTx } from '@quire/postgres/tenant';
import type { StoredContent } from '../domain/stored-content.js';
import type { StoredRow } from './stored-records.js';

/**
 * The writing side of records that come by REST: rows that are made or replaced, rows that change in place, and their parts.
 * Each method is one statement or two, whatever the number of records. Times are those of the statement: see `write-mark.ts`.
 */
export interface RecordValues {
  readonly id: string;
  readonly snapshotId: string;
  readonly matchedId: string;
  readonly generation: number;
  readonly type: SourceRecordType;
  readonly state: RecordState;
  readonly externalId: string | null;
  readonly externalHrid: string | null;
  readonly controlNumberSource: string | null;
  readonly order: number | null;
  readonly leaderStatus: string | null;
  readonly title: string | null;
  /** Source records show it. */
  readonly parsed: boolean;
  readonly suppressDiscovery: boolean;
  /** What it was before a soft delete; null for records that are not deleted. */
  readonly suppressedBefore: boolean | null;
  readonly staffSuppress: boolean | null;
  readonly additionalInfo: object | null;
}

/** Bytes of a raw record: here, or in an object. */
export interface KeptRaw {
  readonly content: Buffer | null;
  readonly objectKey: string | null;
  readonly sha256: Buffer;
  readonly length: number;
}

export interface KeptError {
  readonly description: string;
  /** JSON. */
  readonly content: string;
}

/** Undefined: stays as it is; null: goes. */
export interface PartChanges {
  readonly content?: StoredContent | null;
  readonly raw?: KeptRaw | null;
  readonly error?: KeptError | null;
}

export interface PartsOf extends PartChanges {
  readonly id: string;
}

@Injectable()
export class RecordWrites {
  /** These are no longer current. @param snapshotId of the records that are now */
  async supersede(tx: TenantTx, ids: readonly string[], snapshotId: string): Promise<void> {
    if (ids.length === 0) return;
    await tx.execute(SUPERSEDE, [tx.tenantId, uuidArray(ids), snapshotId]);
  }

  /** New rows; one with the id of a stored row takes its place and keeps its creation. */
  async put(tx: TenantTx, rows: readonly RecordValues[], userName: string): Promise<void> {
    await tx.execute(PUT, [tx.tenantId, tx.scope.actorId, userName, ...columnsOf(rows)]);
  }

  /** Rows that stay what they are, with other values. Matched id and generation never change. */
  async change(tx: TenantTx, rows: readonly RecordValues[], userName: string): Promise<void> {
    await tx.execute(CHANGE, [tx.tenantId, tx.scope.actorId, userName, ...columnsOf(rows)]);
  }

  /** @returns keys of objects that nobody refers to any more */
  async writeParts(tx: TenantTx, parts: readonly PartsOf[]): Promise<string[]> {
    await writeContents(tx, parts);
    await writeErrors(tx, parts);
    return writeRaws(tx, parts);
  }

  /**
   * Keeps the raw record of records whose content is about to change in place, where it was made of the content until now.
   * Records that have one, or whose own text is in the file of their import, need none.
   */
  async keepRaw(tx: TenantTx, raws: readonly (KeptRaw & { readonly id: string })[]): Promise<void> {
    if (raws.length === 0) return;
    await tx.execute(
      `${INSERT_RAWS} where ${NO_OWN_TEXT} on conflict do nothing`,
      rawColumns(tx, raws),
    );
  }
}

/** What a row has now, for a change of some of it. */
export const valuesOf = (row: StoredRow): RecordValues => ({
  id: row.id,
  snapshotId: row.snapshot_id,
  matchedId: row.matched_id,
  generation: row.generation,
  type: row.record_type,
  state: row.state,
  externalId: row.external_id,
  externalHrid: row.external_hrid,
  controlNumberSource: row.control_number_source,
  order: row.record_order,
  leaderStatus: row.leader_status,
  title: row.title,
  parsed: row.parsed,
  suppressDiscovery: row.suppress_discovery,
  suppressedBefore: row.suppressed_before,
  staffSuppress: row.staff_suppress,
  additionalInfo: row.additional_info,
});

/** In the order of `AS_ROWS`. */
function columnsOf(rows: readonly RecordValues[]): Buffer[] {
  const column = <T>(value: (row: RecordValues) => T): T[] => rows.map(value);
  return [
    uuidArray(column((row) => row.id)),
    uuidArray(column((row) => row.snapshotId)),
    uuidArray(column((row) => row.matchedId)),
    int4Array(column((row) => row.generation)),
    textArray(column((row) => row.type)),
    textArray(column((row) => row.state)),
    uuidArray(column((row) => row.externalId)),
    textArray(column((row) => row.externalHrid)),
    textArray(column((row) => row.controlNumberSource)),
    int4Array(column((row) => row.order)),
    textArray(column((row) => row.leaderStatus)),
    textArray(column((row) => row.title)),
    boolArray(column((row) => row.parsed)),
    boolArray(column((row) => row.suppressDiscovery)),
    boolArray(column((row) => row.suppressedBefore)),
    boolArray(column((row) => row.staffSuppress)),
    jsonbArray(column((row) => row.additionalInfo)),
  ];
}

const AS_ROWS = `unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::int4[], $8::text[], $9::text[], $10::uuid[], $11::text[],
    $12::text[], $13::int4[], $14::text[], $15::text[], $16::bool[], $17::bool[], $18::bool[], $19::bool[], $20::jsonb[])
  as v (id, snapshot_id, matched_id, generation, record_type, state, external_id, external_hrid, control_number_source,
    record_order, leader_status, title, parsed, suppress_discovery, suppressed_before, staff_suppress, additional_info)`;

/** What both statements write. */
const CHANGED = `snapshot_id, record_type, state, external_id, external_hrid, control_number_source, record_order,
  leader_status, title, parsed, suppress_discovery, suppressed_before, staff_suppress, additional_info`;
const SETTABLE = CHANGED.split(/,\s*/);

/** Later than what is stored: the time of a record is its version too. */
const MOVED = `greatest(statement_timestamp(), r.updated_at + interval '1 microsecond')`;

const PUT = `
  insert into record as r (tenant_id, created_at, created_by, created_by_name, updated_at, updated_by, updated_by_name, id,
    matched_id, generation, action, ${CHANGED})
  select $1, statement_timestamp(), $2::uuid, $3, statement_timestamp(), $2::uuid, $3, id, matched_id, generation,
    case when generation = 0 then 'CREATED' else 'UPDATED' end, ${CHANGED}
  from ${AS_ROWS}
  on conflict (tenant_id, id) do update set matched_id = excluded.matched_id, generation = excluded.generation,
    action = 'UPDATED', ${SETTABLE.map((name) => `${name} = excluded.${name}`).join(', ')}, warnings = null, source_id = null,
    origin_at = null, origin_length = null, origin_sha256 = null, superseded_in = null, superseded_state = null,
    updated_at = ${MOVED},
    updated_by = excluded.updated_by, updated_by_name = excluded.updated_by_name`;

/**
 * Rows that are there change by an insert that meets them: it looks up each by its key, whatever the planner knows of the
 * tenant. An update that joins was seen to read all of the tenant for a thousand ids. The rows are locked, so none is made anew.
 */
const CHANGE = `
  insert into record as r (tenant_id, id, matched_id, generation, ${CHANGED})
  select $1, id, matched_id, generation, ${CHANGED} from ${AS_ROWS}
  cross join lateral (select from record where tenant_id = $1 and id = v.id limit 1) as there
  on conflict (tenant_id, id) do update set ${SETTABLE.map((name) => `${name} = excluded.${name}`).join(', ')},
    updated_at = ${MOVED}, updated_by = $2::uuid, updated_by_name = $3`;

/** In the order of matched ids, so that two writers never wait for each other. */
const SUPERSEDE = `
  insert into record as r (tenant_id, id, snapshot_id, matched_id, generation, record_type)
  select $1, s.* from unnest($2::uuid[]) as q (id) cross join lateral (
    select id, snapshot_id, matched_id, generation, record_type from record where tenant_id = $1 and id = q.id limit 1) as s
  order by s.matched_id
  on conflict (tenant_id, id) do update set state = 'OLD', superseded_in = $3, superseded_state = r.state`;

const idsOf = (parts: readonly PartsOf[]): Buffer => uuidArray(parts.map(({ id }) => id));

async function writeContents(tx: TenantTx, parts: readonly PartsOf[]): Promise<void> {
  const gone = parts.filter(({ content }) => content === null);
  if (gone.length > 0)
    await tx.execute(
      'delete from record_content where tenant_id = $1 and record_id = any ($2::uuid[])',
      [tx.tenantId, idsOf(gone)],
    );
  const kept = parts.flatMap(({ id, content }) => (content ? [{ id, content }] : []));
  if (kept.length === 0) return;
  await tx.execute(
    `insert into record_content (tenant_id, record_id, content, form)
     select $1, v.* from unnest($2::uuid[], $3::bytea[], $4::text[]) as v (id, content, form)
     on conflict (tenant_id, record_id) do update set content = excluded.content, form = excluded.form`,
    [
      tx.tenantId,
      idsOf(kept),
      byteaArray(kept.map(({ content }) => content.bytes)),
      textArray(kept.map(({ content }) => content.form)),
    ],
  );
}

async function writeErrors(tx: TenantTx, parts: readonly PartsOf[]): Promise<void> {
  const gone = parts.filter(({ error }) => error === null);
  if (gone.length > 0)
    await tx.execute(
      'delete from record_error where tenant_id = $1 and record_id = any ($2::uuid[])',
      [tx.tenantId, idsOf(gone)],
    );
  const kept = parts.flatMap(({ id, error }) => (error ? [{ id, error }] : []));
  if (kept.length === 0) return;
  await tx.execute(
    `insert into record_error (tenant_id, record_id, description, content)
     select $1, v.* from unnest($2::uuid[], $3::text[], $4::text[]) as v (id, description, content)
     on conflict (tenant_id, record_id) do update set description = excluded.description, content = excluded.content`,
    [
      tx.tenantId,
      idsOf(kept),
      textArray(kept.map(({ error }) => error.description)),
      textArray(kept.map(({ error }) => error.content)),
    ],
  );
}

async function writeRaws(tx: TenantTx, parts: readonly PartsOf[]): Promise<string[]> {
  const changed = parts.filter(({ raw }) => raw !== undefined);
  if (changed.length === 0) return [];
  const gone = await tx.query<{ object_key: string | null }>(
    'delete from record_raw where tenant_id = $1 and record_id = any ($2::uuid[]) returning object_key',
    [tx.tenantId, idsOf(changed)],
  );
  const kept = changed.flatMap(({ id, raw }) => (raw ? [{ id, ...raw }] : []));
  if (kept.length > 0) await tx.execute(INSERT_RAWS, rawColumns(tx, kept));
  return gone.flatMap(({ object_key }) => object_key ?? []);
}

const rawColumns = (
  tx: TenantTx,
  raws: readonly (KeptRaw & { readonly id: string })[],
): unknown[] => [
  tx.tenantId,
  uuidArray(raws.map(({ id }) => id)),
  byteaArray(raws.map(({ content }) => content)),
  textArray(raws.map(({ objectKey }) => objectKey)),
  byteaArray(raws.map(({ sha256 }) => sha256)),
  int8Array(raws.map(({ length }) => length)),
];

const INSERT_RAWS = `insert into record_raw (tenant_id, record_id, content, object_key, sha256, length)
  select $1, v.* from unnest($2::uuid[], $3::bytea[], $4::text[], $5::bytea[], $6::int8[])
    as v (id, content, object_key, sha256, length)`;

const NO_OWN_TEXT = `not exists (select from record r cross join lateral (
    select from original o where o.tenant_id = $1 and o.snapshot_id = r.snapshot_id and o.source_id = r.source_id
      and o.own_text limit 1) as o
  where r.tenant_id = $1 and r.id = v.id)`;
