import { Module } from '@nestjs/common';
import { TENANT_SEED } from '@quire/service/tenants';
import { FileExtensions as FileExtensionRows } from './db/file-extensions.js';
import { FileUploads as FileUploadRows } from './db/file-uploads.js';
import { JobChunks } from './db/job-chunks.js';
import { JobWork } from './db/job-work.js';
import { JobErrors } from './db/job-errors.js';
import { JobExecutions } from './db/job-executions.js';
import { JobListings } from './db/job-listings.js';
import { JobProfiles } from './db/job-profiles.js';
import { Originals as OriginalRows } from './db/originals.js';
import { ImportTenantSettings } from './db/tenant-settings.js';
import { UploadDefinitions } from './db/upload-definitions.js';
import { ChunksHandlers } from './events/chunks.handlers.js';
import { UndosHandlers } from './events/undos.handlers.js';
import { ImportFiles } from './files/import-files.js';
import { DryRunsController } from './http/dry-runs.controller.js';
import { ImportWorkController } from './http/import-work.controller.js';
import { FileExtensionsController } from './http/file-extensions.controller.js';
import { JournalController } from './http/journal.controller.js';
import { JobListsController } from './http/job-lists.controller.js';
import { JobLogsController } from './http/job-logs.controller.js';
import { JobProfilesController } from './http/job-profiles.controller.js';
import { JobsController } from './http/jobs.controller.js';
import { SeedDefinitionsController } from './http/seed-definitions.controller.js';
import { SettingsController } from './http/settings.controller.js';
import { UploadedJobsController } from './http/uploaded-jobs.controller.js';
import { UploadDefinitionsController } from './http/upload-definitions.controller.js';
import { Autostarts } from './usecases/autostarts.js';
import { DefinitionStates } from './usecases/definition-states.js';
import { Dispatch } from './usecases/dispatch.js';
import { DraftFiles } from './usecases/draft-files.js';
import { DryRuns } from './usecases/dry-runs.js';
import { ExtraJobs } from './usecases/extra-jobs.js';
import { FailedRecords } from './usecases/failed-records.js';
import { FileExtensions } from './usecases/file-extensions.js';
import { FileUploads } from './usecases/file-uploads.js';
import { ImportStarts } from './usecases/import-starts.js';
import { ImportWork } from './usecases/import-work.js';
import { Imports } from './usecases/imports.js';
import { JobChanges } from './usecases/job-changes.js';
import { JobDetails } from './usecases/job-details.js';
import { JobDrafts } from './usecases/job-drafts.js';
import { JobEndings } from './usecases/job-endings.js';
import { IncomingRecords } from './usecases/incoming-records.js';
import { JobLog } from './usecases/job-log.js';
import { Journal } from './usecases/journal.js';
import { SavedEntries } from './usecases/saved-entries.js';
import { JobEvents } from './usecases/job-events.js';
import { Originals } from './usecases/originals.js';
import { JobUsers } from './usecases/job-users.js';
import { Pauses } from './usecases/pauses.js';
import { Sweeps, SweptUploads, TenantSweeps } from './usecases/sweeps.js';
import { JobRemovals } from './usecases/job-removals.js';
import { SweptJobs } from './usecases/swept-jobs.js';
import { Retries } from './usecases/retries.js';
import { RetryCopies } from './usecases/retry-copies.js';
import { RetrySteps } from './usecases/retry-steps.js';
import { Undos } from './usecases/undos.js';
import { UploadDrafts } from './usecases/upload-definitions.js';
import { UploadSteps } from './usecases/upload-steps.js';

/** Everything that data-import consists of. */
@Module({
  controllers: [
    SeedDefinitionsController,
    UploadDefinitionsController,
    JobsController,
    JobListsController,
    JobLogsController,
    JournalController,
    ImportWorkController,
    DryRunsController,
    JobProfilesController,
    SettingsController,
    FileExtensionsController,
    UploadedJobsController,
    ChunksHandlers,
    UndosHandlers,
  ],
  providers: [
    ...[
      UploadDefinitions,
      FileUploadRows,
      JobExecutions,
      JobListings,
      JobChunks,
      JobWork,
      JobErrors,
      JobProfiles,
      ImportTenantSettings,
      FileExtensionRows,
      OriginalRows,
      ImportFiles,
    ],
    ...[
      JobEvents,
      FileExtensions,
      Originals,
      { provide: TENANT_SEED, useExisting: FileExtensions },
      DefinitionStates,
      DraftFiles,
      Autostarts,
      JobUsers,
      SavedEntries,
      JobLog,
      Journal,
      IncomingRecords,
      JobDrafts,
      JobEndings,
      JobChanges,
      JobRemovals,
      SweptJobs,
      UploadDrafts,
      FileUploads,
      UploadSteps,
      Dispatch,
      FailedRecords,
      ImportWork,
      ImportStarts,
      Imports,
      JobDetails,
      Pauses,
      ExtraJobs,
      DryRuns,
      RetryCopies,
      RetrySteps,
      Retries,
      Undos,
      SweptUploads,
      TenantSweeps,
      Sweeps,
    ],
  ],
})
export class AppModule {}
