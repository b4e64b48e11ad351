import { Module } from '@nestjs/common';
import { AnsweredEvents } from './db/answered-events.js';
import { CurrentContents } from './db/current-contents.js';
import { Entries } from './db/entries.js';
import { FetchedRecords } from './db/fetched-records.js';
import { HoldingParents } from './db/holding-parents.js';
import { InstanceIds } from './db/instance-ids.js';
import { MarcIndex } from './db/marc-index.js';
import { InstanceReads } from './db/instance-reads.js';
import { Instances } from './db/instances.js';
import { NewInstances } from './db/new-instances.js';
import { MarcSearches } from './db/marc-searches.js';
import { Originals } from './db/originals.js';
import { PendingInstances } from './db/pending-instances.js';
import { PendingKeys } from './db/pending-keys.js';
import { RecordFrames } from './db/record-frames.js';
import { RecordHistory } from './db/record-history.js';
import { RecordLocks } from './db/record-locks.js';
import { RecordRemovals } from './db/record-removals.js';
import { RecordReads } from './db/record-reads.js';
import { RecordReferences } from './db/record-references.js';
import { RecordVersions } from './db/record-versions.js';
import { RecordWrites } from './db/record-writes.js';
import { Records } from './db/records.js';
import { RetentionRows } from './db/retention.js';
import { SnapshotFacts } from './db/snapshot-facts.js';
import { SnapshotRemovals } from './db/snapshot-removals.js';
import { SnapshotTasks } from './db/snapshot-tasks.js';
import { Snapshots } from './db/snapshots.js';
import { Statistics } from './db/statistics.js';
import { StoredIdsReads } from './db/stored-ids.js';
import { StoredRecordReads } from './db/stored-records.js';
import { UndoCandidates } from './db/undo-candidates.js';
import { UndoConflicts } from './db/undo-conflicts.js';
import { WriteMark } from './db/write-mark.js';
import { ImportsHandlers } from './events/imports.handlers.js';
import { UndosHandlers } from './events/undos.handlers.js';
import { ImportFiles } from './files/import-files.js';
import { RecordFiles } from './files/record-files.js';
import { BatchesController } from './http/batches.controller.js';
import { EntriesController } from './http/entries.controller.js';
import { FetchesController } from './http/fetches.controller.js';
import { InstanceIdsController } from './http/instance-ids.controller.js';
import { InstancesController } from './http/instances.controller.js';
import { MarcSearchesController } from './http/marc-searches.controller.js';
import { RawRecordsController } from './http/raw-records.controller.js';
import { RecordHistoryController } from './http/record-history.controller.js';
import { RecordListsController } from './http/record-lists.controller.js';
import { RecordsController } from './http/records.controller.js';
import { RetentionController } from './http/retention.controller.js';
import { SnapshotUndoController } from './http/snapshot-undo.controller.js';
import { SnapshotFactsController } from './http/snapshot-facts.controller.js';
import { SnapshotsController } from './http/snapshots.controller.js';
import { SourceRecordsController } from './http/source-records.controller.js';
import { StreamsController } from './http/streams.controller.js';
import { Batches } from './usecases/batches.js';
import { ChunkOutcomes } from './usecases/chunk-outcomes.js';
import { ChunkRecords } from './usecases/chunk-records.js';
import { Chunks } from './usecases/chunks.js';
import { ErrorLists } from './usecases/error-lists.js';
import { IndexUpkeep } from './usecases/index-upkeep.js';
import { HiddenRecords } from './usecases/hidden-records.js';
import { Indexing } from './usecases/indexing.js';
import { InstancePreviews } from './usecases/instance-previews.js';
import { InstanceProjection } from './usecases/instance-projection.js';
import { InstanceProjector, ProjectionLimits } from './usecases/instance-projector.js';
import { InstanceView } from './usecases/instance-view.js';
import { OriginalTexts } from './usecases/original-texts.js';
import { ParsedRecordUpdates } from './usecases/parsed-record-updates.js';
import { RawBytes } from './usecases/raw-bytes.js';
import { RawContents } from './usecases/raw-contents.js';
import { RecordEdits } from './usecases/record-edits.js';
import { RecordEvents } from './usecases/record-events.js';
import { RecordRemoval } from './usecases/record-removal.js';
import { RecordRestoring } from './usecases/record-restoring.js';
import { RestoredGenerations } from './usecases/restored-generations.js';
import { RecordPreparing } from './usecases/record-preparing.js';
import { RecordSaving } from './usecases/record-saving.js';
import { RecordStates } from './usecases/record-states.js';
import { RecordWriting } from './usecases/record-writing.js';
import { RetentionRemovals } from './usecases/retention-removals.js';
import { Retention } from './usecases/retention.js';
import { SnapshotEdits } from './usecases/snapshot-edits.js';
import { SnapshotEvents } from './usecases/snapshot-events.js';
import { SnapshotUndos } from './usecases/snapshot-undos.js';
import { SnapshotDeletion } from './usecases/snapshot-deletion.js';
import { SnapshotRemovalWorker } from './usecases/snapshot-removal-worker.js';
import { SnapshotFollowing } from './usecases/snapshots.js';
import { StoredRecords } from './usecases/stored-records.js';
import { Sweeps } from './usecases/sweeps.js';
import { UndoBatches } from './usecases/undo-batches.js';
import { UndoInPlace } from './usecases/undo-in-place.js';
import { UndoPages } from './usecases/undo-pages.js';
import { UndoRequests } from './usecases/undo-requests.js';
import { UndoRuns } from './usecases/undo-runs.js';
import { UndoTasks } from './usecases/undo-tasks.js';
import { UndoTrials } from './usecases/undo-trials.js';

const STORES = [
  Snapshots,
  SnapshotFacts,
  RetentionRows,
  SnapshotRemovals,
  SnapshotTasks,
  Records,
  RecordHistory,
  RecordLocks,
  RecordReads,
  RecordFrames,
  RecordRemovals,
  RecordReferences,
  RecordWrites,
  StoredRecordReads,
  Originals,
  PendingInstances,
  PendingKeys,
  StoredIdsReads,
  HoldingParents,
  InstanceIds,
  MarcIndex,
  InstanceReads,
  Instances,
  NewInstances,
  MarcSearches,
  CurrentContents,
  Entries,
  FetchedRecords,
  WriteMark,
  Statistics,
  AnsweredEvents,
  RecordVersions,
  UndoCandidates,
  UndoConflicts,
];
const USE_CASES = [
  Batches,
  Chunks,
  ChunkOutcomes,
  ChunkRecords,
  ErrorLists,
  IndexUpkeep,
  Indexing,
  InstancePreviews,
  InstanceProjection,
  InstanceProjector,
  InstanceView,
  OriginalTexts,
  ParsedRecordUpdates,
  ProjectionLimits,
  Retention,
  RetentionRemovals,
  RawBytes,
  RawContents,
  RecordEdits,
  RecordEvents,
  RecordPreparing,
  RecordSaving,
  RecordStates,
  RecordWriting,
  StoredRecords,
  HiddenRecords,
  RecordRemoval,
  SnapshotDeletion,
  SnapshotRemovalWorker,
  SnapshotEdits,
  SnapshotEvents,
  SnapshotFollowing,
  Sweeps,
  RecordRestoring,
  RestoredGenerations,
  SnapshotUndos,
  UndoBatches,
  UndoInPlace,
  UndoPages,
  UndoRuns,
  UndoRequests,
  UndoTasks,
  UndoTrials,
];

/** Everything that source-record-storage consists of. */
@Module({
  controllers: [
    SnapshotsController,
    SnapshotUndoController,
    SnapshotFactsController,
    RecordHistoryController,
    RecordListsController,
    RecordsController,
    RawRecordsController,
    SourceRecordsController,
    BatchesController,
    RetentionController,
    StreamsController,
    FetchesController,
    InstanceIdsController,
    InstancesController,
    EntriesController,
    MarcSearchesController,
    ImportsHandlers,
    UndosHandlers,
  ],
  providers: [...STORES, ...USE_CASES, ImportFiles, RecordFiles],
})
export class AppModule {}
