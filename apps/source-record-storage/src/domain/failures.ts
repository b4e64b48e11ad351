import { conflict, notFound, refused, type Failure } from '@quire/contracts/failure';

/** Every way this service says no to a request (texts of snapshots, records and source records). */
export const texts = {
  snapshotNotFound: (id: string): string => `Snapshot with id '${id}' was not found`,
  recordNotFound: (id: string): string => `Record with id '${id}' was not found`,
  /** Of endpoints that take an id type. */
  recordOfTypeNotFound: (idType: string, id: string): string =>
    `Record with ${idType} id: ${id} was not found`,
  matchedRecordNotFound: (id: string): string => texts.recordOfTypeNotFound('RECORD', id),
  sourceRecordNotFound: (id: string): string => `SourceRecord with id '${id}' was not found`,
  instanceNotFound: (id: string): string => `Instance with id '${id}' was not found`,
  entryNotFound: (id: string): string => `Entry of record '${id}' was not found`,
} as const;

export const failures = {
  snapshotNotFound: (id: string): Failure => notFound(texts.snapshotNotFound(id)),
  snapshotNotFinished: (id: string): Failure =>
    conflict(`Snapshot with id '${id}' is not finished`, 'snapshot-not-finished'),
  snapshotNotUndone: (id: string): Failure => notFound(`Snapshot with id '${id}' was not undone`),
  noSuchGeneration: (id: string, generation: number, version?: number): Failure =>
    notFound(
      `Record with matched id '${id}' has no generation ${generation}${version === undefined ? '' : ` with version ${version}`}`,
    ),
  snapshotStillDeleted: (id: string): Failure =>
    refused(
      `unable to add snapshot -- snapshot '${id}' is still being deleted`,
      'snapshot-deleted',
    ),
  importRunning: (): Failure =>
    refused('unable to delete snapshot -- import job is still running', 'import-running'),
  versionConflict: (): Failure => conflict('version conflict', 'version'),
  recordNotFound: (id: string): Failure => notFound(texts.recordNotFound(id)),
  recordOfTypeNotFound: (idType: string, id: string): Failure =>
    notFound(texts.recordOfTypeNotFound(idType, id)),
  sourceRecordNotFound: (id: string): Failure => notFound(texts.sourceRecordNotFound(id)),
  incompleteBib: (): Failure =>
    refused(
      "MARC_BIB records must contain external instance and hr id's and 001 field into parsed record",
      'incomplete-bib',
    ),
  notStarted: (status: string): Failure =>
    refused(
      `Date when processing started is not set, expected snapshot status is PARSING_IN_PROGRESS, actual - ${status}`,
      'snapshot-not-started',
    ),
  duplicate: (): Failure => conflict('Incoming file may contain duplicates', 'duplicate'),
  otherMatchedId: (matchedId: string, found: string | undefined): Failure =>
    refused(
      `Matched id (${matchedId}) not equal to 999ff$s (${found ?? 'null'}) field`,
      'other-matched-id',
    ),
  matchedIdNotFound: (matchedId: string): Failure =>
    notFound(`Record with given matched id (${matchedId}) not found`),
  duplicateGeneration: (): Failure =>
    refused(
      'Incoming record could be a duplicate, incoming record generation should not be the same as matched record generation ' +
        'and the execution of job should be started after of creating the previous record generation',
      'duplicate-generation',
    ),
  instanceNotFound: (id: string): Failure => notFound(texts.instanceNotFound(id)),
  entryNotFound: (id: string): Failure => notFound(texts.entryNotFound(id)),
  severalSnapshots: (): Failure =>
    refused('Batch record collection only supports single snapshot', 'several-snapshots'),
  severalTypes: (): Failure =>
    refused('Batch record collection only supports single record type', 'several-types'),
  parsedRecordWithoutId: (): Failure =>
    refused('Each parsed record should contain an id', 'parsed-record-without-id'),
  noSearchExpression: (): Failure =>
    refused(
      "The 'leaderSearchExpression' and the 'fieldsSearchExpression' are missing",
      'marc-search',
    ),
  /** Permanent: the chunk becomes a dead letter at once, and its job learns that it was rejected. */
  unsupportedChunk: (why: string): Failure => refused(why, 'chunk-unsupported'),
} as const;
