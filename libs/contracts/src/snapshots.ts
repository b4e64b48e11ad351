import { AnyUuid, DateTime, Int, ListOf, Mapping, Nested, OneOf, Uuid } from './fields.js';
import { Metadata } from './metadata.js';
import { JOB_STATUSES, type JobStatus } from './source-records.js';

/** Snapshots of source-record-storage (seed 002; source-record-storage, sections 1 and 14). */
export class Snapshot {
  @Uuid() readonly jobExecutionId: string;
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  /** When parsing of records started. */
  @DateTime({ optional: true }) readonly processingStartedDate?: string;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

/** What a snapshot consists of. */
export class SnapshotStats {
  @Uuid() readonly snapshotId: string;
  @Int() readonly totalRecords: number;
  /** Numbers by record type, then state: `{"MARC_BIB": {"ACTUAL": 3}}`. */
  @Mapping() readonly records: Readonly<Record<string, Readonly<Record<string, number>>>>;
  @Int() readonly created: number;
  @Int() readonly updated: number;
  /** Frames of the import that changed nothing. */
  @Int() readonly unchanged: number;
  /** Records with an error part. */
  @Int() readonly errorRecords: number;
  @DateTime({ optional: true }) readonly firstWriteDate?: string;
  @DateTime({ optional: true }) readonly lastWriteDate?: string;
  /** Milliseconds from the first write to the last; absent without a write. */
  @Int({ optional: true }) readonly durationMs?: number;
  /** Whole records and unchanged frames per second; absent when the duration is 0. */
  @Int({ optional: true }) readonly recordsPerSecond?: number;
}

export class ListedSnapshot extends Snapshot {
  /** With `include=stats`. */
  @Nested(() => SnapshotStats, { optional: true }) readonly stats?: SnapshotStats;
}

export class SnapshotCollection {
  @ListOf(() => ListedSnapshot) readonly snapshots: readonly ListedSnapshot[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

/** One change of a snapshot's status. */
export class SnapshotStatusChange {
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  /** The status before; absent where the snapshot was made. */
  @OneOf(JOB_STATUSES, { optional: true }) readonly from?: JobStatus;
  @DateTime() readonly at: string;
  @AnyUuid({ optional: true }) readonly byUserId?: string;
}
