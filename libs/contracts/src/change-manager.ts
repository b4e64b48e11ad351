import {
  DATA_TYPES,
  ERROR_STATUSES,
  IMPORT_RESULTS,
  ImportJobExecution,
  ImportProgress,
  ImportRunBy,
  JobProfileInfo,
  SUBORDINATION_TYPES,
  UI_STATUSES,
  type ErrorStatus,
  type ImportResult,
  type SubordinationType,
  type UiStatus,
} from './data-import.js';
import {
  AnyUuid,
  DateTime,
  Flag,
  Int,
  ListOf,
  ListOfText,
  ListOfUuid,
  Mapping,
  Nested,
  OneOf,
  Open,
  Text,
  Uuid,
} from './fields.js';
import { ANY_UUID_PATTERN } from './ids.js';
import { Metadata } from './metadata.js';
import { JOB_STATUSES, type JobStatus } from './source-records.js';

/** Bodies of the change manager, of the logs and of the import profiles (`shared/spec/data-import.md` sections 4 to 6). */
export const JOB_SOURCE_TYPES = ['FILES', 'ONLINE', 'COMPOSITE'] as const;
export type JobSourceType = (typeof JOB_SOURCE_TYPES)[number];

/** Files of one request for jobs. */
const FILES_MAX = 1000;

export class JobFile {
  @Text() readonly name: string;
}

export class InitJobExecutions {
  @ListOf(() => JobFile, { optional: true, max: FILES_MAX }) readonly files?: readonly JobFile[];
  @OneOf(JOB_SOURCE_TYPES) readonly sourceType: JobSourceType;
  @Nested(() => JobProfileInfo, { optional: true }) readonly jobProfileInfo?: JobProfileInfo;
  /** Empty: the caller. */
  @Text({ pattern: `^$|${ANY_UUID_PATTERN}` }) readonly userId: string;
  @Int({ optional: true, max: 2_147_483_647 }) readonly jobPartNumber?: number;
  @Int({ optional: true, max: 2_147_483_647 }) readonly totalJobParts?: number;
  @Uuid({ optional: true }) readonly parentJobId?: string;
}

export class ImportProfileTags {
  @ListOfText() readonly tagList: readonly string[];
}

export class ImportProfileUser {
  @Text() readonly firstName: string;
  @Text() readonly lastName: string;
  @Text() readonly userName: string;
}

export class ImportJobProfile {
  @Uuid() readonly id: string;
  @Text() readonly name: string;
  @Text({ optional: true }) readonly description?: string;
  @OneOf(DATA_TYPES) readonly dataType: (typeof DATA_TYPES)[number];
  @Nested(() => ImportProfileTags) readonly tags: ImportProfileTags;
  @Nested(() => ImportProfileUser) readonly userInfo: ImportProfileUser;
  @ListOfText() readonly parentProfiles: readonly string[];
  @ListOfText() readonly childProfiles: readonly string[];
  @Flag() readonly hidden: boolean;
  @Nested(() => Metadata) readonly metadata: Metadata;
}

export class ImportJobProfiles {
  @ListOf(() => ImportJobProfile) readonly jobProfiles: readonly ImportJobProfile[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export const PROFILE_CONTENT_TYPES = ['JOB_PROFILE', 'ACTION_PROFILE'] as const;

/** A profile with those below it, as it was when a job took it. */
export class ProfileSnapshotWrapper {
  @Uuid() readonly id: string;
  @Uuid() readonly profileId: string;
  @OneOf(PROFILE_CONTENT_TYPES) readonly contentType: (typeof PROFILE_CONTENT_TYPES)[number];
  @Int({ optional: true }) readonly order?: number;
  @Mapping() readonly content: object;
  @ListOf(() => ProfileSnapshotWrapper)
  readonly childSnapshotWrappers: readonly ProfileSnapshotWrapper[];
}

/** A job as `POST`, `GET /{id}` and the PUTs give it; lists leave the wrapper out. */
export class ImportJob extends ImportJobExecution {
  @Nested(() => ProfileSnapshotWrapper, { optional: true })
  readonly jobProfileSnapshotWrapper?: ProfileSnapshotWrapper;
}

export class InitJobExecutionsAnswer {
  @Uuid() readonly parentJobExecutionId: string;
  @ListOf(() => ImportJob) readonly jobExecutions: readonly ImportJob[];
}

export class ImportJobExecutions {
  @ListOf(() => ImportJobExecution) readonly jobExecutions: readonly ImportJobExecution[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class JobProfileInfos {
  @ListOf(() => JobProfileInfo) readonly jobProfilesInfo: readonly JobProfileInfo[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class JobUserInfo {
  @AnyUuid() readonly userId: string;
  @Text({ optional: true }) readonly jobUserFirstName?: string;
  @Text({ optional: true }) readonly jobUserLastName?: string;
}

export class JobUsersInfo {
  @ListOf(() => JobUserInfo) readonly jobExecutionUsersInfo: readonly JobUserInfo[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

/** Of what a client sends back only the id counts: name and data type are the profile's own. */
@Open()
export class JobProfileReference {
  @Uuid() readonly id: string;
}

/**
 * `PUT /{id}`: whatever `GET /{id}` gave, and more (4.2). Only names of jobs without a file, the profile before work starts
 * and the status are the client's to change.
 */
@Open()
export class ImportJobUpdate {
  @Uuid() readonly id: string;
  @Uuid() readonly parentJobId: string;
  @OneOf(SUBORDINATION_TYPES) readonly subordinationType: SubordinationType;
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @OneOf(UI_STATUSES) readonly uiStatus: UiStatus;
  @AnyUuid() readonly userId: string;
  @Text({ optional: true }) readonly fileName?: string;
  @Text({ optional: true }) readonly sourcePath?: string;
  @Nested(() => JobProfileReference, { optional: true })
  readonly jobProfileInfo?: JobProfileReference;
  @OneOf(ERROR_STATUSES, { optional: true }) readonly errorStatus?: ErrorStatus;
  @Int({ readOnly: true }) readonly hrId?: number;
  @Nested(() => ImportRunBy, { readOnly: true }) readonly runBy?: ImportRunBy;
  @Nested(() => ImportProgress, { readOnly: true }) readonly progress?: ImportProgress;
  @DateTime({ readOnly: true }) readonly startedDate?: string;
  @DateTime({ readOnly: true }) readonly completedDate?: string;
  @OneOf(IMPORT_RESULTS, { readOnly: true }) readonly result?: ImportResult;
  @Int({ readOnly: true }) readonly jobPartNumber?: number;
  @Int({ readOnly: true }) readonly totalJobParts?: number;
  @Int({ readOnly: true }) readonly totalRecordsInFile?: number;
  @Mapping({ readOnly: true }) readonly jobProfileSnapshotWrapper?: object;
}

export class StatusChange {
  @OneOf(JOB_STATUSES) readonly status: JobStatus;
  @OneOf(ERROR_STATUSES, { optional: true }) readonly errorStatus?: ErrorStatus;
}

export class DeleteJobExecutions {
  @ListOfUuid({ optional: true }) readonly ids?: readonly string[];
}

export class DeletedJobExecution {
  @Uuid() readonly jobExecutionId: string;
  /** False: it has not ended, and stays. */
  @Flag() readonly isDeleted: boolean;
}

export class DeleteJobExecutionsAnswer {
  @ListOf(() => DeletedJobExecution) readonly jobExecutionDetails: readonly DeletedJobExecution[];
}
