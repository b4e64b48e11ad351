import type { MigrationInterface, QueryRunner } from 'typeorm';
import { JOB_TRANSITIONS } from '../../domain/job-execution.js';

/**
 * Jobs that are made by clients and set by hand; logs that are deleted, first hidden and later removed; errors found by the id
 * of their record, and when they came to light.
 */
export class Jobs1700000000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const rules = Object.entries(JOB_TRANSITIONS).flatMap(([from, to]) =>
      to.map((one) => `('${from}', '${one}')`),
    );
    const statements = [
      `alter table job_execution add column part_number int not null default 1,
         add column part_total int not null default 1, add column deleted_at timestamptz`,
      `create index job_execution_parent on job_execution (tenant_id, parent_job_id, part_number, hr_id)`,
      `create index job_execution_deleted on job_execution (tenant_id, deleted_at) where deleted_at is not null`,
      `insert into job_rule (from_status, to_status) values ${rules.join(', ')} on conflict do nothing`,
      `alter table job_error add column failed_at timestamptz not null default now()`,
      `create index job_error_record on job_error (tenant_id, record_id)`,
      `create index job_error_title on job_error (tenant_id, job_id, (coalesce(title, 'No content') collate "C"), record_order)`,
      // The beginnings of the texts, by which the logs sort errors.
      `create index job_error_text on job_error (tenant_id, job_id, ((case code when 'RECORD_TYPE' then '{"message":"Error' when 'HOLDINGS_004' then '{"message":"The 004'
         when 'PROFILE_TYPE' then 'Chosen job profile' when 'EXISTING_999FF' then '{"error":"A new'
         else '{"errors":[{"name":"' || code end) collate "C"), record_order)`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
