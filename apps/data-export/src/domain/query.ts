import { CqlError } from '@quire/cql/errors';
import { BODY_LIMITS, parseCql } from '@quire/cql/parser';
import { logRows, type LogRow } from './error-codes.js';

/** Bytes of a query file that are looked at: more cannot be a query within the limits. */
export const QUERY_BYTES_MAX = 4 * BODY_LIMITS.charactersMax + 1;

/**
 * Why a query gives no export.
 *
 * TODO(instance-ids): resolve it to ids by `POST /internal/instance-ids` once source-record-storage answers queries.
 */
export function queryProblem(query: string, fileName: string): LogRow {
  if (query.trim() === '') return logRows.unreadableInput();
  try {
    parseCql(query.trim(), BODY_LIMITS);
  } catch (error) {
    if (error instanceof CqlError) return logRows.invalidCql(fileName);
    throw error;
  }
  return logRows.message('Export by query is not available yet');
}
