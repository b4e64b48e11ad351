import { Module } from '@nestjs/common';
import { InstanceIds } from './db/instance-ids.js';
import { RecordReads } from './db/record-reads.js';
import { Records } from './db/records.js';
import { Snapshots } from './db/snapshots.js';
import { ImportsHandlers } from './events/imports.handlers.js';
import { ImportFiles } from './files/import-files.js';
import { InstanceIdsController } from './http/instance-ids.controller.js';
import { RecordsController } from './http/records.controller.js';
import { SnapshotsController } from './http/snapshots.controller.js';
import { SourceRecordsController } from './http/source-records.controller.js';
import { Chunks } from './usecases/chunks.js';
import { SnapshotFollowing } from './usecases/snapshots.js';

/** Everything that source-record-storage consists of. */
@Module({
  controllers: [
    SnapshotsController,
    RecordsController,
    SourceRecordsController,
    InstanceIdsController,
    ImportsHandlers,
  ],
  providers: [Snapshots, Records, RecordReads, InstanceIds, ImportFiles, Chunks, SnapshotFollowing],
})
export class AppModule {}
