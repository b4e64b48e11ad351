import { defineEvent } from './define-event.js';
import {
  AnyUuid,
  DateTime,
  Flag,
  Int,
  ListOf,
  ListOfEnum,
  ListOfInt,
  Nested,
  OneOf,
  Open,
  Text,
  Uuid,
} from './fields.js';
import { Metadata } from './metadata.js';
import {
  JOB_STATUSES,
  MARC_RECORD_TYPES,
  type JobStatus,
  type MarcRecordType,
} from './source-records.js';

/** Bodies and events of data-import (seed 001, `shared/spec/data-import.md` sections 3.6, 4.2 and 10.3). */
export const DEFINITION_STATUSES = ['NEW', 'IN_PROGRESS', 'LOADED', 'COMPLETED', 'ERROR'] as const;
export type DefinitionStatus = (typeof DEFINITION_STATUSES)[number];
/** The seed family knows no ERROR; it shows NEW. */
export const SEED_DEFINITION_STATUSES = ['NEW', 'IN_PROGRESS', 'LOADED', 'COMPLETED'] as const;

export const UPLOAD_FILE_STATUSES = ['NEW', 'UPLOADING', 'UPLOADED', 'ERROR'] as const;
export type UploadFileStatus = (typeof UPLOAD_FILE_STATUSES)[number];

export const UI_STATUSES = [
  'PARENT',
  'INITIALIZATION',
  'RUNNING',
  'RUNNING_COMPLETE',
  'PREPARING_FOR_PREVIEW',
  'READY_FOR_PREVIEW',
  'ERROR',
  'DISCARDED',
  'CANCELLED',
] as const;
export type UiStatus = (typeof UI_STATUSES)[number];

export const SUBORDINATION_TYPES = [
  'CHILD',
  'PARENT_SINGLE',
  'PARENT_MULTIPLE',
  'COMPOSITE_PARENT',
  'COMPOSITE_CHILD',
] as const;
export type SubordinationType = (typeof SUBORDINATION_TYPES)[number];

export const ERROR_STATUSES = [
  'SNAPSHOT_UPDATE_ERROR',
  'RECORD_UPDATE_ERROR',
  'FILE_PROCESSING_ERROR',
  'INSTANCE_CREATING_ERROR',
  'PROFILE_SNAPSHOT_CREATING_ERROR',
] as const;
export type ErrorStatus = (typeof ERROR_STATUSES)[number];

export const IMPORT_RESULTS = ['SUCCESS', 'PARTIAL', 'FAILED'] as const;
export type ImportResult = (typeof IMPORT_RESULTS)[number];

export const DATA_TYPES = ['Delimited', 'EDIFACT', 'MARC'] as const;

/** File definition of the seed family: ids are plain strings there (conventions, section 10). */
export class SeedFileDefinition {
  @Text({ optional: true }) readonly id?: string;
  @Text({ readOnly: true }) readonly sourcePath?: string;
  @Text() readonly name: string;
  @Text({ optional: true }) readonly jobExecutionId?: string;
  @Text({ optional: true }) readonly uploadDefinitionId?: string;
  @Flag({ optional: true }) readonly loaded?: boolean;
  @DateTime({ optional: true }) readonly createDate?: string;
}

export class SeedUploadDefinition {
  @Text({ optional: true }) readonly id?: string;
  @Text({ optional: true }) readonly metaJobExecutionId?: string;
  @OneOf(SEED_DEFINITION_STATUSES, { optional: true }) readonly status?: DefinitionStatus;
  @DateTime({ optional: true }) readonly createDate?: string;
  @ListOf(() => SeedFileDefinition, { optional: true })
  readonly fileDefinitions?: readonly SeedFileDefinition[];
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class SeedUploadDefinitions {
  @ListOf(() => SeedUploadDefinition) readonly uploadDefinitions: readonly SeedUploadDefinition[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

/** File definition of the current family. */
export class UploadFileDefinition {
  @Uuid({ optional: true }) readonly id?: string;
  @Text({ readOnly: true }) readonly sourcePath?: string;
  @Text() readonly name: string;
  @OneOf(UPLOAD_FILE_STATUSES, { optional: true }) readonly status?: UploadFileStatus;
  @Uuid({ optional: true }) readonly jobExecutionId?: string;
  @Uuid({ optional: true }) readonly uploadDefinitionId?: string;
  @DateTime({ optional: true }) readonly createDate?: string;
  @DateTime({ optional: true }) readonly uploadedDate?: string;
  /** Kilobytes, rounded up. */
  @Int({ optional: true }) readonly size?: number;
  @Text({ optional: true }) readonly uiKey?: string;
}

export class UploadDefinition {
  @Uuid({ optional: true }) readonly id?: string;
  @Uuid({ optional: true }) readonly metaJobExecutionId?: string;
  @OneOf(DEFINITION_STATUSES, { optional: true }) readonly status?: DefinitionStatus;
  @DateTime({ optional: true }) readonly createDate?: string;
  @ListOf(() => UploadFileDefinition, { optional: true })
  readonly fileDefinitions?: readonly UploadFileDefinition[];
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class UploadDefinitions {
  @ListOf(() => UploadDefinition) readonly uploadDefinitions: readonly UploadDefinition[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class JobProfileInfo {
  @Uuid() readonly id: string;
  @Text({ optional: true }) readonly name?: string;
  @OneOf(DATA_TYPES, { optional: true }) readonly dataType?: (typeof DATA_TYPES)[number];
  @Flag({ optional: true }) readonly hidden?: boolean;
}

/** Clients post back what either family gave them, so all but the id is open. */
@Open()
export class UploadDefinitionReference {
  @Text({ optional: true }) readonly id?: string;
}

export class ProcessFiles {
  @Nested(() => UploadDefinitionReference) readonly uploadDefinition: UploadDefinitionReference;
  @Nested(() => JobProfileInfo) readonly jobProfileInfo: JobProfileInfo;
}

export class OriginalLink {
  @Text() readonly url: string;
}

export class Cancelled {
  @Flag() readonly ok: boolean;
}

export class ImportRunBy {
  @Text({ optional: true }) readonly firstName?: string;
  @Text({ optional: true }) readonly lastName?: string;
}

export class ImportProgress {
  @Uuid() readonly jobExecutionId: string;
  @Int() readonly current: number;
  @Int() readonly total: number;
}

export class ImportJobExecution {
  @Uuid() readonly id: string;
  @Int({ optional: true }) readonly hrId?: number;
  @Uuid() readonly parentJobId: string;
  @OneOf(SUBORDINATION_TYPES) readonly subordinationType: SubordinationType;
  @Nested(() => JobProfileInfo, { optional: true }) readonly jobProfileInfo?: JobProfileInfo;
  @Text({ optional: true }) readonly sourcePath?: string;
  @Text({ optional: true }) readonly fileName?: string;
  @Nested(() => ImportRunBy, { optional: true }) readonly runBy?: ImportRunBy;
  @Nested(() => ImportProgress, { optional: true }) readonly progress?: ImportProgress;
  @DateTime({ optional: true }) readonly startedDate?: string;
  @DateTime({ optional: true }) readonly completedDate?: string;
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @OneOf(UI_STATUSES) readonly uiStatus: UiStatus;
  @OneOf(IMPORT_RESULTS, { optional: true }) readonly result?: ImportResult;
  @OneOf(ERROR_STATUSES, { optional: true }) readonly errorStatus?: ErrorStatus;
  @AnyUuid() readonly userId: string;
  @Int({ optional: true }) readonly jobPartNumber?: number;
  @Int({ optional: true }) readonly totalJobParts?: number;
  @Int({ optional: true }) readonly totalRecordsInFile?: number;
}

/** What every event about an import job carries. */
export class ImportJobPayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly jobExecutionId: string;
  @Int() readonly jobVersion: number;
}

export class ImportJobCreatedPayload extends ImportJobPayload {
  @Uuid() readonly parentJobId: string;
  @OneOf(SUBORDINATION_TYPES) readonly subordinationType: SubordinationType;
  @Int() readonly hrId: number;
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @Text({ optional: true }) readonly fileName?: string;
  @AnyUuid() readonly userId: string;
}

export class ImportJobChangedPayload extends ImportJobPayload {
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @OneOf(UI_STATUSES) readonly uiStatus: UiStatus;
  @OneOf(ERROR_STATUSES, { optional: true }) readonly errorStatus?: ErrorStatus;
  @DateTime({ optional: true }) readonly processingStartedDate?: string;
  @Uuid({ optional: true }) readonly jobProfileId?: string;
  @Int({ optional: true }) readonly total?: number;
}

export class ImportCounts {
  @Int() readonly created: number;
  @Int() readonly updated: number;
  @Int() readonly unchanged: number;
  @Int() readonly failed: number;
  @Int() readonly warned: number;
}

export class ImportCompletedPayload extends ImportJobPayload {
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @OneOf(IMPORT_RESULTS) readonly result: ImportResult;
  @Nested(() => ImportCounts) readonly counts: ImportCounts;
  @DateTime() readonly completedDate: string;
}

export class ImportCancelledPayload extends ImportJobPayload {
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @AnyUuid() readonly userId: string;
}

/** Takes back what an ended job has saved (source-record-storage, 9.4). */
export class ImportUndoRequestedPayload extends ImportJobPayload {
  @AnyUuid() readonly userId: string;
}

export const CHUNK_FORMATS = ['MARC_RAW', 'MARC_XML', 'MARC_JSON', 'BATCH'] as const;
export const ON_999FF = ['reject', 'accept', 'strip'] as const;
export type On999ff = (typeof ON_999FF)[number];
export const MATCH_RULES = ['none', 'create-or-update'] as const;

export class ChunkOptions {
  @OneOf(ON_999FF) readonly on999ff: On999ff;
  @Flag() readonly skipUnchanged: boolean;
  @Flag() readonly strict: boolean;
  @Flag() readonly assignInstanceIds: boolean;
  @Flag() readonly dryRun: boolean;
}

export class ChunkProfile {
  @Uuid() readonly id: string;
  @Text() readonly name: string;
  @ListOfEnum(MARC_RECORD_TYPES) readonly recordTypes: readonly MarcRecordType[];
  @OneOf(MATCH_RULES) readonly match: (typeof MATCH_RULES)[number];
}

export class ChunkSource {
  @Uuid({ optional: true }) readonly fileDefinitionId?: string;
  @Uuid({ optional: true }) readonly batchId?: string;
}

export class ChunkSnapshot {
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @DateTime({ optional: true }) readonly processingStartedDate?: string;
}

export class ChunkReadyPayload extends ImportJobPayload {
  @Uuid() readonly chunkId: string;
  @Int() readonly chunkNo: number;
  @Int() readonly attempt: number;
  @Text() readonly objectKey: string;
  /** Byte range of the chunk in its object. */
  @Int() readonly offset: number;
  @Int() readonly length: number;
  @OneOf(CHUNK_FORMATS) readonly format: (typeof CHUNK_FORMATS)[number];
  /** MARC_XML: start tags of the elements open at `offset`, with their namespaces; at most 4 KiB. */
  @Text({ optional: true, max: 4096 }) readonly xmlContext?: string;
  /** `[skipped, length]` of each frame in one flat list (data-import, 8.1). */
  @ListOfInt({ max: 2000 }) readonly frames: readonly number[];
  /** Of a retry: where each frame begins in the original file, which its record remembers. */
  @ListOfInt({ max: 1000, optional: true }) readonly origins?: readonly number[];
  @Int() readonly firstOrder: number;
  /** Frames in the chunk. */
  @Int() readonly count: number;
  /** Names of the person who started the job, for the metadata of records. */
  @Text({ optional: true }) readonly userName?: string;
  @AnyUuid() readonly userId: string;
  @Nested(() => ChunkSource) readonly source: ChunkSource;
  @Nested(() => ChunkSnapshot) readonly snapshot: ChunkSnapshot;
  @Nested(() => ChunkProfile) readonly profile: ChunkProfile;
  @Nested(() => ChunkOptions) readonly options: ChunkOptions;
}

const about = {
  service: 'data-import',
  topic: 'quire.data-import.job.v1',
  key: (p: ImportJobPayload): string => `${p.tenantId}:${p.jobExecutionId}`,
  subject: (p: ImportJobPayload): string => p.jobExecutionId,
} as const;

export const ImportJobCreated = defineEvent('ImportJobCreated', {
  ...about,
  payload: ImportJobCreatedPayload,
});
export const ImportJobChanged = defineEvent('ImportJobChanged', {
  ...about,
  payload: ImportJobChangedPayload,
});
export const ImportCompleted = defineEvent('ImportCompleted', {
  ...about,
  payload: ImportCompletedPayload,
});
export const ImportCancelled = defineEvent('ImportCancelled', {
  ...about,
  payload: ImportCancelledPayload,
});
export const ImportUndoRequested = defineEvent('ImportUndoRequested', {
  ...about,
  payload: ImportUndoRequestedPayload,
});
export const ChunkReady = defineEvent('ChunkReady', {
  ...about,
  topic: 'quire.data-import.chunk.v1',
  key: (p: ChunkReadyPayload): string => `${p.tenantId}:${p.chunkId}`,
  payload: ChunkReadyPayload,
  work: true,
});
