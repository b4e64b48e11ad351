import { Injectable } from '@nestjs/common';
import type { RecordIdType, RecordState, SourceRecordType } from '@quire/contracts/source-records';
import type { TenantRead } from '@quire/postgres/tenant';
import type { ContentForm } from '../domain/stored-content.js';
import { slicesOf } from './row-slices.js';

/** The reading side of `record`: one record, records by lists of ids, and the columns that lists show. */
export interface RecordRow {
  readonly id: string;
  readonly snapshot_id: string;
  readonly matched_id: string;
  readonly generation: number;
  readonly record_type: SourceRecordType;
  readonly state: RecordState;
  readonly external_id: string | null;
  readonly external_hrid: string | null;
  readonly record_order: number | null;
  readonly leader_status: string | null;
  readonly suppress_discovery: boolean;
  readonly staff_suppress: boolean | null;
  readonly additional_info: object | null;
  /** Source records show it (section 4). */
  readonly parsed: boolean;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
  /** Null of a record without parsed content. */
  readonly content: Buffer | null;
  readonly form: ContentForm | null;
  /** Of a stream: it is no record any more, but its tombstone. */
  readonly removed?: boolean;
}

/** Without what stands in other tables. */
export type BareRow = Omit<RecordRow, 'content' | 'form'>;

/** By which ids records are looked for. */
export interface IdLookup {
  readonly idType: RecordIdType;
  /** Only those of this type, whatever the ids are. */
  readonly recordType?: SourceRecordType | undefined;
}

/** What stands in place of one id of a list: all null if nothing was found. */
export type FoundRow =
  | (BareRow & { readonly others: string })
  | ({ readonly [K in keyof BareRow]: null } & { readonly others: null });

const LOGICALLY_DELETED = ['d', 's', 'x'];

@Injectable()
export class RecordReads {
  /**
   * The source record that an id names (section 4): ACTUAL before DELETED, then the highest generation.
   *
   * @param state `ACTUAL` finds DELETED too
   */
  sourceRecord(
    tx: TenantRead,
    id: string,
    { idType, state }: { readonly idType: RecordIdType; readonly state: RecordState },
  ): Promise<RecordRow | undefined> {
    const { condition, recordType } = conditionOf({ idType });
    const wanted = state === 'ACTUAL' ? CURRENT : 'f.state = $4';
    return tx.one<RecordRow>(
      `select ${COLUMNS}, c.content, c.form from (select $3::uuid as id) as q cross join lateral (
         select f.* from record f where f.tenant_id = $1 and ${condition} and ${wanted} and f.parsed
         order by case f.state when 'ACTUAL' then 0 else 1 end, f.generation desc, f.updated_at desc, f.id limit 1) as r
       ${CONTENT}`,
      [tx.tenantId, recordType, id, ...(state === 'ACTUAL' ? [] : [state])],
    );
  }

  /** All source records that some of the ids name, in the order of the ids, of one id the newest first. */
  async *sourceRecords(
    tx: TenantRead,
    lookup: IdLookup,
    ids: readonly string[],
    deleted: boolean,
  ): AsyncGenerator<RecordRow> {
    const { condition, recordType } = conditionOf(lookup);
    const rows = await tx.query<BareRow>(
      `select ${COLUMNS} from unnest($3::uuid[]) with ordinality as q (id, place)
       cross join lateral (
         select f.* from record f where f.tenant_id = $1 and ${condition} and ${stateOf(deleted)} and f.parsed
         offset 0) as r
       order by q.place, r.updated_at desc, r.id desc`,
      [tx.tenantId, recordType, ids],
    );
    yield* this.filled(tx, rows);
  }

  /** What stands in place of each id: the newest record, with content if one has it. A null id was no id at all. */
  inPlaceOf(
    tx: TenantRead,
    lookup: IdLookup,
    ids: readonly (string | null)[],
    deleted: boolean,
  ): Promise<FoundRow[]> {
    const { condition, recordType } = conditionOf(lookup);
    return tx.query<FoundRow>(
      `select ${COLUMNS}, r.others ${newestOf(condition, stateOf(deleted))} order by q.place`,
      [tx.tenantId, recordType, ids],
    );
  }

  /** These rows with their parsed content, one by one. */
  async *filled(tx: TenantRead, rows: readonly BareRow[]): AsyncGenerator<RecordRow, void> {
    for await (const slice of this.completed(tx, [rows])) yield* slice;
  }

  /** The rows of a list with their parsed content, in their order. */
  async *completed(
    tx: TenantRead,
    batches: AsyncIterable<readonly BareRow[]> | Iterable<readonly BareRow[]>,
  ): AsyncGenerator<RecordRow[]> {
    for await (const rows of slicesOf(tx, batches)) yield await this.withContent(tx, rows);
  }

  private async withContent(tx: TenantRead, rows: readonly BareRow[]): Promise<RecordRow[]> {
    const contents = await tx.query<Pick<RecordRow, 'content' | 'form'>>(
      `select c.content, c.form from unnest($2::uuid[]) with ordinality as r (id, place) ${CONTENT} order by r.place`,
      [tx.tenantId, rows.map(({ id }) => id)],
    );
    return rows.map((row, at) => ({ ...row, content: null, form: null, ...contents[at] }));
  }
}

/** Of a row `r`. */
export const COLUMNS = `r.id, r.snapshot_id, r.matched_id, r.generation, r.record_type, r.state, r.external_id,
  r.external_hrid, r.record_order, r.leader_status, r.suppress_discovery, r.staff_suppress, r.additional_info, r.parsed,
  r.created_at, r.created_by, r.created_by_name, r.updated_at, r.updated_by, r.updated_by_name`;

/** Bytes are looked up for the rows found, one by one: a join could read those of the whole tenant for a page of ten. */
export const CONTENT = `left join lateral (
  select content, form from record_content where tenant_id = $1 and record_id = r.id limit 1) as c on true`;

/** As the index `record_external` has it. */
export const CURRENT = `f.state in ('ACTUAL', 'DELETED')`;
const stateOf = (deleted: boolean): string => (deleted ? CURRENT : `f.state = 'ACTUAL'`);

/** Id types that mean records of one type only. */
export const TYPE_OF: Partial<Readonly<Record<RecordIdType, SourceRecordType>>> = {
  INSTANCE: 'MARC_BIB',
  HOLDINGS: 'MARC_HOLDING',
  AUTHORITY: 'MARC_AUTHORITY',
};
const COLUMN_OF: Readonly<Record<RecordIdType, string>> = {
  RECORD: 'matched_id',
  SRS_RECORD: 'id',
  INSTANCE: 'external_id',
  HOLDINGS: 'external_id',
  AUTHORITY: 'external_id',
  EXTERNAL: 'external_id',
};
/** EDIFACT has no external ids. */
const OF_ANY_TYPE = `f.record_type in ('MARC_BIB', 'MARC_HOLDING', 'MARC_AUTHORITY')`;

/**
 * Which rows `f` an id `q.id` means (section 2.3). Parameter $2 is the record type or null. An id type that means one record
 * type finds nothing of another.
 */
export function conditionOf({ idType, recordType }: IdLookup): {
  readonly condition: string;
  readonly recordType: SourceRecordType | null;
} {
  const found = `f.${COLUMN_OF[idType]} = q.id`;
  const type = TYPE_OF[idType] ?? recordType ?? null;
  if (type === null) {
    const external = COLUMN_OF[idType] === 'external_id' ? ` and ${OF_ANY_TYPE}` : '';
    return { condition: `$2::text is null and ${found}${external}`, recordType: null };
  }
  const contradiction = recordType !== undefined && recordType !== type ? 'false and ' : '';
  return { condition: `${contradiction}f.record_type = $2 and ${found}`, recordType: type };
}

/**
 * The newest record of each id, those with content first, and how many more with content there are. Lateral, with a limit:
 * one look-up in an index per id, whatever the planner knows of the tables.
 */
export const newestOf = (condition: string, state: string): string => `
  from unnest($3::uuid[]) with ordinality as q (id, place)
  cross join lateral (select (q.place - 1)::int as n) as at
  left join lateral (
    select f.*, greatest(count(*) filter (where f.parsed) over () - 1, 0) as others from record f
    where f.tenant_id = $1 and ${condition} and ${state}
    order by f.parsed desc, f.updated_at desc, f.id desc limit 1) as r on true`;

/** {@link isDeleted} in SQL, of a row `r`. */
export const DELETED_SQL = `r.state = 'DELETED' or coalesce(r.leader_status in ('${LOGICALLY_DELETED.join("', '")}'), false)`;

/** State `DELETED`, or a leader that says so (section 2.1). */
export const isDeleted = (row: Pick<RecordRow, 'state' | 'leader_status'>): boolean =>
  row.state === 'DELETED' || LOGICALLY_DELETED.includes(row.leader_status ?? '');
