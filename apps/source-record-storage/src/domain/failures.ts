import { notFound, refused, type Failure } from '@quire/contracts/failure';

/** Every way this service says no to a request (texts of snapshots, records and source records). */
export const texts = {
  snapshotNotFound: (id: string): string => `Snapshot with id '${id}' was not found`,
  recordNotFound: (id: string): string => `Record with id '${id}' was not found`,
  entryNotFound: (id: string): string => `Entry of record '${id}' was not found`,
} as const;

export const failures = {
  snapshotNotFound: (id: string): Failure => notFound(texts.snapshotNotFound(id)),
  recordNotFound: (id: string): Failure => notFound(texts.recordNotFound(id)),
  entryNotFound: (id: string): Failure => notFound(texts.entryNotFound(id)),
  noSearchExpression: (): Failure =>
    refused(
      "The 'leaderSearchExpression' and the 'fieldsSearchExpression' are missing",
      'marc-search',
    ),
  /** Permanent: the chunk becomes a dead letter at once, and its job learns that it was rejected. */
  unsupportedChunk: (why: string): Failure => refused(why, 'chunk-unsupported'),
} as const;
