import { isAnyUuid } from '@quire/contracts/ids';
import { parseDate } from '@quire/contracts/dates';
import {
  badParameter,
  booleanParameter,
  single,
  textParameter,
  type Query,
} from '@quire/contracts/paging';
import {
  aDate,
  aFlag,
  aText,
  aUuid,
  oneOf,
  type QueryParameter,
} from '@quire/contracts/query-parameters';
import { RECORD_ORDERS } from '../db/record-lists.js';
import type { SourceRecordFilter } from '../db/source-record-lists.js';
import { recordTypeOf, recordTypeParameter } from './id-lists.js';
import { listOrder, orderParameter } from './list-order.js';

const LEADER_STATUSES = 'acdnposx';

/** What {@link filterOf} reads. */
export const SOURCE_RECORD_PARAMETERS: readonly QueryParameter[] = [
  aUuid('recordId', { description: 'Of all generations of a record.' }),
  aUuid('snapshotId', { description: 'The job that saved it.' }),
  aUuid('externalId', { description: 'Of instance, holdings or authority.' }),
  aUuid('instanceId', { description: 'As `externalId`, where that is absent.' }),
  aUuid('holdingsId', { description: 'As `externalId`, where the others are absent.' }),
  aText('externalHrid'),
  aText('instanceHrid', { description: 'As `externalHrid`, where that is absent.' }),
  aText('holdingsHrid', { description: 'As `externalHrid`, where the others are absent.' }),
  recordTypeParameter('Absent: MARC_BIB.'),
  aFlag('suppressFromDiscovery'),
  aFlag('deleted', { default: false, description: 'Deleted records too.' }),
  oneOf('leaderRecordStatus', [...LEADER_STATUSES], { description: 'Byte 5 of the leader.' }),
  aDate('updatedAfter', {
    description: 'A date or time, which counts too; 2026 and 2026-01 also.',
  }),
  aDate('updatedBefore', { description: 'As `updatedAfter`.' }),
  orderParameter(RECORD_ORDERS),
];

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
  if (value === undefined || (value.length === 1 && LEADER_STATUSES.includes(value))) return value;
  throw badParameter('leaderRecordStatus', value, `must match "^[${LEADER_STATUSES}]$"`);
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
