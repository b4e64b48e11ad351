import { formatDate } from '@quire/contracts/dates';
import type { RecordVersion, VersionAction } from '@quire/contracts/record-history';
import type { RecordState } from '@quire/contracts/source-records';

/** What is known of one step of a record's history. */
export interface VersionFacts {
  readonly id: string;
  readonly generation: number;
  readonly version: number;
  /** Null: the generation was made. */
  readonly cause: keyof typeof IN_PLACE | null;
  readonly at: Date;
  readonly by: string | null;
  readonly by_name: string | null;
  readonly in_snapshot: string | null;
  readonly restored_from: number | null;
  readonly state: RecordState;
  readonly suppressed: boolean;
  readonly leader_status: string | null;
}

const IN_PLACE = {
  UPDATE: 'CHANGED',
  DELETE: 'DELETED',
  UNDELETE: 'UNDELETED',
  SUPPRESS: 'SUPPRESSED',
  RESTORE: 'RESTORED',
  REMOVE: 'REMOVED',
} as const satisfies Readonly<Record<string, VersionAction>>;

export function versionOf(facts: VersionFacts, changedTags: readonly string[]): RecordVersion {
  const { id, generation, version, state } = facts;
  return {
    id,
    generation,
    version,
    action: actionOf(facts),
    date: formatDate(facts.at),
    ...(facts.by === null ? {} : { userId: facts.by }),
    ...(facts.by_name === null ? {} : { userName: facts.by_name }),
    ...(facts.in_snapshot === null ? {} : { snapshotId: facts.in_snapshot }),
    ...(facts.cause === null && facts.restored_from !== null
      ? { restoredFrom: facts.restored_from }
      : {}),
    state,
    suppressDiscovery: facts.suppressed,
    ...(facts.leader_status === null ? {} : { leaderRecordStatus: facts.leader_status }),
    changedTags,
  };
}

function actionOf({ cause, generation, restored_from: from }: VersionFacts): VersionAction {
  if (cause !== null) return IN_PLACE[cause];
  if (from !== null) return 'RESTORED';
  return generation === 0 ? 'CREATED' : 'UPDATED';
}
