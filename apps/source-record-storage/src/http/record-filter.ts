import { enumParameter, single, type Query } from '@quire/contracts/paging';
import { aUuid, oneOf, type QueryParameter } from '@quire/contracts/query-parameters';
import { RECORD_STATES, type RecordState } from '@quire/contracts/source-records';
import type { CompiledList } from '@quire/postgres/pages';
import { cqlOf } from '@quire/service/queries';
import { asksForType, recordList, recordListing, RECORD_ORDERS } from '../db/record-lists.js';
import { recordTypeOf, recordTypeParameter } from './id-lists.js';
import { listOrder, orderParameter } from './list-order.js';
import { idParameter } from './source-record-filter.js';

export const STATE = oneOf('state', RECORD_STATES);

/** What {@link recordListOf} reads. */
export const RECORD_LIST_PARAMETERS: readonly QueryParameter[] = [
  cqlOf(recordListing(undefined).entity),
  recordTypeParameter('Absent: MARC_BIB, unless the query names the type.'),
  aUuid('snapshotId', { description: 'The job that saved it.' }),
  STATE,
  orderParameter(RECORD_ORDERS),
];

/**
 * The query parameters of `GET /source-storage/records` and its stream (source-record-storage, sections 1.3, 2.3, 3 and 14).
 * Records are MARC_BIB unless `recordType` says otherwise, or the CQL query speaks of the type itself.
 *
 * @throws Failure 400
 */
export function recordListOf(tenantId: string, query: Query): CompiledList {
  const cql = single(query, 'query');
  const type = recordTypeOf(query) ?? (asksForType(cql) ? undefined : 'MARC_BIB');
  const filter = {
    snapshotId: idParameter(query, 'snapshotId'),
    recordType: type,
    state: recordStateOf(query),
    order: listOrder(query, RECORD_ORDERS),
  };
  return recordList(tenantId, filter, cql);
}

/** @returns undefined when it is absent or empty */
export function recordStateOf(query: Query): RecordState | undefined {
  if (single(query, 'state') === '') return undefined;
  const unknown = (value: string): string => `Unknown record state ${value}`;
  return enumParameter(query, 'state', RECORD_STATES, unknown);
}
