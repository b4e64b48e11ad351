import type { IdType } from '@quire/contracts/data-export';
import { BUILT_IN } from './built-in-profiles.js';
import { suppressedTags, type MappingSnapshot } from './mapping-profile.js';
import type { Output } from './output.js';

/** Which source records a profile lets out, by their state. */
export type Wanted = 'any' | 'live' | 'deleted';

/** What the pipeline does with each stored record. Without suppression the bytes of MARC pass untouched. */
export interface RecordPlan extends Output {
  readonly idType: IdType;
  readonly suppressTags: readonly string[];
  readonly suppress999ff: boolean;
  readonly wanted: Wanted;
}

export interface PlannedJob {
  readonly mapping: MappingSnapshot;
  readonly jobProfileId: string;
  readonly idType: IdType;
  readonly output: Output;
}

export function planOf({ mapping, jobProfileId, idType, output }: PlannedJob): RecordPlan {
  return {
    ...output,
    idType,
    suppressTags: suppressedTags(mapping.fieldsSuppression),
    suppress999ff: mapping.suppress999ff,
    wanted: wantedBy(jobProfileId, idType),
  };
}

/** Of authorities, those set for deletion have a job profile of their own (appendix C, 4). */
function wantedBy(jobProfileId: string, idType: IdType): Wanted {
  if (idType !== 'authority') return 'any';
  return jobProfileId === BUILT_IN.deletedAuthorityJob ? 'deleted' : 'live';
}
