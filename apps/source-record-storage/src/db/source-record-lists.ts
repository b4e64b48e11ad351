import type { SourceRecordType } from '@quire/contracts/source-records';
import type { CompiledList, FoundBy } from '@quire/postgres/pages';
import { OF_SNAPSHOT, recordListing } from './record-lists.js';
import { COLUMNS } from './record-reads.js';

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
  /** What follows `order by`; ends with the id. */
  readonly order: string;
}

export function sourceRecordList(tenantId: string, filter: SourceRecordFilter): CompiledList {
  const values = new Values(tenantId, filter.recordType);
  return compiled(filter, values, conditionsOf(filter, values));
}

/**
 * The same as a stream: with `deleted`, the tombstones of records that were removed physically stand among the rows, in the
 * order that was asked for (section 6). They count as suppressed and deleted, as records do after a soft delete. One whose record
 * is there again has nothing to say: a reader who takes the lines in their order would drop a record that lives.
 */
export function sourceRecordStream(tenantId: string, filter: SourceRecordFilter): CompiledList {
  if (!filter.deleted) return sourceRecordList(tenantId, filter);
  const values = new Values(tenantId, filter.recordType);
  const where = conditionsOf(filter, values);
  const first = foundBy(filter);
  const found = first
    ? `${first.order === undefined ? '' : `order by ${first.order}`} offset 0`
    : '';
  const records = `select ${COLUMNS}, false as removed from record r where ${where} ${found}`;
  const tombstones = `select ${TOMBSTONE_COLUMNS} from record_tombstone t
    where ${tombstoneConditions(filter, values)}`;
  const { listing, ...list } = compiled(filter, values, 'true');
  const table = `((${records}) union all (${tombstones}))`;
  return { ...list, listing: { ...listing, table, columns: 'r.*' } };
}

/** Parameters: the tenant, the record type, and what is bound. */
class Values {
  readonly params: unknown[];

  constructor(tenantId: string, recordType: SourceRecordType) {
    this.params = [tenantId, recordType];
  }

  bound(value: unknown): string {
    return `$${this.params.push(value)}`;
  }
}

function compiled(filter: SourceRecordFilter, { params }: Values, where: string): CompiledList {
  const found = where === 'true' ? undefined : foundBy(filter);
  return {
    listing: recordListing(filter.order),
    where,
    orderBy: filter.order,
    params,
    filtered: true,
    ...(found ? { foundBy: found } : {}),
  };
}

function conditionsOf(filter: SourceRecordFilter, values: Values): string {
  const conditions = ['r.tenant_id = $1', 'r.record_type = $2', 'r.parsed'];
  conditions.push(filter.deleted ? `r.state in ('ACTUAL', 'DELETED')` : `r.state = 'ACTUAL'`);
  conditions.push(...idConditions('r', filter, values));
  const { suppressFromDiscovery, leaderRecordStatus } = filter;
  if (suppressFromDiscovery !== undefined)
    conditions.push(`r.suppress_discovery = ${values.bound(suppressFromDiscovery)}`);
  if (leaderRecordStatus !== undefined)
    conditions.push(`r.leader_status = ${values.bound(leaderRecordStatus)}`);
  conditions.push(...timeConditions('r.updated_at', filter, values));
  return conditions.join(' and ');
}

function tombstoneConditions(filter: SourceRecordFilter, values: Values): string {
  const { suppressFromDiscovery = true, leaderRecordStatus = 'd' } = filter;
  if (!suppressFromDiscovery || leaderRecordStatus !== 'd') return 'false';
  const again = `select true from record c where c.tenant_id = $1 and c.matched_id = t.matched_id
    and c.state in ('ACTUAL', 'DELETED') limit 1`;
  return [
    't.tenant_id = $1',
    't.record_type = $2',
    ...idConditions('t', filter, values),
    ...timeConditions('t.removed_at', filter, values),
    `(${again}) is null`,
  ].join(' and ');
}

function idConditions(alias: string, filter: SourceRecordFilter, values: Values): string[] {
  const equal: readonly (readonly [string, string | undefined])[] = [
    ['matched_id', filter.recordId],
    ['snapshot_id', filter.snapshotId],
    ['external_id', filter.externalId],
    ['external_hrid', filter.externalHrid],
  ];
  return equal.flatMap(([column, value]) =>
    value === undefined ? [] : [`${alias}.${column} = ${values.bound(value)}`],
  );
}

function timeConditions(
  column: string,
  { updatedAfter, updatedBefore }: SourceRecordFilter,
  values: Values,
): string[] {
  const conditions: string[] = [];
  if (updatedAfter) conditions.push(`${column} >= ${values.bound(updatedAfter)}`);
  // Dates are shown in milliseconds and kept in microseconds: the last of them counts in full.
  if (updatedBefore)
    conditions.push(
      `${column} < ${values.bound(updatedBefore)}::timestamptz + interval '1 millisecond'`,
    );
  return conditions;
}

/** The index that leaves the fewest rows. */
function foundBy(filter: SourceRecordFilter): FoundBy | undefined {
  if (filter.recordId !== undefined) return { order: 'r.generation', few: true };
  if (filter.externalId !== undefined || filter.externalHrid !== undefined) return { few: true };
  if (filter.snapshotId !== undefined) return OF_SNAPSHOT;
  if (filter.updatedAfter) return { order: 'r.updated_at' };
  return undefined;
}

/** In the order of {@link COLUMNS}, and `removed`. */
const TOMBSTONE_COLUMNS = `t.record_id, t.snapshot_id, t.matched_id, t.generation, t.record_type, 'DELETED', t.external_id,
  t.external_hrid, null::int, 'd', true, null::boolean, null::jsonb, false, t.created_at, t.created_by, t.created_by_name,
  t.removed_at, t.removed_by, null::text, true`;
