import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The original bytes of every import stay reachable (source-record-storage, section 14), so `original` names the files of ISO
 * 2709 too. `own_text`: the records of the file have a text of their own, which is shown as their raw record.
 *
 * Older generations are found by their external id (section 4, `state=OLD`) through an index of their own: the one of current
 * records stays small.
 */
export class RawBytes1700000000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [
      'alter table original add own_text boolean not null default true',
      `create index record_external_past on record (tenant_id, external_id)
         where state in ('OLD', 'DRAFT') and external_id is not null`,
    ])
      await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
