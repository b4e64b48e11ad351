import { isAnyUuid } from '@quire/contracts/ids';
import { parseDate } from '@quire/contracts/dates';
import {
  badParameter,
  booleanParameter,
  single,
  textParameter,
  type Query,
} from '@quire/contracts/paging';
import { RECORD_ORDERS } from '../db/record-lists.js';
import type { SourceRecordFilter } from '../db/source-record-lists.js';
import { recordTypeOf } from './id-lists.js';
import { listOrder } from './list-order.js';

/** The query parameters of `GET /source-storage/source-records` and its stream (source-record-storage, sections 1.3, 2.3, 4). */
export function filterOf(query: Query): SourceRecordFilter {
  const suppress = single(query, 'suppressFromDiscovery');
  return {
    recordId: idParameter(query, 'recordId'),
    snapshotId: idParameter(query, 'snapshotId'),
    externalId:
      idParameter(query, 'externalId') ??
      idParameter(query, 'instanceId') ??
      idParameter(query, 'holdingsId'),
    externalHrid: firstText(query, 'externalHrid', 'instanceHrid', 'holdingsHrid'),
    recordType: recordTypeOf(query) ?? 'MARC_BIB',
    suppressFromDiscovery:
      suppress === undefined ? undefined : booleanParameter(query, 'suppressFromDiscovery', false),
    deleted: booleanParameter(query, 'deleted', false),
    leaderRecordStatus: statusParameter(query),
    updatedAfter: dateParameter(query, 'updatedAfter'),
    updatedBefore: dateParameter(query, 'updatedBefore'),
    order: listOrder(query, RECORD_ORDERS) ?? RECORD_ORDERS.id,
  };
}

export function idParameter(query: Query, name: string): string | undefined {
  const value = single(query, name);
  if (value === undefined || value === '') return undefined;
  if (!isAnyUuid(value)) throw badParameter(name, value, `Invalid UUID ${value}`);
  return value.toLowerCase();
}

/** The first that is not empty. */
function firstText(query: Query, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = textParameter(query, name);
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

function statusParameter(query: Query): string | undefined {
  const value = single(query, 'leaderRecordStatus');
  if (value === undefined || /^[acdnposx]$/.test(value)) return value;
  throw badParameter('leaderRecordStatus', value, 'must match "^[acdnposx]$"');
}

function dateParameter(query: Query, name: string): Date | undefined {
  const value = single(query, name);
  if (value === undefined) return undefined;
  // A year or a month alone begins on its first day.
  const whole = /^\d{4}(-\d{2})?$/.test(value)
    ? `${value}${value.length === 4 ? '-01' : ''}-01`
    : value;
  const date = parseDate(whole);
  if (!date) throw badParameter(name, value, 'must be a date');
  return date;
}
