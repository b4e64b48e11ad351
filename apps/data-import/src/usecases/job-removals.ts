import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobErrors } from '../db/job-errors.js';
import { JobExecutions } from '../db/job-executions.js';
import { ImportFiles } from '../files/import-files.js';

/**
 * The physical end of a job that nobody can see any more: its objects are doomed, its errors and chunks go, then its own row,
 * its messages and its objects. A job may have millions of errors, more than one statement can delete in its 60 s, so rows
 * go a batch and a transaction at a time. Whatever ends the work in between, the next sweep finds the job again and goes on.
 */
const ERRORS_A_BATCH = 100_000;
/** They carry their lists of frames, up to 22 KB each. */
const CHUNKS_A_BATCH = 10_000;
/** Other jobs and tenants wait for the sweep: the rest of a large job waits for the next one. */
const BATCHES_A_SWEEP = 20;

@Injectable()
export class JobRemovals {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly errors: JobErrors,
    private readonly files: ImportFiles,
  ) {}

  /** All of the job, or as much as one sweep may. */
  async remove(scope: Scope, id: string): Promise<void> {
    // Before its chunks, which name them.
    const keys = await withTenant(this.source, scope, (tx) => this.doomObjects(tx, id));
    const left = await this.removeRows(scope, id);
    if (left) return;
    await withTenant(this.source, scope, (tx) => this.jobs.remove(tx, id));
    for (const key of keys) await this.files.remove(scope, key);
  }

  private async doomObjects(tx: TenantTx, id: string): Promise<string[]> {
    // The report of a dry run must not be read in halves.
    await this.jobs.hide(tx, [id]);
    const keys = await this.jobs.ownObjects(tx, id);
    for (const key of keys) await this.files.doom(tx, key);
    return keys;
  }

  /** @returns whether some are left */
  private async removeRows(scope: Scope, id: string): Promise<boolean> {
    for (let batches = 0; batches < BATCHES_A_SWEEP; batches += 1) {
      const removed = await withTenant(
        this.source,
        scope,
        async (tx) =>
          (await this.errors.removeSome(tx, id, ERRORS_A_BATCH)) ||
          (await this.chunks.removeSome(tx, id, CHUNKS_A_BATCH)),
      );
      if (removed === 0) return false;
    }
    return true;
  }
}
