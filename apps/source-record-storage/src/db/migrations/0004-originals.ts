import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * Where the files of MARCXML and MARC-in-JSON are that records came from: their own text is shown as raw record as long as
 * the file is kept. One row per import and file.
 */
export class Originals1700000000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      `create table original (tenant_id text collate "C" not null, snapshot_id uuid not null, source_id uuid not null,
         object_key text not null, primary key (tenant_id, snapshot_id, source_id))`,
      ...protect(SCHEMA, 'original'),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
