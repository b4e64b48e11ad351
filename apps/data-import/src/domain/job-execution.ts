import type { ImportResult, UiStatus } from '@quire/contracts/data-import';
import type { JobStatus } from '@quire/contracts/source-records';
import type { Transitions } from '@quire/jobs/transitions';

/** States of an import job (data-import, 7.3). Terminal ones are final. */
const TERMINAL = [
  'COMMITTED',
  'ERROR',
  'DISCARDED',
  'CANCELLED',
] as const satisfies readonly JobStatus[];
/** Only by hand, for jobs that get their records in batches. */
const BY_HAND = [
  'PARSING_FINISHED',
  'PROCESSING_IN_PROGRESS',
  'PROCESSING_FINISHED',
  'COMMIT_IN_PROGRESS',
] as const;

export const JOB_TRANSITIONS: Transitions<JobStatus> = {
  PARENT: [],
  NEW: ['FILE_UPLOADED', 'PARSING_IN_PROGRESS', ...BY_HAND, ...TERMINAL],
  FILE_UPLOADED: ['PARSING_IN_PROGRESS', ...BY_HAND, ...TERMINAL],
  PARSING_IN_PROGRESS: [...BY_HAND, ...TERMINAL],
  PARSING_FINISHED: [
    'PARSING_IN_PROGRESS',
    'PROCESSING_IN_PROGRESS',
    'PROCESSING_FINISHED',
    'COMMIT_IN_PROGRESS',
    ...TERMINAL,
  ],
  PROCESSING_IN_PROGRESS: [
    'PARSING_IN_PROGRESS',
    'PARSING_FINISHED',
    'PROCESSING_FINISHED',
    'COMMIT_IN_PROGRESS',
    ...TERMINAL,
  ],
  PROCESSING_FINISHED: [
    'PARSING_IN_PROGRESS',
    'PARSING_FINISHED',
    'PROCESSING_IN_PROGRESS',
    'COMMIT_IN_PROGRESS',
    ...TERMINAL,
  ],
  COMMIT_IN_PROGRESS: [
    'PARSING_IN_PROGRESS',
    'PARSING_FINISHED',
    'PROCESSING_IN_PROGRESS',
    'PROCESSING_FINISHED',
    ...TERMINAL,
  ],
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
export const isEnded = (status: JobStatus): boolean =>
  (TERMINAL as readonly JobStatus[]).includes(status);

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
