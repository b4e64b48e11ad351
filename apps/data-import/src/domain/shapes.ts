import type { ImportJob } from '@quire/contracts/change-manager';
import { formatDate } from '@quire/contracts/dates';
import type {
  ErrorStatus,
  ImportJobExecution,
  ImportResult,
  SeedFileDefinition,
  SeedUploadDefinition,
  SubordinationType,
  UploadDefinition,
  UploadFileDefinition,
  UploadFileStatus,
  DefinitionStatus,
} from '@quire/contracts/data-import';
import type { DataType, FileExtension } from '@quire/contracts/file-extensions';
import type { Metadata } from '@quire/contracts/metadata';
import type { JobStatus } from '@quire/contracts/source-records';
import { TOTAL_UNKNOWN, uiStatusOf } from './job-execution.js';
import { profileOf, wrapperOf } from './job-profiles.js';

/** From rows to the shapes of both upload families and of jobs (data-import, 3.6 and 4.2). */
interface StampFacts {
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
}

interface DefinitionFacts extends StampFacts {
  readonly id: string;
  readonly meta_job_id: string;
  readonly status: DefinitionStatus;
}

interface FileFacts {
  readonly id: string;
  readonly definition_id: string;
  readonly name: string;
  readonly ui_key: string | null;
  readonly declared_kb: string | null;
  readonly job_id: string;
  readonly status: UploadFileStatus;
  readonly object_key: string | null;
  readonly bytes: string | null;
  readonly created_at: Date;
  readonly uploaded_at: Date | null;
}

interface Facts {
  readonly row: DefinitionFacts;
  readonly files: readonly FileFacts[];
}

export function seedDefinitionOf({ row, files }: Facts): SeedUploadDefinition {
  return {
    id: row.id,
    metaJobExecutionId: row.meta_job_id,
    // The seed family knows no ERROR.
    status: row.status === 'ERROR' ? 'NEW' : row.status,
    createDate: formatDate(row.created_at),
    fileDefinitions: files.map(seedFileOf),
    metadata: metadataOf(row),
  };
}

function seedFileOf(file: FileFacts): SeedFileDefinition {
  return {
    id: file.id,
    ...sourcePath(file),
    name: file.name,
    jobExecutionId: file.job_id,
    uploadDefinitionId: file.definition_id,
    loaded: file.status === 'UPLOADED',
    createDate: formatDate(file.created_at),
  };
}

export function definitionOf({ row, files }: Facts): UploadDefinition {
  return {
    id: row.id,
    metaJobExecutionId: row.meta_job_id,
    status: row.status,
    createDate: formatDate(row.created_at),
    fileDefinitions: files.map(fileOf),
    metadata: metadataOf(row),
  };
}

function fileOf(file: FileFacts): UploadFileDefinition {
  const size = file.bytes === null ? file.declared_kb : Math.ceil(Number(file.bytes) / 1024);
  return {
    id: file.id,
    ...sourcePath(file),
    name: file.name,
    status: file.status,
    jobExecutionId: file.job_id,
    uploadDefinitionId: file.definition_id,
    createDate: formatDate(file.created_at),
    ...(file.uploaded_at ? { uploadedDate: formatDate(file.uploaded_at) } : {}),
    ...(size === null ? {} : { size: Number(size) }),
    ...(file.ui_key === null ? {} : { uiKey: file.ui_key }),
  };
}

/** A label that says that the bytes are here; it names no object. */
const sourcePath = (file: FileFacts): { sourcePath?: string } =>
  file.object_key === null
    ? {}
    : { sourcePath: `./storage/upload/${file.definition_id}/${file.id}` };

function metadataOf(row: StampFacts): Metadata {
  return {
    createdDate: formatDate(row.created_at),
    ...(row.created_by === null ? {} : { createdByUserId: row.created_by }),
    ...(row.created_by_name === null ? {} : { createdByUsername: row.created_by_name }),
    updatedDate: formatDate(row.updated_at),
    ...(row.updated_by === null ? {} : { updatedByUserId: row.updated_by }),
    ...(row.updated_by_name === null ? {} : { updatedByUsername: row.updated_by_name }),
  };
}

interface FileExtensionFacts extends StampFacts {
  readonly id: string;
  readonly extension: string;
  readonly description: string | null;
  readonly data_types: readonly DataType[];
  readonly import_blocked: boolean;
  readonly user_first_name: string | null;
  readonly user_last_name: string | null;
  readonly user_name: string | null;
}

export function fileExtensionOf(row: FileExtensionFacts): FileExtension {
  const { user_first_name: firstName, user_last_name: lastName, user_name: userName } = row;
  return {
    id: row.id,
    ...(row.description === null ? {} : { description: row.description }),
    extension: row.extension,
    dataTypes: row.data_types,
    importBlocked: row.import_blocked,
    userInfo: {
      ...(firstName === null ? {} : { firstName }),
      ...(lastName === null ? {} : { lastName }),
      ...(userName === null ? {} : { userName }),
    },
    metadata: metadataOf(row),
  };
}

export interface JobFacts {
  readonly id: string;
  readonly hr_id: number;
  readonly parent_job_id: string;
  readonly subordination_type: SubordinationType;
  readonly status: JobStatus;
  readonly error_status: ErrorStatus | null;
  readonly result: ImportResult | null;
  readonly file_name: string | null;
  readonly source_path: string | null;
  readonly profile_id: string | null;
  readonly profile_name: string | null;
  readonly user_id: string;
  readonly user_name: string | null;
  readonly user_first_name: string | null;
  readonly user_last_name: string | null;
  readonly started_at: Date;
  readonly completed_at: Date | null;
  readonly total: string | null;
  readonly input_complete: boolean;
  readonly current: string;
  readonly part_number: number;
  readonly part_total: number;
}

/** With the snapshot of its profile, as single jobs are shown. */
export function wholeJobOf(job: JobFacts): ImportJob {
  const profile = profileOf(job.profile_id ?? '');
  return { ...jobOf(job), ...(profile ? { jobProfileSnapshotWrapper: wrapperOf(profile) } : {}) };
}

export function jobOf(job: JobFacts): ImportJobExecution {
  const total = job.input_complete || job.total !== null ? Number(job.total ?? 0) : TOTAL_UNKNOWN;
  return {
    id: job.id,
    hrId: job.hr_id,
    parentJobId: job.parent_job_id,
    subordinationType: job.subordination_type,
    ...(job.profile_id === null
      ? {}
      : {
          jobProfileInfo: {
            id: job.profile_id,
            name: job.profile_name ?? '',
            dataType: 'MARC',
            hidden: false,
          },
        }),
    ...(job.source_path === null ? {} : { sourcePath: job.source_path }),
    ...(job.file_name === null ? {} : { fileName: job.file_name }),
    runBy: runBy(job),
    progress: { jobExecutionId: job.id, current: Number(job.current), total },
    startedDate: formatDate(job.started_at),
    ...(job.completed_at ? { completedDate: formatDate(job.completed_at) } : {}),
    status: job.status,
    uiStatus: uiStatusOf(job.status),
    ...(job.result === null ? {} : { result: job.result }),
    ...(job.error_status === null ? {} : { errorStatus: job.error_status }),
    userId: job.user_id,
    jobPartNumber: job.part_number,
    totalJobParts: job.part_total,
    totalRecordsInFile: job.input_complete ? Number(job.total ?? 0) : 0,
  };
}

/** A user without personal data gives the username and SYSTEM (4.1). */
function runBy(job: JobFacts): { firstName: string; lastName: string } {
  if (job.user_first_name === null && job.user_last_name === null)
    return { firstName: job.user_name ?? '', lastName: 'SYSTEM' };
  return { firstName: job.user_first_name ?? '', lastName: job.user_last_name ?? '' };
}
