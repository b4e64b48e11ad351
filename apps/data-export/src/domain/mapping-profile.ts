import type { ExportRecordType, IdType, Transformation } from '@quire/contracts/data-export';
import { HOLDINGS_ONLY_CSV } from './failures.js';
import { logRows, type LogRow } from './error-codes.js';
import { BUILT_IN } from './built-in-profiles.js';

/** What a job keeps of its mapping profile: later edits of the profile do not touch the job. */
export interface MappingSnapshot {
  readonly id: string;
  readonly name: string;
  readonly recordTypes: readonly string[];
  readonly outputFormat: string;
  readonly fieldsSuppression?: string;
  readonly suppress999ff: boolean;
  /** Absent: none. */
  readonly transformations?: readonly Transformation[];
}

/** Which source records a profile lets out, by their state. */
export type Wanted = 'any' | 'live' | 'deleted';

/** What the pipeline does with each stored record. Without suppression the bytes pass untouched. */
export interface RecordPlan {
  readonly suppressTags: readonly string[];
  readonly suppress999ff: boolean;
  readonly wanted: Wanted;
}

/** The job profile that takes only authorities set for deletion (appendix C, 4). */
export function planOf(mapping: MappingSnapshot, jobProfileId: string, idType: IdType): RecordPlan {
  return {
    suppressTags: suppressedTags(mapping.fieldsSuppression),
    suppress999ff: mapping.suppress999ff,
    wanted:
      idType !== 'authority'
        ? 'any'
        : jobProfileId === BUILT_IN.deletedAuthorityJob
          ? 'deleted'
          : 'live',
  };
}

export interface StartAttempt {
  readonly idType: IdType;
  readonly recordType?: ExportRecordType;
  readonly uploadFormat: 'csv' | 'cql';
  readonly fileName: string;
  readonly jobProfileId: string;
  readonly mapping: MappingSnapshot;
  /** Non-blank lines of the input. */
  readonly lines: number;
}

/** Why an export ends as soon as it starts; undefined when it may run (`data-export.md`, 3.3, 4.3 and 10.1). */
export function reasonNotToRun(attempt: StartAttempt): LogRow | undefined {
  const { idType, uploadFormat, jobProfileId, mapping } = attempt;
  if (idType === 'holding' && uploadFormat === 'cql')
    return logRows.invalidExtension(HOLDINGS_ONLY_CSV);
  if (idType === 'authority' && mapping.id !== BUILT_IN.authorityMapping) {
    return logRows.message(
      'For exporting authority records only the default authority job profile is supported',
    );
  }
  if (jobProfileId === BUILT_IN.deletedAuthorityJob && idType !== 'authority')
    return logRows.onlySetForDeletion();
  if (uploadFormat === 'csv' && attempt.lines === 0) return logRows.unreadableInput();
  return missingInventory(attempt);
}

/** Records that are generated need an inventory, and there is none to ask yet. */
function missingInventory({ idType, recordType, mapping }: StartAttempt): LogRow | undefined {
  const absent = (path: string): LogRow => logRows.callingUri(path, 'No inventory is configured');
  if (recordType === 'ITEM' && idType === 'instance') return absent('/item-storage/items');
  if (idType === 'authority') return undefined;
  if (idType === 'holding') {
    return mapping.id === BUILT_IN.holdingsMapping
      ? undefined
      : absent('/holdings-storage/holdings');
  }
  const fromSource = mapping.id === BUILT_IN.instanceMapping || mapping.recordTypes.includes('SRS');
  return fromSource ? undefined : absent('/instance-storage/instances');
}

/** The stated type wins, then the file's, then what the record type means. */
export function idTypeOf(
  asked: IdType | undefined,
  ofFile: IdType | undefined,
  recordType: ExportRecordType | undefined,
): IdType {
  return asked ?? ofFile ?? (recordType ? ID_TYPE_OF[recordType] : 'instance');
}

const ID_TYPE_OF: Readonly<Record<ExportRecordType, IdType>> = {
  INSTANCE: 'instance',
  HOLDINGS: 'holding',
  AUTHORITY: 'authority',
  ITEM: 'instance',
};

/** The built-in job profile of a record type. */
export function defaultJobProfileOf(recordType: ExportRecordType): string {
  if (recordType === 'HOLDINGS') return BUILT_IN.holdingsJob;
  return recordType === 'AUTHORITY' ? BUILT_IN.authorityJob : BUILT_IN.instanceJob;
}

export function suppressedTags(fieldsSuppression: string | undefined): string[] {
  return (fieldsSuppression ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
