import type { ExportStatus, IdType } from '@quire/contracts/data-export';
import { formatDate } from '@quire/contracts/dates';
import type { Dialect } from '@quire/contracts/scope';
import { failedOf, type JobCounts, type StartParameters } from './job-execution.js';
import type { MappingSnapshot } from './mapping-profile.js';
import type { Output } from './output.js';

/** An export job as it is kept. */
export interface ExportJob {
  readonly id: string;
  readonly hrId: number;
  readonly status: ExportStatus;
  readonly version: number;
  readonly fileDefinitionId: string;
  readonly inputId: string;
  readonly baseName: string;
  readonly file?: ExportFile;
  /** Beside the output, for records that do not fit into it; there as soon as there is one. */
  readonly oversizeFile?: ExportFile;
  readonly output: Output;
  readonly jobProfileId?: string;
  readonly jobProfileName?: string;
  readonly mapping?: MappingSnapshot;
  readonly idType?: IdType;
  readonly request?: StartParameters;
  readonly runBy?: {
    readonly userId: string;
    readonly firstName: string;
    readonly lastName: string;
  };
  readonly counts: JobCounts;
  /** Blank lines, which count for nothing. */
  readonly blank: number;
  readonly sourceDuplicates: number;
  /** Its files were kept for as long as the tenant wanted. */
  readonly outputRemoved: boolean;
  readonly startedAt?: Date;
  readonly completedAt?: Date;
  readonly updatedAt?: Date;
  readonly metadata: Stamps;
}

export interface ExportFile {
  readonly fileId: string;
  readonly fileName: string;
}

/** The output first. */
export const filesOf = ({ file, oversizeFile }: ExportJob): ExportFile[] =>
  [file, oversizeFile].filter((one) => one !== undefined);

export interface Stamps {
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly createdByName: string;
  readonly updatedAt: Date;
  readonly updatedBy: string;
  readonly updatedByName: string;
}

export function metadataOf(stamps: Stamps, write: (date: Date) => string = formatDate): object {
  return {
    createdDate: write(stamps.createdAt),
    createdByUserId: stamps.createdBy,
    ...(stamps.createdByName === '' ? {} : { createdByUsername: stamps.createdByName }),
    updatedDate: write(stamps.updatedAt),
    updatedByUserId: stamps.updatedBy,
    ...(stamps.updatedByName === '' ? {} : { updatedByUsername: stamps.updatedByName }),
  };
}

/** Dates of scripts like that of seed 004: `+0000`. */
const dateOf2020 = (date: Date): string => formatDate(date).replace(/\+00:00$/, '+0000');

/** A job execution on the wire, in one of the three dialects (`data-export.md`, 1.3). Unset properties are left out. */
export function jobAnswer(job: ExportJob, dialect: Dialect): object {
  const old = dialect === '2020';
  const write = old ? dateOf2020 : formatDate;
  const date = (name: string, at: Date | undefined): object => (at ? { [name]: write(at) } : {});
  const success = job.status === 'COMPLETED' || job.status === 'COMPLETED_WITH_ERRORS';
  return {
    id: job.id,
    hrId: old ? String(job.hrId) : job.hrId,
    ...(job.file ? { exportedFiles: filesOf(job) } : {}),
    ...(job.jobProfileId === undefined ? {} : { jobProfileId: job.jobProfileId }),
    ...(job.jobProfileName === undefined ? {} : { jobProfileName: job.jobProfileName }),
    progress: progressOf(job, dialect),
    ...date('completedDate', job.completedAt),
    ...date('startedDate', job.startedAt),
    ...date('lastUpdatedDate', job.updatedAt),
    ...(job.runBy ? { runBy: job.runBy } : {}),
    status: old && success ? 'SUCCESS' : job.status,
    metadata: metadataOf(job.metadata, write),
  };
}

function progressOf({ counts, sourceDuplicates }: ExportJob, dialect: Dialect): object {
  const { total, exported, invalid, duplicated, notFound, faulty } = counts;
  const failed = failedOf(counts);
  if (dialect === '2020') return { exported, failed, total: String(total) };
  if (dialect === 'default') return { exported, failed, total };
  const parts = { invalid, duplicated, notFound, faulty };
  return { exported, failed, total, duplicatedSrs: sourceDuplicates, readIds: total, ...parts };
}
