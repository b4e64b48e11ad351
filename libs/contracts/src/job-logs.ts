import {
  Anything,
  DateTime,
  Flag,
  Int,
  ListOf,
  ListOfText,
  Nested,
  OneOf,
  Text,
  Uuid,
} from './fields.js';
import { MARC_RECORD_TYPES, type MarcRecordType } from './source-records.js';

/** What is told of the records of a job (`shared/spec/data-import.md` sections 5.2 to 5.4). Nothing of it is stored. */
export class SourceRecordSummary {
  @Int() readonly totalCreatedEntities: number;
  @Int() readonly totalUpdatedEntities: number;
  /** Unchanged and failed. */
  @Int() readonly totalDiscardedEntities: number;
  @Int() readonly totalErrors: number;
}

/** A known client takes every further property for an object like `sourceRecordSummary`: never add a scalar. */
export class JobSummary {
  @Uuid() readonly jobExecutionId: string;
  @Int() readonly totalErrors: number;
  @Nested(() => SourceRecordSummary) readonly sourceRecordSummary: SourceRecordSummary;
}

export class RelatedIds {
  @ListOfText() readonly idList: readonly string[];
  @ListOfText() readonly hridList: readonly string[];
}

export const LOG_ACTION_STATUSES = ['CREATED', 'UPDATED', 'DISCARDED'] as const;
export const LOG_RECORD_TYPES = ['MARC_BIBLIOGRAPHIC', 'MARC_AUTHORITY', 'MARC_HOLDINGS'] as const;
export type LogRecordType = (typeof LOG_RECORD_TYPES)[number];

/** The web UI reads all of the related properties without checking: none is ever missing. */
export class JobLogEntry {
  @Uuid() readonly jobExecutionId: string;
  @Uuid({ optional: true }) readonly incomingRecordId?: string;
  /** Matched id of the stored record; absent when it failed. */
  @Uuid({ optional: true }) readonly sourceRecordId?: string;
  @Text() readonly sourceRecordOrder: string;
  @Text({ optional: true }) readonly sourceRecordTitle?: string;
  @OneOf(LOG_ACTION_STATUSES)
  readonly sourceRecordActionStatus: (typeof LOG_ACTION_STATUSES)[number];
  @OneOf(LOG_RECORD_TYPES, { optional: true }) readonly sourceRecordType?: LogRecordType;
  /** Empty when there is none. */
  @Text() readonly error: string;
  @Text({ optional: true }) readonly sourceRecordTenantId?: string;
  @Nested(() => RelatedIds) readonly relatedInstanceInfo: RelatedIds;
  @Nested(() => RelatedIds) readonly relatedAuthorityInfo: RelatedIds;
  @Nested(() => RelatedIds) readonly relatedPoLineInfo: RelatedIds;
  @Nested(() => RelatedIds) readonly relatedInvoiceInfo: RelatedIds;
  @Anything() readonly relatedInvoiceLineInfo: object;
  @Anything() readonly relatedHoldingsInfo: readonly object[];
  @Anything() readonly relatedItemInfo: readonly object[];
}

export class JobLogEntries {
  @ListOf(() => JobLogEntry) readonly entries: readonly JobLogEntry[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export const JOURNAL_ACTIONS = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'MODIFY',
  'MATCH',
  'NON_MATCH',
  'PARSE',
] as const;
export type JournalAction = (typeof JOURNAL_ACTIONS)[number];
export const JOURNAL_STATUSES = ['COMPLETED', 'ERROR'] as const;

export class JournalRecord {
  @Uuid() readonly id: string;
  @Uuid() readonly jobExecutionId: string;
  /** Of the incoming record. */
  @Uuid() readonly sourceId: string;
  @Int() readonly sourceRecordOrder: number;
  @OneOf(LOG_RECORD_TYPES, { optional: true }) readonly entityType?: LogRecordType;
  /** Matched id. */
  @Uuid({ optional: true }) readonly entityId?: string;
  @Text({ optional: true }) readonly entityHrId?: string;
  @OneOf(JOURNAL_ACTIONS) readonly actionType: JournalAction;
  @OneOf(JOURNAL_STATUSES) readonly actionStatus: (typeof JOURNAL_STATUSES)[number];
  @Text() readonly error: string;
  @Text({ optional: true }) readonly title?: string;
  @DateTime() readonly actionDate: string;
  @Text() readonly tenantId: string;
}

export class JournalRecords {
  @ListOf(() => JournalRecord) readonly journalRecords: readonly JournalRecord[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class IncomingRecord {
  @Uuid() readonly id: string;
  @Uuid() readonly jobExecutionId: string;
  @OneOf(MARC_RECORD_TYPES) readonly recordType: MarcRecordType;
  @Int() readonly order: number;
  /** Absent when the original file is gone. At most its first 1 MiB: what could not be read may be the rest of its file. */
  @Text({ optional: true }) readonly rawRecordContent?: string;
  /** True when more came than `rawRecordContent` shows; the failed records of the job have all of it. */
  @Flag({ optional: true }) readonly truncated?: boolean;
  /** Text of MARC-in-JSON; absent when the record could not be read. */
  @Text({ optional: true }) readonly parsedRecordContent?: string;
}
