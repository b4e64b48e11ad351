import {
  DateTime,
  Flag,
  Int,
  JsonDocument,
  ListOf,
  ListOfUuid,
  Nested,
  OneOf,
  Open,
  Text,
  Uuid,
} from './fields.js';
import { Metadata } from './metadata.js';

/** Bodies of source-record-storage (seed 002, `shared/spec/source-record-storage.md`). */
export const JOB_STATUSES = [
  'PARENT',
  'NEW',
  'FILE_UPLOADED',
  'PARSING_IN_PROGRESS',
  'PARSING_FINISHED',
  'PROCESSING_IN_PROGRESS',
  'PROCESSING_FINISHED',
  'COMMIT_IN_PROGRESS',
  'COMMITTED',
  'ERROR',
  'DISCARDED',
  'CANCELLED',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const MARC_RECORD_TYPES = ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'] as const;
export type MarcRecordType = (typeof MARC_RECORD_TYPES)[number];
export const SOURCE_RECORD_TYPES = [...MARC_RECORD_TYPES, 'EDIFACT'] as const;
export type SourceRecordType = (typeof SOURCE_RECORD_TYPES)[number];

export const RECORD_STATES = ['ACTUAL', 'OLD', 'DRAFT', 'DELETED'] as const;
export type RecordState = (typeof RECORD_STATES)[number];

export const RECORD_ID_TYPES = [
  'RECORD',
  'SRS_RECORD',
  'INSTANCE',
  'HOLDINGS',
  'AUTHORITY',
  'EXTERNAL',
] as const;
export type RecordIdType = (typeof RECORD_ID_TYPES)[number];

/** What an index of Postgres can hold, with room for four bytes a character. */
export const HRID_CHARACTERS_MAX = 500;
const hrid = { optional: true, max: HRID_CHARACTERS_MAX } as const;

export class ExternalIdsHolder {
  @Uuid({ optional: true }) readonly instanceId?: string;
  @Text(hrid) readonly instanceHrid?: string;
  @Uuid({ optional: true }) readonly holdingsId?: string;
  @Text(hrid) readonly holdingsHrid?: string;
  @Uuid({ optional: true }) readonly authorityId?: string;
  @Text(hrid) readonly authorityHrid?: string;
}

/** Other properties are kept and returned as they are. */
@Open({ keep: true })
export class AdditionalInfo {
  @Flag({ optional: true }) readonly suppressDiscovery?: boolean;
  @Flag({ optional: true }) readonly staffSuppress?: boolean;
}

export class RawRecord {
  @Uuid({ optional: true }) readonly id?: string;
  @Text() readonly content: string;
}

export class ParsedRecord {
  @Uuid({ optional: true }) readonly id?: string;
  /** MARC-in-JSON; of EDIFACT the JSON or the text that was sent. */
  @JsonDocument() readonly content: object | string;
  @Text({ optional: true }) readonly formattedContent?: string;
}

/** Why a record could not be read, and what was sent. */
export class ErrorRecord {
  @Uuid({ optional: true }) readonly id?: string;
  @Text() readonly description: string;
  @JsonDocument() readonly content: object | string;
}

/** A record with all its parts: `GET /source-storage/records/{id}` (section 2.1). */
export class StoredRecord {
  @Uuid() readonly id: string;
  @Uuid() readonly snapshotId: string;
  @Uuid() readonly matchedId: string;
  @Int() readonly generation: number;
  @OneOf(SOURCE_RECORD_TYPES) readonly recordType: SourceRecordType;
  @Nested(() => RawRecord, { optional: true }) readonly rawRecord?: RawRecord;
  @Nested(() => ParsedRecord, { optional: true }) readonly parsedRecord?: ParsedRecord;
  @Nested(() => ErrorRecord, { optional: true }) readonly errorRecord?: ErrorRecord;
  @Flag() readonly deleted: boolean;
  @Int({ optional: true }) readonly order?: number;
  @Nested(() => ExternalIdsHolder, { optional: true })
  readonly externalIdsHolder?: ExternalIdsHolder;
  @Nested(() => AdditionalInfo, { optional: true }) readonly additionalInfo?: AdditionalInfo;
  @OneOf(RECORD_STATES) readonly state: RecordState;
  @Text({ optional: true }) readonly leaderRecordStatus?: string;
  @Nested(() => Metadata, { optional: true }) readonly metadata?: Metadata;
}

/** The current view of a record (section 4); `recordId` is the matched id. */
export class SourceRecord {
  @Uuid() readonly recordId: string;
  @Uuid() readonly snapshotId: string;
  @OneOf(SOURCE_RECORD_TYPES) readonly recordType: SourceRecordType;
  @Nested(() => ParsedRecord) readonly parsedRecord: ParsedRecord;
  @Flag() readonly deleted: boolean;
  @Int({ optional: true }) readonly generation?: number;
  @Int({ optional: true }) readonly order?: number;
  @Nested(() => ExternalIdsHolder, { optional: true })
  readonly externalIdsHolder?: ExternalIdsHolder;
  @Nested(() => AdditionalInfo, { optional: true }) readonly additionalInfo?: AdditionalInfo;
  @Nested(() => Metadata, { optional: true }) readonly metadata?: Metadata;
}

export class SourceRecords {
  @ListOf(() => SourceRecord) readonly sourceRecords: readonly SourceRecord[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class InstanceId {
  @Uuid() readonly id: string;
}

export class InstanceIds {
  @ListOf(() => InstanceId) readonly ids: readonly InstanceId[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

/** A search in MARC records (section 7.2); at least one of the expressions. */
export class MarcRecordSearch {
  @Text({ optional: true, max: 8_000 }) readonly leaderSearchExpression?: string;
  @Text({ optional: true, max: 8_000 }) readonly fieldsSearchExpression?: string;
  @Flag({ optional: true }) readonly suppressFromDiscovery?: boolean;
  /** True: ACTUAL or DELETED, as if absent; false: ACTUAL. */
  @Flag({ optional: true }) readonly deleted?: boolean;
  @Int({ optional: true, max: 2_147_483_647 }) readonly offset?: number;
  @Int({ optional: true, max: 2_147_483_647 }) readonly limit?: number;
}

export class MarcRecordIdentifiers {
  /** Instance ids, each once, in their order. */
  @ListOfUuid() readonly records: readonly string[];
  /** Of all matches, whatever offset and limit are. */
  @Int() readonly totalCount: number;
}

export const INSTANCE_IDS_TYPES = ['INSTANCE', 'HOLDING', 'AUTHORITY'] as const;
export type InstanceIdsType = (typeof INSTANCE_IDS_TYPES)[number];
export const INSTANCE_IDS_DELETED = ['exclude', 'include', 'only'] as const;
export type InstanceIdsDeleted = (typeof INSTANCE_IDS_DELETED)[number];

/** Which ids an export takes: `POST /internal/instance-ids` (source-record-storage, 8.3). */
export class InstanceIdsRequest {
  /** CQL; absent: all. */
  @Text({ optional: true }) readonly query?: string;
  /** `INSTANCE` unless said. */
  @OneOf(INSTANCE_IDS_TYPES, { optional: true }) readonly recordType?: InstanceIdsType;
  /** By the one rule for deleted records; absent: those of state ACTUAL. */
  @OneOf(INSTANCE_IDS_DELETED, { optional: true }) readonly deleted?: InstanceIdsDeleted;
}

export const ENTRY_ACTIONS = ['CREATED', 'UNCHANGED', 'UPDATED'] as const;
export type EntryAction = (typeof ENTRY_ACTIONS)[number];
export const ENTRY_SORTS = ['order', 'title', 'action'] as const;
export type EntrySort = (typeof ENTRY_SORTS)[number];

/** What was repaired in a record, or is odd about it (data-import, 8.7). */
export class EntryWarning {
  @Text() readonly code: string;
  @Text({ optional: true }) readonly tag?: string;
  /** How often. */
  @Int() readonly count: number;
  /** Byte of the frame where it was first seen. */
  @Int() readonly offset: number;
}

/** What became of one frame of an import that did not fail (section 4.1). */
export class SnapshotEntry {
  /** Of the frame in its file, from 0. */
  @Int() readonly order: number;
  /** Id of the frame, and of the record if one was made of it. */
  @Uuid() readonly recordId: string;
  @Uuid() readonly matchedId: string;
  @OneOf(MARC_RECORD_TYPES) readonly recordType: MarcRecordType;
  @OneOf(ENTRY_ACTIONS) readonly action: EntryAction;
  @Text() readonly title: string;
  @Uuid({ optional: true }) readonly externalId?: string;
  @Text({ optional: true }) readonly externalHrid?: string;
  @Flag() readonly deleted: boolean;
  @ListOf(() => EntryWarning) readonly warnings: readonly EntryWarning[];
  @DateTime() readonly savedDate: string;
}

/** A page of entries. */
export class SnapshotEntries {
  @ListOf(() => SnapshotEntry) readonly entries: readonly SnapshotEntry[];
  /** All entries, of the record type that was asked for; on the first page only. */
  @Int({ optional: true }) readonly total?: number;
  /** To be sent as `after` for the next page; absent on the last. */
  @Text({ optional: true }) readonly next?: string;
}

/** Where the bytes of a frame are. */
export class EntryOrigin {
  /** File definition or record batch. */
  @Uuid({ optional: true }) readonly source?: string;
  /** Byte offset and length there. */
  @Int() readonly at: number;
  @Int() readonly len: number;
  /** Of the original bytes, hexadecimal. */
  @Text() readonly sha256: string;
}

export class RecordEntry extends SnapshotEntry {
  @Uuid() readonly snapshotId: string;
  @Nested(() => EntryOrigin) readonly origin: EntryOrigin;
}
