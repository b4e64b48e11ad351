import { Injectable } from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import {
  REFERENCES_MAX,
  SourceRecordsDeleted,
  SourceRecordsSaved,
  type RecordAction,
  type RecordReference,
} from '@quire/contracts/source-record-events';
import { Outbox } from '@quire/messaging/outbox';
import type { TenantTx } from '@quire/postgres/tenant';
import { RecordReferences, type ReferenceRow } from '../db/record-references.js';

/** A record that was written by REST. */
export interface WrittenRecord {
  readonly id: string;
  readonly action: 'CREATED' | 'UPDATED';
  /** The generation that it has superseded. */
  readonly previous?: { readonly id: string; readonly generation: number } | undefined;
}

/** An event has 64 KiB; this leaves room for what stands around its references. */
const REFERENCES_BYTES_MAX = 57_344;

/**
 * Tells the world what became of single records (source-record-storage, section 10), in the transaction of the change: one
 * event per snapshot and hundred records. Records without parsed content are not spoken of. Imports have an event of their own.
 */
@Injectable()
export class RecordEvents {
  constructor(
    private readonly outbox: Outbox,
    private readonly references: RecordReferences,
  ) {}

  /** After the change: records that were made, superseded another, or changed in place. */
  async saved(tx: TenantTx, written: readonly WrittenRecord[]): Promise<void> {
    if (written.length === 0) return;
    const byId = new Map(written.map((one) => [one.id, one]));
    const rows = await this.references.withContent(tx, [...byId.keys()]);
    const parts = partsOf(rows, ({ id }) => {
      const { action = 'UPDATED', previous } = byId.get(id) ?? {};
      return previous
        ? { action, previousRecordId: previous.id, previousGeneration: previous.generation }
        : { action };
    });
    await this.outbox.addAll(
      tx,
      SourceRecordsSaved,
      parts.map(({ snapshotId, records }) => {
        const created = records.filter(({ action }) => action === 'CREATED').length;
        const counts = { created, updated: records.length - created };
        return { ...about(tx, snapshotId), counts, records };
      }),
    );
  }

  /** After a soft deletion, or before records are removed. */
  async deleted(tx: TenantTx, recordIds: readonly string[]): Promise<void> {
    if (recordIds.length === 0) return;
    const rows = await this.references.withContent(tx, recordIds);
    const parts = partsOf(rows, () => ({ action: 'DELETED' }));
    await this.outbox.addAll(
      tx,
      SourceRecordsDeleted,
      parts.map(({ snapshotId, records }) => ({ ...about(tx, snapshotId), records })),
    );
  }
}

type Done = Pick<RecordReference, 'previousRecordId' | 'previousGeneration'> & {
  readonly action: RecordAction;
};

const about = (tx: TenantTx, snapshotId: string) => ({
  tenantId: tx.tenantId,
  snapshotId,
  userId: tx.scope.actorId,
});

interface Part {
  readonly snapshotId: string;
  readonly records: RecordReference[];
  bytes: number;
}

/** Of one snapshot each, small enough for an event. */
function partsOf(rows: readonly ReferenceRow[], doneOf: (row: ReferenceRow) => Done): Part[] {
  const parts: Part[] = [];
  const open = new Map<string, Part>();
  for (const row of rows) {
    const reference = referenceOf(row, doneOf(row));
    const bytes = Buffer.byteLength(JSON.stringify(reference)) + 1;
    let part = open.get(row.snapshot_id);
    if (
      !part ||
      part.records.length === REFERENCES_MAX ||
      part.bytes + bytes > REFERENCES_BYTES_MAX
    ) {
      part = { snapshotId: row.snapshot_id, records: [], bytes: 0 };
      parts.push(part);
      open.set(row.snapshot_id, part);
    }
    part.records.push(reference);
    part.bytes += bytes;
  }
  return parts;
}

function referenceOf(row: ReferenceRow, { action, ...previous }: Done): RecordReference {
  return {
    recordId: row.id,
    matchedId: row.matched_id,
    recordType: row.record_type,
    action,
    state: row.state,
    generation: row.generation,
    ...(row.leader_status === null ? {} : { leaderRecordStatus: row.leader_status }),
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    ...(row.external_hrid === null ? {} : { externalHrid: row.external_hrid }),
    ...previous,
    updatedDate: formatDate(row.updated_at),
  };
}
