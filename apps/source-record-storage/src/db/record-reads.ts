import { Injectable } from '@nestjs/common';
import type { RecordState, SourceRecordType } from '@quire/contracts/source-records';
import type { TenantRead } from '@quire/postgres/tenant';

/** The reading side of `record`: one record, filtered lists, and the bytes by lists of external ids. */
export interface RecordRow {
  readonly id: string;
  readonly snapshot_id: string;
  readonly matched_id: string;
  readonly generation: number;
  readonly record_type: SourceRecordType;
  readonly state: RecordState;
  readonly external_id: string | null;
  readonly external_hrid: string | null;
  readonly record_order: number;
  readonly leader_status: string | null;
  readonly suppress_discovery: boolean;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
  readonly content: Buffer;
}

/** Filters of `GET /source-storage/source-records`, all joined by AND (source-record-storage, section 4). */
export interface SourceRecordFilter {
  readonly recordId?: string | undefined;
  readonly snapshotId?: string | undefined;
  readonly externalId?: string | undefined;
  readonly externalHrid?: string | undefined;
  readonly recordType: SourceRecordType;
  readonly suppressFromDiscovery?: boolean | undefined;
  readonly deleted: boolean;
  readonly leaderRecordStatus?: string | undefined;
  readonly updatedAfter?: Date | undefined;
  readonly updatedBefore?: Date | undefined;
  /** `<column> <direction>`, made from {@link ORDER_COLUMNS}. */
  readonly order: readonly string[];
}

/** What stands in place of one id of a list: all null if nothing was found. */
export type FoundRow =
  | (RecordRow & { readonly others: string })
  | ({ readonly [K in keyof RecordRow]: null } & { readonly others: null });

export interface FrameRules {
  readonly recordType: SourceRecordType;
  /** Behind a record that is not the only one of its external id, a frame of kind 5 names them all. */
  readonly duplicateIds: boolean;
}

const BATCH_ROWS = 200;
const LOGICALLY_DELETED = ['d', 's', 'x'];

@Injectable()
export class RecordReads {
  byId(tx: TenantRead, id: string): Promise<RecordRow | undefined> {
    const found = 'select * from record where tenant_id = $1 and id = $2';
    return tx.one<RecordRow>(`select ${COLUMNS} from (${found}) as r ${CONTENT}`, [
      tx.tenantId,
      id,
    ]);
  }

  async count(tx: TenantRead, filter: SourceRecordFilter): Promise<number> {
    const { where, params } = whereOf(tx, filter);
    const row = await tx.one<{ count: string }>(
      `select count(*) from record r where ${where}`,
      params,
    );
    return Number(row?.count ?? 0);
  }

  async *list(
    tx: TenantRead,
    filter: SourceRecordFilter,
    page: { offset: number; limit: number },
  ): AsyncGenerator<RecordRow> {
    const { where, params } = whereOf(tx, filter);
    const order = [...filter.order, 'r.id'].join(', ');
    const found = `select * from record r where ${where} order by ${order} offset ${page.offset} limit ${page.limit}`;
    const sql = `select ${COLUMNS} from (${found}) as r ${CONTENT} order by ${order}`;
    for await (const rows of tx.cursor<RecordRow>(sql, params, BATCH_ROWS)) yield* rows;
  }

  /**
   * The frames of a list of external ids (section 6), in its order, in pieces: Postgres puts them together, so that no row
   * passes through this process.
   *
   * @param first index of the first id in the whole request
   */
  frames(
    tx: TenantRead,
    { recordType, duplicateIds }: FrameRules,
    ids: readonly (string | null)[],
    first: number,
  ): AsyncGenerator<Buffer> {
    const text = duplicateIds ? FRAMES_WITH_IDS : FRAMES;
    return tx.bytes(text, [tx.tenantId, recordType, ids, first]);
  }

  /** The same, as rows. @param deleted also those of state DELETED */
  byExternalIds(
    tx: TenantRead,
    recordType: SourceRecordType,
    ids: readonly (string | null)[],
    deleted: boolean,
  ): Promise<FoundRow[]> {
    const found = byExternalIds(deleted ? CURRENT : `${CURRENT} and f.state = 'ACTUAL'`);
    return tx.query<FoundRow>(`select ${COLUMNS}, r.others ${found} order by q.place`, [
      tx.tenantId,
      recordType,
      ids,
    ]);
  }
}

const COLUMNS = `r.id, r.snapshot_id, r.matched_id, r.generation, r.record_type, r.state, r.external_id, r.external_hrid,
  r.record_order, r.leader_status, r.suppress_discovery, r.created_at, r.created_by, r.created_by_name, r.updated_at,
  r.updated_by, r.updated_by_name, c.content`;
/** Bytes are looked up for the rows found, one by one: a join could read those of the whole tenant for a page of ten. */
const CONTENT = `cross join lateral (
  select content from record_content where tenant_id = $1 and record_id = r.id limit 1) as c`;

/** As the index `record_external` has it. */
const CURRENT = `f.state in ('ACTUAL', 'DELETED')`;

/**
 * The newest record of each external id, and how many more there are. A null id was no id at all. Lateral, with a limit:
 * one look-up in `record_external` per id, whatever the planner knows of the tables.
 */
const byExternalIds = (state: string): string => `
  from unnest($3::uuid[]) with ordinality as q (id, place)
  cross join lateral (select (q.place - 1)::int as n) as at
  left join lateral (
    select f.*, count(*) over () - 1 as others from record f
    where f.tenant_id = $1 and f.record_type = $2 and f.external_id = q.id and ${state}
    order by f.updated_at desc, f.id desc limit 1) as r on true
  left join lateral (
    select content from record_content where tenant_id = $1 and record_id = r.id limit 1) as c on true`;

const DUPLICATES_MAX = 32_767;

/** {@link isDeleted} in SQL, of a row `r`. */
export const DELETED_SQL = `r.state = 'DELETED' or coalesce(r.leader_status in ('${LOGICALLY_DELETED.join("', '")}'), false)`;

/** Matched ids that one frame of kind 5 names at most. */
const NAMED_DUPLICATES_MAX = 100;

/** Kind 5: index of the id, then 16 bytes per matched id, the newest record first. */
const IDS_FRAME = `
        || case when r.others = 0 then ''::bytea else (
          select int4send(5 + octet_length(d.ids)) || '\\x05'::bytea || int4send($4 + at.n) || d.ids from (
            select string_agg(uuid_send(f.matched_id), ''::bytea order by f.updated_at desc, f.id desc) as ids from (
              select f.* from record f where f.tenant_id = $1 and f.record_type = $2 and f.external_id = q.id and ${CURRENT}
              order by f.updated_at desc, f.id desc limit ${NAMED_DUPLICATES_MAX}) as f) as d) end`;

const framesText = (more: string): string => `
  select string_agg(
    case
      when q.id is null then int4send(5) || '\\x04'::bytea || int4send($4 + at.n)
      when r.id is null then int4send(5) || '\\x02'::bytea || int4send($4 + at.n)
      else (int4send(40 + octet_length(c.content)) || '\\x01'::bytea || int4send($4 + at.n)
        || set_byte('\\x00'::bytea, 0, (${DELETED_SQL})::int + 2 * r.suppress_discovery::int)
        || int2send(least(r.others, ${DUPLICATES_MAX})::int2) || uuid_send(r.matched_id) || uuid_send(r.external_id)) || c.content${more}
    end, ''::bytea order by at.n) as frames ${byExternalIds(CURRENT)}`;

const FRAMES = framesText('');
const FRAMES_WITH_IDS = framesText(IDS_FRAME);

function whereOf(tx: TenantRead, filter: SourceRecordFilter): { where: string; params: unknown[] } {
  const params: unknown[] = [tx.tenantId, filter.recordType];
  const bound = (value: unknown): string => `$${params.push(value)}`;
  const conditions = ['r.tenant_id = $1', 'r.record_type = $2'];
  conditions.push(filter.deleted ? `r.state in ('ACTUAL', 'DELETED')` : `r.state = 'ACTUAL'`);
  const equal: readonly (readonly [string, unknown])[] = [
    ['r.matched_id', filter.recordId],
    ['r.snapshot_id', filter.snapshotId],
    ['r.external_id', filter.externalId],
    ['r.external_hrid', filter.externalHrid],
    ['r.suppress_discovery', filter.suppressFromDiscovery],
    ['r.leader_status', filter.leaderRecordStatus],
  ];
  for (const [column, value] of equal)
    if (value !== undefined) conditions.push(`${column} = ${bound(value)}`);
  if (filter.updatedAfter) conditions.push(`r.updated_at >= ${bound(filter.updatedAfter)}`);
  // Dates are shown in milliseconds and kept in microseconds: the last of them counts in full.
  if (filter.updatedBefore)
    conditions.push(
      `r.updated_at < ${bound(filter.updatedBefore)}::timestamptz + interval '1 millisecond'`,
    );
  return { where: conditions.join(' and '), params };
}

/** Fields that a list may be ordered by, and their columns. */
export const ORDER_COLUMNS: Readonly<Record<string, string>> = {
  id: 'r.id',
  recordId: 'r.matched_id',
  snapshotId: 'r.snapshot_id',
  matchedId: 'r.matched_id',
  generation: 'r.generation',
  recordType: 'r.record_type',
  externalId: 'r.external_id',
  externalHrid: 'r.external_hrid',
  state: 'r.state',
  leaderRecordStatus: 'r.leader_status',
  order: 'r.record_order',
  suppressDiscovery: 'r.suppress_discovery',
  createdByUserId: 'r.created_by',
  createdDate: 'r.created_at',
  updatedByUserId: 'r.updated_by',
  updatedDate: 'r.updated_at',
};

/** State `DELETED`, or a leader that says so (section 2.1). */
export const isDeleted = (row: Pick<RecordRow, 'state' | 'leader_status'>): boolean =>
  row.state === 'DELETED' || LOGICALLY_DELETED.includes(row.leader_status ?? '');
