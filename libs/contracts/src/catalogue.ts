import {
  ExportCompleted,
  ExportDeleted,
  ExportRequested,
  SliceFinished,
  SliceReady,
} from './data-export.js';
import {
  ChunkReady,
  ImportCancelled,
  ImportCompleted,
  ImportJobChanged,
  ImportJobCreated,
  ImportUndoRequested,
} from './data-import.js';
import type { EventDefinition } from './define-event.js';
import { FINANCE_EVENTS } from './finance-events.js';
import {
  ChunkRejected,
  ChunkSaved,
  SnapshotChanged,
  SnapshotCreated,
  SnapshotUndone,
  SnapshotDeleted,
  SourceRecordsDeleted,
  SourceRecordsSaved,
} from './source-record-events.js';

/**
 * Every event of Quire (architecture, section 6). What is not in this list cannot be received; topics are created from it.
 */
export const EVENTS = [
  ExportRequested,
  ExportCompleted,
  ExportDeleted,
  SliceReady,
  SliceFinished,
  ImportJobCreated,
  ImportJobChanged,
  ImportCompleted,
  ImportCancelled,
  ImportUndoRequested,
  ChunkReady,
  ChunkSaved,
  ChunkRejected,
  SnapshotCreated,
  SnapshotChanged,
  SnapshotUndone,
  SnapshotDeleted,
  SourceRecordsSaved,
  SourceRecordsDeleted,
  ...FINANCE_EVENTS,
] as const;

const byType = new Map<string, EventDefinition<object>>(
  EVENTS.map((event) => [event.type, event as unknown as EventDefinition<object>]),
);

export function eventOfType(type: string): EventDefinition<object> | undefined {
  return byType.get(type);
}

export const TOPICS: readonly string[] = [...new Set(EVENTS.map((event) => event.topic))];
