import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { houseMigrations } from '@quire/postgres/house-migrations';
import { PROBE_TENANT, type ClaimProbe } from '@quire/postgres/migrate';
import type { ServiceDefinition } from '@quire/service/boot';
import { DataExportModule } from './app.module.js';
import { Exports1764100000000 } from './db/migrations/0001-exports.js';
import { Housekeeping1764200000000 } from './db/migrations/0002-housekeeping.js';
import { Runs1764300000000 } from './db/migrations/0003-runs.js';
import { Reports1764400000000 } from './db/migrations/0004-reports.js';
import { Removals1764500000000 } from './db/migrations/0005-removals.js';

const PROBE_JOB = '00000000-0000-4000-8000-000000000000';

/** A released slice of a running job, which a claim must see across tenants. */
const CLAIM: ClaimProbe = {
  rows: [
    `insert into job_execution (tenant_id, id, hr_id, status, file_definition_id, input_id, base_name,
       created_at, created_by, created_by_name, updated_at, updated_by, updated_by_name)
     values ('${PROBE_TENANT}', '${PROBE_JOB}', 0, 'IN_PROGRESS', '${PROBE_JOB}', '${PROBE_JOB}', 'probe',
       now(), '${SYSTEM_USER_ID}', 'probe', now(), '${SYSTEM_USER_ID}', 'probe')`,
    `insert into slice (tenant_id, job_id, slice_no, from_ordinal, to_ordinal, ids, state, run_at)
     values ('${PROBE_TENANT}', '${PROBE_JOB}', 1, 1, 1, 1, 'RELEASED', now())`,
  ],
  claim: `select from claim_slice('probe', interval '1 second', 1)`,
};

/** data-export, to be started with `startService`. Settings: `ExportSettings`. */
export const dataExport: ServiceDefinition = {
  name: 'data-export',
  schema: {
    service: 'data-export',
    schema: 'data_export',
    migrations: [
      Exports1764100000000,
      Housekeeping1764200000000,
      Runs1764300000000,
      Reports1764400000000,
      Removals1764500000000,
      ...houseMigrations('data_export'),
    ],
    claim: CLAIM,
  },
  module: DataExportModule,
};
