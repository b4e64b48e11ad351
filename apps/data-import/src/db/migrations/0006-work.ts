import { systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'data_import';

/**
 * What a job is asked to do and with what: options, pause, dry run, whose failed records it takes up, and the content it
 * reads, by which the same file is known again (data-import, 14).
 */
export class Work1700000000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      `alter table job_execution add column options jsonb, add column paused_at timestamptz,
         add column dry_run boolean not null default false, add column retry_of uuid,
         add column content_key text, add column content_bytes bigint, add column content_sha256 bytea,
         add column origin_key text, add column origin_file_id uuid`,
      `create index job_execution_content on job_execution (tenant_id, content_sha256) where content_sha256 is not null`,
      `create index job_execution_retries on job_execution (tenant_id, retry_of) where retry_of is not null`,
      // Of a retry, whose errors speak of the original file (origin_key): where each frame of the chunk begins in it, as a JSON list.
      `alter table job_chunk add column origins text`,
      `alter table upload_chunk add column origins text`,
      // A frame is found in its chunk.
      `create index job_chunk_order on job_chunk (tenant_id, job_id, first_order)`,
      ...release(),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

/** Nothing of a paused job waits; what it has out still counts. */
function release(): string[] {
  return [
    `drop function release_candidates()`,
    `create function release_candidates()
       returns table (tenant_id text, job_id uuid, waiting bigint, released bigint, first_waiting int, frames bigint,
         minutes float8, in_order boolean, created_at timestamptz)
       language sql security definer set search_path = ${SCHEMA}, pg_temp as $$
         select c.tenant_id, c.job_id, count(*) filter (where c.state = 'WAITING' and j.paused_at is null),
           count(*) filter (where c.state = 'RELEASED'), min(c.chunk_no) filter (where c.state = 'WAITING'), coalesce(j.total, 0),
           extract(epoch from clock_timestamp() - coalesce(j.processing_started_at, j.created_at)) / 60, j.in_order, j.created_at
         from job_chunk c join job_execution j on (j.tenant_id, j.id) = (c.tenant_id, c.job_id)
         where c.state in ('WAITING', 'RELEASED') and j.status = 'PARSING_IN_PROGRESS'
         group by c.tenant_id, c.job_id, j.total, j.processing_started_at, j.created_at, j.in_order $$`,
    ...systemFunction(SCHEMA, 'release_candidates()'),
  ];
}
