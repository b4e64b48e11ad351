import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobExecutions, type SweptKind } from '../db/job-executions.js';
import { ImportTenantSettings } from '../db/tenant-settings.js';
import { isEnded } from '../domain/job-execution.js';
import { messagesOf } from '../domain/file-problem.js';
import { ImportFiles } from '../files/import-files.js';
import { JobEndings } from './job-endings.js';

/**
 * Jobs whose time is over (data-import, 4.5, 4.6 and 10.6): deleted logs go for good after two days; a job that nobody used is
 * discarded after seven; one that runs without ever having got a record ends.
 */
@Injectable()
export class SweptJobs {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly endings: JobEndings,
    private readonly files: ImportFiles,
    private readonly settings: ImportTenantSettings,
  ) {}

  async sweep(scope: Scope): Promise<void> {
    await this.each(scope, 'deleted', (tx, id) => this.removeForGood(tx, id));
    await this.each(scope, 'unused', (tx, id) => this.discard(tx, id));
    await this.each(scope, 'idle', (tx, id) => this.endIdle(tx, id));
  }

  /** A transaction a job, so that one that cannot be swept keeps none of the others. */
  private async each(
    scope: Scope,
    kind: SweptKind,
    work: (tx: TenantTx, id: string) => Promise<string[]>,
  ): Promise<void> {
    const ids = await readTenant(this.source, scope, async (tx) =>
      this.jobs.swept(tx, kind, await this.patience(tx, kind)),
    );
    for (const id of ids) {
      const removable = await withTenant(this.source, scope, (tx) => work(tx, id));
      for (const key of removable) await this.files.remove(scope, key);
    }
  }

  private patience(tx: TenantRead, kind: SweptKind): Promise<number> | undefined {
    switch (kind) {
      case 'deleted':
        return undefined;
      case 'unused':
        return this.settings.read(tx, 'DRAFT_DAYS');
      case 'idle':
        return this.settings.read(tx, 'ONLINE_IDLE_MINUTES');
    }
  }

  private async removeForGood(tx: TenantTx, id: string): Promise<string[]> {
    const keys = await this.jobs.ownObjects(tx, id);
    for (const key of keys) await this.files.doom(tx, key);
    await this.jobs.remove(tx, id);
    return keys;
  }

  private async discard(tx: TenantTx, id: string): Promise<string[]> {
    const job = await this.jobs.lock(tx, id);
    if (job?.status === 'NEW') await this.endings.end(tx, job, { status: 'DISCARDED' });
    return [];
  }

  private async endIdle(tx: TenantTx, id: string): Promise<string[]> {
    const job = await this.jobs.lock(tx, id);
    if (!job || isEnded(job.status)) return [];
    for (const message of messagesOf('EMPTY_FILE')) await this.jobs.addMessage(tx, id, message);
    const errorStatus = 'FILE_PROCESSING_ERROR';
    await this.endings.end(tx, job, { status: 'ERROR', errorStatus });
    return [];
  }
}
