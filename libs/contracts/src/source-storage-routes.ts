import { BULK_BODY_BYTES_MAX, route, type Route, type RouteExtra } from './route.js';
import type { ServiceName } from './scope.js';

const sourceStorage = (line: string, permission: string, extra: RouteExtra = {}): Route =>
  route('source-record-storage', line, { permission, ...extra });
/** For one other service, never routed from outside (conventions, section 18). */
const sourceInternal = (line: string, issuer: ServiceName): Route =>
  route('source-record-storage', line, { internal: true, issuers: [issuer] });

/** Routes of source-record-storage. */
export const sourceStorageRoutes = {
  readSnapshot: sourceStorage(
    'GET /source-storage/snapshots/:jobExecutionId',
    'source-storage.snapshots.item.get',
  ),
  readRecord: sourceStorage('GET /source-storage/records/:id', 'source-storage.records.item.get'),
  listSourceRecords: sourceStorage(
    'GET /source-storage/source-records',
    'source-storage.source-records.collection.get',
  ),
  streamSourceRecords: sourceStorage(
    'GET /source-storage/stream/source-records',
    'source-storage.stream.source-records.collection.get',
  ),
  fetchSourceRecords: sourceStorage(
    'POST /source-storage/stream/source-records',
    'source-storage.stream.source-records.collection.get',
    {
      bodyBytesMax: BULK_BODY_BYTES_MAX,
      issuers: ['gateway', 'data-export'],
    },
  ),
  searchMarcRecords: sourceStorage(
    'POST /source-storage/stream/marc-record-identifiers',
    'source-storage.stream.marc-record-identifiers.collection.post',
    { issuers: ['gateway', 'data-export'] },
  ),
  instanceIds: sourceStorage('GET /instance-bulk/ids', 'inventory-storage.record-bulk.ids.get', {
    issuers: ['gateway', 'data-export'],
  }),
  exportIds: sourceInternal('POST /internal/instance-ids', 'data-export'),
  snapshotEntries: sourceInternal('GET /internal/snapshots/:jobExecutionId/entries', 'data-import'),
  snapshotEntry: sourceInternal(
    'GET /internal/snapshots/:jobExecutionId/entries/:recordId',
    'data-import',
  ),
  recordEntry: sourceInternal('GET /internal/entries/:recordId', 'data-import'),
  recordContent: sourceInternal('GET /internal/records/:recordId/content', 'data-import'),
} as const;
