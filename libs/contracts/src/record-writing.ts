import { Flag, Int, JsonDocument, Nested, OneOf, Text, Uuid } from './fields.js';
import { Metadata } from './metadata.js';
import { INTEGER_MAX } from './paging.js';
import {
  AdditionalInfo,
  ErrorRecord,
  ExternalIdsHolder,
  RawRecord,
  RECORD_STATES,
  SOURCE_RECORD_TYPES,
  type RecordState,
  type SourceRecordType,
} from './source-records.js';

/** As the schema of records prints it; the bars are characters of it. */
const LEADER_STATUS_PATTERN = '^[a|c|d|n|p|o|s|x]{1}$';

/** Parsed content as it is sent: MARC-in-JSON, or the same as a text (source-record-storage, 2.1). */
export class SentParsedRecord {
  @Uuid({ optional: true }) readonly id?: string;
  @JsonDocument() readonly content: object | string;
  /** Made by the server; accepted because it is returned. */
  @Text({ optional: true }) readonly formattedContent?: string;
}

/**
 * A record as a client sends it: `POST /source-storage/records`, `PUT …/{id}`, `PUT …/{id}/generation` (source-record-storage,
 * 2.1). `matchedId` is required but decided by the server; ids of the parts, `deleted`, `leaderRecordStatus` and `metadata` are
 * taken from what is returned and have no effect.
 */
export class SentRecord {
  @Uuid({ optional: true }) readonly id?: string;
  @Uuid() readonly snapshotId: string;
  @Uuid() readonly matchedId: string;
  @Int({ optional: true, max: INTEGER_MAX }) readonly generation?: number;
  @OneOf(SOURCE_RECORD_TYPES) readonly recordType: SourceRecordType;
  @Nested(() => RawRecord) readonly rawRecord: RawRecord;
  @Nested(() => SentParsedRecord, { optional: true }) readonly parsedRecord?: SentParsedRecord;
  @Nested(() => ErrorRecord, { optional: true }) readonly errorRecord?: ErrorRecord;
  @Flag({ optional: true }) readonly deleted?: boolean;
  @Int({ optional: true, max: INTEGER_MAX }) readonly order?: number;
  @Nested(() => ExternalIdsHolder, { optional: true })
  readonly externalIdsHolder?: ExternalIdsHolder;
  @Nested(() => AdditionalInfo, { optional: true }) readonly additionalInfo?: AdditionalInfo;
  @OneOf(RECORD_STATES, { optional: true }) readonly state?: RecordState;
  @Text({ optional: true, pattern: LEADER_STATUS_PATTERN }) readonly leaderRecordStatus?: string;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}
