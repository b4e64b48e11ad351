import { Injectable } from '@nestjs/common';
import type { ErrorStatus } from '@quire/contracts/data-import';
import type { TenantTx } from '@quire/postgres/tenant';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions, type JobChange, type JobRow } from '../db/job-executions.js';
import { UploadDefinitions } from '../db/upload-definitions.js';
import type { ChunkSums, TerminalStatus } from '../domain/job-execution.js';
import { ImportFiles } from '../files/import-files.js';
import { JobEvents } from './job-events.js';

export interface Ending {
  readonly status: TerminalStatus;
  /** Kept with ERROR only. */
  readonly errorStatus?: ErrorStatus | undefined;
}

/**
 * The end of a job by other means than its last chunk (data-import, 7.3): cancelled, discarded, set by hand, swept. The status
 * takes effect at once for what is not released; answers of chunks that are on their way are still counted.
 */
@Injectable()
export class JobEndings {
  constructor(
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly definitions: UploadDefinitions,
    private readonly events: JobEvents,
    private readonly files: ImportFiles,
  ) {}

  /**
   * @param job locked, not ended
   * @returns the key of bytes that nothing reads any more, to be removed after the commit; the sweep removes them otherwise
   */
  async end(tx: TenantTx, job: JobRow, ending: Ending): Promise<string | undefined> {
    await this.chunks.dropWaiting(tx, job.id);
    const sums = await this.chunks.sums(tx, job.id);
    const ended = await this.jobs.change(tx, job.id, changeFor(ending, sums));
    const { created, updated, unchanged, failed, warned } = sums;
    if (ending.status === 'CANCELLED') await this.events.cancelled(tx, ended);
    else if (ending.status === 'DISCARDED') await this.events.changed(tx, ended);
    else await this.events.completed(tx, ended, { created, updated, unchanged, failed, warned });
    const file = await this.definitions.fileOfJob(tx, job.id);
    if (!file) return undefined;
    // Its job is over: nothing may be uploaded to it or processed any more.
    await this.definitions.setProcessed(tx, [file.id]);
    if (ending.status !== 'DISCARDED' || file.object_key === null) return undefined;
    await this.files.doom(tx, file.object_key);
    // Chunks that are on their way still read the bytes.
    return sums.open > 0 ? undefined : file.object_key;
  }
}

function changeFor({ status, errorStatus }: Ending, sums: ChunkSums): JobChange {
  const saved = sums.created + sums.updated + sums.unchanged;
  const handled = saved + sums.failed;
  if (status === 'COMMITTED') return { status, result: 'SUCCESS', total: handled, endsNow: true };
  if (status !== 'ERROR') return { status, endsNow: true };
  const nothing = errorStatus === 'FILE_PROCESSING_ERROR' && handled === 0;
  return {
    status,
    result: saved > 0 ? 'PARTIAL' : 'FAILED',
    ...(errorStatus === undefined ? {} : { errorStatus }),
    ...(nothing ? { total: 0 } : {}),
    endsNow: true,
  };
}
