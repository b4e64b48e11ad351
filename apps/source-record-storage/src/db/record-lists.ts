import {
  RECORD_STATES,
  SOURCE_RECORD_TYPES,
  type RecordState,
  type SourceRecordType,
} from '@quire/contracts/source-records';
import { namesIndex } from '@quire/cql/ast';
import { CqlError } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import type { CqlEntity, CqlField } from '@quire/postgres/cql-entity';
import {
  compileList,
  type CompiledList,
  type FoundBy,
  type ListFilter,
  type Listing,
} from '@quire/postgres/pages';
import { COLUMNS, DELETED_SQL } from './record-reads.js';
import { SNAPSHOT_ENTITY } from './snapshot-lists.js';

/**
 * The list of records: its rows without bytes, and what a CQL query may ask of them (section 14). All columns that the API
 * shows, by their own names and by their paths in a record, and those of the snapshot.
 */
const uuid = (column: string): CqlField => ({ type: 'uuid', sql: `r.${column}` });
const text = (column: string): CqlField => ({ type: 'text', sql: `r.${column}` });
const date = (column: string): CqlField => ({ type: 'date', sql: `r.${column}` });
const whole = (column: string): CqlField => ({ type: 'number', sql: `r.${column}`, integer: true });
const flag = (sql: string): CqlField => ({ type: 'boolean', sql });
/** A column of the records of one type. */
const ofType = (type: string, column: string): string =>
  `(case r.record_type when '${type}' then r.${column} end)`;

const COLUMN_FIELDS: Readonly<Record<string, CqlField>> = {
  id: uuid('id'),
  snapshotId: uuid('snapshot_id'),
  matchedId: uuid('matched_id'),
  generation: whole('generation'),
  recordType: { type: 'enum', sql: 'r.record_type', values: SOURCE_RECORD_TYPES },
  state: { type: 'enum', sql: 'r.state', values: RECORD_STATES },
  deleted: flag(`(${DELETED_SQL})`),
  externalId: uuid('external_id'),
  externalHrid: text('external_hrid'),
  order: whole('record_order'),
  leaderRecordStatus: text('leader_status'),
  suppressDiscovery: flag('r.suppress_discovery'),
  title: text('title'),
  createdDate: date('created_at'),
  createdByUserId: uuid('created_by'),
  updatedDate: date('updated_at'),
  updatedByUserId: uuid('updated_by'),
};

const PATHS: Readonly<Record<string, CqlField>> = {
  'additionalInfo.suppressDiscovery': flag('r.suppress_discovery'),
  'additionalInfo.staffSuppress': flag('r.staff_suppress'),
  'externalIdsHolder.instanceId': { type: 'uuid', sql: ofType('MARC_BIB', 'external_id') },
  'externalIdsHolder.instanceHrid': { type: 'text', sql: ofType('MARC_BIB', 'external_hrid') },
  'externalIdsHolder.holdingsId': { type: 'uuid', sql: ofType('MARC_HOLDING', 'external_id') },
  'externalIdsHolder.holdingsHrid': { type: 'text', sql: ofType('MARC_HOLDING', 'external_hrid') },
  'externalIdsHolder.authorityId': { type: 'uuid', sql: ofType('MARC_AUTHORITY', 'external_id') },
  'externalIdsHolder.authorityHrid': {
    type: 'text',
    sql: ofType('MARC_AUTHORITY', 'external_hrid'),
  },
  'metadata.createdDate': date('created_at'),
  'metadata.createdByUserId': uuid('created_by'),
  'metadata.createdByUsername': text('created_by_name'),
  'metadata.updatedDate': date('updated_at'),
  'metadata.updatedByUserId': uuid('updated_by'),
  'metadata.updatedByUsername': text('updated_by_name'),
};

const ENTITY: CqlEntity = {
  fields: { ...COLUMN_FIELDS, ...PATHS },
  joins: {
    snapshot: {
      from: 'snapshot s',
      on: 's.tenant_id = r.tenant_id and s.id = r.snapshot_id',
      entity: () => SNAPSHOT_ENTITY,
      toOne: true,
    },
  },
};

/** Fields of `orderBy` (section 3). `recordId` is what source records call the matched id. */
export const RECORD_ORDERS = {
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
} as const;

/** @param order that was asked for, if any */
export const recordListing = (order: string | undefined): Listing => ({
  collection: 'records',
  table: 'record',
  columns: COLUMNS,
  entity: ENTITY,
  defaultOrder: RECORD_ORDERS.id,
  alias: 'r',
  order,
});

/** Filters of `GET /source-storage/records` and its stream. */
export interface RecordFilter {
  readonly snapshotId?: string | undefined;
  readonly recordType?: SourceRecordType | undefined;
  readonly state?: RecordState | undefined;
  /** What follows `order by`, if it was asked for. */
  readonly order: string | undefined;
}

/** The records of a snapshot by index `record_snapshot`. */
export const OF_SNAPSHOT: FoundBy = { order: 'r.record_order' };

/** @throws Failure 400 for a wrong query */
export function recordList(
  tenantId: string,
  { snapshotId, recordType, state, order }: RecordFilter,
  query: string | undefined,
): CompiledList {
  const filters = [
    { column: 'r.snapshot_id', value: snapshotId },
    { column: 'r.record_type', value: recordType },
    { column: 'r.state', value: state },
  ].filter((one): one is ListFilter => one.value !== undefined);
  const list = compileList(recordListing(order), query, tenantId, filters);
  return snapshotId === undefined ? list : { ...list, foundBy: OF_SNAPSHOT };
}

/** Does a query speak of the record type? What is wrong with a query is told by `recordList`. */
export function asksForType(query: string | undefined): boolean {
  if (query === undefined || query === '') return false;
  try {
    return namesIndex(parseCql(query, URL_LIMITS).root, 'recordType');
  } catch (error) {
    if (error instanceof CqlError) return false;
    throw error;
  }
}
