import { Inject, Injectable } from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { apart, type Task } from '@quire/jobs/apart';
import { readTenant, withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { JobExecutions, type SweptKind } from '../db/job-executions.js';
import { ImportTenantSettings } from '../db/tenant-settings.js';
import { isEnded } from '../domain/job-execution.js';
import { messagesOf } from '../domain/file-problem.js';
import { JobEndings } from './job-endings.js';
import { JobRemovals } from './job-removals.js';

/**
 * Jobs whose time is over (data-import, 4.5, 4.6 and 10.6): deleted logs go for good after two days, reports of dry runs after
 * seven; a job that nobody used is discarded after seven; one that runs without ever having got a record ends.
 */
@Injectable()
export class SweptJobs {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly endings: JobEndings,
    private readonly removals: JobRemovals,
    private readonly settings: ImportTenantSettings,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async sweep(scope: Scope): Promise<void> {
    const remove = (id: string): Promise<void> => this.removals.remove(scope, id);
    const ending =
      (end: (tx: TenantTx, id: string) => Promise<void>) =>
      (id: string): Promise<void> =>
        withTenant(this.source, scope, (tx) => end(tx, id));
    await apart(this.log, 'sweep of jobs', [
      ['deleted', () => this.each(scope, 'deleted', remove)],
      ['dry runs', () => this.each(scope, 'reported', remove)],
      ['unused', () => this.each(scope, 'unused', ending(this.discard.bind(this)))],
      ['idle', () => this.each(scope, 'idle', ending(this.endIdle.bind(this)))],
    ]);
  }

  private async each(
    scope: Scope,
    kind: SweptKind,
    work: (id: string) => Promise<void>,
  ): Promise<void> {
    const ids = await readTenant(this.source, scope, async (tx) =>
      this.jobs.swept(tx, kind, await this.patience(tx, kind)),
    );
    const tasks = ids.map((id): Task => [id, () => work(id)]);
    await apart(this.log, `sweep of a job (${kind})`, tasks);
  }

  private patience(tx: TenantRead, kind: SweptKind): Promise<number> | undefined {
    switch (kind) {
      case 'deleted':
      case 'reported':
        return undefined;
      case 'unused':
        return this.settings.read(tx, 'DRAFT_DAYS');
      case 'idle':
        return this.settings.read(tx, 'ONLINE_IDLE_MINUTES');
    }
  }

  private async discard(tx: TenantTx, id: string): Promise<void> {
    const job = await this.jobs.lock(tx, id);
    if (job?.status === 'NEW') await this.endings.end(tx, job, { status: 'DISCARDED' });
  }

  private async endIdle(tx: TenantTx, id: string): Promise<void> {
    const job = await this.jobs.lock(tx, id);
    if (!job || isEnded(job.status)) return;
    for (const message of messagesOf('EMPTY_FILE')) await this.jobs.addMessage(tx, id, message);
    const errorStatus = 'FILE_PROCESSING_ERROR';
    await this.endings.end(tx, job, { status: 'ERROR', errorStatus });
  }
}
