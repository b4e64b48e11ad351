import { Module } from '@nestjs/common';
import { FileUploads as FileUploadRows } from './db/file-uploads.js';
import { JobChunks } from './db/job-chunks.js';
import { JobErrors } from './db/job-errors.js';
import { JobExecutions } from './db/job-executions.js';
import { JobListings } from './db/job-listings.js';
import { JobProfiles } from './db/job-profiles.js';
import { ImportTenantSettings } from './db/tenant-settings.js';
import { UploadDefinitions } from './db/upload-definitions.js';
import { ChunksHandlers } from './events/chunks.handlers.js';
import { ImportFiles } from './files/import-files.js';
import { JobListsController } from './http/job-lists.controller.js';
import { JobLogsController } from './http/job-logs.controller.js';
import { JobProfilesController } from './http/job-profiles.controller.js';
import { JobsController } from './http/jobs.controller.js';
import { SeedDefinitionsController } from './http/seed-definitions.controller.js';
import { SettingsController } from './http/settings.controller.js';
import { UploadDefinitionsController } from './http/upload-definitions.controller.js';
import { Dispatch } from './usecases/dispatch.js';
import { FailedRecords } from './usecases/failed-records.js';
import { FileUploads } from './usecases/file-uploads.js';
import { ImportWork } from './usecases/import-work.js';
import { Imports } from './usecases/imports.js';
import { JobChanges } from './usecases/job-changes.js';
import { JobDrafts } from './usecases/job-drafts.js';
import { JobEndings } from './usecases/job-endings.js';
import { JobEvents } from './usecases/job-events.js';
import { JobUsers } from './usecases/job-users.js';
import { Sweeps, SweptUploads, TenantSweeps } from './usecases/sweeps.js';
import { SweptJobs } from './usecases/swept-jobs.js';
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
    JobProfilesController,
    SettingsController,
    ChunksHandlers,
  ],
  providers: [
    ...[
      UploadDefinitions,
      FileUploadRows,
      JobExecutions,
      JobListings,
      JobChunks,
      JobErrors,
      JobProfiles,
      ImportTenantSettings,
      ImportFiles,
    ],
    ...[
      JobEvents,
      JobUsers,
      JobDrafts,
      JobEndings,
      JobChanges,
      SweptJobs,
      UploadDrafts,
      FileUploads,
      UploadSteps,
      Dispatch,
      FailedRecords,
      ImportWork,
      Imports,
      SweptUploads,
      TenantSweeps,
      Sweeps,
    ],
  ],
})
export class AppModule {}
