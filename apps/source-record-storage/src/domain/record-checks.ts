import type { ChunkOptions, ChunkProfile } from '@quire/contracts/data-import';
import type { MarcRecordType } from '@quire/contracts/source-records';
import { isAnyUuid } from '@quire/contracts/ids';
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
  'STORE',
] as const;
export type CheckCode = (typeof CHECK_CODES)[number];

/** What decides about one record besides the record itself. */
export interface CheckContext {
  readonly profile: ChunkProfile;
  readonly options: ChunkOptions;
  /** Numbers (001) of the stored bibliographic records that the holdings of this chunk name in their 004. */
  readonly bibHrids: ReadonlySet<string>;
}

export type Checked =
  | { readonly code: CheckCode; readonly field?: string }
  | { readonly code?: undefined; readonly recordType: MarcRecordType; readonly stripped: boolean };

/** The checks in the order of data-import 9.2. */
export function check(
  summary: RecordSummary,
  ids: Ids999ff,
  { profile, options, bibHrids }: CheckContext,
): Checked {
  const { recordType, parentHrid } = summary;
  if (recordType === undefined) return { code: 'RECORD_TYPE', field: 'LDR' };
  if (!profile.recordTypes.includes(recordType)) return { code: 'PROFILE_TYPE' };
  const hasIds = ids.s !== undefined || ids.i !== undefined;
  if (hasIds && options.on999ff === 'reject') return { code: 'EXISTING_999FF', field: '999' };
  if (recordType === 'MARC_HOLDING' && (parentHrid === undefined || !bibHrids.has(parentHrid))) {
    return { code: 'HOLDINGS_004', field: '004' };
  }
  if (options.on999ff === 'accept') {
    if (ids.s !== undefined && !isAnyUuid(ids.s)) return { code: 'MATCHED_ID', field: '999' };
    if (ids.i !== undefined && !isAnyUuid(ids.i)) return { code: 'EXTERNAL_ID', field: '999' };
  }
  return { recordType, stripped: hasIds && options.on999ff === 'strip' };
}

/** Name under which the external id of a type is derived from its matched id (data-import, 2.3). */
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
