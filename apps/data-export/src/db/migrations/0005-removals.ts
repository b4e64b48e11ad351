import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'data_export';

const STATEMENTS = [
  // How often an id comes again. First of all: nobody waits while it is built but uploads.
  `create index export_line_repeated on export_line (tenant_id, input_id, id) where class = 'DUPLICATED'`,
  // Inputs, and jobs as the owners of their outcomes, whose lines a sweep removes bit by bit: there may be millions.
  `create table discarded_lines (tenant_id text not null, owner_id uuid not null, primary key (tenant_id, owner_id))`,
  ...protect(SCHEMA, 'discarded_lines'),
  // The release before knows of no such lines: it took outcomes to go with their job, and may still run beside this one.
  `create function discard_outcomes() returns trigger language plpgsql set search_path = ${SCHEMA}, pg_temp as $$
   begin
     insert into discarded_lines (tenant_id, owner_id) select tenant_id, id from removed on conflict do nothing;
     return null;
   end $$`,
  `create trigger discard_outcomes after delete on job_execution referencing old table as removed
     for each statement execute function discard_outcomes()`,
  'alter table export_outcome drop constraint export_outcome_tenant_id_job_id_fkey',
  // Nobody looks a slice up by its object.
  'drop index slice_object',
];

export class Removals1764500000000 implements MigrationInterface {
  readonly name = 'Removals1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations are not undone.');
  }
}
