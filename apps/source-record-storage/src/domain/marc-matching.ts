import { isAnyUuid } from '@quire/contracts/ids';
import type {
  ComparisonPart,
  MarcMatchFilter,
  MarcMatching,
  MatchQualifier,
  MatchType,
} from '@quire/contracts/marc-matching';
import { isControlTag, packTag } from '@quire/marc/iso2709/grammar';
import { isIndexed, wantedKeys } from './marc-keys.js';
import { joined, type Lookup, type MarcSearch, type MarcTest } from './marc-search-tree.js';
import type { SearchedIds, SearchedRecord } from './searched-record.js';

/**
 * Filters of `POST /source-storage/records/matching` (source-record-storage, 7.1), from values of fields to tests of records.
 *
 * Stored values are looked at one by one: one that is like the qualifier says and matches some incoming value is enough.
 */
export function matchingSearch({ filters, logicalOperator }: MarcMatching): MarcSearch {
  return joined(logicalOperator === 'OR' ? 'or' : 'and', filters.map(filterTest));
}

function filterTest(filter: MarcMatchFilter): MarcTest {
  const column = columnOf(filter);
  const incoming = column && column !== 'hrid' ? lowerCase(filter) : filter;
  const matches = valueTest(incoming);
  if (column) {
    const holds = ({ ids }: SearchedRecord): boolean => {
      const value = ids[column];
      return value !== null && matches(value);
    };
    return { kind: 'test', holds, noContent: true, ...columnLookup(column, incoming) };
  }
  const choice = choiceOf(filter);
  const holds = (record: SearchedRecord): boolean =>
    record.values(filter.field, choice).some(matches);
  return { kind: 'test', holds, ...cluesOf(filter, choice.code) };
}

/** Values that stand beside the record: these are compared, not its bytes. */
function columnOf(filter: MarcMatchFilter): keyof SearchedIds | undefined {
  const { field, indicator1, indicator2, subfield } = filter;
  if (field === '001') return 'hrid';
  if (field !== '999' || indicator1 !== 'f' || indicator2 !== 'f') return undefined;
  return subfield === 's' ? 'matchedId' : subfield === 'i' ? 'externalId' : undefined;
}

/** Ids are UUIDs, which are accepted in any letter case. */
function lowerCase(filter: MarcMatchFilter): MarcMatchFilter {
  const values = filter.values.map((value) => value.toLowerCase());
  const qualifierValue = filter.qualifierValue?.toLowerCase();
  return { ...filter, values, ...(qualifierValue === undefined ? {} : { qualifierValue }) };
}

function choiceOf({ field, indicator1, indicator2, subfield }: MarcMatchFilter): {
  code?: string | undefined;
  indicators?: (indicators: string) => boolean;
} {
  if (isControlTag(packTag(field))) return {};
  const wanted = [indicator1, indicator2].map((one) => (one?.trim() ? one : ' '));
  const indicators = (both: string): boolean =>
    wanted.every((one, at) => one === '*' || one === both[at]);
  return { code: subfield || undefined, indicators };
}

type Comparison = (existing: string, incoming: string) => boolean;

const COMPARISONS: Readonly<Record<MatchType, Comparison>> = {
  EXACTLY_MATCHES: (existing, incoming) => existing === incoming,
  EXISTING_VALUE_CONTAINS_INCOMING_VALUE: (existing, incoming) => existing.includes(incoming),
  INCOMING_VALUE_CONTAINS_EXISTING_VALUE: (existing, incoming) => incoming.includes(existing),
  EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE: (existing, incoming) => existing.startsWith(incoming),
  INCOMING_VALUE_BEGINS_WITH_EXISTING_VALUE: (existing, incoming) => incoming.startsWith(existing),
  EXISTING_VALUE_ENDS_WITH_INCOMING_VALUE: (existing, incoming) => existing.endsWith(incoming),
  INCOMING_VALUE_ENDS_WITH_EXISTING_VALUE: (existing, incoming) => incoming.endsWith(existing),
};

const PARTS: Readonly<Record<ComparisonPart, (text: string) => string>> = {
  NUMERICS_ONLY: (text) => text.replace(/[^0-9]/g, ''),
  ALPHANUMERICS_ONLY: (text) => text.replace(/[^\p{L}\p{N}]/gu, ''),
};

/**
 * A side of which nothing is left matches nothing: a number without digits is like no other. Nor does an empty value begin,
 * end or contain one; it equals an empty one only.
 */
function valueTest(filter: MarcMatchFilter): (existing: string) => boolean {
  const { values, matchType = 'EXACTLY_MATCHES', comparisonPartType: part } = filter;
  const partOf = part ? PARTS[part] : (text: string): string => text;
  const emptyCounts = !part && matchType === 'EXACTLY_MATCHES';
  const incoming = new Set(values.map(partOf));
  if (!emptyCounts) incoming.delete('');
  const qualifies = qualifierTest(filter);
  const compare = COMPARISONS[matchType];
  return (existing) => {
    const compared = partOf(existing);
    if ((compared === '' && !emptyCounts) || !qualifies(existing)) return false;
    if (matchType === 'EXACTLY_MATCHES') return incoming.has(compared);
    for (const one of incoming) if (compare(compared, one)) return true;
    return false;
  };
}

const QUALIFIERS: Readonly<Record<MatchQualifier, Comparison>> = {
  BEGINS_WITH: COMPARISONS.EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE,
  ENDS_WITH: COMPARISONS.EXISTING_VALUE_ENDS_WITH_INCOMING_VALUE,
  CONTAINS: COMPARISONS.EXISTING_VALUE_CONTAINS_INCOMING_VALUE,
};

function qualifierTest({ qualifier, qualifierValue }: MarcMatchFilter): (text: string) => boolean {
  if (!qualifier || qualifierValue === undefined) return () => true;
  return (text) => QUALIFIERS[qualifier](text, qualifierValue);
}

function columnLookup(column: keyof SearchedIds, filter: MarcMatchFilter): { lookup?: Lookup } {
  const { values, matchType = 'EXACTLY_MATCHES', comparisonPartType } = filter;
  if (matchType !== 'EXACTLY_MATCHES' || comparisonPartType) return {};
  if (column === 'hrid') return { lookup: { hrids: values } };
  const ids = values.filter(isAnyUuid);
  return { lookup: column === 'matchedId' ? { matchedIds: ids } : { externalIds: ids } };
}

/** Match types whose stored value has the incoming one in it. */
const CONTAINING: readonly MatchType[] = [
  'EXACTLY_MATCHES',
  'EXISTING_VALUE_CONTAINS_INCOMING_VALUE',
  'EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE',
  'EXISTING_VALUE_ENDS_WITH_INCOMING_VALUE',
];

function cluesOf(filter: MarcMatchFilter, code: string | undefined): Partial<MarcTest> {
  const { field, values, matchType = 'EXACTLY_MATCHES', comparisonPartType: part } = filter;
  const whole = !part && CONTAINING.includes(matchType);
  const qualified = filter.qualifier && filter.qualifierValue ? [filter.qualifierValue] : undefined;
  const contains = whole ? values : qualified;
  const begins = matchType === 'EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE';
  const find = (all: readonly string[], prefix: boolean): { lookup: Lookup } => ({
    lookup: { keys: all.flatMap((value) => wantedKeys(field, code, value, prefix)) },
  });
  return {
    ...(contains ? { contains } : {}),
    ...(!isIndexed(field)
      ? {}
      : !part && (begins || matchType === 'EXACTLY_MATCHES')
        ? find(values, begins)
        : filter.qualifier === 'BEGINS_WITH' && qualified
          ? find(qualified, true)
          : {}),
  };
}
