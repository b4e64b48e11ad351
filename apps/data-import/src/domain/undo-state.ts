import { formatDate } from '@quire/contracts/dates';
import type { ImportUndo } from '@quire/contracts/import-work';

/** How far the undo of a job is. */
export interface UndoFacts {
  readonly undo_requested_at: Date | null;
  readonly undo_sent: boolean;
  readonly undone_at: Date | null;
  readonly undone: {
    readonly removed: number;
    readonly restored: number;
    readonly kept: number;
  } | null;
}

/** Nothing before somebody has asked for it. */
export function undoneOf(job: UndoFacts): { readonly undone?: ImportUndo } {
  if (job.undo_requested_at === null) return {};
  const isDone = job.undone_at !== null;
  return {
    undone: {
      state: isDone ? 'DONE' : job.undo_sent ? 'RUNNING' : 'WAITING',
      requestedDate: formatDate(job.undo_requested_at),
      ...(job.undone_at === null ? {} : { completedDate: formatDate(job.undone_at) }),
      ...job.undone,
    },
  };
}
