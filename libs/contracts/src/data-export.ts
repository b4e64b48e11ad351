import { defineEvent } from './define-event.js';
import { TRANSFORMED_RECORD_TYPES, type TransformedRecordType } from './export-profiles.js';
import {
  AnyUuid,
  DateTime,
  Day,
  Flag,
  Int,
  ListOf,
  ListOfEnum,
  ListOfText,
  ListOfUuid,
  MappingOfText,
  Nested,
  OneOf,
  Text,
  Uuid,
} from './fields.js';
import { Metadata } from './metadata.js';

/** Bodies and events of data-export (seed 000, `shared/spec/data-export.md` sections 2.4, 9 and 11). */
export const ID_TYPES = ['instance', 'holding', 'authority'] as const;
export type IdType = (typeof ID_TYPES)[number];

export const RECORD_TYPES = ['INSTANCE', 'HOLDINGS', 'ITEM', 'AUTHORITY'] as const;
export type ExportRecordType = (typeof RECORD_TYPES)[number];

export const EXPORT_STATUSES = [
  'NEW',
  'IN_PROGRESS',
  'COMPLETED',
  'COMPLETED_WITH_ERRORS',
  'FAIL',
] as const;
export type ExportStatus = (typeof EXPORT_STATUSES)[number];

export const FILE_STATUSES = ['NEW', 'IN_PROGRESS', 'COMPLETED', 'ERROR'] as const;
export type FileStatus = (typeof FILE_STATUSES)[number];

export const UPLOAD_FORMATS = ['csv', 'cql'] as const;

/** Most ids that one quick export takes (conventions, section 16). */
export const QUICK_EXPORT_UUIDS_MAX = 200_000;

export const OUTPUT_FORMATS = ['MARC', 'MARCXML', 'MARC_JSON'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];
export const ENCODINGS = ['UTF-8', 'MARC-8'] as const;
export type Encoding = (typeof ENCODINGS)[number];
/** What becomes of a record that ISO 2709 cannot hold: it fails, or goes into a file beside the output. */
export const OVERSIZE_MODES = ['fail', 'sidecar'] as const;
export type OversizeMode = (typeof OVERSIZE_MODES)[number];

export class StartExport {
  @Uuid() readonly fileDefinitionId: string;
  @Uuid() readonly jobProfileId: string;
  @OneOf(RECORD_TYPES, { optional: true }) readonly recordType?: ExportRecordType;
  @OneOf(ID_TYPES, { optional: true }) readonly idType?: IdType;
  @Flag({ optional: true }) readonly deletedRecords?: boolean;
  @Flag({ optional: true }) readonly suppressedFromDiscovery?: boolean;
  @OneOf(OUTPUT_FORMATS, { optional: true }) readonly outputFormat?: OutputFormat;
  @OneOf(ENCODINGS, { optional: true }) readonly encoding?: Encoding;
  @OneOf(OVERSIZE_MODES, { optional: true }) readonly oversize?: OversizeMode;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export const QUICK_EXPORT_TYPES = ['cql', 'uuid'] as const;

export class QuickExport {
  @Uuid({ optional: true }) readonly jobProfileId?: string;
  @Text({ optional: true }) readonly criteria?: string;
  @ListOfUuid({ optional: true, max: QUICK_EXPORT_UUIDS_MAX }) readonly uuids?: readonly string[];
  @OneOf(QUICK_EXPORT_TYPES) readonly type: (typeof QUICK_EXPORT_TYPES)[number];
  @OneOf(RECORD_TYPES) readonly recordType: ExportRecordType;
  @Text({ optional: true }) readonly fileName?: string;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class QuickExportStarted {
  @Uuid() readonly jobExecutionId: string;
  @Int() readonly jobExecutionHrId: number;
}

/** The answer of the calls that start an export of their own kind. */
export class ExportStarted {
  @Uuid() readonly jobExecutionId: string;
}

export class ExportAll {
  @Uuid({ optional: true }) readonly jobProfileId?: string;
  @OneOf(ID_TYPES, { optional: true }) readonly idType?: IdType;
  @Flag({ optional: true }) readonly deletedRecords?: boolean;
  @Flag({ optional: true }) readonly suppressedFromDiscovery?: boolean;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

/** Days in UTC, `yyyy-MM-dd`; one that is absent leaves its end open, both: yesterday. */
export class ExportDeletedRecords {
  @Day({ optional: true }) readonly from?: string;
  @Day({ optional: true }) readonly to?: string;
}

export class ExportDeletedAuthorities {
  @Text({ optional: true }) readonly query?: string;
  @Int({ optional: true, max: 2000 }) readonly limit?: number;
  @Int({ optional: true, max: 2_147_483_647 }) readonly offset?: number;
}

export class FileDefinition {
  @Uuid({ optional: true }) readonly id?: string;
  @Text() readonly fileName: string;
  @Int({ optional: true }) readonly size?: number;
  @OneOf(UPLOAD_FORMATS, { optional: true })
  readonly uploadFormat?: (typeof UPLOAD_FORMATS)[number];
  @OneOf(ID_TYPES, { optional: true }) readonly idType?: IdType;
  @OneOf(FILE_STATUSES, { readOnly: true }) readonly status?: FileStatus;
  @Uuid({ readOnly: true }) readonly jobExecutionId?: string;
  @Text({ readOnly: true }) readonly sourcePath?: string;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class ExportedFile {
  @Uuid() readonly fileId: string;
  @Text() readonly fileName: string;
}

export class ExportProgress {
  @Int() readonly exported: number;
  @Int() readonly failed: number;
  @Int() readonly total: number;
}

export class RunBy {
  @Text({ optional: true }) readonly firstName?: string;
  @Text({ optional: true }) readonly lastName?: string;
  @AnyUuid({ optional: true }) readonly userId?: string;
}

export class ExportJobExecution {
  @Uuid() readonly id: string;
  @Int() readonly hrId: number;
  @ListOf(() => ExportedFile, { optional: true }) readonly exportedFiles?: readonly ExportedFile[];
  @Uuid({ optional: true }) readonly jobProfileId?: string;
  @Text({ optional: true }) readonly jobProfileName?: string;
  @Nested(() => ExportProgress, { optional: true }) readonly progress?: ExportProgress;
  @DateTime({ optional: true }) readonly completedDate?: string;
  @DateTime({ optional: true }) readonly lastUpdatedDate?: string;
  @DateTime({ optional: true }) readonly startedDate?: string;
  @Nested(() => RunBy, { optional: true }) readonly runBy?: RunBy;
  @OneOf(EXPORT_STATUSES) readonly status: ExportStatus;
  @Nested(() => Metadata, { optional: true }) readonly metadata?: Metadata;
}

export class ExportJobExecutions {
  @ListOf(() => ExportJobExecution) readonly jobExecutions: readonly ExportJobExecution[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class DownloadLink {
  @Uuid() readonly fileId: string;
  @Text() readonly link: string;
}

export class UserInfo {
  @Text({ optional: true }) readonly firstName?: string;
  @Text({ optional: true }) readonly lastName?: string;
  @Text({ optional: true }) readonly userName?: string;
}

export class Protocol {
  @Text({ optional: true }) readonly name?: string;
  @Text({ optional: true }) readonly host?: string;
  @Text({ optional: true }) readonly port?: string;
  @Text({ optional: true }) readonly authentication?: string;
  @Text({ optional: true }) readonly description?: string;
}

export class ExportJobProfile {
  @Uuid({ optional: true }) readonly id?: string;
  @Text({ max: 1000 }) readonly name: string;
  @Uuid() readonly mappingProfileId: string;
  @Text({ optional: true, max: 10_000 }) readonly description?: string;
  @Text({ optional: true }) readonly destination?: string;
  @Nested(() => Protocol, { optional: true }) readonly protocol?: Protocol;
  @Flag({ readOnly: true }) readonly default?: boolean;
  @Nested(() => UserInfo, { readOnly: true }) readonly userInfo?: UserInfo;
  @Flag({ optional: true }) readonly locked?: boolean;
  @AnyUuid({ readOnly: true }) readonly lockedBy?: string;
  @DateTime({ readOnly: true }) readonly lockedAt?: string;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class ExportJobProfiles {
  @ListOf(() => ExportJobProfile) readonly jobProfiles: readonly ExportJobProfile[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export const MAPPING_RECORD_TYPES = ['INSTANCE', 'HOLDINGS', 'ITEM', 'SRS', 'AUTHORITY'] as const;

/** Tag, indicators and subfield of a transformation (`data-export.md`, 10.6); the whole text must match. */
export const TRANSFORMATION_PATTERN =
  '((\\d{3}([\\s]|[\\d]|[a-zA-Z]){2}(\\$([a-zA-Z]|[\\d]{1,2}))?)|(^$))';

export class Transformation {
  @Text() readonly fieldId: string;
  @Text({ optional: true }) readonly path?: string;
  @Flag({ optional: true }) readonly enabled?: boolean;
  @Text({ optional: true, pattern: TRANSFORMATION_PATTERN }) readonly transformation?: string;
  @OneOf(TRANSFORMED_RECORD_TYPES) readonly recordType: TransformedRecordType;
  @MappingOfText({ optional: true }) readonly metadataParameters?: Readonly<Record<string, string>>;
}

export class MappingProfile {
  @Uuid({ optional: true }) readonly id?: string;
  @Text({ max: 1000 }) readonly name: string;
  @Text({ optional: true, max: 10_000 }) readonly description?: string;
  @ListOfEnum(MAPPING_RECORD_TYPES)
  readonly recordTypes: readonly (typeof MAPPING_RECORD_TYPES)[number][];
  @ListOf(() => Transformation, { optional: true, max: 2000 })
  readonly transformations?: readonly Transformation[];
  @OneOf(OUTPUT_FORMATS, { optional: true })
  readonly outputFormat?: (typeof OUTPUT_FORMATS)[number];
  /** Tags, comma-separated; each is checked with a sentence of its own by data-export. */
  @Text({ optional: true, max: 10_000 }) readonly fieldsSuppression?: string;
  @Flag({ optional: true }) readonly suppress999ff?: boolean;
  @Flag({ readOnly: true }) readonly default?: boolean;
  @Nested(() => UserInfo, { readOnly: true }) readonly userInfo?: UserInfo;
  @Flag({ optional: true }) readonly locked?: boolean;
  @AnyUuid({ readOnly: true }) readonly lockedBy?: string;
  @DateTime({ readOnly: true }) readonly lockedAt?: string;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class MappingProfiles {
  @ListOf(() => MappingProfile) readonly mappingProfiles: readonly MappingProfile[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class AffectedRecord {
  @Text({ optional: true }) readonly id?: string;
  @Text({ optional: true }) readonly hrid?: string;
  @Text({ optional: true }) readonly title?: string;
  @Text({ optional: true }) readonly recordType?: string;
  @Text({ optional: true }) readonly inventoryRecordLink?: string;
}

export class ErrorLog {
  @Uuid({ optional: true }) readonly id?: string;
  @Uuid({ optional: true }) readonly jobExecutionId?: string;
  @DateTime() readonly createdDate: string;
  @OneOf(['DEBUG', 'INFO', 'WARNING', 'ERROR']) readonly logLevel: string;
  @Text({ optional: true }) readonly errorMessageCode?: string;
  @ListOfText({ optional: true }) readonly errorMessageValues?: readonly string[];
  @Nested(() => AffectedRecord, { optional: true }) readonly affectedRecord?: AffectedRecord;
}

export class ErrorLogs {
  @ListOf(() => ErrorLog) readonly errorLogs: readonly ErrorLog[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

/** What every event about an export job carries. */
export class ExportJobPayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly jobExecutionId: string;
  @Int() readonly jobVersion: number;
}

export class ExportRequestedPayload extends ExportJobPayload {
  @Int() readonly hrId: number;
  @Uuid() readonly fileDefinitionId: string;
  @Uuid() readonly jobProfileId: string;
  @OneOf(ID_TYPES) readonly idType: IdType;
  @Int() readonly total: number;
  @AnyUuid() readonly userId: string;
}

export class ExportCompletedPayload extends ExportJobPayload {
  @Int() readonly hrId: number;
  @OneOf(EXPORT_STATUSES) readonly status: ExportStatus;
  @Int() readonly exported: number;
  @Int() readonly failed: number;
  @Int() readonly total: number;
  @ListOf(() => ExportedFile) readonly files: readonly ExportedFile[];
  @DateTime() readonly completedDate: string;
}

export class ExportDeletedPayload extends ExportJobPayload {
  @Int() readonly hrId: number;
  @AnyUuid() readonly userId: string;
}

export class SliceReadyPayload extends ExportJobPayload {
  @Int() readonly sliceNo: number;
  @Int() readonly fromOrdinal: number;
  @Int() readonly toOrdinal: number;
}

export class SliceFinishedPayload extends ExportJobPayload {
  @Int() readonly sliceNo: number;
  @Int() readonly exported: number;
  @Int() readonly failed: number;
}

const jobKey = (p: ExportJobPayload): string => `${p.tenantId}:${p.jobExecutionId}`;
const sliceKey = (p: SliceReadyPayload | SliceFinishedPayload): string =>
  `${jobKey(p)}:${p.sliceNo}`;
const about = {
  service: 'data-export',
  key: jobKey,
  subject: (p: ExportJobPayload): string => p.jobExecutionId,
} as const;
const job = { ...about, topic: 'quire.data-export.job.v1' } as const;
const slice = { ...about, topic: 'quire.data-export.slice.v1', key: sliceKey, work: true } as const;

export const ExportRequested = defineEvent('ExportRequested', {
  ...job,
  payload: ExportRequestedPayload,
});
export const ExportCompleted = defineEvent('ExportCompleted', {
  ...job,
  payload: ExportCompletedPayload,
});
export const ExportDeleted = defineEvent('ExportDeleted', {
  ...job,
  payload: ExportDeletedPayload,
});
export const SliceReady = defineEvent('SliceReady', { ...slice, payload: SliceReadyPayload });
export const SliceFinished = defineEvent('SliceFinished', {
  ...slice,
  payload: SliceFinishedPayload,
});
