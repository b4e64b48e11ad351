import type { ChunkOptions, ChunkProfile } from '@quire/contracts/data-import';
import { isUuid } from '@quire/contracts/ids';
import type { MarcRecordType } from '@quire/contracts/source-records';
import type { RecordSummary } from '@quire/marc/fields';
import type { Ids999ff } from '@quire/marc/iso2709/stored';

/** Why a record that could be read is not stored (data-import, 9.2). The texts are made by data-import. */
export const CHECK_CODES = [
  'RECORD_TYPE',
  'PROFILE_TYPE',
  'EXISTING_999FF',
  'HOLDINGS_004',
  'MATCHED_ID',
  'EXTERNAL_ID',
  'DUPLICATE',
  'STORE',
] as const;
export type CheckCode = (typeof CHECK_CODES)[number];

/** What decides about one record besides the record itself. */
export interface CheckContext {
  readonly profile: ChunkProfile;
  readonly options: ChunkOptions;
  /** Is this the number (001) of a bibliographic record that is stored, or was read before in this chunk? */
  readonly isBib: (hrid: string) => boolean;
}

export type Checked =
  | { readonly code: CheckCode; readonly field?: string }
  | { readonly code?: undefined; readonly recordType: MarcRecordType; readonly stripped: boolean };

/** Checks 2 to 6, in the order of data-import 9.2. */
export function check(
  { recordType, parentHrid }: RecordSummary,
  ids: Ids999ff,
  { profile, options, isBib }: CheckContext,
): Checked {
  if (recordType === undefined) return { code: 'RECORD_TYPE', field: 'LDR' };
  if (!profile.recordTypes.includes(recordType)) return { code: 'PROFILE_TYPE' };
  const hasIds = ids.s !== undefined || ids.i !== undefined;
  if (hasIds && options.on999ff === 'reject') return { code: 'EXISTING_999FF', field: '999' };
  if (recordType === 'MARC_HOLDING' && (parentHrid === undefined || !isBib(parentHrid)))
    return { code: 'HOLDINGS_004', field: '004' };
  if (options.on999ff === 'accept') {
    if (ids.s !== undefined && !isUuid(ids.s)) return { code: 'MATCHED_ID', field: '999' };
    if (ids.i !== undefined && !isUuid(ids.i)) return { code: 'EXTERNAL_ID', field: '999' };
  }
  return { recordType, stripped: ids.count > 0 && options.on999ff === 'strip' };
}

/** Name under which the external id of a type is derived from its matched id (data-import, 9.5). */
export const EXTERNAL_NAME: Readonly<Record<MarcRecordType, string>> = {
  MARC_BIB: 'instance',
  MARC_AUTHORITY: 'authority',
  MARC_HOLDING: 'holdings',
};

/** One letter per type in counts and errors of chunks. */
export const TYPE_LETTER: Readonly<Record<MarcRecordType, string>> = {
  MARC_BIB: 'B',
  MARC_AUTHORITY: 'A',
  MARC_HOLDING: 'H',
};
