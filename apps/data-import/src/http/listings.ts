import { refused } from '@quire/contracts/failure';
import { single, type Query } from '@quire/contracts/paging';
import type { CqlQuery } from '@quire/cql/ast';
import { CqlError, listFailureText } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';

/**
 * Reads `query` and does the work of a listing by it: every fault of the query, those that only its compilation shows among
 * them, becomes the one 400 of conventions 15.4.
 *
 * @param collection as its texts call it: `definition`, `jobProfiles`
 */
export async function byCql<T>(
  query: Query,
  collection: string,
  work: (parsed: CqlQuery | undefined) => Promise<T>,
): Promise<T> {
  try {
    const text = single(query, 'query');
    return await work(text === undefined || text === '' ? undefined : parseCql(text, URL_LIMITS));
  } catch (error) {
    if (error instanceof CqlError) throw refused(listFailureText(collection, error), 'cql');
    throw error;
  }
}
