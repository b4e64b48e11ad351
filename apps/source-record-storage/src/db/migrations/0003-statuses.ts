import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Records whose leader says that they are deleted, for exports of them: few among many. An import of living records pays
 * nothing for the index.
 */
export class Statuses1700000000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `create index record_status on record (tenant_id, record_type, leader_status, external_id)
         where state in ('ACTUAL', 'DELETED') and external_id is not null and leader_status in ('d', 's', 'x')`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
