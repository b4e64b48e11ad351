import { Injectable } from '@nestjs/common';
import type { RecordIdType, RecordState, SourceRecordType } from '@quire/contracts/source-records';
import { textArray } from '@quire/postgres/bulk';
import type { TenantRead } from '@quire/postgres/tenant';
import type { ContentForm } from '../domain/stored-content.js';
import { TYPE_OF } from './record-reads.js';

/** Parsed records by lists of ids, and which record numbers are there (source-record-storage, section 5). */
export interface FetchedRow {
  readonly id: string;
  readonly record_type: SourceRecordType;
  readonly state: RecordState;
  readonly external_id: string | null;
  readonly external_hrid: string | null;
  readonly form: ContentForm;
  readonly content: Buffer;
}

export interface Fetching {
  readonly idType: RecordIdType;
  readonly recordType: SourceRecordType;
  readonly includeDeleted: boolean;
}

/** Ids whose records are held in memory at once. */
const IDS_AT_ONCE = 200;

@Injectable()
export class FetchedRecords {
  /** In the order of the ids, each record once. */
  async *byIds(
    tx: TenantRead,
    { idType, recordType, includeDeleted }: Fetching,
    ids: readonly string[],
  ): AsyncGenerator<FetchedRow> {
    if (TYPE_OF[idType] !== undefined && TYPE_OF[idType] !== recordType) return;
    const sql = fetchSql(FOUND_BY[idType], includeDeleted);
    const distinct = [...new Set(ids)];
    for (let at = 0; at < distinct.length; at += IDS_AT_ONCE)
      yield* await tx.query<FetchedRow>(sql, [
        tx.tenantId,
        recordType,
        distinct.slice(at, at + IDS_AT_ONCE),
      ]);
  }

  /** Those of the numbers that no MARC_BIB record has, in their order, each once. */
  async unknownHrids(tx: TenantRead, hrids: readonly string[]): Promise<string[]> {
    const rows = await tx.query<{ hrid: string }>(UNKNOWN_HRIDS, [
      tx.tenantId,
      textArray([...new Set(hrids)]),
    ]);
    return rows.map(({ hrid }) => hrid);
  }
}

const EXTERNAL = 'f.external_id = q.id and f.external_id is not null';
const FOUND_BY: Readonly<Record<RecordIdType, string>> = {
  RECORD: 'f.matched_id = q.id',
  SRS_RECORD: 'f.id = q.id',
  INSTANCE: EXTERNAL,
  HOLDINGS: EXTERNAL,
  AUTHORITY: EXTERNAL,
  EXTERNAL,
};

/** Records of one external id; more are no list of its records but a mistake. */
const TWINS_MAX = 1000;

/** A record has one id of each kind, so that distinct ids find it once. Lateral, with limits: a look-up per id. */
const fetchSql = (found: string, includeDeleted: boolean): string => `
  select r.id, r.record_type, r.state, r.external_id, r.external_hrid, c.form, c.content
  from unnest($3::uuid[]) with ordinality as q (id, place)
  cross join lateral (
    select f.* from record f where f.tenant_id = $1 and f.record_type = $2 and ${found}
      and f.state in ('ACTUAL', 'DELETED') ${includeDeleted ? '' : "and f.state = 'ACTUAL'"}
    order by f.updated_at desc, f.id desc limit ${TWINS_MAX}) as r
  cross join lateral (
    select form, content from record_content where tenant_id = $1 and record_id = r.id limit 1) as c
  order by q.place, r.updated_at desc, r.id desc`;

/** Two look-ups, because older generations have an index of their own (`record_hrid`, `record_former_hrid`). */
const UNKNOWN_HRIDS = `
  select q.hrid from unnest($2::text[]) with ordinality as q (hrid, place)
  left join lateral (
    select true as found from record f where f.tenant_id = $1 and f.external_hrid = q.hrid
      and f.external_hrid is not null and f.state in ('ACTUAL', 'DELETED') and f.record_type = 'MARC_BIB' limit 1) as c on true
  left join lateral (
    select true as found from record f where f.tenant_id = $1 and f.external_hrid = q.hrid
      and f.external_hrid is not null and f.state in ('OLD', 'DRAFT') and f.record_type = 'MARC_BIB' limit 1) as o on true
  where c.found is null and o.found is null
  order by q.place`;
