import { formatDate } from '@quire/contracts/dates';
import type {
  EntryAction,
  EntryWarning,
  MarcRecordType,
  RecordEntry,
  SnapshotEntry,
} from '@quire/contracts/source-records';

/** A record that an import made, or a frame that changed nothing. */
export interface EntryFacts {
  readonly id: string;
  readonly record_order: number;
  readonly matched_id: string;
  readonly record_type: MarcRecordType;
  readonly action: EntryAction;
  readonly title: string;
  readonly external_id: string | null;
  readonly external_hrid: string | null;
  readonly deleted: boolean;
  readonly warnings: readonly EntryWarning[] | null;
  readonly saved_at: Date;
}

export interface PlacedEntryFacts extends EntryFacts {
  readonly snapshot_id: string;
  readonly source_id: string | null;
  readonly origin_at: string;
  readonly origin_length: number;
  readonly origin_sha256: Buffer;
}

/** From rows to the shapes of source-record-storage, 4.1. */
export function entryOf(row: EntryFacts): SnapshotEntry {
  return {
    order: row.record_order,
    recordId: row.id,
    matchedId: row.matched_id,
    recordType: row.record_type,
    action: row.action,
    title: row.title,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    ...(row.external_hrid === null ? {} : { externalHrid: row.external_hrid }),
    deleted: row.deleted,
    warnings: row.warnings ?? [],
    savedDate: formatDate(row.saved_at),
  };
}

export function recordEntryOf(row: PlacedEntryFacts): RecordEntry {
  return {
    ...entryOf(row),
    snapshotId: row.snapshot_id,
    origin: {
      ...(row.source_id === null ? {} : { source: row.source_id }),
      at: Number(row.origin_at),
      len: row.origin_length,
      sha256: row.origin_sha256.toString('hex'),
    },
  };
}
