import { AnyUuid, DateTime, Flag, Int, ListOf, ListOfText, OneOf, Text, Uuid } from './fields.js';
import { RECORD_STATES, type RecordState } from './source-records.js';

/**
 * The history of a record (source-record-storage, 9.3 and 14): what was done to it, the first thing first.
 *
 * CREATED is its first generation, UPDATED a further one; CHANGED, DELETED, UNDELETED and SUPPRESSED are changes of a
 * generation in place; RESTORED has brought back an earlier content, in place (undo) or as a new generation; REMOVED has
 * taken a generation away for good.
 */
export const VERSION_ACTIONS = [
  'CREATED',
  'UPDATED',
  'CHANGED',
  'DELETED',
  'UNDELETED',
  'SUPPRESSED',
  'RESTORED',
  'REMOVED',
] as const;
export type VersionAction = (typeof VERSION_ACTIONS)[number];

export class RecordVersion {
  /** Id of the generation (SRS id). */
  @Uuid() readonly id: string;
  @Int() readonly generation: number;
  /** Within the generation: 0 as it was saved, then one more with each change in place. */
  @Int() readonly version: number;
  @OneOf(VERSION_ACTIONS) readonly action: VersionAction;
  @DateTime() readonly date: string;
  @AnyUuid({ optional: true }) readonly userId?: string;
  @Text({ optional: true }) readonly userName?: string;
  /** Job whose work it was; absent for a change in place by a user. */
  @Uuid({ optional: true }) readonly snapshotId?: string;
  /** Generation whose content it has brought back. */
  @Int({ optional: true }) readonly restoredFrom?: number;
  /** As it is now, or was when the next thing was done to this generation. */
  @OneOf(RECORD_STATES) readonly state: RecordState;
  @Flag() readonly suppressDiscovery: boolean;
  @Text({ optional: true }) readonly leaderRecordStatus?: string;
  /**
   * Tags of the fields that differ from what the record was before, in their order, `LDR` for the leader first: for a change
   * in place its generation before it, else the generation that was current. Of a removal: what is current after it.
   */
  @ListOfText() readonly changedTags: readonly string[];
}

export class RecordHistoryView {
  @ListOf(() => RecordVersion) readonly versions: readonly RecordVersion[];
  @Int() readonly totalRecords: number;
  /** Matched id. */
  @Uuid() readonly recordId: string;
}
