import { isAnyUuid } from '@quire/contracts/ids';
import { parseDate } from '@quire/contracts/dates';
import {
  badParameter,
  booleanParameter,
  enumParameter,
  single,
  type Query,
} from '@quire/contracts/paging';
import { SOURCE_RECORD_TYPES } from '@quire/contracts/source-records';
import { ORDER_COLUMNS, type SourceRecordFilter } from '../db/record-reads.js';

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
    externalHrid: textParameter(query, 'externalHrid', 'instanceHrid', 'holdingsHrid'),
    recordType:
      enumParameter(
        query,
        'recordType',
        SOURCE_RECORD_TYPES,
        (value) => `Unknown record type ${value}`,
      ) ?? 'MARC_BIB',
    suppressFromDiscovery:
      suppress === undefined ? undefined : booleanParameter(query, 'suppressFromDiscovery', false),
    deleted: booleanParameter(query, 'deleted', false),
    leaderRecordStatus: statusParameter(query),
    updatedAfter: dateParameter(query, 'updatedAfter'),
    updatedBefore: dateParameter(query, 'updatedBefore'),
    order: orderOf(query),
  };
}

function idParameter(query: Query, name: string): string | undefined {
  const value = single(query, name);
  if (value === undefined || value === '') return undefined;
  if (!isAnyUuid(value)) throw badParameter(name, value, `Invalid UUID ${value}`);
  return value.toLowerCase();
}

/** The first that is not empty. */
function textParameter(query: Query, ...names: readonly string[]): string | undefined {
  return names
    .map((name) => single(query, name))
    .find((value) => value !== undefined && value !== '');
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

const DIRECTIONS: Readonly<Record<string, string>> = { asc: 'asc', default: 'asc', desc: 'desc' };

/** `orderBy`, repeatable: `field[,DIRECTION]`. Ascending puts the undefined last. */
function orderOf(query: Query): string[] {
  const sent = query['orderby'];
  const values = sent === undefined ? [] : typeof sent === 'string' ? [sent] : sent;
  return values.map((value) => {
    const [field = '', direction = 'asc', ...rest] = value.split(',').map((part) => part.trim());
    const column = Object.hasOwn(ORDER_COLUMNS, field) ? ORDER_COLUMNS[field] : undefined;
    const way = DIRECTIONS[direction.toLowerCase()];
    if (column === undefined || way === undefined || rest.length > 0)
      throw badParameter('orderBy', value, `Invalid order by ${value}`);
    return `${column} ${way}${way === 'asc' ? ' nulls last' : ' nulls first'}`;
  });
}
