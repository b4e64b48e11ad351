import type { ServiceName } from './scope.js';

/**
 * Every route of every service. The gateway routes and authorises from this table, `@Permissions(routes.x)` in a service
 * takes its entry from it, and a service with a controller route that is not here does not start. Permission names are
 * those of conventions, 7.2.
 */
export interface Route {
  readonly service: ServiceName;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Fastify form: `/data-export/job-executions/:id`. */
  readonly path: string;
  /** `permission`: needs {@link permission}; `authenticated`: any valid token; `public`: nothing, for {@link reason}. */
  readonly access: 'permission' | 'authenticated' | 'public';
  readonly permission?: string;
  /** Rights that a body may ask for besides; the service is told which of them the caller has. */
  readonly furtherPermissions?: readonly string[];
  /** Why nobody has to log in here. */
  readonly reason?: string;
  /** Largest JSON body; uploads have limits of their own service. */
  readonly bodyBytesMax: number;
  /** Text of the 400 for a body that is not JSON, where clients know another one than that of all routes. */
  readonly notJson?: string;
  /** The body is a stream of bytes of any length and type. */
  readonly upload: boolean;
  /** Who may call the service here; the gateway alone unless said. */
  readonly issuers: readonly ServiceName[];
  /** Never routed from outside. */
  readonly internal: boolean;
  /** Methods of the path that are answered as no route at all (404), not as a method that is not allowed. */
  readonly unknownMethods?: readonly string[];
}

export const JSON_BODY_BYTES_MAX = 1_048_576;
/** Bulk bodies: lists of ids and batches of records (conventions, section 16). */
export const BULK_BODY_BYTES_MAX = 33_554_432;

type Extra = Partial<Omit<Route, 'service' | 'method' | 'path'>>;

function route(service: ServiceName, line: string, extra: Extra): Route {
  const [method = '', path = ''] = line.split(' ');
  return {
    service,
    method: method as Route['method'],
    path,
    access: extra.permission === undefined ? 'authenticated' : 'permission',
    bodyBytesMax: JSON_BODY_BYTES_MAX,
    upload: false,
    issuers: ['gateway'],
    internal: false,
    ...extra,
  };
}

const gateway = (line: string, extra: Extra = {}): Route => route('gateway', line, extra);
const dataExport = (line: string, permission: string, extra: Extra = {}): Route =>
  route('data-export', line, { permission: `data-export.${permission}`, ...extra });
const dataImport = (line: string, permission: string, extra: Extra = {}): Route =>
  route('data-import', line, { permission, ...extra });
const sourceStorage = (line: string, permission: string, extra: Extra = {}): Route =>
  route('source-record-storage', line, { permission, ...extra });
/** For one other service, never routed from outside (conventions, section 18). */
const sourceInternal = (line: string, issuer: ServiceName): Route =>
  route('source-record-storage', line, { internal: true, issuers: [issuer] });

/** Tenant settings: the same two routes in every service that has some. */
const settings = (service: ServiceName, base: string): { read: Route; change: Route } => ({
  read: route(service, `GET ${base}/settings`, { permission: 'quire.settings.item.get' }),
  change: route(service, `PUT ${base}/settings/:key`, { permission: 'quire.settings.item.put' }),
});

const open = (reason: string): Extra => ({ access: 'public', reason });
const LOGIN = open('who logs in has no token yet');
const HEALTH = open('probes and monitors ask without a token');

const gatewayRoutes = {
  login: gateway('POST /authn/login', LOGIN),
  loginWithExpiry: gateway('POST /authn/login-with-expiry', LOGIN),
  refresh: gateway('POST /authn/refresh', LOGIN),
  logout: gateway('POST /authn/logout', LOGIN),
  createTenant: gateway('POST /_/proxy/tenants', { permission: 'okapi.proxy.tenants.post' }),
  proxyHealth: gateway('GET /_/proxy/health', HEALTH),
  version: gateway('GET /_/version', HEALTH),
  adminHealth: gateway('GET /admin/health', HEALTH),
  healthLive: gateway('GET /health/live', HEALTH),
  healthReady: gateway('GET /health/ready', HEALTH),
  healthStartup: gateway('GET /health/startup', HEALTH),
  /** Names of a user other than the caller, for jobs that are made for somebody (conventions, section 18). */
  internalUser: gateway('GET /internal/users/:id', { internal: true, issuers: ['data-import'] }),
  openapi: gateway('GET /openapi.json', open('the description of the API holds no data')),
} as const;

const exportSettings = settings('data-export', '/data-export');

export const LOCK_PERMISSIONS = {
  job: 'data-export.job-profiles.item.lock.execute',
  mapping: 'data-export.mapping-profiles.item.lock.execute',
} as const;
const LOCKS_JOB_PROFILES: Extra = { furtherPermissions: [LOCK_PERMISSIONS.job] };
const LOCKS_MAPPING_PROFILES: Extra = { furtherPermissions: [LOCK_PERMISSIONS.mapping] };

const dataExportRoutes = {
  startExport: dataExport('POST /data-export/export', 'export.post'),
  quickExport: dataExport('POST /data-export/quick-export', 'quick.export.post', {
    bodyBytesMax: BULK_BODY_BYTES_MAX,
  }),
  listExportJobs: dataExport('GET /data-export/job-executions', 'job-executions.collection.get'),
  readExportJob: dataExport('GET /data-export/job-executions/:id', 'job-executions.collection.get'),
  downloadExport: dataExport(
    'GET /data-export/job-executions/:jobExecutionId/download/:exportFileId',
    'job-executions.items.download.get',
  ),
  exportAll: dataExport('POST /data-export/export-all', 'export.all'),
  exportDeleted: dataExport('POST /data-export/export-deleted', 'export-deleted.post', {
    notJson: 'Invalid date format for payload',
  }),
  exportDeletedAuthorities: dataExport(
    'POST /data-export/export-authority-deleted',
    'export-authority-deleted.post',
    { notJson: 'Invalid date format for payload' },
  ),
  downloadRecord: dataExport(
    'GET /data-export/download-record/:recordId',
    'download-record.item.get',
  ),
  cancelExport: dataExport(
    'POST /data-export/job-executions/:id/cancel',
    'job-executions.item.cancel.post',
  ),
  resumeExport: dataExport('POST /data-export/job-executions/:id/resume', 'export.post'),
  retryFailedLines: dataExport('POST /data-export/job-executions/:id/retry-failed', 'export.post'),
  exportAccounting: dataExport(
    'GET /data-export/job-executions/:id/accounting',
    'job-executions.collection.get',
  ),
  exportManifest: dataExport(
    'GET /data-export/job-executions/:id/manifest',
    'job-executions.collection.get',
  ),
  exportErrorReport: dataExport(
    'GET /data-export/job-executions/:id/errors.csv',
    'logs.collection.get',
  ),
  exportUsers: dataExport('GET /data-export/related-users', 'related-users.collection.get'),
  configureExports: dataExport('POST /data-export/configuration', 'configuration.post'),
  exportSettings: exportSettings.read,
  changeExportSetting: exportSettings.change,
  removeExportJob: dataExport(
    'DELETE /data-export/job-executions/:id',
    'job-executions.item.delete',
  ),
  // Bodies of these two are not looked at, whatever they are.
  expireExports: dataExport('POST /data-export/expire-jobs', 'expire-jobs.post', { upload: true }),
  cleanUpFiles: dataExport('POST /data-export/clean-up-files', 'clean-up-files.post', {
    upload: true,
  }),
  exportLogs: dataExport('GET /data-export/logs', 'logs.collection.get'),
  listExportJobProfiles: dataExport('GET /data-export/job-profiles', 'job-profiles.collection.get'),
  createExportJobProfile: dataExport(
    'POST /data-export/job-profiles',
    'job-profiles.item.post',
    LOCKS_JOB_PROFILES,
  ),
  readExportJobProfile: dataExport('GET /data-export/job-profiles/:id', 'job-profiles.item.get'),
  updateExportJobProfile: dataExport(
    'PUT /data-export/job-profiles/:id',
    'job-profiles.item.put',
    LOCKS_JOB_PROFILES,
  ),
  removeExportJobProfile: dataExport(
    'DELETE /data-export/job-profiles/:id',
    'job-profiles.item.delete',
  ),
  listMappingProfiles: dataExport(
    'GET /data-export/mapping-profiles',
    'mapping-profiles.collection.get',
  ),
  createMappingProfile: dataExport(
    'POST /data-export/mapping-profiles',
    'mapping-profiles.item.post',
    LOCKS_MAPPING_PROFILES,
  ),
  readMappingProfile: dataExport(
    'GET /data-export/mapping-profiles/:id',
    'mapping-profiles.item.get',
  ),
  updateMappingProfile: dataExport(
    'PUT /data-export/mapping-profiles/:id',
    'mapping-profiles.item.put',
    LOCKS_MAPPING_PROFILES,
  ),
  removeMappingProfile: dataExport(
    'DELETE /data-export/mapping-profiles/:id',
    'mapping-profiles.item.delete',
  ),
  transformationFields: dataExport(
    'GET /data-export/transformation-fields',
    'transformation-fields.collection.get',
  ),
  createFileDefinition: dataExport(
    'POST /data-export/file-definitions',
    'file-definitions.item.post',
  ),
  readFileDefinition: dataExport(
    'GET /data-export/file-definitions/:id',
    'file-definitions.item.get',
  ),
  uploadIds: dataExport(
    'POST /data-export/file-definitions/:id/upload',
    'file-definitions.upload.post',
    { upload: true },
  ),
  exportedFile: route(
    'data-export',
    'GET /data-export/files/:fileId',
    open('the signed token in the query is the right to read'),
  ),
} as const;

const importSettings = settings('data-import', '/data-import');

const dataImportRoutes = {
  importSettings: importSettings.read,
  changeImportSetting: importSettings.change,
  createSeedDefinition: dataImport(
    'POST /data-import/upload/definition',
    'data-import.upload.definition.post',
  ),
  listSeedDefinitions: dataImport(
    'GET /data-import/upload/definition',
    'data-import.upload.definition.get',
  ),
  updateSeedDefinition: dataImport(
    'PUT /data-import/upload/definition/:definitionId',
    'data-import.upload.definition.put',
  ),
  readSeedDefinition: dataImport(
    'GET /data-import/upload/definition/:definitionId',
    'data-import.upload.definition.get',
  ),
  addSeedFile: dataImport(
    'POST /data-import/upload/definition/file',
    'data-import.upload.definition.file.post',
  ),
  removeSeedFile: dataImport(
    'DELETE /data-import/upload/definition/file/:fileId',
    'data-import.upload.definition.file.delete',
  ),
  uploadSeedFile: dataImport('POST /data-import/upload/file', 'data-import.upload.file.post', {
    upload: true,
  }),
  createUploadDefinition: dataImport(
    'POST /data-import/uploadDefinitions',
    'data-import.uploaddefinitions.post',
  ),
  listUploadDefinitions: dataImport(
    'GET /data-import/uploadDefinitions',
    'data-import.uploadDefinitions.collection.get',
  ),
  updateUploadDefinition: dataImport(
    'PUT /data-import/uploadDefinitions/:id',
    'data-import.uploaddefinitions.put',
  ),
  removeUploadDefinition: dataImport(
    'DELETE /data-import/uploadDefinitions/:id',
    'data-import.uploaddefinitions.delete',
  ),
  addFile: dataImport(
    'POST /data-import/uploadDefinitions/:id/files',
    'data-import.uploadDefinitions.files.item.post',
  ),
  removeFile: dataImport(
    'DELETE /data-import/uploadDefinitions/:id/files/:fileId',
    'data-import.uploaddefinitions.files.delete',
  ),
  readUploadDefinition: dataImport(
    'GET /data-import/uploadDefinitions/:id',
    'data-import.uploadDefinitions.item.get',
  ),
  uploadFile: dataImport(
    'POST /data-import/uploadDefinitions/:id/files/:fileId',
    'data-import.upload.file.post',
    { upload: true },
  ),
  processFiles: dataImport(
    'POST /data-import/uploadDefinitions/:id/processFiles',
    'data-import.uploadDefinitions.processFiles.item.post',
  ),
  cancelImport: dataImport(
    'DELETE /data-import/jobExecutions/:jobExecutionId/cancel',
    'data-import.jobexecution.cancel',
  ),
  originalLink: dataImport(
    'GET /data-import/jobExecutions/:jobExecutionId/downloadUrl',
    'data-import.downloadUrl.get',
  ),
  original: route(
    'data-import',
    'GET /data-import/links/originals/:jobExecutionId',
    open('the signed token in the query is the right to read'),
  ),
  listFileExtensions: dataImport(
    'GET /data-import/fileExtensions',
    'data-import.fileExtensions.collection.get',
  ),
  createFileExtension: dataImport(
    'POST /data-import/fileExtensions',
    'data-import.fileExtensions.post',
  ),
  readFileExtension: dataImport(
    'GET /data-import/fileExtensions/:id',
    'data-import.fileExtensions.item.get',
  ),
  updateFileExtension: dataImport(
    'PUT /data-import/fileExtensions/:id',
    'data-import.fileExtensions.put',
  ),
  removeFileExtension: dataImport(
    'DELETE /data-import/fileExtensions/:id',
    'data-import.fileExtensions.delete',
  ),
  restoreFileExtensions: dataImport(
    'POST /data-import/fileExtensions/restore/default',
    'data-import.fileExtensions.default.post',
  ),
  listDataTypes: dataImport('GET /data-import/dataTypes', 'data-import.datatypes.get'),
  readSplitStatus: dataImport('GET /data-import/splitStatus', 'data-import.splitconfig.get'),
  importDetails: dataImport(
    'GET /data-import/jobExecutions/:id/details',
    'metadata-provider.jobSummary.item.get',
  ),
  failedRecords: dataImport(
    'GET /data-import/jobExecutions/:id/failedRecords.mrc',
    'metadata-provider.jobLogEntries.collection.get',
  ),
  failedRecordsXml: dataImport(
    'GET /data-import/jobExecutions/:id/failedRecords.xml',
    'metadata-provider.jobLogEntries.collection.get',
  ),
  failedRecordsJson: dataImport(
    'GET /data-import/jobExecutions/:id/failedRecords.json',
    'metadata-provider.jobLogEntries.collection.get',
  ),
  failedRecordsTable: dataImport(
    'GET /data-import/jobExecutions/:id/failedRecords.csv',
    'metadata-provider.jobLogEntries.collection.get',
  ),
  retryImport: dataImport(
    'POST /data-import/jobExecutions/:id/retry',
    'quire.data-import.retry.post',
  ),
  dryRunImport: dataImport(
    'POST /data-import/uploadDefinitions/:id/dryRun',
    'quire.data-import.dryRun.post',
  ),
  pauseImport: dataImport(
    'POST /data-import/jobExecutions/:id/pause',
    'quire.data-import.pause.post',
  ),
  resumeImport: dataImport(
    'POST /data-import/jobExecutions/:id/resume',
    'quire.data-import.resume.post',
  ),
  listImportJobProfiles: dataImport(
    'GET /data-import-profiles/jobProfiles',
    'converter-storage.jobprofile.collection.get',
  ),
} as const;

const CHANGE_MANAGER = '/change-manager/jobExecutions';
const jobRoutes = {
  createImportJobs: dataImport(`POST ${CHANGE_MANAGER}`, 'change-manager.jobexecutions.post'),
  deleteImportJobs: dataImport(`DELETE ${CHANGE_MANAGER}`, 'change-manager.jobexecutions.delete'),
  readImportJob: dataImport(
    `GET ${CHANGE_MANAGER}/:id`,
    'change-manager.jobExecutions.item.get',
    // Jobs are deleted by a list of ids only (data-import, section 4).
    { unknownMethods: ['DELETE'] },
  ),
  updateImportJob: dataImport(`PUT ${CHANGE_MANAGER}/:id`, 'change-manager.jobExecutions.item.put'),
  importJobChildren: dataImport(
    `GET ${CHANGE_MANAGER}/:id/children`,
    'change-manager.jobExecutions.children.collection.get',
  ),
  setImportJobStatus: dataImport(
    `PUT ${CHANGE_MANAGER}/:id/status`,
    'change-manager.jobExecutions.status.item.put',
  ),
  setImportJobProfile: dataImport(
    `PUT ${CHANGE_MANAGER}/:id/jobProfile`,
    'change-manager.jobExecutions.jobProfile.item.put',
  ),
  cancelImportJob: dataImport(
    `DELETE ${CHANGE_MANAGER}/:id/records`,
    'change-manager.records.delete',
  ),
  listImportJobs: dataImport(
    'GET /metadata-provider/jobExecutions',
    'metadata-provider.jobExecutions.collection.get',
  ),
  importJobsProfiles: dataImport(
    'GET /metadata-provider/jobExecutions/jobProfiles',
    'metadata-provider.jobExecutions.jobProfiles.collection.get',
  ),
  importJobsUsers: dataImport(
    'GET /metadata-provider/jobExecutions/users',
    'metadata-provider.jobExecutions.users.collection.get',
  ),
  importSummary: dataImport(
    'GET /metadata-provider/jobSummary/:jobExecutionId',
    'metadata-provider.jobSummary.item.get',
  ),
  importLogEntries: dataImport(
    'GET /metadata-provider/jobLogEntries/:jobExecutionId',
    'metadata-provider.jobLogEntries.collection.get',
  ),
  importLogEntry: dataImport(
    'GET /metadata-provider/jobLogEntries/:jobExecutionId/records/:recordId',
    'metadata-provider.jobLogEntries.records.item.get',
  ),
  importJournal: dataImport(
    'GET /metadata-provider/journalRecords/:jobExecutionId',
    'metadata-provider.journalRecords.collection.get',
  ),
  incomingRecord: dataImport(
    'GET /metadata-provider/incomingRecords/:recordId',
    'metadata-provider.incomingrecords.get',
  ),
  readImportJobProfile: dataImport(
    'GET /data-import-profiles/jobProfiles/:id',
    'converter-storage.jobprofile.item.get',
  ),
  readProfileSnapshot: dataImport(
    'GET /data-import-profiles/profileSnapshots/:id',
    'converter-storage.profileSnapshots.get',
  ),
} as const;

const sourceStorageRoutes = {
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

export const routes = {
  ...gatewayRoutes,
  ...dataExportRoutes,
  ...dataImportRoutes,
  ...jobRoutes,
  ...sourceStorageRoutes,
} as const;

export const ROUTES: readonly Route[] = Object.values(routes);

/** Every service has these two, for the gateway only. */
export function internalRoutes(service: ServiceName): {
  readonly enableTenant: Route;
  readonly openapi: Route;
} {
  const internal: Extra = { access: 'authenticated', internal: true };
  return {
    enableTenant: route(service, 'PUT /internal/tenant', internal),
    openapi: route(service, 'GET /internal/openapi.json', internal),
  };
}
