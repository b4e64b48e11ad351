import type { ImportResult, UiStatus } from '@quire/contracts/data-import';
import type { JobStatus } from '@quire/contracts/source-records';
import type { Transitions } from '@quire/jobs/transitions';

/** States of an import job (data-import, 7.3). Terminal ones are final. */
export const TERMINAL = [
  'COMMITTED',
  'ERROR',
  'DISCARDED',
  'CANCELLED',
] as const satisfies readonly JobStatus[];
/** Until a job has ended it may be set to every other of these by hand (4.3); what else may be is said by {@link byHand}. */
const OPEN = [
  'NEW',
  'FILE_UPLOADED',
  'PARSING_IN_PROGRESS',
  'PARSING_FINISHED',
  'PROCESSING_IN_PROGRESS',
  'PROCESSING_FINISHED',
  'COMMIT_IN_PROGRESS',
] as const satisfies readonly JobStatus[];

const from = (status: JobStatus): readonly JobStatus[] => [
  ...OPEN.filter((other) => other !== status),
  ...TERMINAL,
];

export const JOB_TRANSITIONS: Transitions<JobStatus> = {
  PARENT: [],
  NEW: from('NEW'),
  FILE_UPLOADED: from('FILE_UPLOADED'),
  PARSING_IN_PROGRESS: from('PARSING_IN_PROGRESS'),
  PARSING_FINISHED: from('PARSING_FINISHED'),
  PROCESSING_IN_PROGRESS: from('PROCESSING_IN_PROGRESS'),
  PROCESSING_FINISHED: from('PROCESSING_FINISHED'),
  COMMIT_IN_PROGRESS: from('COMMIT_IN_PROGRESS'),
  COMMITTED: [],
  ERROR: [],
  DISCARDED: [],
  CANCELLED: [],
};

const UI_STATUS: Readonly<Record<JobStatus, UiStatus>> = {
  PARENT: 'PARENT',
  NEW: 'INITIALIZATION',
  FILE_UPLOADED: 'INITIALIZATION',
  PARSING_IN_PROGRESS: 'RUNNING',
  PARSING_FINISHED: 'RUNNING_COMPLETE',
  PROCESSING_IN_PROGRESS: 'PREPARING_FOR_PREVIEW',
  PROCESSING_FINISHED: 'READY_FOR_PREVIEW',
  COMMIT_IN_PROGRESS: 'RUNNING',
  COMMITTED: 'RUNNING_COMPLETE',
  ERROR: 'ERROR',
  DISCARDED: 'DISCARDED',
  CANCELLED: 'CANCELLED',
};

export const uiStatusOf = (status: JobStatus): UiStatus => UI_STATUS[status];
export type TerminalStatus = (typeof TERMINAL)[number];
export const isEnded = (status: JobStatus): status is TerminalStatus =>
  (TERMINAL as readonly JobStatus[]).includes(status);

export interface Setting {
  readonly from: JobStatus;
  readonly to: JobStatus;
  /** Its records come from a file, so that only its end can be set. */
  readonly hasFile: boolean;
  /** Chunks that are not done. */
  readonly openChunks: number;
}

/** What becomes of a status that somebody sets (4.3), in the order of its rows. */
export function byHand({
  from: old,
  to,
  hasFile,
  openChunks,
}: Setting): 'to-parent' | 'of-parent' | 'unchanged' | 'refused' | 'set' {
  if (to === 'PARENT') return 'to-parent';
  if (old === 'PARENT') return 'of-parent';
  if (old === to) return 'unchanged';
  if (isEnded(old)) return 'refused';
  if (to === 'COMMITTED' && openChunks > 0) return 'refused';
  if (hasFile && !(isEnded(to) && to !== 'COMMITTED')) return 'refused';
  return 'set';
}

/** Placeholder until the number of frames is known, as FOLIO shows it. */
export const TOTAL_UNKNOWN = 100;

export interface HandledCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
}

export interface ChunkSums extends HandledCounts {
  /** Chunks that wait or are on their way. */
  readonly open: number;
  /** Chunks of which nothing was saved: the job was stopped, or its snapshot is gone. */
  readonly dropped: number;
  readonly warned: number;
}

export type Ending = { readonly status: 'COMMITTED' | 'ERROR'; readonly result: ImportResult };

/**
 * How a job ends whose chunks are all done: COMMITTED when every record was handled and none failed, else ERROR, which may
 * be partial.
 */
export function endingOf(counts: HandledCounts, droppedChunks = 0): Ending {
  const { created, updated, unchanged, failed } = counts;
  if (failed === 0 && droppedChunks === 0) return { status: 'COMMITTED', result: 'SUCCESS' };
  const saved = created + updated + unchanged;
  return { status: 'ERROR', result: saved > 0 ? 'PARTIAL' : 'FAILED' };
}
