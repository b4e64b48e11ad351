import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { CleanUps } from '../db/clean-ups.js';
import { Stores } from '../db/stores.js';
import { logRows } from '../domain/error-codes.js';
import { ExportFiles } from '../files/export-files.js';
import { Cuts } from './cuts.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';
import { Sweeps } from './sweeps.js';

/** One idle job, one old upload: what happens to it, in the caller's transaction. */
@Injectable()
export class HouseRules {
  constructor(
    private readonly stores: Stores,
    private readonly cleanUps: CleanUps,
    private readonly files: ExportFiles,
    private readonly cuts: Cuts,
    private readonly endings: JobEndings,
    private readonly sweeps: Sweeps,
    private readonly fresh: Fresh,
  ) {}

  now(): Date {
    return this.fresh.now();
  }

  idleJobs(tx: TenantRead, before: Date, limit: number): Promise<string[]> {
    return this.cleanUps.idleJobs(tx, before, limit);
  }

  oldUploads(tx: TenantRead, before: Date, limit: number): Promise<string[]> {
    return this.cleanUps.oldUploads(tx, before, limit);
  }

  /** What the event that was lost would have done: the input is cut, or the job of slices that are all done ends. */
  async goOn(tx: TenantTx, jobId: string, before: Date): Promise<boolean> {
    await this.stores.jobs.lock(tx, jobId);
    if (!(await this.cleanUps.isIdle(tx, jobId, before))) return false;
    await this.cuts.cut(tx, jobId);
    return !(await this.cleanUps.isIdle(tx, jobId, before));
  }

  /** Counts and earlier log rows stay. */
  async expire(tx: TenantTx, jobId: string, before: Date): Promise<boolean> {
    await this.stores.jobs.lock(tx, jobId);
    if (!(await this.cleanUps.isIdle(tx, jobId, before))) return false;
    await this.endings.fail(tx, jobId, logRows.expired());
    return true;
  }

  /** The upload goes with a job that was never started; ids that a job has stay until that is deleted. */
  async cleanUp(tx: TenantTx, id: string, before: Date): Promise<boolean> {
    const upload = await this.cleanUps.takeUpload(tx, id, before);
    if (!upload) return false;
    const { jobId, inputId, objectKey } = upload;
    const job = await this.stores.jobs.lock(tx, jobId);
    if (job?.status === 'NEW') await this.cleanUps.removeJob(tx, jobId);
    await this.cleanUps.keepSource(tx, id);
    await this.cleanUps.removeUpload(tx, id);
    await this.files.discard(tx, objectKey === undefined ? [] : [objectKey]);
    if (inputId !== undefined && !(await this.cleanUps.isInputUsed(tx, inputId)))
      await this.stores.discarded.discard(tx, inputId);
    return true;
  }

  /** The job stays, with its logs and numbers. */
  async removeOutput(tx: TenantTx, jobId: string): Promise<boolean> {
    if (!(await this.cleanUps.markOutputRemoved(tx, jobId, this.now()))) return false;
    await this.files.discard(tx, await this.cleanUps.objectKeys(tx, jobId));
    return true;
  }

  /** Lines and objects of uploads and outputs that are gone wait for them. */
  wakeSweeps(): void {
    this.sweeps.wake();
  }
}
