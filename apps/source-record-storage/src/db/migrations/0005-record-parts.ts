import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * What records written by REST have besides: content that ISO 2709 cannot carry, none at all, errors, bytes that were sent
 * in another form, open properties; and what was replaced or deleted (source-record-storage, 2.1, 9.3 and 11).
 *
 * `parsed`: the record has content that source records show (MARC with a leader). A record without a row in `record_content`
 * has no parsed content at all. The history keeps whole rows and their bytes as they were before a change in place; older
 * generations are rows of `record` and are not repeated there.
 */
export class RecordParts1700000000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [...columns(), ...parts(), ...history()])
      await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

function columns(): string[] {
  return [
    `alter table record add parsed boolean not null default true, add staff_suppress boolean,
       add additional_info jsonb, add suppressed_before boolean`,
    `alter table record alter record_order drop not null`,
    `alter table record_content add form text collate "C" not null default 'ISO2709'
       check (form in ('ISO2709', 'JSON', 'TEXT'))`,
    // Changes since a moment, for clients that follow them (section 6).
    `create index record_updated on record (tenant_id, updated_at, id) where updated_at is not null`,
  ];
}

/** `record_raw`: inline up to 64 KiB, else an object; `record_error`: no limit of length. */
function parts(): string[] {
  return [
    `create table record_raw (tenant_id text collate "C" not null, record_id uuid not null, content bytea, object_key text,
       sha256 bytea not null, length bigint not null, check ((content is null) <> (object_key is null)),
       primary key (tenant_id, record_id))`,
    ...protect(SCHEMA, 'record_raw'),
    `create table record_error (tenant_id text collate "C" not null, record_id uuid not null, description text not null,
       content text not null, primary key (tenant_id, record_id))`,
    ...protect(SCHEMA, 'record_error'),
  ];
}

function history(): string[] {
  return [
    `create table record_history (tenant_id text collate "C" not null, record_id uuid not null, matched_id uuid not null,
       place bigint generated always as identity, cause text not null, row jsonb not null, content bytea, form text,
       replaced_at timestamptz not null, replaced_by uuid, replaced_by_name text, replaced_in uuid,
       primary key (tenant_id, record_id, place))`,
    `create index record_history_matched on record_history (tenant_id, matched_id, place)`,
    // For undo: what this snapshot has replaced.
    `create index record_history_snapshot on record_history (tenant_id, replaced_in, place) where replaced_in is not null`,
    ...protect(SCHEMA, 'record_history', { grants: 'select, insert, delete' }),
  ];
}
