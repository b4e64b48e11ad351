import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Chunks know the format of their frames, MARCXML the elements around them, and refused ones why (data-import, 8.1 and 8.6).
 */
export class Formats1700000000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['upload_chunk', 'job_chunk'])
      await queryRunner.query(
        `alter table ${table} add column format text not null default 'MARC_RAW', add column xml_context text,
           add column refused_code text, add column refused_detail text`,
      );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
