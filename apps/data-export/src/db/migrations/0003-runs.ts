import { protect, systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'data_export';

/** In which form a job writes, and the second file of those that put oversize records beside their output. */
const OUTPUT = [
  `alter table job_execution
     add column output_format text not null default 'MARC' check (output_format in ('MARC', 'MARCXML', 'MARC_JSON')),
     add column encoding text not null default 'UTF-8' check (encoding in ('UTF-8', 'MARC-8')),
     add column oversize text not null default 'fail' check (oversize in ('fail', 'sidecar')),
     add column oversize_file_id uuid, add column oversize_file_name text`,
  // Part of that second file; an oversize record is counted as exported like the others.
  `alter table slice
     add column oversize_records int not null default 0 check (oversize_records >= 0),
     add column oversize_key text, add column oversize_bytes bigint, add column oversize_sha256 bytea`,
  // Rows about lines belong to their slice: a job that takes over a slice takes its rows along.
  `alter table error_log add column slice_no int`,
];

/** Inputs that are still to be found: by a query, or among the lines of another job. Gone when they are found. */
const SELECTION = [
  `create table id_selection (
     tenant_id text not null, job_id uuid not null, selection jsonb not null,
     run_at timestamptz not null default clock_timestamp(),
     lease_owner text, lease_epoch bigint not null default 0, lease_until timestamptz,
     attempts int not null default 0, waits int not null default 0,
     primary key (tenant_id, job_id),
     foreign key (tenant_id, job_id) references job_execution on delete cascade)`,
  `create index id_selection_due on id_selection (run_at)`,
  ...protect(SCHEMA, 'id_selection', { sys: true }),
  // As with slices: the tenant with the fewest running ones first, then the oldest.
  `create function claim_selection(worker text, lease interval)
     returns table (tenant_id text, job_id uuid, lease_epoch bigint, attempts int)
     language plpgsql security definer set search_path = ${SCHEMA}, pg_temp as $$
     begin
       perform pg_advisory_xact_lock(hashtext('${SCHEMA}.claim_selection'));
       return query
       with next as (
         select s.tenant_id, s.job_id from id_selection s
         where s.run_at <= clock_timestamp() and (s.lease_until is null or s.lease_until < clock_timestamp())
         order by (select count(*) from id_selection r
                   where r.tenant_id = s.tenant_id and r.lease_until > clock_timestamp()), s.run_at
         limit 1 for update of s skip locked)
       update id_selection s set lease_owner = worker, lease_epoch = s.lease_epoch + 1,
         lease_until = clock_timestamp() + lease, attempts = s.attempts + 1
       from next where (s.tenant_id, s.job_id) = (next.tenant_id, next.job_id)
       returning s.tenant_id, s.job_id, s.lease_epoch, s.attempts;
     end $$`,
  ...systemFunction(SCHEMA, 'claim_selection(text, interval)'),
];

export class Runs1764300000000 implements MigrationInterface {
  readonly name = 'Runs1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...OUTPUT, ...SELECTION]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of [
      'drop function claim_selection(text, interval)',
      'drop table id_selection',
      'alter table error_log drop column slice_no',
      `alter table slice drop column oversize_records, drop column oversize_key, drop column oversize_bytes,
         drop column oversize_sha256`,
      `alter table job_execution drop column output_format, drop column encoding, drop column oversize,
         drop column oversize_file_id, drop column oversize_file_name`,
    ])
      await runner.query(statement);
  }
}
