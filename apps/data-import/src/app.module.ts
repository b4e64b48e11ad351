import { Module } from '@nestjs/common';
import { FileUploads as FileUploadRows } from './db/file-uploads.js';
import { JobChunks } from './db/job-chunks.js';
import { JobExecutions } from './db/job-executions.js';
import { UploadDefinitions } from './db/upload-definitions.js';
import { ChunksHandlers } from './events/chunks.handlers.js';
import { ImportFiles } from './files/import-files.js';
import { JobsController } from './http/jobs.controller.js';
import { SeedDefinitionsController } from './http/seed-definitions.controller.js';
import { UploadDefinitionsController } from './http/upload-definitions.controller.js';
import { Dispatch } from './usecases/dispatch.js';
import { FileUploads } from './usecases/file-uploads.js';
import { ImportWork } from './usecases/import-work.js';
import { Imports } from './usecases/imports.js';
import { JobEvents } from './usecases/job-events.js';
import { Sweeps, SweptUploads } from './usecases/sweeps.js';
import { UploadEnd } from './usecases/upload-end.js';
import { UploadDrafts } from './usecases/upload-definitions.js';

/** Everything that data-import consists of. */
@Module({
  controllers: [
    SeedDefinitionsController,
    UploadDefinitionsController,
    JobsController,
    ChunksHandlers,
  ],
  providers: [
    ...[UploadDefinitions, FileUploadRows, JobExecutions, JobChunks, ImportFiles],
    ...[
      JobEvents,
      UploadDrafts,
      FileUploads,
      UploadEnd,
      Dispatch,
      ImportWork,
      Imports,
      SweptUploads,
      Sweeps,
    ],
  ],
})
export class AppModule {}
