import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'data_import';

/**
 * File extensions of each tenant, with a mark that it got the default ones (a tenant may delete them, and a restart must not
 * bring them back); and what an upload definition says about starting by itself (data-import, 3.5 and 14).
 */
export class Extensions1700000000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      `create table file_extension (tenant_id text collate "C" not null, id uuid not null, extension text not null,
         description text, data_types text[] not null default '{}', import_blocked boolean not null,
         user_first_name text, user_last_name text, user_name text,
         created_at timestamptz not null, created_by uuid not null, created_by_name text,
         updated_at timestamptz not null, updated_by uuid not null, updated_by_name text,
         primary key (tenant_id, id))`,
      `create unique index file_extension_extension on file_extension (tenant_id, lower(extension))`,
      ...protect(SCHEMA, 'file_extension'),
      `create table file_extension_defaults (tenant_id text collate "C" primary key, at timestamptz not null default now())`,
      ...protect(SCHEMA, 'file_extension_defaults'),
      // As asked for at creation: null is the tenant's setting, 'off', or the id of a job profile.
      `alter table upload_definition add column autostart text`,
      // Processing has to start with this profile: every file is there.
      `alter table upload_definition add column start_due uuid`,
      `create index upload_definition_due on upload_definition (tenant_id) where start_due is not null`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
