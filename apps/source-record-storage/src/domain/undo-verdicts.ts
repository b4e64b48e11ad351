/** Why a record is left as it is by an undo (source-record-storage, 9.4). */
export interface ConflictFacts {
  readonly later_generation: number | null;
  readonly later_snapshot: string | null;
  readonly changed_cause: string | null;
  readonly changed_in: string | null;
  readonly blocked: boolean;
}

/** Undefined: nobody has changed it since. */
export function conflictOf(facts: ConflictFacts): string | undefined {
  const { later_generation: generation, later_snapshot: snapshot } = facts;
  if (generation !== null)
    return `superseded by generation ${generation} of snapshot '${snapshot ?? ''}'`;
  if (facts.changed_cause !== null)
    return `${DEEDS[facts.changed_cause] ?? DEED} by ${facts.changed_in === null ? 'a user' : `snapshot '${facts.changed_in}'`}`;
  return facts.blocked ? 'another record has the number of its former generation' : undefined;
}

const DEED = 'changed';
const DEEDS: Readonly<Record<string, string>> = {
  DELETE: 'deleted',
  UNDELETE: 'un-deleted',
  SUPPRESS: 'suppressed or shown',
};

export interface UndoCounts {
  readonly removed: number;
  readonly restored: number;
  readonly kept: number;
}

export const NOTHING_UNDONE: UndoCounts = { removed: 0, restored: 0, kept: 0 };

export function sumOf(one: Partial<UndoCounts>, other: Partial<UndoCounts>): UndoCounts {
  return {
    removed: (one.removed ?? 0) + (other.removed ?? 0),
    restored: (one.restored ?? 0) + (other.restored ?? 0),
    kept: (one.kept ?? 0) + (other.kept ?? 0),
  };
}

/** Only what has ended can be undone; what is undone, is. */
export const isFinished = (status: string): boolean =>
  status === 'COMMITTED' || status === 'ERROR' || status === 'CANCELLED';
