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
  /** `<column> <direction>`, made from an allow-list by {@link orderBy}. */
  readonly order: readonly string[];
}

const BATCH_ROWS = 200;
const LOGICALLY_DELETED = ['d', 's', 'x'];

@Injectable()
export class RecordReads {
  byId(tx: TenantRead, id: string): Promise<RecordRow | undefined> {
    return tx.one<RecordRow>(`${SELECT} where r.tenant_id = $1 and r.id = $2`, [tx.tenantId, id]);
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
    const sql = `${SELECT} where ${where} order by ${order} offset ${page.offset} limit ${page.limit}`;
    for await (const rows of tx.cursor<RecordRow>(sql, params, BATCH_ROWS)) yield* rows;
  }

  /**
   * The frames of a list of external ids (section 6), in its order, as one buffer: Postgres puts them together, so that no
   * row passes through this process.
   *
   * @param first index of the first id in the whole request
   */
  async frames(
    tx: TenantRead,
    recordType: SourceRecordType,
    ids: readonly (string | null)[],
    first: number,
  ): Promise<Buffer> {
    const row = await tx.oneBinary<{ frames: Buffer }>(FRAMES, [
      tx.tenantId,
      recordType,
      ids,
      first,
    ]);
    return row?.frames ?? Buffer.alloc(0);
  }
}

const SELECT = `select r.id, r.snapshot_id, r.matched_id, r.generation, r.record_type, r.state, r.external_id, r.external_hrid,
  r.record_order, r.leader_status, r.suppress_discovery, r.created_at, r.created_by, r.created_by_name, r.updated_at,
  r.updated_by, r.updated_by_name, c.content
  from record r join record_content c on (c.tenant_id, c.record_id) = (r.tenant_id, r.id)`;

/** A null id was no id at all: kind 4. Several current records of one id: the newest, and how many more there are. */
const FRAMES = `
  select string_agg(
    case
      when q.id is null then int4send(5) || '\\x04'::bytea || int4send($4 + q.n - 1)
      when r.id is null then int4send(5) || '\\x02'::bytea || int4send($4 + q.n - 1)
      else (int4send(40 + octet_length(c.content)) || '\\x01'::bytea || int4send($4 + q.n - 1)
        || set_byte('\\x00'::bytea, 0, (case when r.state = 'DELETED' then 1 else 0 end) | (case when r.suppress_discovery then 2 else 0 end))
        || int2send((least(r.others, 32767))::int2) || uuid_send(r.matched_id) || uuid_send(r.external_id)) || c.content
    end, ''::bytea order by q.n) as frames
  from unnest($3::uuid[]) with ordinality as q (id, place)
  cross join lateral (select q.place::int as n) as at
  left join lateral (
    select f.id, f.state, f.suppress_discovery, f.matched_id, f.external_id, count(*) over () - 1 as others
    from record f
    where f.tenant_id = $1 and f.record_type = $2 and f.external_id = q.id and f.state in ('ACTUAL', 'DELETED')
    order by f.updated_at desc, f.id desc limit 1) as r on true
  left join record_content c on c.tenant_id = $1 and c.record_id = r.id`.replace(/q\.n/g, 'at.n');

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
  if (filter.updatedBefore) conditions.push(`r.updated_at <= ${bound(filter.updatedBefore)}`);
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
