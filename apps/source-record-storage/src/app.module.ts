import { Module } from '@nestjs/common';
import { AnsweredEvents } from './db/answered-events.js';
import { Entries } from './db/entries.js';
import { InstanceIds } from './db/instance-ids.js';
import { MarcSearches } from './db/marc-searches.js';
import { Originals } from './db/originals.js';
import { RecordReads } from './db/record-reads.js';
import { Records } from './db/records.js';
import { Snapshots } from './db/snapshots.js';
import { Statistics } from './db/statistics.js';
import { StoredIdsReads } from './db/stored-ids.js';
import { WriteMark } from './db/write-mark.js';
import { ImportsHandlers } from './events/imports.handlers.js';
import { ImportFiles } from './files/import-files.js';
import { EntriesController } from './http/entries.controller.js';
import { InstanceIdsController } from './http/instance-ids.controller.js';
import { MarcSearchesController } from './http/marc-searches.controller.js';
import { RecordsController } from './http/records.controller.js';
import { SnapshotsController } from './http/snapshots.controller.js';
import { SourceRecordsController } from './http/source-records.controller.js';
import { StreamsController } from './http/streams.controller.js';
import { ChunkOutcomes } from './usecases/chunk-outcomes.js';
import { Chunks } from './usecases/chunks.js';
import { ErrorLists } from './usecases/error-lists.js';
import { OriginalTexts } from './usecases/original-texts.js';
import { SnapshotFollowing } from './usecases/snapshots.js';
import { Sweeps } from './usecases/sweeps.js';

const STORES = [
  Snapshots,
  Records,
  RecordReads,
  Originals,
  StoredIdsReads,
  InstanceIds,
  MarcSearches,
  Entries,
  WriteMark,
  Statistics,
  AnsweredEvents,
];
const USE_CASES = [Chunks, ChunkOutcomes, ErrorLists, OriginalTexts, SnapshotFollowing, Sweeps];

/** Everything that source-record-storage consists of. */
@Module({
  controllers: [
    SnapshotsController,
    RecordsController,
    SourceRecordsController,
    StreamsController,
    InstanceIdsController,
    EntriesController,
    MarcSearchesController,
    ImportsHandlers,
  ],
  providers: [...STORES, ...USE_CASES, ImportFiles],
})
export class AppModule {}
