import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Imports whose records were taken back, or are to be (data-import, 14, 6 and 8). */
export class Undo1700000000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `alter table job_execution add column undo_requested_at timestamptz, add column undo_requested_by uuid,
         add column undo_sent boolean not null default false, add column undone_at timestamptz, add column undone jsonb`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
