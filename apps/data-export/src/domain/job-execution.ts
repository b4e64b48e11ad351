import type { ExportStatus, IdType } from '@quire/contracts/data-export';
import { logRows, type LogRow } from './error-codes.js';
import type { AskedOutput } from './output.js';

/** The life of an export job: `NEW` → `IN_PROGRESS` → one of three ends, which are final. */
export const JOB_TRANSITIONS: Readonly<Record<ExportStatus, readonly ExportStatus[]>> = {
  NEW: ['IN_PROGRESS', 'FAIL'],
  IN_PROGRESS: ['COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAIL'],
  COMPLETED: [],
  COMPLETED_WITH_ERRORS: [],
  FAIL: [],
};

/** Every non-blank line of the input ends in exactly one class; `failed` is the sum of all but the first. */
export interface JobCounts {
  readonly total: number;
  readonly exported: number;
  readonly invalid: number;
  readonly duplicated: number;
  readonly notFound: number;
  readonly faulty: number;
}

export const failedOf = ({ invalid, duplicated, notFound, faulty }: JobCounts): number =>
  invalid + duplicated + notFound + faulty;

/** What was asked for at the start: an export repeated with the same parameters starts nothing. */
export interface StartParameters extends AskedOutput {
  readonly jobProfileId: string;
  readonly idType: IdType;
  readonly recordType?: string;
  /** The ids are those of items. */
  readonly items?: boolean;
}

const PARAMETERS = [
  'jobProfileId',
  'idType',
  'recordType',
  'items',
  'outputFormat',
  'encoding',
  'oversize',
] as const satisfies readonly (keyof StartParameters)[];

export const sameParameters = (one: StartParameters, other: StartParameters): boolean =>
  PARAMETERS.every((name) => one[name] === other[name]);

export interface Ending {
  readonly status: ExportStatus;
  readonly rows: readonly LogRow[];
}

/**
 * How a job ends whose last slice is done. It fails only if nothing was exported: a file with some records missing is
 * still of use.
 *
 * @returns undefined when the counts do not add up: a bug, the job must not look complete
 */
export function endingOf(counts: JobCounts): Ending | undefined {
  const failed = failedOf(counts);
  if (counts.exported + failed !== counts.total) return undefined;
  if (counts.total === 0) return { status: 'FAIL', rows: [logRows.unreadableInput()] };
  if (counts.exported === 0) return { status: 'FAIL', rows: [logRows.nothingGenerated()] };
  if (failed === 0) return { status: 'COMPLETED', rows: [] };
  return { status: 'COMPLETED_WITH_ERRORS', rows: [logRows.someRecordsFailed(failed)] };
}

export const isTerminal = (status: ExportStatus): boolean =>
  status !== 'NEW' && status !== 'IN_PROGRESS';

/** Such a job has a file to download. */
export const hasFile = (status: ExportStatus): boolean =>
  status === 'COMPLETED' || status === 'COMPLETED_WITH_ERRORS';
