import { Injectable } from '@nestjs/common';
import type { ProcessFiles } from '@quire/contracts/data-import';
import type { Caller, Scope } from '@quire/contracts/scope';
import type {
  ChunkRejectedPayload,
  ChunkSavedPayload,
} from '@quire/contracts/source-record-events';
import { Inbox } from '@quire/messaging/inbox';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobExecutions } from '../db/job-executions.js';
import { failures } from '../domain/failures.js';
import { FILE_MISSING, NOT_COUNTED, type JobMessage } from '../domain/file-problem.js';
import { profileOf } from '../domain/job-profiles.js';
import { Dispatch } from './dispatch.js';
import { ImportStarts, type Wanted } from './import-starts.js';
import { ImportWork, type ChunkOfJob } from './import-work.js';
import { Undos } from './undos.js';

/**
 * The life of an import: started by processFiles, its chunks sent out by the dispatcher, their answers taken home, ended by
 * the answer of the last one, in that answer's transaction (data-import, 3.4, 7.3 and 10.4).
 */
@Injectable()
export class Imports {
  constructor(
    private readonly source: DataSource,
    private readonly inbox: Inbox,
    private readonly starts: ImportStarts,
    private readonly work: ImportWork,
    private readonly dispatch: Dispatch,
    private readonly jobs: JobExecutions,
    private readonly undos: Undos,
  ) {}

  /** @throws Failure 400, 404, 409, 422, 429 by the rows of 3.4 and 14 */
  async start(
    caller: Caller,
    definitionId: string,
    request: ProcessFiles,
    wanted: Wanted = {},
  ): Promise<void> {
    const sentId = request.uploadDefinition.id?.toLowerCase();
    if (sentId !== undefined && sentId !== definitionId) throw failures.idsDiffer();
    const { id: profileId, dataType } = request.jobProfileInfo;
    const profile = profileOf(profileId);
    if (!profile) throw failures.profileNotFound(profileId);
    await withTenant(this.source, caller, (tx) =>
      this.starts.start(tx, caller, definitionId, {
        ...wanted,
        profile,
        isMarc: (dataType ?? 'MARC') === 'MARC',
      }),
    );
    this.dispatch.wake();
  }

  /** Counts, errors and the end, if this was the last chunk. A second answer has no effect. */
  async chunkSaved(scope: Scope, saved: ChunkSavedPayload): Promise<void> {
    const errors =
      saved.errorsKey === undefined
        ? saved.errors
        : [...saved.errors, ...(await this.work.listedErrors(saved.errorsKey))];
    await withTenant(this.source, scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'imports.chunk', saved.chunkId))) return;
      await this.work.takeHome(tx, saved, {
        counts: saved.skipped ? undefined : saved.counts,
        errors,
      });
      await this.undos.chunkIsBack(tx, saved.jobExecutionId);
    });
    this.dispatch.wake();
  }

  async chunkRejected(scope: Scope, rejected: ChunkRejectedPayload): Promise<void> {
    await this.giveUp(scope, rejected, rejected.reason === 'FILE_MISSING' ? [FILE_MISSING] : []);
  }

  /**
   * The answer of a chunk that can never be taken home. It would be the same if it were asked for again, so the chunk ends
   * here, and with it the job and an undo that wait for it.
   */
  async answerGivenUp(scope: Scope, chunk: ChunkOfJob): Promise<void> {
    await this.giveUp(scope, chunk, [NOT_COUNTED]);
  }

  /** Jobs whose last answer was taken by a process that died before it ended them. */
  leftOver(scope: Scope): Promise<string[]> {
    return readTenant(this.source, scope, (tx) => this.jobs.unfinished(tx));
  }

  async finishLeftOver(scope: Scope, jobId: string): Promise<void> {
    await withTenant(this.source, scope, (tx) => this.work.finishLeftOver(tx, jobId));
  }

  private async giveUp(
    scope: Scope,
    chunk: ChunkOfJob,
    messages: readonly JobMessage[],
  ): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'imports.chunk', chunk.chunkId))) return;
      await this.work.giveUp(tx, chunk, messages);
      await this.undos.chunkIsBack(tx, chunk.jobExecutionId);
    });
    this.dispatch.wake();
  }
}
