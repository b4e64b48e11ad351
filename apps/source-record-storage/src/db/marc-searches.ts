import { Injectable } from '@nestjs/common';
import type { MatchedRecordType } from '@quire/contracts/marc-matching';
import { tsqueryArray } from '@quire/postgres/text-search';
import type { TenantRead } from '@quire/postgres/tenant';
import type { Contains, Lookup } from '../domain/marc-search-tree.js';
import type { WantedKey } from '../domain/marc-keys.js';
import type { ContentForm } from '../domain/stored-content.js';
import { MarcIndex } from './marc-index.js';
import { CURRENT } from './record-locks.js';

/** Records to be put to a search in MARC fields (section 7), and what every match is known to have. */
export interface SearchScope {
  readonly recordType: MatchedRecordType;
  /** Also those of state DELETED. */
  readonly deleted: boolean;
  readonly suppressed?: boolean | undefined;
  readonly order: 'id' | 'external_id';
  /** Whose content is wanted: that of all records, of those that have any, of none. */
  readonly content: 'all' | 'parsed' | 'none';
  /** Leader/05 that every match has. */
  readonly status?: string | undefined;
  /** Indexes that find every match. */
  readonly lookup?: Lookup | undefined;
  /** What stands in the bytes of every match. */
  readonly contains?: Contains | undefined;
}

export interface CandidateRow {
  readonly id: string;
  readonly external_id: string;
  readonly external_hrid: string | null;
  readonly matched_id: string;
  readonly content: Buffer | null;
  readonly form: ContentForm | null;
}

const BATCH_ROWS = 200;
/** One query of text search asks for so many keys at once: the list of new keys is read for each query. */
const QUERY_KEYS_MAX = 64;

@Injectable()
export class MarcSearches {
  constructor(private readonly index: MarcIndex) {}

  /** Records with an external id, each once, in the order asked for. */
  async *candidates(tx: TenantRead, scope: SearchScope): AsyncGenerator<CandidateRow> {
    const lookup = await this.usable(tx, scope.lookup);
    const { sql, params } = candidatesSql(tx, { ...scope, lookup });
    for await (const rows of tx.cursor<CandidateRow>(sql, params, BATCH_ROWS)) yield* rows;
  }

  /** An index that has not read all records finds not all of them. */
  private async usable(tx: TenantRead, lookup: Lookup | undefined): Promise<Lookup | undefined> {
    if (!lookup?.keys || lookup.keys.length === 0) return lookup;
    return (await this.index.isComplete(tx)) ? lookup : undefined;
  }
}

/**
 * Ids first, sorted, and the bytes of one after the other: neither a sort nor a look-up ever carries bytes. Look-ups are
 * lateral, with a limit or a fence, for the reason given in the README: the planner must not make joins of them.
 */
function candidatesSql(
  tx: TenantRead,
  scope: SearchScope,
): { readonly sql: string; readonly params: unknown[] } {
  const params: unknown[] = [tx.tenantId, scope.recordType];
  const bound = (value: unknown): string => `$${params.push(value)}`;
  const from = scope.lookup ? found(scope.lookup, bound) : 'record f';
  const records = `
    select f.id, f.external_id, f.external_hrid, f.matched_id from ${from}
    where ${conditions(scope, bound).join(' and ')} order by f.${scope.order}`;
  const columns = 'r.id, r.external_id, r.external_hrid, r.matched_id';
  if (scope.content === 'none')
    return {
      sql: `select ${columns}, null as content, null as form from (${records}) as r`,
      params,
    };
  const join = scope.content === 'all' ? 'left join' : 'inner join';
  const contains = scope.contains ? `where ${containing(scope.contains, bound)}` : '';
  const sql = `
    select ${columns}, c.content, c.form from (${records}) as r ${join} lateral (
      select content, form from record_content where tenant_id = $1 and record_id = r.id limit 1) as c on true
    ${contains} order by r.${scope.order}`;
  return { sql, params };
}

type Bound = (value: unknown) => string;

function conditions({ deleted, status, suppressed }: SearchScope, bound: Bound): string[] {
  return [
    'f.tenant_id = $1 and f.record_type = $2 and f.external_id is not null',
    `f.${CURRENT}`,
    ...(deleted ? [] : [`f.state = 'ACTUAL'`]),
    // One letter, as text and not as a parameter: only so can it imply the predicate of index `record_status`.
    ...(status !== undefined && /^[a-z]$/.test(status) ? [`f.leader_status = '${status}'`] : []),
    ...(suppressed === undefined ? [] : [`f.suppress_discovery = ${bound(suppressed)}`]),
  ];
}

/** The records that one of the look-ups finds, each once. */
function found(lookup: Lookup, bound: Bound): string {
  const { keys = [], hrids = [], matchedIds = [], externalIds = [] } = lookup;
  const by = (values: string, condition: string): string => `
    select r.id from unnest(${values}) as q (value) cross join lateral (
      select id from record where tenant_id = $1 and ${condition} and ${CURRENT} offset 0) as r`;
  const ways = [
    ...(keys.length > 0
      ? [`select id from marc_index_find(${bound(queries(keys))}::tsquery[]) as k (id)`]
      : []),
    ...(hrids.length > 0 ? [by(`${bound(hrids)}::text[]`, 'external_hrid = q.value')] : []),
    ...(matchedIds.length > 0 ? [by(`${bound(matchedIds)}::uuid[]`, 'matched_id = q.value')] : []),
    ...(externalIds.length > 0
      ? [by(`${bound(externalIds)}::uuid[]`, 'record_type = $2 and external_id = q.value')]
      : []),
  ];
  const ids = ways.length > 0 ? ways.join(' union ') : 'select null::uuid where false';
  return `(${ids}) as k (id) cross join lateral (
      select * from record where tenant_id = $1 and id = k.id limit 1) as f`;
}

function queries(keys: readonly WantedKey[]): Buffer {
  const lexemes = keys.map(({ key, prefix }) => ({ lexeme: key, prefix }));
  const groups = Array.from({ length: Math.ceil(lexemes.length / QUERY_KEYS_MAX) }, (_, group) =>
    lexemes.slice(group * QUERY_KEYS_MAX, (group + 1) * QUERY_KEYS_MAX),
  );
  return tsqueryArray(groups);
}

/** JSON writes some characters otherwise than the record has them; such content is always read. */
function containing(contains: Contains, bound: Bound): string {
  return `(c.form <> 'ISO2709' or ${standsIn(contains, bound)})`;
}

function standsIn(contains: Contains, bound: Bound): string {
  const parts =
    contains.kind === 'text'
      ? contains.texts.map(
          (text) => `position(${bound(Buffer.from(text))}::bytea in c.content) > 0`,
        )
      : contains.parts.map((part) => standsIn(part, bound));
  return `(${parts.join(contains.kind === 'and' ? ' and ' : ' or ')})`;
}
