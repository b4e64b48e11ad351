import { formatDate } from '@quire/contracts/dates';
import type { Metadata } from '@quire/contracts/metadata';
import type { Snapshot } from '@quire/contracts/snapshots';
import type {
  AdditionalInfo,
  ExternalIdsHolder,
  ParsedRecord,
  SourceRecord,
  SourceRecordType,
  StoredRecord,
} from '@quire/contracts/source-records';
import { openStored, suppressFields } from '@quire/marc/iso2709/stored';
import { contentJson, contentOf, type ContentForm, type StoredContent } from './stored-content.js';

/** From rows to the shapes of the API (source-record-storage, 1.1, 2.1 and 4). JSON is a view, made here on request. */
interface Written {
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
}

export interface RecordFacts extends Written {
  readonly id: string;
  readonly snapshot_id: string;
  readonly matched_id: string;
  readonly generation: number;
  readonly record_type: SourceRecordType;
  readonly state: StoredRecord['state'];
  readonly external_id: string | null;
  readonly external_hrid: string | null;
  readonly record_order: number | null;
  readonly leader_status: string | null;
  readonly suppress_discovery: boolean;
  readonly staff_suppress: boolean | null;
  /** Its open properties. */
  readonly additional_info: object | null;
  /** Null of a record without parsed content. */
  readonly content: Buffer | null;
  readonly form: ContentForm | null;
}

export interface SnapshotFacts extends Written {
  readonly id: string;
  readonly status: Snapshot['status'];
  readonly processing_started_at: Date | null;
}

export function snapshotOf(row: SnapshotFacts): Snapshot {
  return {
    jobExecutionId: row.id,
    status: row.status,
    ...(row.processing_started_at
      ? { processingStartedDate: formatDate(row.processing_started_at) }
      : {}),
    metadata: metadataOf(row),
  };
}

/** What is kept of the parsed content of a row; undefined of a record without any. */
export const storedContentOf = ({
  content,
  form,
}: Pick<RecordFacts, 'content' | 'form'>): StoredContent | undefined =>
  content === null || form === null ? undefined : { form, bytes: content };

/**
 * @param row of a source record, which always has content
 * @param deleted by the one rule for it: state or leader
 */
export function sourceRecordOf(row: RecordFacts, deleted: boolean): SourceRecord {
  return {
    recordId: row.matched_id,
    snapshotId: row.snapshot_id,
    recordType: row.record_type,
    parsedRecord: parsedRecordOf(row) ?? { id: row.id, content: {} },
    deleted,
    generation: row.generation,
    ...(row.record_order === null ? {} : { order: row.record_order }),
    externalIdsHolder: externalIds(row),
    additionalInfo: additionalInfoOf(row),
    metadata: metadataOf(row),
  };
}

/**
 * `JSON.stringify(sourceRecordOf(…))`, with the content of ISO 2709 as text straight from its bytes, which gives four times as
 * many records in a second. It takes the place of an empty object, which nothing before it can look like: there are ids and
 * names only.
 */
export function sourceRecordJson(row: RecordFacts, deleted: boolean): string {
  const stored = storedContentOf(row);
  if (stored?.form !== 'ISO2709') return JSON.stringify(sourceRecordOf(row, deleted));
  const empty = JSON.stringify(sourceRecordOf({ ...row, content: null }, deleted));
  return empty.replace('"content":{}', () => `"content":${contentJson(stored)}`);
}

/** What a stream of deletions says of a record that was removed physically (section 6). */
export function tombstoneOf(row: RecordFacts): SourceRecord {
  return {
    recordId: row.matched_id,
    snapshotId: row.snapshot_id,
    recordType: row.record_type,
    parsedRecord: { id: row.id, content: {} },
    deleted: true,
    externalIdsHolder: externalIds(row),
    metadata: metadataOf(row),
  };
}

/** Parts that only a record with all of them has. */
export interface StoredFacts extends RecordFacts {
  readonly error_description: string | null;
  readonly error_content: string | null;
}

/** @param raw text of the raw record */
export function storedRecordOf(row: StoredFacts, deleted: boolean, raw: string): StoredRecord {
  const parsed = parsedRecordOf(row);
  return {
    id: row.id,
    snapshotId: row.snapshot_id,
    matchedId: row.matched_id,
    generation: row.generation,
    recordType: row.record_type,
    rawRecord: { id: row.id, content: raw },
    ...(parsed ? { parsedRecord: parsed } : {}),
    ...errorPart(row),
    deleted,
    ...(row.record_order === null ? {} : { order: row.record_order }),
    externalIdsHolder: externalIds(row),
    additionalInfo: additionalInfoOf(row),
    state: row.state,
    ...(isLeaderStatus(row.leader_status) ? { leaderRecordStatus: row.leader_status } : {}),
    metadata: metadataOf(row),
  };
}

function parsedRecordOf(row: RecordFacts): ParsedRecord | undefined {
  const stored = storedContentOf(row);
  return stored && { id: row.id, content: contentOf(stored) };
}

function errorPart(row: StoredFacts): Pick<StoredRecord, 'errorRecord'> {
  const { id, error_description: description, error_content: content } = row;
  if (description === null || content === null) return {};
  return { errorRecord: { id, description, content: JSON.parse(content) as object | string } };
}

/** Imports keep any character; clients see those that MARC knows. */
const isLeaderStatus = (status: string | null): status is string =>
  status !== null && /^[acdnposx]$/.test(status);

function additionalInfoOf(row: RecordFacts): AdditionalInfo {
  return {
    ...row.additional_info,
    suppressDiscovery: row.suppress_discovery,
    ...(row.staff_suppress === null ? {} : { staffSuppress: row.staff_suppress }),
  };
}

/** The raw record that a content stands for: ISO 2709 before 999 ff was added; other content as it is kept. */
export function rawBytesOf({ form, bytes }: StoredContent): Buffer {
  if (form !== 'ISO2709') return bytes;
  const raw = suppressFields(openStored(bytes), { ff999: true });
  return raw.failed ? bytes : raw.bytes;
}

export const rawTextOf = (content: StoredContent): string => rawBytesOf(content).toString('utf8');

export const ID_NAMES: Readonly<
  Record<SourceRecordType, readonly [keyof ExternalIdsHolder, keyof ExternalIdsHolder] | undefined>
> = {
  MARC_BIB: ['instanceId', 'instanceHrid'],
  MARC_HOLDING: ['holdingsId', 'holdingsHrid'],
  MARC_AUTHORITY: ['authorityId', 'authorityHrid'],
  EDIFACT: undefined,
};

/** Only the pair of the type (section 2.2). */
export function externalIds({
  record_type: type,
  external_id: id,
  external_hrid: hrid,
}: Pick<RecordFacts, 'record_type' | 'external_id' | 'external_hrid'>): ExternalIdsHolder {
  const names = ID_NAMES[type];
  if (!names) return {};
  return {
    ...(id === null ? {} : { [names[0]]: id }),
    ...(hrid === null ? {} : { [names[1]]: hrid }),
  };
}

function metadataOf(row: Written): Metadata {
  return {
    createdDate: formatDate(row.created_at),
    ...(row.created_by === null ? {} : { createdByUserId: row.created_by }),
    ...(row.created_by_name === null ? {} : { createdByUsername: row.created_by_name }),
    updatedDate: formatDate(row.updated_at),
    ...(row.updated_by === null ? {} : { updatedByUserId: row.updated_by }),
    ...(row.updated_by_name === null ? {} : { updatedByUsername: row.updated_by_name }),
  };
}
