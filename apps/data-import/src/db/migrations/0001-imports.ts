import { transitionTables } from '@quire/jobs/transitions';
import { CQL_FUNCTIONS_SQL } from '@quire/postgres/cql-functions';
import { houseTables, protect, systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { JOB_TRANSITIONS } from '../../domain/job-execution.js';

const SCHEMA = 'data_import';

/** Upload definitions and their files, job executions, chunks with their counts, errors of failed records. */
export class Imports1700000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      ...houseTables(SCHEMA),
      CQL_FUNCTIONS_SQL,
      ...uploads(),
      ...jobs(),
      ...chunks(),
      ...errors(),
      ...release(),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

function uploads(): string[] {
  return [
    `create table upload_definition (tenant_id text collate "C" not null, id uuid not null, meta_job_id uuid not null,
       status text not null, processing_started boolean not null default false,
       created_at timestamptz not null default now(), created_by uuid, created_by_name text,
       updated_at timestamptz not null default now(), updated_by uuid, updated_by_name text,
       primary key (tenant_id, id))`,
    `create index upload_definition_newest on upload_definition (tenant_id, created_at desc, id)`,
    ...protect(SCHEMA, 'upload_definition'),
    `create table upload_file (tenant_id text collate "C" not null, id uuid not null, definition_id uuid not null,
       position int not null, name text not null, ui_key text, declared_kb bigint, job_id uuid not null,
       status text not null default 'NEW' check (status in ('NEW', 'UPLOADING', 'UPLOADED', 'ERROR')),
       processed boolean not null default false, object_key text, bytes bigint, sha256 bytea, frames bigint, problem text,
       created_at timestamptz not null default now(), uploaded_at timestamptz,
       primary key (tenant_id, id),
       foreign key (tenant_id, definition_id) references upload_definition on delete cascade)`,
    `create index upload_file_definition on upload_file (tenant_id, definition_id, position)`,
    `create index upload_file_job on upload_file (tenant_id, job_id)`,
    ...protect(SCHEMA, 'upload_file'),
    `create table file_upload (tenant_id text collate "C" not null, id uuid not null, file_id uuid not null, object_key text not null,
       lease_until timestamptz not null, primary key (tenant_id, id))`,
    `create index file_upload_file on file_upload (tenant_id, file_id)`,
    ...protect(SCHEMA, 'file_upload'),
    // Chunks of an upload that has not ended; they become the job's in the transaction that ends it.
    `create table upload_chunk (tenant_id text collate "C" not null, upload_id uuid not null, chunk_no int not null,
       byte_offset bigint not null, byte_length bigint not null, first_order bigint not null, count int not null,
       frames text not null, refused boolean not null, primary key (tenant_id, upload_id, chunk_no),
       foreign key (tenant_id, upload_id) references file_upload on delete cascade)`,
    ...protect(SCHEMA, 'upload_chunk'),
  ];
}

function jobs(): string[] {
  return [
    `create table job_number (tenant_id text collate "C" primary key, last int not null)`,
    ...protect(SCHEMA, 'job_number'),
    `create table job_execution (tenant_id text collate "C" not null, id uuid not null, hr_id int not null, parent_job_id uuid not null,
       subordination_type text not null, status text not null default 'NEW', error_status text, result text,
       file_name text, source_path text, profile_id uuid, profile_name text,
       user_id uuid not null, user_name text, user_first_name text, user_last_name text,
       started_at timestamptz not null default now(), processing_started_at timestamptz, completed_at timestamptz,
       total bigint, input_complete boolean not null default false, version bigint not null default 0,
       created_at timestamptz not null default now(), last_updated timestamptz not null default now(),
       primary key (tenant_id, id))`,
    `create unique index job_execution_number on job_execution (tenant_id, hr_id)`,
    `create index job_execution_started on job_execution (tenant_id, started_at desc, id)`,
    ...protect(SCHEMA, 'job_execution', { sys: true }),
    ...transitionTables(SCHEMA, JOB_TRANSITIONS),
    `create table job_message (tenant_id text collate "C" not null, job_id uuid not null, code text not null, text text not null,
       at timestamptz not null default now(), primary key (tenant_id, job_id, code),
       foreign key (tenant_id, job_id) references job_execution on delete cascade)`,
    ...protect(SCHEMA, 'job_message'),
  ];
}

function chunks(): string[] {
  return [
    `create table job_chunk (tenant_id text collate "C" not null, job_id uuid not null, chunk_no int not null, id uuid not null,
       object_key text not null, byte_offset bigint not null, byte_length bigint not null, first_order bigint not null,
       count int not null, frames text not null, refused boolean not null default false,
       state text not null default 'WAITING' check (state in ('WAITING', 'RELEASED', 'DONE', 'DROPPED')),
       attempt int not null default 0, released_at timestamptz,
       created int not null default 0, updated int not null default 0, unchanged int not null default 0,
       failed int not null default 0, warned int not null default 0,
       by_type jsonb not null default '{}', warnings jsonb not null default '{}',
       primary key (tenant_id, job_id, chunk_no),
       foreign key (tenant_id, job_id) references job_execution on delete cascade,
       check (created >= 0 and updated >= 0 and unchanged >= 0 and failed >= 0
         and created + updated + unchanged + failed <= count))`,
    `create unique index job_chunk_id on job_chunk (tenant_id, id)`,
    // The dispatcher looks across tenants.
    `create index job_chunk_open on job_chunk (state) where state in ('WAITING', 'RELEASED')`,
    ...protect(SCHEMA, 'job_chunk', { sys: true }),
  ];
}

function errors(): string[] {
  return [
    `create table job_error (tenant_id text collate "C" not null, job_id uuid not null, record_order bigint not null,
       record_id uuid not null, byte_offset bigint not null, byte_length bigint not null, record_type text, code text not null,
       field text, detail text, title text, hrid text, warnings jsonb,
       primary key (tenant_id, job_id, record_order),
       foreign key (tenant_id, job_id) references job_execution on delete cascade)`,
    ...protect(SCHEMA, 'job_error'),
  ];
}

/** The figures by which the dispatcher chooses; reading is all that it may do across tenants. */
function release(): string[] {
  return [
    `create function release_candidates()
       returns table (tenant_id text, job_id uuid, waiting bigint, released bigint, first_waiting int, frames bigint, minutes float8, hr_id int, created_at timestamptz)
       language sql security definer set search_path = ${SCHEMA}, pg_temp as $$
         select c.tenant_id, c.job_id, count(*) filter (where c.state = 'WAITING'), count(*) filter (where c.state = 'RELEASED'),
           min(c.chunk_no) filter (where c.state = 'WAITING'), coalesce(j.total, 0),
           extract(epoch from clock_timestamp() - coalesce(j.processing_started_at, j.created_at)) / 60, j.hr_id, j.created_at
         from job_chunk c join job_execution j on (j.tenant_id, j.id) = (c.tenant_id, c.job_id)
         where c.state in ('WAITING', 'RELEASED') and j.status = 'PARSING_IN_PROGRESS'
         group by c.tenant_id, c.job_id, j.total, j.processing_started_at, j.created_at, j.hr_id $$`,
    ...systemFunction(SCHEMA, 'release_candidates()'),
  ];
}
