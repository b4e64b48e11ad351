import { enumParameter, type Query } from '@quire/contracts/paging';
import { oneOf, type QueryParameter } from '@quire/contracts/query-parameters';
import { RECORD_ID_TYPES, type RecordIdType } from '@quire/contracts/source-records';

export const idTypeParameter = (fallback: RecordIdType): QueryParameter =>
  oneOf('idType', RECORD_ID_TYPES, { default: fallback, description: 'What is named by an id.' });

/** Parameter `idType` (source-record-storage, 2.3). @throws Failure 400 */
export const idTypeOf = (query: Query, fallback: RecordIdType): RecordIdType =>
  enumParameter(query, 'idType', RECORD_ID_TYPES, (value) => `Unknown id type ${value}`) ??
  fallback;
