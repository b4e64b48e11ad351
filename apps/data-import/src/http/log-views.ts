import {
  badParameter,
  booleanParameter,
  enumParameter,
  single,
  type Query,
} from '@quire/contracts/paging';
import { aFlag, aText, oneOf, type QueryParameter } from '@quire/contracts/query-parameters';
import type { LogSort } from '../domain/logged-record.js';
import type { LogView } from '../usecases/job-log.js';
import { JOURNAL_SORTS, type JournalView } from '../usecases/journal.js';

/** No record of ours has an action of these kinds: sorted by one, all are equal. */
const NO_ACTIONS = [
  'instance_action_status',
  'holdings_action_status',
  'item_action_status',
  'authority_action_status',
  'order_action_status',
  'invoice_action_status',
] as const;
const LOG_SORT: ReadonlyMap<string, LogSort> = new Map([
  ['source_record_order', 'order'],
  ['title', 'title'],
  ['source_record_action_status', 'action'],
  ['error', 'error'],
  ...NO_ACTIONS.map((name) => [name, 'order'] as const),
]);
const ENTITY_TYPES = [
  'MARC',
  'INSTANCE',
  'HOLDINGS',
  'AUTHORITY',
  'ITEM',
  'ORDER',
  'INVOICE',
  'ALL',
] as const;
type EntityType = (typeof ENTITY_TYPES)[number];

const DIRECTIONS = ['asc', 'desc'] as const;
const ORDER = oneOf('order', DIRECTIONS, { default: 'asc' });

const directionOf = (query: Query): boolean => enumParameter(query, 'order', DIRECTIONS) === 'desc';

/** What {@link logViewOf} reads. */
export const LOG_VIEW_PARAMETERS: readonly QueryParameter[] = [
  oneOf('sortBy', [...LOG_SORT.keys()], { default: 'source_record_order' }),
  ORDER,
  aFlag('errorsOnly', { default: false }),
  oneOf('entityType', ENTITY_TYPES, { default: 'ALL' }),
  aText('entity', {
    description:
      '`entityType` as the web UI calls it, where that is absent. What is unknown means nothing.',
  }),
];

/** Parameters of `jobLogEntries` (data-import, 5.3). Undefined: nothing is of that kind. @throws Failure 400 */
export function logViewOf(query: Query): LogView | undefined {
  const sort = single(query, 'sortBy') ?? 'source_record_order';
  const sortBy = LOG_SORT.get(sort.toLowerCase());
  if (!sortBy) {
    const reason = `The specified field for sorting job log entries is invalid: '${sort}'`;
    throw badParameter('sortBy', sort, reason);
  }
  const descending = directionOf(query);
  const errorsOnly = booleanParameter(query, 'errorsOnly', false);
  const kind = enumParameter(query, 'entityType', ENTITY_TYPES) ?? entityOf(query) ?? 'ALL';
  if (kind !== 'ALL' && kind !== 'MARC' && kind !== 'AUTHORITY') return undefined;
  return { sortBy, descending, errorsOnly, authoritiesOnly: kind === 'AUTHORITY' };
}

/** The name that the web UI uses; what it does not know of us means nothing. */
function entityOf(query: Query): EntityType | undefined {
  const sent = single(query, 'entity')?.toUpperCase();
  return sent === 'SRS_MARC' ? 'MARC' : ENTITY_TYPES.find((one) => one === sent);
}

/** What {@link journalViewOf} reads. */
export const JOURNAL_VIEW_PARAMETERS: readonly QueryParameter[] = [
  oneOf('sortBy', JOURNAL_SORTS, { default: 'source_record_order' }),
  ORDER,
];

/** Parameters of `journalRecords` (data-import, 5.4). @throws Failure 400 */
export function journalViewOf(query: Query): JournalView {
  const sortBy = enumParameter(
    query,
    'sortBy',
    JOURNAL_SORTS,
    (value) => `The specified field for sorting journal records is invalid: '${value}'`,
  );
  return { sortBy: sortBy ?? 'source_record_order', descending: directionOf(query) };
}
