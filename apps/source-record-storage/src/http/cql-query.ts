import { refused } from '@quire/contracts/failure';
import type { CqlQuery } from '@quire/cql/ast';
import { CqlError, listFailureText } from '@quire/cql/errors';
import { parseCql, type CqlLimits } from '@quire/cql/parser';

/** An absent or empty query is no filter. @throws CqlError */
export const parseQuery = (text: string | undefined, limits: CqlLimits): CqlQuery | undefined =>
  text === undefined || text === '' ? undefined : parseCql(text, limits);

/**
 * Compiled before the first byte, so that what is wrong with a query has its proper status.
 *
 * @param collection last path segment of the endpoint
 * @throws Failure 400 in the one form of conventions 15.4
 */
export function readable<T>(collection: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof CqlError) throw refused(listFailureText(collection, error), 'cql');
    throw error;
  }
}
