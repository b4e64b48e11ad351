import { invalid, violation } from '@quire/contracts/failure';
import { isUuid, UUID_PATTERN } from '@quire/contracts/ids';
import { enumParameter, single, type Query } from '@quire/contracts/paging';
import { aFlag, oneOf, type QueryParameter } from '@quire/contracts/query-parameters';
import { IDS_MAX } from '@quire/contracts/source-batches';
import { SOURCE_RECORD_TYPES, type SourceRecordType } from '@quire/contracts/source-records';
import { missingBody } from '@quire/service/contract.pipe';
import type { IdLookup } from '../db/record-reads.js';
import { idTypeOf, idTypeParameter } from './id-type.js';

/** Lists of ids in bodies, and the parameters that say what they mean (source-record-storage, 2.3, 4 and 6). */

/** Shape of the bodies, for the API description. */
export const ID_LIST_SCHEMA = {
  schema: { type: 'array', items: { type: 'string' }, maxItems: IDS_MAX },
} as const;

export const recordTypeParameter = (description: string): QueryParameter =>
  oneOf('recordType', SOURCE_RECORD_TYPES, { description });

/** @returns undefined when it is absent or empty */
export function recordTypeOf(query: Query): SourceRecordType | undefined {
  if (single(query, 'recordType') === '') return undefined;
  const unknown = (value: string): string => `Unknown record type ${value}`;
  return enumParameter(query, 'recordType', SOURCE_RECORD_TYPES, unknown);
}

/** What {@link lookupOf} reads. */
export const LOOKUP_PARAMETERS: readonly QueryParameter[] = [
  idTypeParameter('RECORD'),
  recordTypeParameter('Absent: records of every type.'),
];

/**
 * What a list of ids is looked for by. Ids name records of one type or are unique, so that the default type of lists would
 * only hide what was asked for: without `recordType` the id type alone decides.
 */
export const lookupOf = (query: Query): IdLookup => ({
  idType: idTypeOf(query, 'RECORD'),
  recordType: recordTypeOf(query),
});

export const DELETED = aFlag('deleted', { default: false, description: 'Deleted records too.' });

/** @throws Failure 400 without a body, 422 for what is no list of texts or too long a list */
export function idList(body: unknown): readonly string[] {
  if (body === undefined) throw missingBody();
  if (!Array.isArray(body)) throw invalid(violation('must be an array', '', body));
  if (body.length > IDS_MAX)
    throw invalid(
      violation(`size must be between 0 and ${IDS_MAX}`, '', `${body.length} elements`),
    );
  refuseOthers(body, (id) => typeof id === 'string');
  return body as string[];
}

/** Ids in lower case. @throws Failure 422 that names every element that is no UUID */
export function uuidList(body: unknown): string[] {
  const ids = idList(body);
  refuseOthers(ids, isUuid);
  return ids.map((id) => id.toLowerCase());
}

/** A body has room for many thousand bad ids; nobody reads more than these. */
const VIOLATIONS_MAX = 100;

function refuseOthers<T>(list: readonly T[], isFine: (id: T) => boolean): void {
  const wrong: ReturnType<typeof violation>[] = [];
  for (const [at, id] of list.entries()) {
    if (!isFine(id) && wrong.length < VIOLATIONS_MAX)
      wrong.push(violation(`must match "${UUID_PATTERN}"`, `[${at}]`, id));
  }
  if (wrong.length > 0) throw invalid(...wrong);
}

/** Undefined for what is no UUID: of it nothing can be found. */
export const asUuid = (id: string): string | null => (isUuid(id) ? id.toLowerCase() : null);
