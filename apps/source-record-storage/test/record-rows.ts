import type { RecordState, SourceRecordType } from '@quire/contracts/source-records';
import { TENANT, USER_ID } from './chunk-source.js';
import { SNAPSHOT } from './library.js';
import type { DataSource } from 'typeorm';

/** A record as the tables have it, for what no import makes. */
export interface RecordSketch {
  readonly id: string;
  readonly matchedId?: string;
  readonly snapshotId?: string;
  readonly recordType?: SourceRecordType;
  readonly state?: RecordState;
  readonly generation?: number;
  readonly externalId?: string;
  readonly externalHrid?: string;
  readonly order?: number;
  readonly leaderStatus?: string;
  readonly suppressed?: boolean;
  readonly parsed?: boolean;
  /** Absent: none. */
  readonly content?: { readonly form: 'ISO2709' | 'JSON' | 'TEXT'; readonly bytes: Buffer };
  readonly updatedAt?: string;
}

/** @param admin as the superuser, whom row-level security does not bind */
export async function insertRecord(admin: DataSource, sketch: RecordSketch): Promise<void> {
  const { id, content, updatedAt = new Date().toISOString() } = sketch;
  await admin.query(
    `insert into source_record_storage.record (tenant_id, id, matched_id, snapshot_id, record_type, state, generation,
       external_id, external_hrid, record_order, leader_status, suppress_discovery, parsed, created_by, updated_by, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)`,
    [
      TENANT,
      id,
      sketch.matchedId ?? id,
      sketch.snapshotId ?? SNAPSHOT,
      sketch.recordType ?? 'MARC_BIB',
      sketch.state ?? 'ACTUAL',
      sketch.generation ?? 0,
      sketch.externalId ?? null,
      sketch.externalHrid ?? null,
      sketch.order ?? null,
      sketch.leaderStatus ?? null,
      sketch.suppressed ?? false,
      sketch.parsed ?? content !== undefined,
      USER_ID,
      updatedAt,
    ],
  );
  if (content)
    await admin.query(
      `insert into source_record_storage.record_content (tenant_id, record_id, content, form) values ($1, $2, $3, $4)`,
      [TENANT, id, content.bytes, content.form],
    );
}
