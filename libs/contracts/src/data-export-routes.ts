import {
  BULK_BODY_BYTES_MAX,
  open,
  route,
  settings,
  type Route,
  type RouteExtra,
} from './route.js';

const dataExport = (line: string, permission: string, extra: RouteExtra = {}): Route =>
  route('data-export', line, { permission: `data-export.${permission}`, ...extra });

const exportSettings = settings('data-export', '/data-export');

export const LOCK_PERMISSIONS = {
  job: 'data-export.job-profiles.item.lock.execute',
  mapping: 'data-export.mapping-profiles.item.lock.execute',
} as const;
const LOCKS_JOB_PROFILES: RouteExtra = { furtherPermissions: [LOCK_PERMISSIONS.job] };
const LOCKS_MAPPING_PROFILES: RouteExtra = { furtherPermissions: [LOCK_PERMISSIONS.mapping] };

/** Routes of data-export (`shared/spec/data-export.md`, section 2). */
export const dataExportRoutes = {
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
