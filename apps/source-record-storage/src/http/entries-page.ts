import {
  badParameter,
  enumParameter,
  integerParameter,
  single,
  type Query,
} from '@quire/contracts/paging';
import { ENTRY_SORTS, MARC_RECORD_TYPES } from '@quire/contracts/source-records';
import type { EntriesPage } from '../db/entries.js';
import { readCursor } from '../domain/entry-cursor.js';

const LIMIT_MAX = 1000;

/** The query parameters of `GET /internal/snapshots/{id}/entries` (section 4.1). */
export function entriesPageOf(query: Query, snapshotId: string): EntriesPage {
  const order = {
    sortBy: enumParameter(query, 'sortBy', ENTRY_SORTS) ?? 'order',
    direction: enumParameter(query, 'direction', ['asc', 'desc'] as const) ?? 'asc',
  };
  const from = single(query, 'from');
  if (from !== undefined && order.sortBy !== 'order')
    throw badParameter('from', from, 'goes with sortBy=order only');
  const cursor = single(query, 'after');
  const after = cursor === undefined ? undefined : readCursor(order, cursor);
  if (cursor !== undefined && !after)
    throw badParameter('after', cursor, 'must be the next of a page in the same order');
  return {
    ...order,
    snapshotId,
    recordType: enumParameter(query, 'recordType', MARC_RECORD_TYPES),
    from: from === undefined ? undefined : integerParameter(query, 'from', 0),
    after,
    limit: integerParameter(query, 'limit', LIMIT_MAX, LIMIT_MAX),
  };
}
