import { defineEvent } from './define-event.js';
import {
  AnyUuid,
  DateTime,
  Flag,
  Int,
  ListOf,
  ListOfText,
  Mapping,
  Nested,
  OneOf,
  Text,
  Uuid,
} from './fields.js';
import {
  JOB_STATUSES,
  RECORD_STATES,
  SOURCE_RECORD_TYPES,
  type JobStatus,
  type RecordState,
  type SourceRecordType,
} from './source-records.js';

/** Events of source-record-storage (source-record-storage, section 10; architecture, section 6). */
/** Counts of one chunk; together they are as many as the chunk has frames (data-import, 10.3). */
export class ChunkCounts {
  @Int() readonly created: number;
  @Int() readonly updated: number;
  @Int() readonly unchanged: number;
  @Int() readonly failed: number;
  /** Records saved or failed that carry at least one warning. */
  @Int() readonly warned: number;
  /** Frames by record type: B bibliographic, A authority, H holdings. */
  @Mapping() readonly byType: Readonly<Record<string, number>>;
  /** Warnings by code. */
  @Mapping() readonly warnings: Readonly<Record<string, number>>;
}

/** One failed frame of a chunk. Short names: up to 100 of them travel in one event. */
export class ChunkError {
  /** Order of the frame in its file, from 0. */
  @Int() readonly o: number;
  /** Byte offset and length in the original. */
  @Int() readonly at: number;
  @Int() readonly len: number;
  /** B, A or H; absent when the type could not be read. */
  @Text({ optional: true }) readonly t?: string;
  /** Code of data-import 8.7 or 9.2. */
  @Text() readonly c: string;
  /** Tag of the field at fault. */
  @Text({ optional: true }) readonly field?: string;
  @Text({ optional: true }) readonly detail?: string;
  /** Title and hrid where they can be read. */
  @Text({ optional: true }) readonly n?: string;
  @Text({ optional: true }) readonly h?: string;
  @ListOfText({ optional: true }) readonly w?: readonly string[];
}

class ChunkPayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly jobExecutionId: string;
  @Int() readonly jobVersion: number;
  @Uuid() readonly chunkId: string;
  @Int() readonly chunkNo: number;
}

export class ChunkSavedPayload extends ChunkPayload {
  @Nested(() => ChunkCounts) readonly counts: ChunkCounts;
  /** The job was stopped, or its snapshot is gone: nothing was saved. */
  @Flag({ optional: true }) readonly skipped?: boolean;
  @ListOf(() => ChunkError, { max: 100 }) readonly errors: readonly ChunkError[];
  /** Object of JSON lines that holds all errors, when they do not fit here. */
  @Text({ optional: true }) readonly errorsKey?: string;
}

export const REJECT_REASONS = ['FILE_MISSING', 'STORE'] as const;

export class ChunkRejectedPayload extends ChunkPayload {
  @OneOf(REJECT_REASONS) readonly reason: (typeof REJECT_REASONS)[number];
}

export class SnapshotPayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly snapshotId: string;
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @OneOf(JOB_STATUSES, { optional: true }) readonly previousStatus?: JobStatus;
  @DateTime({ optional: true }) readonly processingStartedDate?: string;
  @DateTime() readonly updatedDate: string;
}

export class SnapshotDeletedPayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly snapshotId: string;
  /** Records of the snapshot, all of which are gone. */
  @Int() readonly removed: number;
  /** Records that became current again, because those that had superseded them are gone. */
  @Int() readonly restored: number;
}

export class SavedCounts {
  @Int() readonly created: number;
  @Int() readonly updated: number;
}

/** What an import or another client had saved is taken back (9.4). */
export class SnapshotUndonePayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly snapshotId: string;
  /** Records that the snapshot had made and that are gone now. */
  @Int() readonly removed: number;
  /** Records that have their former content again. */
  @Int() readonly restored: number;
  /** Records that somebody changed afterwards: left as they are. */
  @Int() readonly kept: number;
}

export const RECORD_ACTIONS = ['CREATED', 'UPDATED', 'DELETED'] as const;
export type RecordAction = (typeof RECORD_ACTIONS)[number];

/** A record that was written, without its content. */
export class RecordReference {
  @Uuid() readonly recordId: string;
  @Uuid() readonly matchedId: string;
  @OneOf(SOURCE_RECORD_TYPES) readonly recordType: SourceRecordType;
  @OneOf(RECORD_ACTIONS) readonly action: RecordAction;
  @OneOf(RECORD_STATES) readonly state: RecordState;
  @Int() readonly generation: number;
  @Text({ optional: true }) readonly leaderRecordStatus?: string;
  @Uuid({ optional: true }) readonly externalId?: string;
  @Text({ optional: true }) readonly externalHrid?: string;
  /** The generation that this one has superseded. */
  @Uuid({ optional: true }) readonly previousRecordId?: string;
  @Int({ optional: true }) readonly previousGeneration?: number;
  @DateTime() readonly updatedDate: string;
}

/** References that one event carries at most; more records are more events. */
export const REFERENCES_MAX = 100;

export class SourceRecordsSavedPayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly snapshotId: string;
  @AnyUuid({ optional: true }) readonly userId?: string;
  @Nested(() => SavedCounts) readonly counts: SavedCounts;
  @Int({ optional: true }) readonly firstOrder?: number;
  @Int({ optional: true }) readonly lastOrder?: number;
  /** Of a write by REST; those of an import are read from the streams by `snapshotId`. */
  @ListOf(() => RecordReference, { optional: true, max: REFERENCES_MAX })
  readonly records?: readonly RecordReference[];
}

/** Records that were deleted softly, or removed with their snapshot or for good. */
export class SourceRecordsDeletedPayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly snapshotId: string;
  @AnyUuid({ optional: true }) readonly userId?: string;
  @ListOf(() => RecordReference, { max: REFERENCES_MAX })
  readonly records: readonly RecordReference[];
}

const chunk = {
  service: 'source-record-storage',
  topic: 'quire.source-record-storage.chunk.v1',
  key: (p: ChunkPayload): string => `${p.tenantId}:${p.chunkId}`,
  subject: (p: ChunkPayload): string => p.jobExecutionId,
  work: true,
} as const;
const aboutSnapshot = {
  service: 'source-record-storage',
  key: (p: { tenantId: string; snapshotId: string }): string => `${p.tenantId}:${p.snapshotId}`,
  subject: (p: { snapshotId: string }): string => p.snapshotId,
} as const;
const snapshot = { ...aboutSnapshot, topic: 'quire.source-record-storage.snapshot.v1' } as const;

export const ChunkSaved = defineEvent('ChunkSaved', { ...chunk, payload: ChunkSavedPayload });
export const ChunkRejected = defineEvent('ChunkRejected', {
  ...chunk,
  payload: ChunkRejectedPayload,
});
export const SnapshotCreated = defineEvent('SnapshotCreated', {
  ...snapshot,
  payload: SnapshotPayload,
});
export const SnapshotChanged = defineEvent('SnapshotChanged', {
  ...snapshot,
  payload: SnapshotPayload,
});
export const SnapshotUndone = defineEvent('SnapshotUndone', {
  ...snapshot,
  payload: SnapshotUndonePayload,
});
export const SnapshotDeleted = defineEvent('SnapshotDeleted', {
  ...snapshot,
  payload: SnapshotDeletedPayload,
});
const sourceRecord = {
  ...aboutSnapshot,
  topic: 'quire.source-record-storage.source-record.v1',
} as const;
export const SourceRecordsSaved = defineEvent('SourceRecordsSaved', {
  ...sourceRecord,
  payload: SourceRecordsSavedPayload,
});
export const SourceRecordsDeleted = defineEvent('SourceRecordsDeleted', {
  ...sourceRecord,
  payload: SourceRecordsDeletedPayload,
});
