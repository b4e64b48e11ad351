import { Module } from '@nestjs/common';
import { ObjectIntents } from '@quire/jobs/intents';
import { TENANT_SEED } from '@quire/service/tenants';
import { ErrorLogs } from './db/error-logs.js';
import { ExportIds } from './db/export-ids.js';
import { FileDefinitions } from './db/file-definitions.js';
import { JobExecutions } from './db/job-executions.js';
import { JobProfiles } from './db/job-profiles.js';
import { MappingProfiles } from './db/mapping-profiles.js';
import { Slices } from './db/slices.js';
import { Stores } from './db/stores.js';
import { ExportsHandlers } from './events/exports.handlers.js';
import { ExportFiles } from './files/export-files.js';
import { ErrorLogsController } from './http/error-logs.controller.js';
import { ExportsController } from './http/exports.controller.js';
import { FileDefinitionsController } from './http/file-definitions.controller.js';
import { FilesController } from './http/files.controller.js';
import { JobExecutionsController } from './http/job-executions.controller.js';
import { JobProfilesController } from './http/job-profiles.controller.js';
import { MappingProfilesController } from './http/mapping-profiles.controller.js';
import { TransformationFieldsController } from './http/transformation-fields.controller.js';
import { Dispatch } from './usecases/dispatch.js';
import { Downloads } from './usecases/downloads.js';
import { ExportWorkers } from './usecases/export-workers.js';
import { Exports } from './usecases/exports.js';
import { NewFileDefinitions } from './usecases/file-definitions.js';
import { Fresh } from './usecases/fresh.js';
import { JobEndings } from './usecases/job-endings.js';
import { Launches } from './usecases/launches.js';
import { Profiles } from './usecases/profiles.js';
import { QuickExports } from './usecases/quick-exports.js';
import { SliceLeases } from './usecases/slice-leases.js';
import { SliceResults } from './usecases/slice-results.js';
import { SliceRuns } from './usecases/slice-runs.js';
import { SourceRecords } from './usecases/source-records.js';
import { Sweeps } from './usecases/sweeps.js';
import { TenantProfiles } from './usecases/tenant-profiles.js';
import { Uploads } from './usecases/uploads.js';

/** Everything there is in data-export. */
@Module({
  controllers: [
    ExportsController,
    FileDefinitionsController,
    JobExecutionsController,
    FilesController,
    JobProfilesController,
    MappingProfilesController,
    TransformationFieldsController,
    ErrorLogsController,
    ExportsHandlers,
  ],
  providers: [
    ...[FileDefinitions, ExportIds, JobExecutions, Slices, ErrorLogs, JobProfiles, MappingProfiles],
    ...[Stores, ObjectIntents, ExportFiles, Fresh],
    ...[
      Exports,
      QuickExports,
      Launches,
      JobEndings,
      Uploads,
      NewFileDefinitions,
      Profiles,
      Downloads,
    ],
    ...[Dispatch, ExportWorkers, SliceLeases, SliceRuns, SliceResults, SourceRecords, Sweeps],
    { provide: TENANT_SEED, useClass: TenantProfiles },
  ],
})
export class DataExportModule {}
