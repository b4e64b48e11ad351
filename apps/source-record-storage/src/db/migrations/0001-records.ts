import { CQL_FUNCTIONS_SQL } from '@quire/postgres/cql-functions';
import { houseTables, protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * Snapshots, records and their bytes.
 *
 * The bytes have a table of their own, so that lists read no large rows. lz4 where the server has it; where it has not,
 * no compression: pglz costs more than half of the speed of an import.
 *
 * A record has no foreign key to its snapshot: a chunk's transaction holds the snapshot's row FOR SHARE, which says the same
 * once for a thousand records.
 */
export class Records1700000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      ...houseTables(SCHEMA),
      CQL_FUNCTIONS_SQL,
      ...snapshots(),
      ...records(),
      ...contents(),
      ...statistics(),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

function snapshots(): string[] {
  return [
    `create table snapshot (tenant_id text collate "C" not null, id uuid not null, status text not null,
       processing_started_at timestamptz, job_version bigint not null default 0,
       created_at timestamptz not null default now(), created_by uuid, created_by_name text,
       updated_at timestamptz not null default now(), updated_by uuid, updated_by_name text,
       primary key (tenant_id, id))`,
    ...protect(SCHEMA, 'snapshot'),
  ];
}

function records(): string[] {
  return [
    `create table record (tenant_id text collate "C" not null, id uuid not null, snapshot_id uuid not null,
       matched_id uuid not null, generation int not null default 0 check (generation >= 0),
       record_type text collate "C" not null, state text collate "C" not null default 'ACTUAL'
         check (state in ('ACTUAL', 'OLD', 'DRAFT', 'DELETED')),
       external_id uuid, external_hrid text, control_number_source text, record_order int not null,
       leader_status text, suppress_discovery boolean not null default false, title text, action text,
       warnings jsonb, source_id uuid, origin_at bigint, origin_length int, origin_sha256 bytea,
       created_at timestamptz not null default now(), created_by uuid, created_by_name text,
       updated_at timestamptz not null default now(), updated_by uuid, updated_by_name text,
       primary key (tenant_id, id))`,
    ...recordIndexes(),
    ...protect(SCHEMA, 'record'),
  ];
}

/**
 * A tenant that imports for the first time is unknown to the planner's statistics, or there are none yet. Every index begins
 * with the tenant, so the planner then takes any of them for as good as the right one, and reads the whole tenant for each
 * id (measured: 250 times slower). Against that, an index of a column that may be null says so in its predicate, which a
 * query for another column cannot imply; of indexes that look alike the planner takes the one made last, so those that are
 * asked for one id at a time stand last; and an import ends with new statistics (`analyze_records`).
 */
function recordIndexes(): string[] {
  return [
    `create index record_snapshot on record (tenant_id, snapshot_id, record_order)`,
    `create unique index record_generation on record (tenant_id, matched_id, generation)`,
    `create index record_hrid on record (tenant_id, external_hrid)
       where state in ('ACTUAL', 'DELETED') and external_hrid is not null`,
    // Serves instance ids in their order, exports by external id, and lists of a type.
    `create index record_external on record (tenant_id, record_type, external_id)
       where state in ('ACTUAL', 'DELETED') and external_id is not null`,
  ];
}

function contents(): string[] {
  return [
    `create table record_content (tenant_id text collate "C" not null, record_id uuid not null, content bytea not null,
       primary key (tenant_id, record_id))`,
    `do $$ begin
       if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) then
         alter table record_content alter column content set compression lz4;
       else
         alter table record_content alter column content set storage external;
       end if;
     end $$`,
    // Bytes are looked up by record id only; "all of the tenant" must never look cheap.
    'alter table record_content alter column tenant_id set statistics 0',
    ...protect(SCHEMA, 'record_content'),
  ];
}

/** Autovacuum does the same, but looks once a minute. Only the owner may; who comes second need not wait. */
function statistics(): string[] {
  return [
    `create function analyze_records() returns void
       language plpgsql security definer set search_path = ${SCHEMA}, pg_temp as $$
     begin
       if pg_try_advisory_xact_lock(hashtext('${SCHEMA}.analyze')) then
         analyze record (tenant_id, id, snapshot_id, matched_id, generation, record_type, state, external_id, external_hrid,
           record_order, leader_status, suppress_discovery, updated_at);
         analyze record_content (record_id);
       end if;
     exception when lock_not_available then null;
     end $$`,
    'revoke all on function analyze_records() from public',
    `grant execute on function analyze_records() to ${SCHEMA}_app`,
  ];
}
