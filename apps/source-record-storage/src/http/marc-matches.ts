import type { TenantRead } from '@quire/postgres/tenant';
import type { CandidateRow, MarcSearches, SearchScope } from '../db/marc-searches.js';
import {
  containsOf,
  lookupOf,
  matches,
  readsContent,
  statusOf,
  type MarcSearch,
} from '../domain/marc-search-tree.js';
import { SearchedRecord } from '../domain/searched-record.js';
import { marcRecordOf } from '../domain/stored-content.js';

/** Where a search looks, without what the search itself tells. */
export type SearchPlace = Pick<SearchScope, 'recordType' | 'deleted' | 'suppressed' | 'order'> & {
  /** Records without parsed content may match too. */
  readonly unparsed: boolean;
};

/** Read one after the other in about a second; callers give up after 30 s of silence. */
export const SILENT_ROWS_MAX = 20_000;

/**
 * The records that match, of the candidates that indexes find or, where none can, of all.
 *
 * @returns undefined now and then among them, while there are only others
 */
export async function* matchesOf(
  tx: TenantRead,
  searches: MarcSearches,
  search: MarcSearch,
  { unparsed, ...place }: SearchPlace,
): AsyncGenerator<CandidateRow | undefined> {
  const candidates = searches.candidates(tx, {
    ...place,
    content: !readsContent(search) ? 'none' : unparsed ? 'all' : 'parsed',
    status: statusOf(search),
    lookup: lookupOf(search),
    contains: containsOf(search),
  });
  let silent = 0;
  for await (const row of candidates) {
    const record = searchedOf(row);
    const found = (unparsed || record.isParsed) && matches(search, record);
    silent = found ? 0 : silent + 1;
    if (found) yield row;
    else if (silent % SILENT_ROWS_MAX === 0) yield undefined;
  }
}

function searchedOf(row: CandidateRow): SearchedRecord {
  const ids = {
    hrid: row.external_hrid,
    matchedId: row.matched_id,
    externalId: row.external_id,
  };
  const { form, content } = row;
  const record = content && form ? marcRecordOf({ form, bytes: content }) : undefined;
  return new SearchedRecord(ids, record);
}
