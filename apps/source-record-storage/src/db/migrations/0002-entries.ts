import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * Entries of imports: frames that changed nothing, and indexes for the orders in which entries are read.
 *
 * A frame that says what is stored makes no record; its narrow row repeats what its entry shows, so that the entry stays
 * when the record is removed. The order of the file is served by `record_snapshot`; of the actions only updates have an
 * index, which costs an import of new records nothing. Each index has a predicate, for the reason given in 0001.
 */
export class Entries1700000000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      `create table unchanged_frame (tenant_id text collate "C" not null, id uuid not null, snapshot_id uuid not null,
         matched_id uuid not null, same_as uuid not null, record_type text collate "C" not null, external_id uuid,
         external_hrid text, record_order int not null, leader_status text, title text not null, warnings jsonb,
         source_id uuid, origin_at bigint not null, origin_length int not null, origin_sha256 bytea not null,
         saved_at timestamptz not null, primary key (tenant_id, id))`,
      `create index unchanged_frame_order on unchanged_frame (tenant_id, snapshot_id, record_order)`,
      `create index unchanged_frame_title on unchanged_frame (tenant_id, snapshot_id, title collate "C", record_order)`,
      ...protect(SCHEMA, 'unchanged_frame'),
      `create index record_title on record (tenant_id, snapshot_id, title collate "C", record_order)
         where title is not null`,
      `create index record_update on record (tenant_id, snapshot_id, record_order) where action = 'UPDATED'`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
