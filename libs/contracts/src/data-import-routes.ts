import { open, route, settings, type Route, type RouteExtra } from './route.js';

const dataImport = (line: string, permission: string, extra: RouteExtra = {}): Route =>
  route('data-import', line, { permission, ...extra });

/** Also asked of who cancels with `undo=true`. */
export const UNDO_PERMISSION = 'quire.data-import.undo.post';

const importSettings = settings('data-import', '/data-import');

/** Routes of data-import (`shared/spec/data-import.md`, sections 3 to 6 and 14). */
export const dataImportRoutes = {
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
    { furtherPermissions: [UNDO_PERMISSION] },
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
  undoImport: dataImport('POST /data-import/jobExecutions/:id/undo', UNDO_PERMISSION),
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
/** Jobs and their logs: sections 4 and 5. */
export const jobRoutes = {
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
