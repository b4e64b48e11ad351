import { Flag, Int, ListOf, ListOfText, ListOfUuid, Nested, OneOf, Text, Uuid } from './fields.js';
import { SentRecord } from './record-writing.js';
import {
  ExternalIdsHolder,
  ParsedRecord,
  RECORD_ID_TYPES,
  RECORD_STATES,
  SOURCE_RECORD_TYPES,
  StoredRecord,
  type RecordIdType,
  type RecordState,
  type SourceRecordType,
} from './source-records.js';

/** Bodies of batches of records (source-record-storage, section 5). */
/** Most ids in one body (conventions, section 16). */
export const IDS_MAX = 32_767;

export class SentRecords {
  @ListOf(() => SentRecord) readonly records: readonly SentRecord[];
  @Int() readonly totalRecords: number;
}

/** Of a batch that was saved: what was, and a sentence for each record with something wrong. */
export class SavedRecords {
  @ListOf(() => StoredRecord) readonly records: readonly StoredRecord[];
  @ListOfText() readonly errorMessages: readonly string[];
  @Int() readonly totalRecords: number;
  /** With `skipUnchanged`: ids of the stored records that say already what was sent (section 14). */
  @ListOfUuid({ optional: true }) readonly unchanged?: readonly string[];
}

/** Of a batch of parsed records: those that were updated. */
export class UpdatedParsedRecords {
  @ListOf(() => ParsedRecord) readonly parsedRecords: readonly ParsedRecord[];
  @ListOfText() readonly errorMessages: readonly string[];
  @Int() readonly totalRecords: number;
}

/** Which records are fetched. */
export class FetchConditions {
  /** `RECORD` unless said. */
  @OneOf(RECORD_ID_TYPES, { optional: true }) readonly idType?: RecordIdType;
  @ListOfUuid({ optional: true, max: IDS_MAX }) readonly ids?: readonly string[];
}

/** Tags from one to another, both included, compared as texts. */
export class TagRange {
  @Text() readonly from: string;
  @Text() readonly to: string;
}

/** Asks for parsed records, or some of their fields: `POST /source-storage/batch/parsed-records/fetch`. */
export class FetchParsedRecords {
  @Nested(() => FetchConditions) readonly conditions: FetchConditions;
  @OneOf(SOURCE_RECORD_TYPES) readonly recordType: SourceRecordType;
  /** Absent or empty: all fields. */
  @ListOf(() => TagRange, { optional: true, max: 1000 }) readonly data?: readonly TagRange[];
  /** Also those of state DELETED. */
  @Flag({ optional: true }) readonly includeDeleted?: boolean;
}

export class FetchedParsedRecord {
  @Uuid() readonly id: string;
  @Nested(() => ExternalIdsHolder, { optional: true })
  readonly externalIdsHolder?: ExternalIdsHolder;
  @OneOf(SOURCE_RECORD_TYPES) readonly recordType: SourceRecordType;
  @OneOf(RECORD_STATES, { optional: true }) readonly recordState?: RecordState;
  @Nested(() => ParsedRecord) readonly parsedRecord: ParsedRecord;
}

export class FetchedParsedRecords {
  @ListOf(() => FetchedParsedRecord) readonly records: readonly FetchedParsedRecord[];
  @Int() readonly totalRecords: number;
}

export class VerifiedHrids {
  /** In the order sent, each once. */
  @ListOfText() readonly invalidMarcBibIds: readonly string[];
}
