import { CqlError, listFailureText } from '@quire/cql/errors';
import { BODY_LIMITS, parseCql } from '@quire/cql/parser';
import { refused } from '@quire/contracts/failure';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import { compileCql } from '@quire/postgres/cql-where';

const COLLECTION = 'export-authority-deleted';

/**
 * What a query of deleted authorities may name. The rows are those of source-record-storage: here a query is only read, so
 * that what is wrong with it has an answer at once.
 */
const AUTHORITY: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'id' },
    hrid: { type: 'text', sql: 'hrid' },
    'metadata.createdDate': { type: 'date', sql: 'created_at' },
    'metadata.createdByUserId': { type: 'text', sql: 'created_by' },
    'metadata.updatedDate': { type: 'date', sql: 'updated_at' },
    'metadata.updatedByUserId': { type: 'text', sql: 'updated_by' },
  },
};

/** @throws Failure 400 in the one form of conventions 15.4 */
export function checkDeletedAuthorities(query: string | undefined): void {
  if (query === undefined || query.trim() === '') return;
  try {
    compileCql(parseCql(query.trim(), BODY_LIMITS), AUTHORITY, { params: [] });
  } catch (error) {
    if (error instanceof CqlError) throw refused(listFailureText(COLLECTION, error), 'cql');
    throw error;
  }
}
