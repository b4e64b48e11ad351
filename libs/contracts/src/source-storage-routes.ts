import { BULK_BODY_BYTES_MAX, route, type Route, type RouteExtra } from './route.js';
import type { ServiceName } from './scope.js';

/** Routes of source-record-storage, by the sections of its document. */
const sourceStorage = (line: string, permission: string, extra: RouteExtra = {}): Route =>
  route('source-record-storage', line, { permission, ...extra });
/** For one other service, never routed from outside (conventions, section 18). */
const sourceInternal = (line: string, issuer: ServiceName): Route =>
  route('source-record-storage', line, { internal: true, issuers: [issuer] });

const snapshotRoutes = {
  listSnapshots: sourceStorage(
    'GET /source-storage/snapshots',
    'source-storage.snapshots.collection.get',
  ),
  saveSnapshot: sourceStorage('POST /source-storage/snapshots', 'source-storage.snapshots.post'),
  readSnapshot: sourceStorage(
    'GET /source-storage/snapshots/:jobExecutionId',
    'source-storage.snapshots.item.get',
  ),
  replaceSnapshot: sourceStorage(
    'PUT /source-storage/snapshots/:jobExecutionId',
    'source-storage.snapshots.put',
  ),
  deleteSnapshot: sourceStorage(
    'DELETE /source-storage/snapshots/:jobExecutionId',
    'source-storage.snapshots.delete',
  ),
  snapshotStats: sourceStorage(
    'GET /source-storage/snapshots/:jobExecutionId/stats',
    'source-storage.snapshots.item.get',
  ),
  snapshotHistory: sourceStorage(
    'GET /source-storage/snapshots/:jobExecutionId/history',
    'source-storage.snapshots.item.get',
  ),
} as const;

const recordRoutes = {
  listRecords: sourceStorage(
    'GET /source-storage/records',
    'source-storage.records.collection.get',
  ),
  createRecord: sourceStorage('POST /source-storage/records', 'source-storage.records.post'),
  readRawRecord: sourceStorage(
    'GET /source-storage/records/:id/raw',
    'source-storage.records.item.get',
  ),
  readRecord: sourceStorage('GET /source-storage/records/:id', 'source-storage.records.item.get'),
  replaceRecord: sourceStorage('PUT /source-storage/records/:id', 'source-storage.records.put'),
  deleteRecord: sourceStorage(
    'DELETE /source-storage/records/:id',
    'source-storage.records.delete',
  ),
  createGeneration: sourceStorage(
    'PUT /source-storage/records/:matchedId/generation',
    'source-storage.records.generation.item.put',
  ),
  undeleteRecord: sourceStorage(
    'POST /source-storage/records/:id/un-delete',
    'source-storage.records.undelete.item.post',
  ),
  readFormattedRecord: sourceStorage(
    'GET /source-storage/records/:id/formatted',
    'source-storage.records.formatted.item.get',
  ),
  suppressRecord: sourceStorage(
    'PUT /source-storage/records/:id/suppress-from-discovery',
    'source-storage.records.suppress-discovery.item.put',
  ),
} as const;

const recordHistoryRoutes = {
  recordHistory: sourceStorage(
    'GET /source-storage/records/:id/history',
    'source-storage.records.item.get',
  ),
  restoreRecord: sourceStorage(
    'POST /source-storage/records/:id/restore',
    'source-storage.records.put',
  ),
} as const;

const undoRoutes = {
  undoSnapshot: sourceStorage(
    'POST /source-storage/snapshots/:jobExecutionId/undo',
    'source-storage.snapshots.undo.item.post',
  ),
  readUndo: sourceStorage(
    'GET /source-storage/snapshots/:jobExecutionId/undo',
    'source-storage.snapshots.item.get',
  ),
} as const;

const sourceRecordRoutes = {
  listSourceRecords: sourceStorage(
    'GET /source-storage/source-records',
    'source-storage.source-records.collection.get',
  ),
  findSourceRecords: sourceStorage(
    'POST /source-storage/source-records',
    'source-storage.source-records.collection.get',
    { bodyBytesMax: BULK_BODY_BYTES_MAX },
  ),
  readSourceRecord: sourceStorage(
    'GET /source-storage/source-records/:id',
    'source-storage.source-records.item.get',
  ),
} as const;

const bulk = { bodyBytesMax: BULK_BODY_BYTES_MAX } as const;

const batchRoutes = {
  createRecords: sourceStorage(
    'POST /source-storage/batch/records',
    'source-storage.batch.records.collection.post',
    bulk,
  ),
  updateParsedRecords: sourceStorage(
    'PUT /source-storage/batch/parsed-records',
    'source-storage.parsed-records.collection.put',
    bulk,
  ),
  fetchParsedRecords: sourceStorage(
    'POST /source-storage/batch/parsed-records/fetch',
    'source-storage.parsed-records.fetch.collection.post',
    bulk,
  ),
  verifyRecords: sourceStorage(
    'POST /source-storage/batch/verified-records',
    'source-storage.verified-records.collection.post',
    bulk,
  ),
} as const;

const retentionRoutes = {
  applyRetention: sourceStorage(
    'POST /source-storage/retention',
    'source-storage.retention.item.post',
  ),
} as const;

const streamRoutes = {
  streamRecords: sourceStorage(
    'GET /source-storage/stream/records',
    'source-storage.stream.records.collection.get',
  ),
  streamSourceRecords: sourceStorage(
    'GET /source-storage/stream/source-records',
    'source-storage.stream.source-records.collection.get',
  ),
  fetchSourceRecords: sourceStorage(
    'POST /source-storage/stream/source-records',
    'source-storage.stream.source-records.collection.get',
    { bodyBytesMax: BULK_BODY_BYTES_MAX, csv: true, issuers: ['gateway', 'data-export'] },
  ),
} as const;

const marcSearchRoutes = {
  matchRecords: sourceStorage(
    'POST /source-storage/records/matching',
    'source-storage.records.matching.collection.post',
  ),
  searchMarcRecords: sourceStorage(
    'POST /source-storage/stream/marc-record-identifiers',
    'source-storage.stream.marc-record-identifiers.collection.post',
    { issuers: ['gateway', 'data-export'] },
  ),
} as const;

const instanceRoutes = {
  instanceIds: sourceStorage('GET /instance-bulk/ids', 'inventory-storage.record-bulk.ids.get', {
    issuers: ['gateway', 'data-export'],
  }),
  recordIds: sourceStorage('GET /record-bulk/ids', 'inventory-storage.record-bulk.ids.get'),
  searchInstanceIds: sourceStorage(
    'GET /search/instances/ids',
    'search.instances.ids.collection.get',
  ),
  exportIds: sourceInternal('POST /internal/instance-ids', 'data-export'),
  listInstances: sourceStorage(
    'GET /source-storage/instances',
    'source-storage.instances.collection.get',
  ),
  readInstance: sourceStorage(
    'GET /source-storage/instances/:id',
    'source-storage.instances.item.get',
  ),
} as const;

const entryRoutes = {
  snapshotEntries: sourceInternal('GET /internal/snapshots/:jobExecutionId/entries', 'data-import'),
  snapshotEntry: sourceInternal(
    'GET /internal/snapshots/:jobExecutionId/entries/:recordId',
    'data-import',
  ),
  recordEntry: sourceInternal('GET /internal/entries/:recordId', 'data-import'),
  recordContent: sourceInternal('GET /internal/records/:recordId/content', 'data-import'),
} as const;

export const sourceStorageRoutes = {
  ...snapshotRoutes,
  ...recordRoutes,
  ...recordHistoryRoutes,
  ...undoRoutes,
  ...sourceRecordRoutes,
  ...batchRoutes,
  ...retentionRoutes,
  ...streamRoutes,
  ...marcSearchRoutes,
  ...instanceRoutes,
  ...entryRoutes,
} as const;
