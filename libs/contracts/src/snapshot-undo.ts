import { AnyUuid, DateTime, Flag, Int, ListOf, OneOf, Text, Uuid } from './fields.js';

/** Undo of a snapshot (source-record-storage, 9.4). */

/** A record that was left as it is. */
export class UndoConflict {
  @Uuid() readonly matchedId: string;
  /** Who has changed it since. */
  @Text() readonly reason: string;
}

/** What was taken back, or would be. */
export class SnapshotUndoResult {
  @Uuid() readonly snapshotId: string;
  @Flag() readonly dryRun: boolean;
  /** Records that the snapshot had made. */
  @Int() readonly removed: number;
  /** Records that have their former content and state again. */
  @Int() readonly restored: number;
  @ListOf(() => UndoConflict) readonly conflicts: readonly UndoConflict[];
}

export const UNDO_TASK_STATES = ['RUNNING', 'DONE'] as const;

/** The task, while it runs and afterwards. */
export class SnapshotUndoTask {
  @Uuid() readonly snapshotId: string;
  @OneOf(UNDO_TASK_STATES) readonly state: (typeof UNDO_TASK_STATES)[number];
  /** Records to look at: made by the snapshot or changed in place. */
  @Int() readonly total: number;
  @Int() readonly removed: number;
  @Int() readonly restored: number;
  /** Conflicts, however many. */
  @Int() readonly kept: number;
  /** The first {@link UNDO_CONFLICTS_MAX} of them. */
  @ListOf(() => UndoConflict) readonly conflicts: readonly UndoConflict[];
  @DateTime() readonly requestedDate: string;
  @DateTime({ optional: true }) readonly completedDate?: string;
  @AnyUuid({ optional: true }) readonly userId?: string;
  @Text({ optional: true }) readonly userName?: string;
}

/** Conflicts that an answer lists at most. */
export const UNDO_CONFLICTS_MAX = 10_000;
