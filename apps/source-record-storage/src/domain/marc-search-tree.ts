import { ALWAYS_WANTED, type WantedKey } from './marc-keys.js';
import type { SearchedRecord } from './searched-record.js';

/**
 * A search in MARC fields, whichever door it came by (source-record-storage, section 7), and what can be said of all of its
 * matches without reading a record. What is said so only finds candidates: every record found is put to the tests.
 */
export type MarcSearch = MarcTest | MarcJoin;

export interface MarcJoin {
  readonly kind: 'and' | 'or';
  readonly parts: readonly MarcSearch[];
}

export interface MarcTest extends Clues {
  readonly kind: 'test';
  readonly holds: (record: SearchedRecord) => boolean;
}

/** What every record has for which a test holds. */
interface Clues {
  /** Leader/05 is this letter. */
  readonly status?: string;
  /** One of these finds it. */
  readonly lookup?: Lookup;
  /** One of these texts stands in its bytes. */
  readonly contains?: readonly string[];
  /** The test looks at columns only. */
  readonly noContent?: boolean;
}

/** Ways to records, each by an index; a record is found by one of them. */
export interface Lookup {
  readonly keys?: readonly WantedKey[];
  readonly hrids?: readonly string[];
  readonly matchedIds?: readonly string[];
  readonly externalIds?: readonly string[];
}

export const joined = (kind: 'and' | 'or', parts: readonly MarcSearch[]): MarcSearch =>
  parts.length === 1 && parts[0] ? parts[0] : { kind, parts };

export function matches(search: MarcSearch, record: SearchedRecord): boolean {
  if (search.kind === 'test') return search.holds(record);
  const holds = (part: MarcSearch): boolean => matches(part, record);
  return search.kind === 'and' ? search.parts.every(holds) : search.parts.some(holds);
}

/** The letter that leader/05 must be for any record to match; undefined when it may be several. */
export function statusOf(search: MarcSearch): string | undefined {
  if (search.kind === 'test') return search.status;
  if (search.kind === 'or') return undefined;
  return search.parts.map(statusOf).find((status) => status !== undefined);
}

/** Does any test look at more than columns? */
export const readsContent = (search: MarcSearch): boolean =>
  search.kind === 'test' ? search.noContent !== true : search.parts.some(readsContent);

/** Few records have these, and the index `record_status` finds them. */
const RARE_STATUSES = ['d', 's', 'x'];

/** How indexes find all matches: of an "and" by its most selective part, of an "or" by all parts together. */
export function lookupOf(search: MarcSearch): Lookup | undefined {
  const found = wholeLookup(search);
  // A beginning may find any number; the records of such a status are few.
  if (found && cost(found) >= PREFIX_COST && RARE_STATUSES.includes(statusOf(search) ?? ''))
    return undefined;
  if (!found?.keys || found.keys.length === 0) return found;
  return { ...found, keys: [...found.keys, ALWAYS_WANTED] };
}

function wholeLookup(search: MarcSearch): Lookup | undefined {
  if (search.kind === 'test') return search.lookup;
  const parts = search.parts.map(wholeLookup);
  if (search.kind === 'and')
    return parts
      .filter((part) => part !== undefined)
      .reduce<Lookup | undefined>(
        (best, part) => (best && cost(best) <= cost(part) ? best : part),
        undefined,
      );
  if (parts.includes(undefined)) return undefined;
  const all = <K extends keyof Lookup>(name: K): NonNullable<Lookup[K]>[number][] =>
    parts.flatMap((part) => (part?.[name] ?? []) as NonNullable<Lookup[K]>[number][]);
  const union: Lookup = {
    keys: all('keys'),
    hrids: all('hrids'),
    matchedIds: all('matchedIds'),
    externalIds: all('externalIds'),
  };
  return cost(union) > COST_MAX ? undefined : union;
}

/** A beginning may stand for any number of keys, the more the shorter it is. */
const PREFIX_COST = 1_000;
/** Beyond that, reading everything is no worse. */
const COST_MAX = 100 * PREFIX_COST;

const cost = ({ keys = [], hrids = [], matchedIds = [], externalIds = [] }: Lookup): number =>
  keys.reduce((sum, { prefix }) => sum + (prefix ? PREFIX_COST : 1), 0) +
  hrids.length +
  matchedIds.length +
  externalIds.length;

/** Texts of which some must stand in the bytes of every match. */
export type Contains =
  | { readonly kind: 'text'; readonly texts: readonly string[] }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Contains[] };

/** Looked for in each record, so that more of them cost more than they save. */
const CONTAINS_MAX = 20;

/** For searches that no index serves: undefined when nothing is sure. */
export function containsOf(search: MarcSearch): Contains | undefined {
  if (search.kind === 'test')
    return search.contains && search.contains.length <= CONTAINS_MAX
      ? { kind: 'text', texts: search.contains }
      : undefined;
  const parts = search.parts.map(containsOf);
  const known = parts.filter((part) => part !== undefined);
  if (known.length === 0 || (search.kind === 'or' && known.length < parts.length)) return undefined;
  const kind = search.kind;
  return known.length > CONTAINS_MAX
    ? kind === 'and'
      ? { kind, parts: known.slice(0, CONTAINS_MAX) }
      : undefined
    : { kind, parts: known };
}
