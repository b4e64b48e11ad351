import { formatDate } from '@quire/contracts/dates';
import type { SnapshotStats, SnapshotStatusChange } from '@quire/contracts/snapshots';
import type { JobStatus, RecordState, SourceRecordType } from '@quire/contracts/source-records';

/** Statistics and status history of snapshots (source-record-storage, section 14). */

/** Records of one snapshot, type and state. */
export interface SnapshotCounts {
  readonly snapshot_id: string;
  readonly record_type: SourceRecordType;
  readonly state: RecordState;
  readonly records: number;
  readonly updated: number;
  readonly first_write: Date;
  readonly last_write: Date;
}

/** Frames of one snapshot that changed nothing, and records with an error part. */
export interface SnapshotExtras {
  readonly snapshot_id: string;
  readonly unchanged: number;
  readonly first_write: Date | null;
  readonly last_write: Date | null;
  readonly errors: number;
}

export interface StatusChangeFacts {
  readonly status: JobStatus;
  readonly previous: JobStatus | null;
  readonly at: Date;
  readonly by_user_id: string | null;
}

export function statsOf(
  snapshotId: string,
  counts: readonly SnapshotCounts[],
  extras: SnapshotExtras | undefined,
): SnapshotStats {
  const records: Record<string, Record<string, number>> = {};
  for (const { record_type: type, state, records: count } of counts)
    (records[type] ??= {})[state] = count;
  const totalRecords = counts.reduce((sum, one) => sum + one.records, 0);
  const updated = counts.reduce((sum, one) => sum + one.updated, 0);
  const unchanged = extras?.unchanged ?? 0;
  return {
    snapshotId,
    totalRecords,
    records,
    created: totalRecords - updated,
    updated,
    unchanged,
    errorRecords: extras?.errors ?? 0,
    ...paceOf([...counts, ...(extras ? [extras] : [])], totalRecords + unchanged),
  };
}

interface Written {
  readonly first_write: Date | null;
  readonly last_write: Date | null;
}

function paceOf(parts: readonly Written[], written: number): Partial<SnapshotStats> {
  const timesOf = (of: (part: Written) => Date | null): number[] =>
    parts.flatMap((part) => of(part)?.getTime() ?? []);
  const starts = timesOf((part) => part.first_write);
  if (starts.length === 0) return {};
  const first = Math.min(...starts);
  const last = Math.max(...timesOf((part) => part.last_write));
  const durationMs = last - first;
  return {
    firstWriteDate: formatDate(new Date(first)),
    lastWriteDate: formatDate(new Date(last)),
    durationMs,
    ...(durationMs > 0 ? { recordsPerSecond: Math.round((written * 1000) / durationMs) } : {}),
  };
}

export const statusChangeOf = (row: StatusChangeFacts): SnapshotStatusChange => ({
  status: row.status,
  ...(row.previous === null ? {} : { from: row.previous }),
  at: formatDate(row.at),
  ...(row.by_user_id === null ? {} : { byUserId: row.by_user_id }),
});
