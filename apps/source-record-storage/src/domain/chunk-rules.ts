import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { ChunkCounts } from '@quire/contracts/source-record-events';
import type { JobStatus } from '@quire/contracts/source-records';

/** A job in one of these has ended: what still arrives of it is not saved (data-import, 10.4 and 10.6). */
const ENDED: ReadonlySet<JobStatus> = new Set(['COMMITTED', 'ERROR', 'DISCARDED', 'CANCELLED']);

export const hasEnded = (status: JobStatus): boolean => ENDED.has(status);

/** Why a chunk cannot be read; undefined for those that can. */
export function unsupported({ format }: ChunkReadyPayload): string | undefined {
  if (format === 'BATCH') return `Chunks of format ${format} cannot be read.`;
  return undefined;
}

export const NOTHING_SAVED: ChunkCounts = {
  created: 0,
  updated: 0,
  unchanged: 0,
  failed: 0,
  warned: 0,
  byType: {},
  warnings: {},
};
