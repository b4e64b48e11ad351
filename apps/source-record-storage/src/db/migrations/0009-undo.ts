import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * What undo and restore have to know of a record (source-record-storage, 9.3, 9.4 and 14): by which snapshot it was superseded
 * and what its state was before, so that it can return to it exactly; and whose content it brings back.
 *
 * The history names the snapshot that a replaced version belonged to, by which a job finds what others changed of it.
 * `undo_conflict`: records that an undo has left as they are.
 */
export class Undo1700000000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      `alter table record add superseded_in uuid, add superseded_state text collate "C", add restored_from int`,
      `alter table record_history add snapshot_id uuid`,
      // The owner is bound by forced row-level security, and has no policy.
      'alter table record no force row level security',
      'alter table record_history no force row level security',
      // Until now records came by imports only.
      `update record r set superseded_in = n.snapshot_id,
         superseded_state = case when r.leader_status = 'd' then 'DELETED' else 'ACTUAL' end
       from record n where r.state = 'OLD' and n.tenant_id = r.tenant_id and n.matched_id = r.matched_id
         and n.generation = r.generation + 1`,
      `update record_history set snapshot_id = (row->>'snapshot_id')::uuid`,
      'alter table record force row level security',
      'alter table record_history force row level security',
      `create table undo_conflict (tenant_id text collate "C" not null, snapshot_id uuid not null, record_id uuid not null,
         place bigint generated always as identity, matched_id uuid not null, reason text not null,
         primary key (tenant_id, snapshot_id, record_id))`,
      ...protect(SCHEMA, 'undo_conflict'),
      `create index record_history_owner on record_history (tenant_id, snapshot_id, place) where snapshot_id is not null`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
