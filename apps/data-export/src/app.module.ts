import { Module } from '@nestjs/common';
import { ObjectIntents } from '@quire/jobs/intents';
import { LeaseKeeper } from '@quire/jobs/lease-keeper';
import { TENANT_SEED } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { CleanUps } from './db/clean-ups.js';
import { ErrorLogs } from './db/error-logs.js';
import { ExportIds } from './db/export-ids.js';
import { FileDefinitions } from './db/file-definitions.js';
import { IdSelections } from './db/id-selections.js';
import { JobContinuations } from './db/job-continuations.js';
import { JobExecutions } from './db/job-executions.js';
import { JobProfiles } from './db/job-profiles.js';
import { MappingProfiles } from './db/mapping-profiles.js';
import { Slices } from './db/slices.js';
import { Stores } from './db/stores.js';
import { ExportsHandlers } from './events/exports.handlers.js';
import { ExportFiles } from './files/export-files.js';
import { HousekeepingController } from './http/housekeeping.controller.js';
import { ErrorLogsController } from './http/error-logs.controller.js';
import { ExportsController } from './http/exports.controller.js';
import { FileDefinitionsController } from './http/file-definitions.controller.js';
import { FilesController } from './http/files.controller.js';
import { JobActionsController } from './http/job-actions.controller.js';
import { JobExecutionsController } from './http/job-executions.controller.js';
import { JobProfilesController } from './http/job-profiles.controller.js';
import { MappingProfilesController } from './http/mapping-profiles.controller.js';
import { RecordDownloadsController } from './http/record-downloads.controller.js';
import { TransformationFieldsController } from './http/transformation-fields.controller.js';
import { Cuts } from './usecases/cuts.js';
import { JobReports } from './db/job-reports.js';
import { ExportUsers } from './db/related-users.js';
import { ExportTenantSettings } from './db/tenant-settings.js';
import { DigestsHandlers } from './events/digests.handlers.js';
import { ExportUsersController } from './http/export-users.controller.js';
import { JobReportsController } from './http/job-reports.controller.js';
import { SettingsController } from './http/settings.controller.js';
import { Configurations } from './usecases/configurations.js';
import { Reports } from './usecases/job-reports.js';
import { OutputDigests } from './usecases/output-digests.js';
import { Retention, RetentionStores } from './usecases/retention.js';
import { Dispatch } from './usecases/dispatch.js';
import { Downloads } from './usecases/downloads.js';
import { ExportWorkers } from './usecases/export-workers.js';
import { Exports } from './usecases/exports.js';
import { NewFileDefinitions } from './usecases/file-definitions.js';
import { Fresh } from './usecases/fresh.js';
import { JobActions } from './usecases/job-actions.js';
import { HouseRules } from './usecases/house-rules.js';
import { Housekeeping } from './usecases/housekeeping.js';
import { JobEndings } from './usecases/job-endings.js';
import { JobRemovals } from './usecases/job-removals.js';
import { Launches } from './usecases/launches.js';
import { NewJobs } from './usecases/new-jobs.js';
import { Profiles } from './usecases/profiles.js';
import { QuickExports } from './usecases/quick-exports.js';
import { RecordDownloads } from './usecases/record-downloads.js';
import { SelectionEndings } from './usecases/selection-endings.js';
import { SelectionLeases } from './usecases/selection-leases.js';
import { SelectionRuns } from './usecases/selection-runs.js';
import { SelectionWorkers } from './usecases/selection-workers.js';
import { SliceLeases } from './usecases/slice-leases.js';
import { SliceResults } from './usecases/slice-results.js';
import { SliceRuns } from './usecases/slice-runs.js';
import { SourceIds } from './usecases/source-ids.js';
import { SourceRecords } from './usecases/source-records.js';
import { Sweeps } from './usecases/sweeps.js';
import { TenantProfiles } from './usecases/tenant-profiles.js';
import { UploadExports } from './usecases/upload-exports.js';
import { Uploads } from './usecases/uploads.js';
import { WholeExports } from './usecases/whole-exports.js';

/** Everything there is in data-export. */
@Module({
  controllers: [
    ExportsController,
    FileDefinitionsController,
    JobExecutionsController,
    JobActionsController,
    RecordDownloadsController,
    FilesController,
    JobProfilesController,
    MappingProfilesController,
    TransformationFieldsController,
    ErrorLogsController,
    HousekeepingController,
    JobReportsController,
    ExportUsersController,
    SettingsController,
    DigestsHandlers,
    ExportsHandlers,
  ],
  providers: [
    ...[FileDefinitions, ExportIds, JobExecutions, Slices, ErrorLogs, JobProfiles, MappingProfiles],
    ...[IdSelections, JobContinuations, Stores, ObjectIntents, ExportFiles, Fresh],
    {
      provide: LeaseKeeper,
      useFactory: (source: DataSource) => new LeaseKeeper(source),
      inject: [DataSource],
    },
    ...[CleanUps, Housekeeping, HouseRules, JobRemovals],
    ...[Retention, RetentionStores],
    ...[JobReports, Reports, OutputDigests, ExportUsers, ExportTenantSettings, Configurations],
    ...[
      Exports,
      UploadExports,
      QuickExports,
      WholeExports,
      Launches,
      NewJobs,
      Cuts,
      JobActions,
      JobEndings,
      Uploads,
      NewFileDefinitions,
      Profiles,
      Downloads,
      RecordDownloads,
    ],
    ...[Dispatch, ExportWorkers, SliceLeases, SliceRuns, SliceResults, SourceRecords, Sweeps],
    ...[SelectionWorkers, SelectionLeases, SelectionRuns, SelectionEndings, SourceIds],
    { provide: TENANT_SEED, useClass: TenantProfiles },
  ],
})
export class DataExportModule {}
