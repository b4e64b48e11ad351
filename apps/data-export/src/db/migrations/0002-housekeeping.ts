import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Transformations of mapping profiles, and what housekeeping and reports need: who uses a profile or an object, what is old
 * enough to go, where an output came from after its upload was cleaned up, and the digest of a whole output.
 */
const STATEMENTS = [
  `alter table mapping_profile add transformations jsonb not null default '[]'`,
  // Jobs of a profile, for its removal and for the list of used ones.
  `create index job_execution_profile on job_execution (tenant_id, job_profile_id)`,
  `create index job_execution_runner on job_execution (tenant_id, run_by, started_at desc)`,
  `create index job_execution_idle on job_execution (tenant_id, last_updated) where status = 'IN_PROGRESS'`,
  `create index file_definition_age on file_definition (tenant_id, updated_at)`,
  `create index file_definition_input on file_definition (tenant_id, input_id)`,
  // Name, type and SHA-256 of what was uploaded, kept when the upload is cleaned up.
  `alter table job_execution add source jsonb`,
  // SHA-256 of the output as one file, from a pass after the end; until when somebody is at it.
  `alter table job_execution add file_sha256 bytea, add digest_until timestamptz`,
  `create index job_execution_undigested on job_execution (tenant_id, completed_at)
     where file_sha256 is null and status in ('COMPLETED', 'COMPLETED_WITH_ERRORS')`,
  // An object may belong to the slices of several jobs: one that resumes takes over what another has finished.
  `create index slice_object on slice (tenant_id, object_key) where object_key is not null`,
];

export class Housekeeping1764200000000 implements MigrationInterface {
  readonly name = 'Housekeeping1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations are not undone.');
  }
}
