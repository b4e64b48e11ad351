import { Injectable } from '@nestjs/common';
import type { ChunkOptions } from '@quire/contracts/data-import';
import type {
  ChunkCounts,
  ChunkError,
  ChunkSavedPayload,
} from '@quire/contracts/source-record-events';
import type { TenantTx } from '@quire/postgres/tenant';
import { JobChunks, type ChunkRow } from '../db/job-chunks.js';
import { JobErrors } from '../db/job-errors.js';
import { JobExecutions, type JobRow } from '../db/job-executions.js';
import { type FileRow } from '../db/upload-definitions.js';
import { framesOf, inOriginal } from '../domain/chunk-frames.js';
import { failures } from '../domain/failures.js';
import { messagesOf, type FileProblem, type JobMessage } from '../domain/file-problem.js';
import { endingOf, isEnded } from '../domain/job-execution.js';
import { inOrderBy } from '../domain/job-options.js';
import { type ImportJobProfile } from '../domain/job-profiles.js';
import { ImportFiles } from '../files/import-files.js';
import { JobEvents } from './job-events.js';

/** With what a job begins. */
export interface Beginning {
  readonly profile: ImportJobProfile;
  readonly options: ChunkOptions;
  /** Said to whoever looks at the job. */
  readonly messages: readonly JobMessage[];
}

/** The bytes that a job reads. */
export interface Content {
  readonly key: string | null;
  readonly bytes: number;
  readonly sha256: Buffer | null;
}

export type ChunkOfJob = Pick<ChunkSavedPayload, 'jobExecutionId' | 'chunkId'>;

/** The steps of an import, inside a transaction of {@link Imports}. */
@Injectable()
export class ImportWork {
  constructor(
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly errors: JobErrors,
    private readonly events: JobEvents,
    private readonly files: ImportFiles,
  ) {}

  /** processFiles again: the same profile changes nothing; another one is refused when nothing is left to start. */
  async checkRepeat(
    tx: TenantTx,
    definitionId: string,
    files: readonly FileRow[],
    profile: ImportJobProfile,
  ): Promise<void> {
    const processed = files.find((file) => file.processed);
    if (!processed) throw failures.nothingUploaded(definitionId);
    const job = await this.jobs.lock(tx, processed.job_id);
    if (job?.profile_id && job.profile_id !== profile.id)
      throw failures.otherProfile(job.profile_id);
  }

  async begin(
    tx: TenantTx,
    file: FileRow,
    { isMarc, ...beginning }: Beginning & { readonly isMarc: boolean },
  ): Promise<void> {
    const job = await this.jobs.lock(tx, file.job_id);
    if (job?.status !== 'FILE_UPLOADED') return;
    const problem = isMarc ? file.problem : 'NOT_MARC';
    const content = { key: file.object_key, bytes: Number(file.bytes), sha256: file.sha256 };
    if (problem === null) await this.launch(tx, job, { ...beginning, content });
    else await this.refuseAll(tx, job, { ...beginning, content }, [problem]);
  }

  /** Its chunks are there: from now on they are offered to the dispatcher. */
  async launch(
    tx: TenantTx,
    job: JobRow,
    { profile, options, messages, content }: Beginning & { readonly content: Content },
  ): Promise<void> {
    for (const message of messages) await this.jobs.addMessage(tx, job.id, message);
    const started = await this.jobs.change(tx, job.id, {
      profileId: profile.id,
      profileName: profile.name,
      options,
      inOrder: job.in_order || inOrderBy(profile, options),
      ...contentOf(content),
      status: 'PARSING_IN_PROGRESS',
      startsNow: true,
    });
    await this.events.changed(tx, started);
    for (const chunk of await this.chunks.refused(tx, job.id))
      await this.refuse(tx, started, chunk);
    await this.finishIfDone(tx, started);
  }

  /** Nothing of what it was to read can be imported: it ends at once, and says why. Its bytes are kept like those of any job. */
  async refuseAll(
    tx: TenantTx,
    job: JobRow,
    { profile, options, content }: Omit<Beginning, 'messages'> & { readonly content: Content },
    problems: readonly FileProblem[],
  ): Promise<void> {
    await this.jobs.change(tx, job.id, {
      profileId: profile.id,
      profileName: profile.name,
      options,
      total: 0,
      ...contentOf(content),
    });
    await this.fail(tx, job.id, problems);
  }

  async takeHome(
    tx: TenantTx,
    saved: ChunkSavedPayload,
    { counts, errors }: { counts: ChunkCounts | undefined; errors: readonly ChunkError[] },
  ): Promise<void> {
    const job = await this.jobs.lock(tx, saved.jobExecutionId);
    const chunk = await this.chunks.find(tx, saved.chunkId);
    // The answer of a job that is gone, or of a chunk that was answered under another event.
    if (!job || !chunk || chunk.state === 'DONE') return;
    if (counts) {
      await this.chunks.setDone(tx, chunk.id, counts);
      await this.errors.add(tx, job.id, inOriginal(errors, chunk));
    } else {
      await this.chunks.setDropped(tx, chunk.id);
    }
    await this.finishIfDone(tx, job);
  }

  /** Every frame of the chunk becomes a failed record, so that the job ends with a reason. @param messages why, if more is known */
  async giveUp(
    tx: TenantTx,
    { jobExecutionId, chunkId }: ChunkOfJob,
    messages: readonly JobMessage[],
  ): Promise<void> {
    const job = await this.jobs.lock(tx, jobExecutionId);
    const chunk = await this.chunks.find(tx, chunkId);
    if (!job || !chunk || chunk.state === 'DONE') return;
    for (const message of messages) await this.jobs.addMessage(tx, job.id, message);
    await this.chunks.setDone(tx, chunk.id, allFailed(chunk.count));
    await this.errors.add(
      tx,
      job.id,
      framesOf(chunk).map((frame) => ({ ...frame, c: 'STORE' })),
    );
    await this.finishIfDone(tx, job);
  }

  async finishLeftOver(tx: TenantTx, id: string): Promise<void> {
    const job = await this.jobs.lock(tx, id);
    if (job) await this.finishIfDone(tx, job);
  }

  async listedErrors(key: string): Promise<ChunkError[]> {
    const errors: ChunkError[] = [];
    // At most one a frame of the chunk: a thousand.
    for await (const error of this.files.errors(key)) errors.push(error);
    return errors;
  }

  private async refuse(tx: TenantTx, job: JobRow, chunk: ChunkRow): Promise<void> {
    await this.chunks.setDone(tx, chunk.id, allFailed(chunk.count));
    await this.errors.add(
      tx,
      job.id,
      framesOf(chunk).map((frame) => ({
        ...frame,
        c: chunk.refused_code ?? 'TOO_LARGE',
        ...(chunk.refused_detail === null ? {} : { detail: chunk.refused_detail }),
      })),
    );
  }

  private async fail(tx: TenantTx, jobId: string, problems: readonly FileProblem[]): Promise<void> {
    for (const message of problems.flatMap(messagesOf))
      await this.jobs.addMessage(tx, jobId, message);
    await this.chunks.dropWaiting(tx, jobId);
    const ending = {
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      result: 'FAILED',
      endsNow: true,
    } as const;
    const job = await this.jobs.change(tx, jobId, ending);
    await this.events.completed(tx, job, {
      created: 0,
      updated: 0,
      unchanged: 0,
      failed: 0,
      warned: 0,
    });
  }

  private async finishIfDone(tx: TenantTx, job: JobRow): Promise<void> {
    if (isEnded(job.status) || !job.input_complete) return;
    const { open, dropped, ...counts } = await this.chunks.sums(tx, job.id);
    if (open > 0) return;
    const { status, result } = endingOf(counts, dropped);
    const ended = await this.jobs.change(tx, job.id, { status, result, endsNow: true });
    await this.events.completed(tx, ended, counts);
  }
}

const contentOf = ({ key, bytes, sha256 }: Content) => ({
  contentKey: key,
  contentBytes: bytes,
  contentSha256: sha256,
});

function allFailed(count: number): ChunkCounts {
  return {
    created: 0,
    updated: 0,
    unchanged: 0,
    failed: count,
    warned: 0,
    byType: {},
    warnings: {},
  };
}
