import { Inject, Injectable } from '@nestjs/common';
import { SliceReady } from '@quire/contracts/data-export';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { Dispatcher } from '@quire/jobs/dispatcher';
import { Outbox } from '@quire/messaging/outbox';
import { asSystem, withTenant } from '@quire/postgres/tenant';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { exportSettings, type ExportSettings } from '../config.js';
import { Stores } from '../db/stores.js';

/**
 * Lets out waiting slices: a bounded window per job, per tenant while another waits, and in all; the tenant and the job
 * with the fewest first. One slice a round, so that the choice is made anew for each.
 */
@Injectable()
export class Dispatch {
  private readonly settings: ExportSettings;
  private readonly dispatcher: Dispatcher;

  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly outbox: Outbox,
    @Inject(LOG) log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    this.settings = exportSettings(settings);
    const { sweepMs } = this.settings;
    this.dispatcher = new Dispatcher({
      source,
      lockName: 'data_export.dispatch',
      round: () => this.release(),
      log,
      sweepMs,
    });
  }

  start(): void {
    this.dispatcher.start();
  }

  wake(): void {
    this.dispatcher.wake();
  }

  stop(): Promise<void> {
    return this.dispatcher.stop();
  }

  private async release(): Promise<boolean> {
    const { windowJob, windowTenant, windowTotal } = this.settings;
    const [picked] = await asSystem(this.source, (system) =>
      system.call<{ tenant_id: string; job_id: string }>('select * from release_pick($1, $2, $3)', [
        windowJob,
        windowTenant,
        windowTotal,
      ]),
    );
    if (!picked) return false;
    const { tenant_id: tenantId, job_id: jobId } = picked;
    return withTenant(this.source, { tenantId, actorId: SYSTEM_USER_ID }, async (tx) => {
      const job = await this.stores.jobs.lock(tx, jobId);
      if (job?.status !== 'IN_PROGRESS') return false;
      const slice = await this.stores.slices.release(tx, jobId);
      if (!slice) return false;
      const { sliceNo, fromOrdinal, toOrdinal } = slice;
      const about = { tenantId, jobExecutionId: jobId, jobVersion: job.version };
      await this.outbox.add(tx, SliceReady, { ...about, sliceNo, fromOrdinal, toOrdinal });
      return true;
    });
  }
}
