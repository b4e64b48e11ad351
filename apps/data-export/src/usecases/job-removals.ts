import { Injectable } from '@nestjs/common';
import { ExportDeleted } from '@quire/contracts/data-export';
import type { Scope } from '@quire/contracts/scope';
import { Outbox } from '@quire/messaging/outbox';
import { readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { CleanUps } from '../db/clean-ups.js';
import { Stores } from '../db/stores.js';
import { failures } from '../domain/failures.js';
import type { ExportJob } from '../domain/job-answer.js';
import { ExportFiles } from '../files/export-files.js';
import { Sweeps } from './sweeps.js';

/**
 * Removing jobs (`data-export.md`, 7.3): the job, its log rows and slices go in one transaction, its lines and the stored
 * objects soon after. The upload goes with the last job that was made of it.
 */
@Injectable()
export class JobRemovals {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly cleanUps: CleanUps,
    private readonly files: ExportFiles,
    private readonly outbox: Outbox,
    private readonly sweeps: Sweeps,
  ) {}

  /** @throws Failure 404, 400 for a job that runs */
  async remove(scope: Scope, id: string): Promise<void> {
    const found = await readTenant(this.source, scope, (tx) => this.stores.jobs.find(tx, id));
    if (!found) throw failures.jobToRemoveNotFound(id);
    await withTenant(this.source, scope, async (tx) => {
      // The upload before the job, in the order in which an export that starts locks them.
      const upload = await this.cleanUps.uploadOfLastJob(tx, found.fileDefinitionId, id);
      const job = await this.stores.jobs.lock(tx, id);
      if (!job) throw failures.jobToRemoveNotFound(id);
      if (job.status === 'IN_PROGRESS') throw failures.jobRuns(id);
      if (upload) await this.removeUpload(tx, upload);
      await this.removeJob(tx, job, scope);
    });
    this.sweeps.wake();
  }

  private async removeUpload(
    tx: TenantTx,
    { id, objectKey }: { readonly id: string; readonly objectKey: string | undefined },
  ): Promise<void> {
    await this.cleanUps.removeUpload(tx, id);
    await this.files.discard(tx, objectKey === undefined ? [] : [objectKey]);
  }

  private async removeJob(tx: TenantTx, job: ExportJob, { actorId }: Scope): Promise<void> {
    await this.files.discard(tx, await this.cleanUps.objectKeys(tx, job.id));
    await this.cleanUps.removeJob(tx, job.id);
    await this.stores.discarded.discard(tx, job.id);
    if (!(await this.cleanUps.isInputUsed(tx, job.inputId)))
      await this.stores.discarded.discard(tx, job.inputId);
    await this.outbox.add(tx, ExportDeleted, {
      tenantId: tx.tenantId,
      jobExecutionId: job.id,
      jobVersion: job.version + 1,
      hrId: job.hrId,
      userId: actorId,
    });
  }
}
