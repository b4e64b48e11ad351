import { formatDate } from '@quire/contracts/dates';
import type { Metadata } from '@quire/contracts/metadata';
import type {
  ExternalIdsHolder,
  Snapshot,
  SourceRecord,
  SourceRecordType,
  StoredRecord,
} from '@quire/contracts/source-records';
import { toMarcJson } from '@quire/marc/marc-json';
import { openStored, suppressFields } from '@quire/marc/iso2709/stored';
import type { MarcRecord } from '@quire/marc/record';

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
  readonly record_order: number;
  readonly leader_status: string | null;
  readonly suppress_discovery: boolean;
  readonly content: Buffer;
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

/** @param deleted by the one rule for it: state or leader */
export function sourceRecordOf(row: RecordFacts, deleted: boolean): SourceRecord {
  return {
    recordId: row.matched_id,
    snapshotId: row.snapshot_id,
    recordType: row.record_type,
    parsedRecord: { id: row.id, content: toMarcJson(openStored(row.content)) },
    deleted,
    generation: row.generation,
    order: row.record_order,
    externalIdsHolder: externalIds(row),
    additionalInfo: { suppressDiscovery: row.suppress_discovery },
    metadata: metadataOf(row),
  };
}

/** @param ownText of a record that came in another form than ISO 2709, as long as its file is kept */
export function storedRecordOf(row: RecordFacts, deleted: boolean, ownText?: string): StoredRecord {
  const record = openStored(row.content);
  return {
    id: row.id,
    snapshotId: row.snapshot_id,
    matchedId: row.matched_id,
    generation: row.generation,
    recordType: row.record_type,
    rawRecord: { id: row.id, content: ownText ?? rawText(record) },
    parsedRecord: { id: row.id, content: toMarcJson(record) },
    deleted,
    order: row.record_order,
    externalIdsHolder: externalIds(row),
    additionalInfo: { suppressDiscovery: row.suppress_discovery },
    state: row.state,
    ...(row.leader_status === null ? {} : { leaderRecordStatus: row.leader_status }),
    metadata: metadataOf(row),
  };
}

/** ISO 2709 before 999 ff was added. */
function rawText(record: MarcRecord): string {
  const raw = suppressFields(record, { ff999: true });
  return (raw.failed ? record : raw).bytes.toString('utf8');
}

const ID_NAMES: Readonly<
  Record<SourceRecordType, readonly [keyof ExternalIdsHolder, keyof ExternalIdsHolder] | undefined>
> = {
  MARC_BIB: ['instanceId', 'instanceHrid'],
  MARC_HOLDING: ['holdingsId', 'holdingsHrid'],
  MARC_AUTHORITY: ['authorityId', 'authorityHrid'],
  EDIFACT: undefined,
};

/** Only the pair of the type (section 2.2). */
function externalIds({
  record_type: type,
  external_id: id,
  external_hrid: hrid,
}: RecordFacts): ExternalIdsHolder {
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
