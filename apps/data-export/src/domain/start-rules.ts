import type { ExportRecordType, IdType } from '@quire/contracts/data-export';
import { BUILT_IN } from './built-in-profiles.js';
import { logRows, type LogRow } from './error-codes.js';
import { HOLDINGS_ONLY_CSV } from './failures.js';
import type { MappingSnapshot } from './mapping-profile.js';

/** What an export is asked to do, as far as the rules of its start look at it. */
export interface StartAttempt {
  readonly idType: IdType;
  /** Whether ids come with the request, by a query that a user wrote, or otherwise. */
  readonly source: 'lines' | 'query' | 'other';
  readonly jobProfileId: string;
  readonly mapping: MappingSnapshot;
  /** Non-blank lines of the input. */
  readonly lines: number;
}

/** Why an export ends as soon as it starts; undefined when it may run (`data-export.md`, 3.3, 4.3 and 10.1). */
export function reasonNotToRun(attempt: StartAttempt): LogRow | undefined {
  const { idType, source, jobProfileId, mapping } = attempt;
  if (idType === 'holding' && source === 'query')
    return logRows.invalidExtension(HOLDINGS_ONLY_CSV);
  if (idType === 'authority' && mapping.id !== BUILT_IN.authorityMapping) {
    return logRows.message(
      'For exporting authority records only the default authority job profile is supported',
    );
  }
  if (jobProfileId === BUILT_IN.deletedAuthorityJob && idType !== 'authority')
    return logRows.onlySetForDeletion();
  if (source === 'lines' && attempt.lines === 0) return logRows.unreadableInput();
  return missingInventory(attempt);
}

/**
 * Which profiles can do without an inventory: those that write source records. The others generate every record from
 * inventory data, and there is none to ask (10.1 and 12.1).
 */
function missingInventory({ idType, mapping }: StartAttempt): LogRow | undefined {
  const absent = (path: string): LogRow => logRows.callingUri(path, 'No inventory is configured');
  if (idType === 'authority') return undefined;
  if (idType === 'holding') {
    return mapping.id === BUILT_IN.holdingsMapping
      ? undefined
      : absent('/holdings-storage/holdings');
  }
  const fromSource = mapping.id === BUILT_IN.instanceMapping || mapping.recordTypes.includes('SRS');
  return fromSource ? undefined : absent('/instance-storage/instances');
}

/** What the ids of a job are. */
export interface IdKind {
  readonly idType: IdType;
  /** They are ids of items, whose instances only an inventory knows: without one none of them is found. */
  readonly items: boolean;
}

/** The stated type wins, then the file's, then what the record type means. A query selects instances, also for items. */
export function idKindOf(
  said: { readonly asked?: IdType | undefined; readonly ofFile?: IdType | undefined },
  recordType: ExportRecordType | undefined,
  source: 'lines' | 'query',
): IdKind {
  const stated = said.asked ?? said.ofFile;
  const idType = stated ?? (recordType ? ID_TYPE_OF[recordType] : 'instance');
  const items = stated === undefined && recordType === 'ITEM' && source === 'lines';
  return { idType, items };
}

const ID_TYPE_OF: Readonly<Record<ExportRecordType, IdType>> = {
  INSTANCE: 'instance',
  HOLDINGS: 'holding',
  AUTHORITY: 'authority',
  ITEM: 'instance',
};

/** The built-in job profile of a type of ids. */
export const DEFAULT_JOB_PROFILE: Readonly<Record<IdType, string>> = {
  instance: BUILT_IN.instanceJob,
  holding: BUILT_IN.holdingsJob,
  authority: BUILT_IN.authorityJob,
};

export const defaultJobProfileOf = (recordType: ExportRecordType): string =>
  DEFAULT_JOB_PROFILE[ID_TYPE_OF[recordType]];
