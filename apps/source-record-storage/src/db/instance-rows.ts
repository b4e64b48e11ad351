import { boolArray, int4Array, jsonbArray, textArray, uuidArray } from '@quire/postgres/bulk';
import type { InstanceFacts } from '../domain/instance-facts.js';
import { searchColumns, searchKeys } from '../domain/instance-words.js';
import { SEPARATOR } from './instance-vectors.js';
import { DELETED_SQL } from './record-reads.js';

/** Rows of the instance view as columns, on their way to Postgres. What stands beside a record is read there. */
export interface InstanceRow {
  /** The record that makes the row. */
  readonly recordId: string;
  /** How many other records have the same external id. */
  readonly duplicates: number;
  readonly facts: InstanceFacts;
}

/** Parameters of {@link UPSERT_INSTANCES}. */
export function instanceParams(tenantId: string, rows: readonly InstanceRow[]): unknown[] {
  const searched = rows.map(({ facts }) => searchColumns(facts));
  return [
    tenantId,
    uuidArray(rows.map(({ recordId }) => recordId)),
    int4Array(rows.map(({ duplicates }) => duplicates)),
    textArray(rows.map(({ facts }) => orNull(facts.title))),
    textArray(rows.map(({ facts }) => orNull(facts.indexTitle))),
    jsonbArray(rows.map(({ facts }) => indexableData(facts.data))),
    textArray(rows.map(({ facts }) => joined(searchKeys(facts)))),
    textArray(searched.map(({ texts }) => joined(texts))),
    int4Array(searched.map(({ form }) => form)),
    boolArray(searched.map(({ long }) => long)),
  ];
}

const joined = (texts: readonly string[]): string => texts.map(indexable).join(SEPARATOR);

/** NUL, which neither text nor jsonb can hold, and the separator of keys become blanks. */
const indexable = (text: string): string => text.replaceAll('\0', ' ').replaceAll(SEPARATOR, ' ');

const orNull = (text: string | undefined): string | null =>
  text === undefined ? null : indexable(text);

function indexableData(data: object): object {
  const text = JSON.stringify(data);
  return text.includes('\\u00') || /\\ud[89a-f]/.test(text)
    ? (JSON.parse(text, clean) as object)
    : data;
}

const clean = (_: string, value: unknown): unknown =>
  typeof value === 'string' ? indexable(value).toWellFormed() : value;

/**
 * Rows in the order of their ids, so that two transactions wait for each other in one direction only. The creation is that of
 * the record's first generation; where retention has removed that, what the row said before stands.
 */
export const UPSERT_INSTANCES = `
  insert into instance as v (tenant_id, id, record_id, matched_id, snapshot_id, created_at, created_by, updated_at, updated_by,
    duplicates, word_form, discovery_suppress, staff_suppress, deleted, state, leader_status, hrid, title, index_title, keys,
    words, data)
  select $1, r.external_id, r.id, r.matched_id, r.snapshot_id, f.created_at, f.created_by, r.updated_at, r.updated_by,
    q.duplicates, case when q.long and instance_clipped(w.words) then 2 else q.form end, r.suppress_discovery,
    coalesce(r.staff_suppress, r.state = 'DELETED'), ${DELETED_SQL}, r.state, r.leader_status, r.external_hrid, q.title,
    q.index_title, coalesce(instance_keys(string_to_array(nullif(q.keys, ''), E'\\x1f')), ''), w.words, q.data
  from unnest($2::uuid[], $3::int4[], $4::text[], $5::text[], $6::jsonb[], $7::text[], $8::text[], $9::int4[], $10::bool[])
    as q (record_id, duplicates, title, index_title, data, keys, texts, form, long)
  cross join lateral (select * from record where tenant_id = $1 and id = q.record_id limit 1) as r
  cross join lateral (
    select f.created_at, f.created_by from record f where f.tenant_id = $1 and f.matched_id = r.matched_id
    order by f.generation limit 1) as f
  cross join lateral (select instance_words(string_to_array(q.texts, E'\\x1f')) as words offset 0) as w
  where r.external_id is not null
  order by r.external_id
  on conflict (tenant_id, id) do update set
    record_id = excluded.record_id, matched_id = excluded.matched_id, snapshot_id = excluded.snapshot_id,
    created_at = case when v.matched_id = excluded.matched_id then least(v.created_at, excluded.created_at)
      else excluded.created_at end,
    created_by = case when v.matched_id = excluded.matched_id and v.created_at < excluded.created_at then v.created_by
      else excluded.created_by end,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by, duplicates = excluded.duplicates,
    word_form = excluded.word_form, discovery_suppress = excluded.discovery_suppress,
    staff_suppress = excluded.staff_suppress, deleted = excluded.deleted, state = excluded.state,
    leader_status = excluded.leader_status, hrid = excluded.hrid, title = excluded.title, index_title = excluded.index_title,
    keys = excluded.keys, words = excluded.words, data = excluded.data`;
