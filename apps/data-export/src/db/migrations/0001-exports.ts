import { transitionTables } from '@quire/jobs/transitions';
import { CQL_FUNCTIONS_SQL } from '@quire/postgres/cql-functions';
import { houseTables, protect, systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { JOB_TRANSITIONS } from '../../domain/job-execution.js';

/**
 * The tables of data-export.
 *
 * An *input* is what one upload or one quick export gave: ids by line, and the lines that are none. It has an id of its own,
 * because an upload that is tried again must not meet the rows of the first try, and an export that is started again after
 * FAIL is a new job over the same input.
 */
const SCHEMA = 'data_export';

const STAMPS = `created_at timestamptz not null, created_by uuid not null, created_by_name text not null,
  updated_at timestamptz not null, updated_by uuid not null, updated_by_name text not null`;

const PROFILES = [
  `create table mapping_profile (
     tenant_id text not null, id uuid not null, name text not null, description text, record_types text[] not null,
     output_format text not null, fields_suppression text, suppress_999ff boolean not null,
     built_in int, user_first_name text, user_last_name text, user_name text,
     locked boolean not null default false, locked_by uuid, locked_at timestamptz, ${STAMPS},
     primary key (tenant_id, id))`,
  `create table job_profile (
     tenant_id text not null, id uuid not null, name text not null, description text, destination text, protocol jsonb,
     mapping_profile_id uuid not null,
     built_in int, user_first_name text, user_last_name text, user_name text,
     locked boolean not null default false, locked_by uuid, locked_at timestamptz, ${STAMPS},
     primary key (tenant_id, id),
     foreign key (tenant_id, mapping_profile_id) references mapping_profile)`,
  // Names are compared trimmed and without case.
  `create unique index mapping_profile_name on mapping_profile (tenant_id, lower(btrim(name)))`,
  `create unique index job_profile_name on job_profile (tenant_id, lower(btrim(name)))`,
  `create index job_profile_mapping on job_profile (tenant_id, mapping_profile_id)`,
];

const INPUTS = [
  `create table file_definition (
     tenant_id text not null, id uuid not null, file_name text not null, size_kb bigint, upload_format text not null,
     id_type text, status text not null default 'NEW' check (status in ('NEW', 'IN_PROGRESS', 'COMPLETED', 'ERROR')),
     job_id uuid not null, source_path text, input_id uuid, object_key text, bytes bigint, sha256 bytea, query text,
     base_name text not null, lines int not null default 0, blank int not null default 0,
     invalid int not null default 0, duplicated int not null default 0,
     lease_until timestamptz, ${STAMPS},
     primary key (tenant_id, id))`,
  // Ids by the line they stand on, each only once; slices read them by key.
  `create table export_id (
     tenant_id text not null, input_id uuid not null, ordinal int not null, id uuid not null,
     primary key (tenant_id, input_id, ordinal))`,
  `create unique index export_id_once on export_id (tenant_id, input_id, id)`,
  // Lines that give no id.
  `create table export_line (
     tenant_id text not null, input_id uuid not null, line int not null,
     class text not null check (class in ('INVALID', 'DUPLICATED')), input text, id uuid,
     primary key (tenant_id, input_id, line))`,
  `create table hr_counter (tenant_id text primary key, last_id int not null)`,
];

const JOBS = [
  `create table job_execution (
     tenant_id text not null, id uuid not null, hr_id int not null, status text not null default 'NEW',
     version bigint not null default 0, file_definition_id uuid not null, input_id uuid not null, base_name text not null,
     file_id uuid, file_name text, job_profile_id uuid, job_profile_name text, mapping_profile_id uuid, mapping jsonb,
     id_type text, request jsonb, run_by uuid, run_by_first_name text, run_by_last_name text,
     total int not null default 0 check (total >= 0), exported int not null default 0 check (exported >= 0),
     invalid int not null default 0, duplicated int not null default 0, not_found int not null default 0,
     faulty int not null default 0, blank int not null default 0, source_duplicates int not null default 0,
     failed int not null generated always as (invalid + duplicated + not_found + faulty) stored,
     started_at timestamptz, completed_at timestamptz, last_updated timestamptz, ${STAMPS},
     primary key (tenant_id, id), unique (tenant_id, hr_id),
     check (exported + invalid + duplicated + not_found + faulty <= total))`,
  `create index job_execution_newest on job_execution (tenant_id, created_at desc, id)`,
  `create index job_execution_status on job_execution (tenant_id, status, completed_at)`,
  `create index job_execution_input on job_execution (tenant_id, input_id)`,
  `create table slice (
     tenant_id text not null, job_id uuid not null, slice_no int not null, from_ordinal int not null, to_ordinal int not null,
     ids int not null,
     state text not null default 'WAITING' check (state in ('WAITING', 'RELEASED', 'DONE', 'DROPPED')),
     run_at timestamptz, lease_owner text, lease_epoch bigint not null default 0, lease_until timestamptz,
     attempts int not null default 0, waits int not null default 0,
     object_key text, bytes bigint, sha256 bytea,
     exported int check (exported >= 0), not_found int check (not_found >= 0), faulty int check (faulty >= 0),
     source_duplicates int,
     primary key (tenant_id, job_id, slice_no),
     foreign key (tenant_id, job_id) references job_execution on delete cascade)`,
  `create index slice_due on slice (run_at) where run_at is not null`,
  `create index slice_open on slice (state) where state in ('WAITING', 'RELEASED')`,
  // What became of the lines that are not simply exported; written once, with their slice.
  `create table export_outcome (
     tenant_id text not null, job_id uuid not null, ordinal int not null, slice_no int not null,
     class text not null check (class in ('NOT_FOUND', 'FAULTY', 'WARNING')), code text, message text,
     primary key (tenant_id, job_id, ordinal, class),
     foreign key (tenant_id, job_id) references job_execution on delete cascade)`,
  `create table error_log (
     tenant_id text not null, id uuid not null, job_id uuid not null, seq bigint generated always as identity,
     created_at timestamptz not null, level text not null, code text not null, message_values text[] not null, affected jsonb,
     actor uuid not null,
     primary key (tenant_id, id),
     foreign key (tenant_id, job_id) references job_execution on delete cascade)`,
  `create index error_log_job on error_log (tenant_id, job_id, seq)`,
  `create index error_log_seq on error_log (tenant_id, seq)`,
];

/** Claims are short; one at a time keeps the cap exact. The tenant with the fewest running slices first, then the oldest. */
const CLAIM = `create function claim_slice(worker text, lease interval, cap int)
  returns table (tenant_id text, job_id uuid, slice_no int, lease_epoch bigint, attempts int)
  language plpgsql security definer set search_path = ${SCHEMA}, pg_temp as $$
  begin
    perform pg_advisory_xact_lock(hashtext('${SCHEMA}.claim'));
    return query
    with running as (select s.tenant_id, count(*) as n from slice s where s.lease_until > clock_timestamp() group by 1),
    next as (
      select s.tenant_id, s.job_id, s.slice_no
      from slice s
      join job_execution j on (j.tenant_id, j.id) = (s.tenant_id, s.job_id) and j.status = 'IN_PROGRESS'
      left join running r on r.tenant_id = s.tenant_id
      where s.run_at <= clock_timestamp() and (s.lease_until is null or s.lease_until < clock_timestamp())
        and coalesce(r.n, 0) < cap
      order by coalesce(r.n, 0), s.run_at, s.slice_no
      limit 1 for update of s skip locked)
    update slice s set lease_owner = worker, lease_epoch = s.lease_epoch + 1,
      lease_until = clock_timestamp() + lease, attempts = s.attempts + 1
    from next where (s.tenant_id, s.job_id, s.slice_no) = (next.tenant_id, next.job_id, next.slice_no)
    returning s.tenant_id, s.job_id, s.slice_no, s.lease_epoch, s.attempts;
  end $$`;

/** The job whose next slice is let out: of the tenant, then the job, with the fewest released ones, then the oldest. */
const RELEASE_PICK = `create function release_pick(window_job int, window_tenant int, window_total int)
  returns table (tenant_id text, job_id uuid)
  language sql security definer set search_path = ${SCHEMA}, pg_temp as $$
    with open as (
      select s.tenant_id, s.job_id, j.started_at, count(*) filter (where s.state = 'RELEASED') as released,
        count(*) filter (where s.state = 'WAITING') as waiting
      from slice s join job_execution j on (j.tenant_id, j.id) = (s.tenant_id, s.job_id) and j.status = 'IN_PROGRESS'
      where s.state in ('WAITING', 'RELEASED') group by 1, 2, 3),
    per_tenant as (
      select o.tenant_id, sum(o.released) as released, bool_or(o.waiting > 0) as waits from open o group by 1)
    select o.tenant_id, o.job_id from open o join per_tenant t on t.tenant_id = o.tenant_id
    where o.waiting > 0 and o.released < window_job
      and (select coalesce(sum(released), 0) from open) < window_total
      and (t.released < window_tenant
           or not exists (select from per_tenant x where x.tenant_id <> o.tenant_id and x.waits))
    order by t.released, o.released, o.started_at, o.job_id limit 1 $$`;

export class Exports1764100000000 implements MigrationInterface {
  readonly name = 'Exports1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CQL_FUNCTIONS_SQL);
    const statements = [
      ...houseTables(SCHEMA),
      ...PROFILES,
      ...INPUTS,
      ...JOBS,
      ...transitionTables(SCHEMA, JOB_TRANSITIONS),
      ...['mapping_profile', 'job_profile', 'file_definition', 'export_id', 'export_line'].flatMap(
        (table) => protect(SCHEMA, table),
      ),
      ...['hr_counter', 'export_outcome', 'error_log'].flatMap((table) => protect(SCHEMA, table)),
      ...protect(SCHEMA, 'job_execution', { sys: true }),
      ...protect(SCHEMA, 'slice', { sys: true }),
      CLAIM,
      RELEASE_PICK,
      ...systemFunction(SCHEMA, 'claim_slice(text, interval, int)'),
      ...systemFunction(SCHEMA, 'release_pick(int, int, int)'),
    ];
    for (const statement of statements) await runner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('The first migration is not undone.');
  }
}
