import { formatDate } from '@quire/contracts/dates';
import { uuidV5 } from '@quire/contracts/ids';
import type { JobLogEntry, JournalRecord, LogRecordType } from '@quire/contracts/job-logs';
import type { EntryAction, MarcRecordType, SnapshotEntry } from '@quire/contracts/source-records';
import { errorText, isParseError, RECORD_TYPE_OF } from './error-text.js';

/** One frame of a job as the logs tell of it, whether it failed here or was saved in source-record-storage. */
export interface LoggedRecord {
  readonly recordId: string;
  readonly order: number;
  readonly action: EntryAction | 'FAILED';
  /** Unknown of what could not be read. */
  readonly type?: MarcRecordType | undefined;
  readonly title?: string | undefined;
  readonly matchedId?: string | undefined;
  readonly hrid?: string | undefined;
  /** Empty when there is none. */
  readonly error: string;
  /** Did its bytes give a record? */
  readonly isParsed: boolean;
  readonly date: string;
  /** Its place among the errors, when they are sorted by their text. */
  readonly errorKey: string;
}

export interface LoggedJob {
  readonly id: string;
  readonly tenantId: string;
  readonly profileName: string;
}

export interface FailedFacts {
  readonly record_order: string;
  readonly record_id: string;
  readonly byte_offset: string;
  readonly record_type: string | null;
  readonly code: string;
  readonly field: string | null;
  readonly detail: string | null;
  readonly title: string | null;
  readonly hrid: string | null;
  readonly failed_at: Date;
  readonly error_key: string;
}

const LOG_TYPE: Readonly<Record<MarcRecordType, LogRecordType>> = {
  MARC_BIB: 'MARC_BIBLIOGRAPHIC',
  MARC_AUTHORITY: 'MARC_AUTHORITY',
  MARC_HOLDING: 'MARC_HOLDINGS',
};

export function failedRecordOf(row: FailedFacts, job: LoggedJob): LoggedRecord {
  const order = Number(row.record_order);
  return {
    recordId: row.record_id,
    order,
    action: 'FAILED',
    type: RECORD_TYPE_OF[row.record_type ?? ''],
    title: row.title ?? undefined,
    hrid: row.hrid ?? undefined,
    error: errorText({
      jobId: job.id,
      order,
      at: Number(row.byte_offset),
      code: row.code,
      field: row.field ?? undefined,
      detail: row.detail ?? undefined,
      type: row.record_type ?? undefined,
      profileName: job.profileName,
    }),
    isParsed: !isParseError(row.code),
    date: formatDate(row.failed_at),
    errorKey: row.error_key,
  };
}

export function savedRecordOf(entry: SnapshotEntry): LoggedRecord {
  return {
    recordId: entry.recordId,
    order: entry.order,
    action: entry.action,
    type: entry.recordType,
    title: entry.title,
    matchedId: entry.matchedId,
    hrid: entry.externalHrid,
    error: '',
    isParsed: true,
    date: entry.savedDate,
    errorKey: '',
  };
}

export const UNTITLED = 'No content';

export const LOG_SORTS = ['order', 'title', 'action', 'error'] as const;
export type LogSort = (typeof LOG_SORTS)[number];

/** As the log shows them: what failed and what changed nothing are both DISCARDED. */
const ACTION_RANK = { CREATED: 0, UNCHANGED: 1, FAILED: 1, UPDATED: 2 } as const;

/** The order of two records: by the key, then by order, then by record id, all of it reversed when descending. */
export function comparatorOf(
  sortBy: LogSort,
  descending: boolean,
): (a: LoggedRecord, b: LoggedRecord) => number {
  const sign = descending ? -1 : 1;
  const byKey = KEY_ORDER[sortBy];
  return (a, b) => sign * (byKey(a, b) || a.order - b.order || compareText(a.recordId, b.recordId));
}

const KEY_ORDER: Readonly<Record<LogSort, (a: LoggedRecord, b: LoggedRecord) => number>> = {
  order: () => 0,
  title: (a, b) => compareText(a.title ?? UNTITLED, b.title ?? UNTITLED),
  action: (a, b) => ACTION_RANK[a.action] - ACTION_RANK[b.action],
  error: (a, b) => compareText(a.errorKey, b.errorKey),
};

/** By code points, as the databases sort. */
const compareText = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));

const STATUS = {
  CREATED: 'CREATED',
  UPDATED: 'UPDATED',
  UNCHANGED: 'DISCARDED',
  FAILED: 'DISCARDED',
} as const;
const NO_IDS = { idList: [], hridList: [] };
const NOTHING_RELATED = {
  relatedPoLineInfo: NO_IDS,
  relatedInvoiceInfo: NO_IDS,
  relatedInvoiceLineInfo: {},
  relatedHoldingsInfo: [],
  relatedItemInfo: [],
};

export function logEntryOf(record: LoggedRecord, job: LoggedJob): JobLogEntry {
  const { matchedId, type } = record;
  const isAuthority = type === 'MARC_AUTHORITY' && matchedId !== undefined;
  return {
    jobExecutionId: job.id,
    incomingRecordId: record.recordId,
    ...(matchedId === undefined ? {} : { sourceRecordId: matchedId }),
    sourceRecordOrder: String(record.order),
    sourceRecordTitle: record.title ?? UNTITLED,
    sourceRecordActionStatus: STATUS[record.action],
    ...(type === undefined ? {} : { sourceRecordType: LOG_TYPE[type] }),
    error: record.error,
    sourceRecordTenantId: job.tenantId,
    relatedInstanceInfo: NO_IDS,
    relatedAuthorityInfo: isAuthority ? { idList: [matchedId], hridList: [] } : NO_IDS,
    ...NOTHING_RELATED,
  };
}

const DEED = {
  CREATED: 'CREATE',
  UPDATED: 'UPDATE',
  UNCHANGED: 'MATCH',
  FAILED: 'CREATE',
} as const;
export type Deed = (typeof DEED)[LoggedRecord['action']];

/** That its bytes were read, or could not be (11.1). */
export function parseRowOf(record: LoggedRecord, job: LoggedJob): JournalRecord {
  return {
    ...journalOf(record, job, { entityType: '', action: 'PARSE' }),
    actionType: 'PARSE',
    actionStatus: record.isParsed ? 'COMPLETED' : 'ERROR',
    error: record.isParsed ? '' : record.error,
    actionDate: record.date,
    tenantId: job.tenantId,
  };
}

/** What was done with it, or was to be done (11.1). */
export function deedRowOf(record: LoggedRecord, job: LoggedJob): JournalRecord {
  const { type = 'MARC_BIB', matchedId, hrid, title, action } = record;
  const entityType = LOG_TYPE[type];
  return {
    ...journalOf(record, job, { entityType, action: DEED[action] }),
    entityType,
    ...(matchedId === undefined ? {} : { entityId: matchedId }),
    ...(hrid === undefined ? {} : { entityHrId: hrid }),
    actionType: DEED[action],
    actionStatus: action === 'FAILED' ? 'ERROR' : 'COMPLETED',
    error: record.error,
    ...(title === undefined ? {} : { title }),
    actionDate: record.date,
    tenantId: job.tenantId,
  };
}

function journalOf(
  { recordId, order }: LoggedRecord,
  job: LoggedJob,
  { entityType, action }: { readonly entityType: string; readonly action: string },
): Pick<JournalRecord, 'id' | 'jobExecutionId' | 'sourceId' | 'sourceRecordOrder'> {
  return {
    id: uuidV5(job.id, `${recordId}:${entityType}:${action}`),
    jobExecutionId: job.id,
    sourceId: recordId,
    sourceRecordOrder: order,
  };
}
