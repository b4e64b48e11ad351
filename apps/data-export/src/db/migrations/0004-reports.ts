import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who a line is about, for the report by line, and what is known of jobs whose upload or output is gone. */
const STATEMENTS = [
  // `hrid` and `title` of the record, where a line has one.
  `alter table export_outcome add affected jsonb`,
  `create index job_execution_upload on job_execution (tenant_id, file_definition_id)`,
  // As file_sha256, of the file for oversize records.
  `alter table job_execution add oversize_file_sha256 bytea`,
  // When the output was removed by the tenant's own wish.
  `alter table job_execution add output_removed_at timestamptz`,
];

export class Reports1764400000000 implements MigrationInterface {
  readonly name = 'Reports1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations are not undone.');
  }
}
