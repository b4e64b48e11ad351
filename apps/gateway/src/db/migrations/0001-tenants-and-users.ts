import { houseTables, protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'gateway';

const TABLES = [
  // `tenant` is one of the house tables. `announced`: every service has been told.
  `alter table tenant add column name text, add column description text,
     add column announced boolean not null default false`,
  `create table app_user (tenant_id text not null, id uuid not null, username text not null,
     active boolean not null default true, personal jsonb not null default '{}',
     created_date timestamptz not null, created_by uuid not null,
     updated_date timestamptz not null, updated_by uuid not null, primary key (tenant_id, id))`,
  // User names are unique without regard to case; logins find users by it.
  'create unique index app_user_username on app_user (tenant_id, lower(username))',
  `create table credential (tenant_id text not null, user_id uuid not null, password_hash text not null,
     changed_at timestamptz not null, primary key (tenant_id, user_id),
     foreign key (tenant_id, user_id) references app_user on delete cascade)`,
  `create table permission_user (tenant_id text not null, user_id uuid not null, id uuid not null,
     permissions text[] not null, primary key (tenant_id, user_id), unique (tenant_id, id),
     foreign key (tenant_id, user_id) references app_user on delete cascade)`,
  `create table session (tenant_id text not null, id uuid not null, user_id uuid not null,
     created_at timestamptz not null, expires_at timestamptz not null, ended_at timestamptz,
     primary key (tenant_id, id), foreign key (tenant_id, user_id) references app_user on delete cascade)`,
  'create index session_expired on session (tenant_id, expires_at)',
  'create index session_of_user on session (tenant_id, user_id)',
  // Only the hash of a token is kept. `successor`: what its replacement was made of, without the signature.
  `create table refresh_token (tenant_id text not null, sha256 bytea not null, session_id uuid not null,
     used_at timestamptz, successor jsonb, primary key (tenant_id, sha256),
     foreign key (tenant_id, session_id) references session on delete cascade)`,
  'create index refresh_token_session on refresh_token (tenant_id, session_id)',
  `create table login_failure (tenant_id text not null, user_id uuid not null, since timestamptz not null,
     failures int not null, blocked_until timestamptz, primary key (tenant_id, user_id),
     foreign key (tenant_id, user_id) references app_user on delete cascade)`,
];

const PROTECTED = [
  'app_user',
  'credential',
  'permission_user',
  'session',
  'refresh_token',
  'login_failure',
];

export class TenantsAndUsers1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const protection = PROTECTED.flatMap((table) => protect(SCHEMA, table));
    for (const statement of [...houseTables(SCHEMA), ...TABLES, ...protection]) {
      await runner.query(statement);
    }
  }

  /** Forward only. */
  down(): Promise<void> {
    return Promise.reject(new Error('Migrations only go forward.'));
  }
}
