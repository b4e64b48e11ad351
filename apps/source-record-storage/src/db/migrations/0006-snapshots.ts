import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hideRemoved, REMOVING_SNAPSHOTS } from '../snapshot-removal-policy.js';

const SCHEMA = 'source_record_storage';

/**
 * Snapshots as clients write, list, delete and undo them (source-record-storage, sections 1, 9.1, 9.4 and 11).
 *
 * `status_order` makes the enum's order one that an index has. `job_status` is what the import job last said of itself:
 * a client may write any status, but only the job knows whether it still runs. A deleted snapshot leaves a tombstone, by
 * which later events and chunks of its job are recognised; its records are hidden (`snapshot-removal-policy.ts`) and go in
 * batches, kept count of by a `snapshot_task`.
 */
export class Snapshots1700000000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      ...columns(),
      ...statuses(),
      ...tombstones(),
      ...tasks(),
      ...removal(),
      ...recordTombstones(),
      ...lookUps(),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

const STATUSES = `array['PARENT', 'NEW', 'FILE_UPLOADED', 'PARSING_IN_PROGRESS', 'PARSING_FINISHED',
  'PROCESSING_IN_PROGRESS', 'PROCESSING_FINISHED', 'COMMIT_IN_PROGRESS', 'COMMITTED', 'ERROR', 'DISCARDED', 'CANCELLED']`;

function columns(): string[] {
  return [
    `alter table snapshot
       add status_order int generated always as (array_position(${STATUSES}, status)) stored,
       add job_status text, add undone boolean not null default false`,
    `alter table snapshot alter status_order set not null`,
    `create index snapshot_status_order on snapshot (tenant_id, status_order, id) where status_order is not null`,
    `create index snapshot_updated on snapshot (tenant_id, updated_at, id) where updated_at is not null`,
  ];
}

/** Written by a trigger: whoever changes a status, the history has it. */
function statuses(): string[] {
  return [
    `create table snapshot_status (tenant_id text collate "C" not null, snapshot_id uuid not null,
       place bigint generated always as identity, status text not null, previous text, at timestamptz not null,
       by_user_id uuid, primary key (tenant_id, snapshot_id, place))`,
    // The owner is bound by forced row-level security, and has no policy.
    'alter table snapshot no force row level security',
    `insert into snapshot_status (tenant_id, snapshot_id, status, at, by_user_id)
       select tenant_id, id, status, updated_at, updated_by from snapshot`,
    `update snapshot set job_status = status where job_version > 0`,
    'alter table snapshot force row level security',
    ...protect(SCHEMA, 'snapshot_status', { grants: 'select, insert, delete' }),
    `create function keep_snapshot_status() returns trigger language plpgsql as $$
     begin
       insert into ${SCHEMA}.snapshot_status (tenant_id, snapshot_id, status, previous, at, by_user_id)
       values (new.tenant_id, new.id, new.status, case when tg_op = 'UPDATE' then old.status end, new.updated_at,
         new.updated_by);
       return null;
     end $$`,
    `create trigger snapshot_made after insert on snapshot
       for each row execute function keep_snapshot_status()`,
    `create trigger snapshot_moved after update on snapshot
       for each row when (old.status <> new.status) execute function keep_snapshot_status()`,
  ];
}

function tombstones(): string[] {
  return [
    `create table snapshot_tombstone (tenant_id text collate "C" not null, id uuid not null, job_version bigint not null,
       deleted_at timestamptz not null default now(), deleted_by uuid, primary key (tenant_id, id))`,
    ...protect(SCHEMA, 'snapshot_tombstone'),
  ];
}

/** Leased work on a snapshot. `cursor`, `counts`, `options`: what the kind of work makes of them. */
function tasks(): string[] {
  return [
    `create table snapshot_task (tenant_id text collate "C" not null, snapshot_id uuid not null,
       kind text not null check (kind in ('REMOVE', 'UNDO')), options jsonb not null default '{}',
       cursor jsonb not null default '{}', counts jsonb not null default '{}', created_at timestamptz not null default now(),
       created_by uuid, created_by_name text, finished_at timestamptz, lease_owner text,
       lease_epoch bigint not null default 0, lease_until timestamptz, attempts int not null default 0,
       primary key (tenant_id, snapshot_id, kind))`,
    `create index snapshot_task_open on snapshot_task (tenant_id, kind, created_at) where finished_at is null`,
    ...protect(SCHEMA, 'snapshot_task'),
  ];
}

function removal(): string[] {
  return [
    `create table snapshot_removal (tenant_id text collate "C" not null, snapshot_id uuid not null,
       since timestamptz not null default now(), primary key (tenant_id, snapshot_id))`,
    ...protect(SCHEMA, 'snapshot_removal'),
    REMOVING_SNAPSHOTS,
    hideRemoved('record'),
    hideRemoved('unchanged_frame'),
  ];
}

/**
 * Of a record that was current when it was removed physically, for streams of deletions (section 6). `record_id` is the
 * record's own id; what clients know it by is `matched_id`.
 */
function recordTombstones(): string[] {
  return [
    `create table record_tombstone (tenant_id text collate "C" not null, record_id uuid not null, matched_id uuid not null,
       generation int not null, snapshot_id uuid not null, record_type text collate "C" not null, external_id uuid,
       external_hrid text, created_at timestamptz not null, created_by uuid, created_by_name text,
       updated_at timestamptz not null, updated_by uuid, updated_by_name text, removed_at timestamptz not null,
       removed_by uuid, primary key (tenant_id, record_id))`,
    `create index record_tombstone_removed on record_tombstone (tenant_id, removed_at, record_id)
       where removed_at is not null`,
    `create index record_tombstone_matched on record_tombstone (tenant_id, matched_id) where matched_id is not null`,
    ...protect(SCHEMA, 'record_tombstone'),
  ];
}

/**
 * Removals look up records by their own id, a thousand at a time, and so does everybody who keeps something beside a record.
 * For a tenant that the statistics do not know, an index that fits in its tenant alone looks as good as the primary key, and
 * the one made last is taken: for 1,000 ids of a newcomer with 20,000 records that took 17 s, with this 12 ms. So here, too,
 * all indexes but the primary key say in a predicate what a query has to ask for (0001); the columns are never null.
 */
function lookUps(): string[] {
  return [
    'drop index record_snapshot, record_generation',
    `create index record_snapshot on record (tenant_id, snapshot_id, record_order) where snapshot_id is not null`,
    `create unique index record_generation on record (tenant_id, matched_id, generation) where matched_id is not null`,
    'drop index unchanged_frame_order, unchanged_frame_title',
    `create index unchanged_frame_order on unchanged_frame (tenant_id, snapshot_id, record_order)
       where snapshot_id is not null`,
    `create index unchanged_frame_title on unchanged_frame (tenant_id, snapshot_id, title collate "C", record_order)
       where snapshot_id is not null`,
    'drop index record_history_matched',
    `create index record_history_matched on record_history (tenant_id, matched_id, place) where matched_id is not null`,
  ];
}
