import { systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'data_import';

/**
 * Jobs whose chunks are worked one after the other, because a record may refer to one earlier in the file (data-import, 9.3);
 * and the index by which running jobs of a tenant are counted and finished.
 */
export class InOrder1700000000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      `alter table job_execution add column in_order boolean not null default false`,
      `create index job_execution_running on job_execution (tenant_id) where status = 'PARSING_IN_PROGRESS'`,
      `drop function release_candidates()`,
      `create function release_candidates()
         returns table (tenant_id text, job_id uuid, waiting bigint, released bigint, first_waiting int, frames bigint,
           minutes float8, in_order boolean, created_at timestamptz)
         language sql security definer set search_path = ${SCHEMA}, pg_temp as $$
           select c.tenant_id, c.job_id, count(*) filter (where c.state = 'WAITING'), count(*) filter (where c.state = 'RELEASED'),
             min(c.chunk_no) filter (where c.state = 'WAITING'), coalesce(j.total, 0),
             extract(epoch from clock_timestamp() - coalesce(j.processing_started_at, j.created_at)) / 60, j.in_order, j.created_at
           from job_chunk c join job_execution j on (j.tenant_id, j.id) = (c.tenant_id, c.job_id)
           where c.state in ('WAITING', 'RELEASED') and j.status = 'PARSING_IN_PROGRESS'
           group by c.tenant_id, c.job_id, j.total, j.processing_started_at, j.created_at, j.in_order $$`,
      ...systemFunction(SCHEMA, 'release_candidates()'),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
