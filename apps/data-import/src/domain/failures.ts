import {
  brokenRule,
  conflict,
  invalid,
  notFound,
  refused,
  tooLarge,
  tooMany,
  unavailable,
  violation,
  type Failure,
} from '@quire/contracts/failure';
import { FILES_MAX } from './upload-definition.js';

/** What is busy may be free again after so long. */
const BUSY_RETRY_SECONDS = 5;

/** Every way this service says no, with its exact text (data-import, 3.1, 3.2, 3.4 and section 4). */
export const texts = {
  definitionNotFound: (id: string): string => `Upload Definition with id '${id}' not found`,
  fileToUploadNotFound: (id: string): string =>
    `FileDefinition not found. FileDefinition ID: ${id}`,
  extensionNotFound: (id: string): string => `FileExtension with id '${id}' was not found`,
  jobNotFound: (id: string): string => `JobExecution with id '${id}' was not found`,
  summaryNotFound: (id: string): string => `JobSummary for jobExecutionId: '${id}' was not found`,
  entryNotFound: (): string => 'Can`t find record with specific jobExecutionId and recordId',
  incomingNotFound: (id: string): string => `IncomingRecord by id: '${id}' was not found`,
  profileNotFound: (id: string): string => `JobProfile with id '${id}' was not found`,
} as const;

export const failures = {
  definitionNotFound: (id: string): Failure => notFound(texts.definitionNotFound(id)),
  definitionToChangeNotFound: (id: string): Failure =>
    notFound(`UploadDefinition with id '${id}' not found`),
  definitionToDeleteNotFound: (id: string): Failure =>
    notFound(`UploadDefinition with id '${id}' was not found`),
  definitionOfFileNotFound: (id: string): Failure =>
    notFound(`Upload definition with id '${id}' not found`),
  definitionOfUploadNotFound: (id: string): Failure =>
    notFound(`Upload Definition was not found. ID: ${id}`),
  definitionToProcessNotFound: (id: string): Failure =>
    notFound(`Upload definition not found by id: ${id}`),
  fileNotFound: (): Failure => notFound('File not found'),
  fileToRemoveNotFound: (id: string): Failure =>
    notFound(`FileDefinition with id '${id}' was not found`),
  fileToUploadNotFound: (id: string): Failure => notFound(texts.fileToUploadNotFound(id)),
  processedCannotAdd: (id: string): Failure =>
    refused(`Cannot add file to uploadDefinition ${id} - linked files are already being processed`),
  processedCannotUpload: (fileId: string): Failure =>
    refused(`Cannot upload file ${fileId} - it is already being processed`),
  processedCannotRemove: (fileId: string): Failure =>
    refused(`Cannot remove file ${fileId} - it is already being processed`),
  processedCannotDelete: (id: string): Failure =>
    refused(`Cannot delete uploadDefinition ${id} - linked files are already being processed`),
  blocked: (name: string, key: string): Failure =>
    invalid(brokenRule('validation.uploadDefinition.fileExtension.blocked', name, key, name)),
  fileSizeInvalid: (name: string, key: string): Failure =>
    invalid(brokenRule('upload.fileSize.invalid', name, key, name)),
  extensionNotFound: (id: string): Failure => notFound(texts.extensionNotFound(id)),
  extensionInvalid: (extension: string): Failure =>
    invalid(
      brokenRule(
        `File extension ${extension} is not a valid format`,
        'import.fileExtension.invalid',
        'extension',
        extension,
      ),
    ),
  extensionExists: (extension: string): Failure =>
    invalid(
      brokenRule(
        `File extension ${extension} already exists`,
        'import.fileExtension.exists',
        'extension',
        extension,
      ),
    ),
  interrupted: (fileId: string): Failure =>
    refused(`Upload stream for file with id '${fileId}' has been interrupted`),
  tooLarge: (bytes: number, limit: number): Failure =>
    tooLarge(`File size is too large: '${bytes}'. Please use file with size less than ${limit}.`),
  profileNotFound: (id: string, key = 'jobProfileInfo.id'): Failure =>
    invalid(brokenRule(texts.profileNotFound(id), 'import.jobProfile.notFound', key, id)),
  profileUnknown: (id: string): Failure => notFound(texts.profileNotFound(id)),
  nothingUploaded: (id: string): Failure => refused(`No uploaded files in uploadDefinition ${id}`),
  fileGone: (): Failure => notFound('Not found'),
  tooManyJobs: (): Failure => tooMany(BUSY_RETRY_SECONDS),
  tooManyUploads: (): Failure => tooMany(BUSY_RETRY_SECONDS),
  notBytes: (contentType: string): Failure =>
    refused(
      `Content-type header must be ["application/octet-stream"] but it is "${contentType}"`,
      'content-type',
    ),
  duplicateFile: (name: string, hrId: number): Failure =>
    conflict(
      `The file '${name}' was imported before by the job with hrId ${hrId}. Send X-Quire-Allow-Duplicate: true to import it again`,
      'import.file.duplicate',
    ),
  notRunning: (id: string, status: string, what: 'paused' | 'resumed'): Failure =>
    refused(`JobExecution ${id} cannot be ${what}: its status is ${status}`),
  pausedAlready: (id: string): Failure => refused(`JobExecution ${id} is paused already`),
  notEnded: (id: string): Failure => refused(`JobExecution ${id} has not ended`),
  dryRunCannotBeUndone: (id: string): Failure =>
    refused(`JobExecution ${id} is a dry run: it has saved nothing`),
  noFailedRecords: (id: string): Failure => refused(`JobExecution ${id} has no failed records`),
  otherForm: (id: string): Failure =>
    notFound(`The records of JobExecution ${id} are not of this form; see failedRecords.mrc`),
  nothingToRetry: (id: string): Failure =>
    refused(`None of the failed records of JobExecution ${id} can be read again`),
  retryRuns: (id: string): Failure => refused(`A retry of JobExecution ${id} is running`),
  dryRunCannotBeRetried: (id: string): Failure =>
    refused(`JobExecution ${id} is a dry run: import its file instead`),
  busy: (): Failure => unavailable(BUSY_RETRY_SECONDS),
  notPaused: (id: string): Failure => refused(`JobExecution ${id} is not paused`),
  tooManyFiles: (key: string, name: string): Failure =>
    invalid(violation(`size must be between 0 and ${FILES_MAX}`, key, name)),
  tooManyCompositeFiles: (files: number): Failure =>
    invalid(violation('size must be between 1 and 1', 'files', `${files} elements`)),
  idsDiffer: (): Failure => refused('Upload definition id in body and path differ'),
  otherProfile: (id: string): Failure =>
    refused(`JobExecution already associated to JobProfile with id '${id}'`),
  jobNotFound: (id: string): Failure => notFound(texts.jobNotFound(id)),
  summaryNotFound: (id: string): Failure => notFound(texts.summaryNotFound(id)),
  entryNotFound: (): Failure => notFound(texts.entryNotFound()),
  incomingNotFound: (id: string): Failure => notFound(texts.incomingNotFound(id)),
  parentNotFound: (id: string): Failure => refused(texts.jobNotFound(id)),
  noFiles: (): Failure => refused('Received files must not be empty'),
  userNotFound: (id: string): Failure => refused(`No user found by user id :${id}`),
  toParent: (): Failure => refused('Cannot update JobExecution status to PARENT'),
  ofParent: (id: string): Failure =>
    refused(`JobExecution ${id} current status is PARENT and cannot be updated`),
  statusFixed: (id: string, from: string, to: string): Failure =>
    refused(`JobExecution ${id} current status is ${from} and cannot be updated to ${to}`),
} as const;
