import {
  conflict,
  forbidden,
  invalid,
  invalidText,
  notFound,
  refused,
  tooLarge,
  violation,
  type Failure,
} from '@quire/contracts/failure';

/** Every way this service says no (`data-export.md`, sections 2.5 and 11.3). Texts are contract, the odd ones too. */
export const failures = {
  fileDefinitionNotFound: (id: string): Failure =>
    notFound(`File definition not found with id ${id}`),
  jobExecutionNotFound: (): Failure => notFound('job-execution not found'),
  manifestNotAvailable: (id: string): Failure =>
    notFound(`Manifest is not available for job execution with id ${id}`),
  sliceSizeTooSmall: (value: string): Failure =>
    refused(`Slice size value cannot be less than 1: ${value}`),
  sliceSizeNoNumber: (value: string): Failure => refused(`Slice size is not a number: ${value}`),
  jobToRemoveNotFound: (id: string): Failure =>
    notFound(`JobExecution with id '${id}' was not found`),
  jobRuns: (id: string): Failure =>
    refused(`Fail to delete jobExecution with id ${id}, status is IN_PROGRESS`),
  downloadJobNotFound: (id: string): Failure => notFound(`Job execution not found with id ${id}`),
  /** The last colon is real. */
  exportFileNotFound: (id: string): Failure => notFound(`Export File with id: ${id} not found:`),
  jobProfileNotFound: (id: string): Failure => notFound(`JobProfile not found with id ${id}`),
  mappingProfileNotFound: (id: string): Failure =>
    notFound(`Mapping profile not found with id ${id}`),

  unknownFileDefinition: (id: string): Failure =>
    refused(`File definition not found with id ${id}`),
  unknownJobProfile: (id: string): Failure => refused(`JobProfile not found with id ${id}`),
  unknownMappingProfile: (id: string): Failure =>
    refused(`Mapping profile not found with id ${id}`),
  fileNotUploaded: (id: string): Failure =>
    refused(`File is not uploaded for file definition with id ${id}`),
  exportAlreadyStarted: (id: string): Failure =>
    refused(`Export has already been started for file definition with id ${id}`),

  badDateRange: (): Failure =>
    refused(`Invalid date range for payload: date 'from' cannot be after date 'to'.`),
  notInProgress: (id: string): Failure =>
    conflict(`Job execution with id ${id} is not in progress`),
  nothingToResume: (id: string): Failure =>
    conflict(`Nothing to resume for job execution with id ${id}`),
  nothingToRetry: (id: string): Failure =>
    conflict(`Nothing to retry for job execution with id ${id}`),
  recordNotFound: (what: 'instance' | 'authority', id: string): Failure =>
    notFound(`Couldn't find ${what} in db for ID: ${id}`),
  recordNotWritable: (text: string): Failure => invalidText(text),

  fileTooLarge: (kilobytes: number, kilobytesMax: number): Failure =>
    tooLarge(
      `File size is too large: '${kilobytes}'. Please use file with size less than ${kilobytesMax}.`,
    ),
  notCsv: (): Failure => invalidText('File name extension does not corresponds csv format'),
  holdingsOnlyCsv: (): Failure => invalidText(HOLDINGS_ONLY_CSV),
  alreadyUploaded: (): Failure => refused('File already uploaded for this FileDefinition'),
  uploadInterrupted: (id: string): Failure =>
    refused(`Upload stream for the file [id = '${id}'] has been interrupted`),

  taken: (property: 'id' | 'name', table: string, value: string): Failure =>
    invalid(
      violation(`${property} value already exists in table ${table}: ${value}`, property, value),
    ),
  noSuchMappingProfile: (id: string): Failure =>
    invalid(
      violation(
        `Cannot set job_profiles.mappingProfileId = ${id} because it does not exist in mapping_profiles.id.`,
        'mappingProfileId',
        id,
      ),
    ),
  bodyOfAnotherProfile: (): Failure => refused('Profile id in the body does not match the path'),
  noJobProfile: (id: string): Failure => notFound(`JobProfile with id '${id}' was not found`),
  noMappingProfile: (id: string): Failure =>
    notFound(`MappingProfile with id '${id}' was not found`),
  builtIn: (change: 'Editing' | 'Deletion', kind: 'job' | 'mapping'): Failure =>
    forbidden(`${change} of default ${kind} profile is forbidden`),
  mappingProfileInUse: (id: string, jobProfileIds: readonly string[]): Failure =>
    invalid(
      violation(
        `Cannot delete mapping profile linked to job profiles: [${jobProfileIds.join(', ')}].`,
        'id',
        id,
      ),
    ),

  lockForbidden: (): Failure => forbidden('You do not have permission to lock this profile.'),
  unlockForbidden: (): Failure => forbidden('You do not have permission to unlock this profile.'),
  locked: (): Failure =>
    forbidden(
      'This profile is locked. Please unlock the profile to proceed with editing/deletion.',
    ),

  emptyItemTransformation: (): Failure =>
    invalidText(
      'Transformations for fields with item record type cannot be empty. Please provide a value.',
    ),
  blankFieldId: (): Failure =>
    invalidText('Field id is missing for mapping profile transformation'),
  unknownFieldId: (fieldId: string): Failure =>
    invalidText(`Transformation doesn't exist for provided fieldId: ${fieldId}`),
  wrongRecordType: (fieldId: string, expected: string): Failure =>
    invalidText(
      `Transformation record type is missing or incorrect according to provided fieldId: ${fieldId}, expected record type: ${expected}`,
    ),
  srsWithInstance: (): Failure =>
    forbidden('SRS record type cannot be combined together with INSTANCE record type'),
  suppressionOfItems: (): Failure =>
    invalidText('Suppression field can not be used only for Item record type'),
} as const;

export const HOLDINGS_ONLY_CSV = 'Only csv format is supported for holdings export';
