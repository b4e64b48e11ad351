import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { LeaseKeeper } from '@quire/jobs/lease-keeper';
import { LeasedWorker } from '@quire/jobs/worker';
import { HandOver } from '@quire/service/hand-over';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { exportSettings } from '../config.js';
import type { ClaimedSlice } from '../db/slices.js';
import { Dispatch } from './dispatch.js';
import { SliceLeases } from './slice-leases.js';
import { SliceRuns } from './slice-runs.js';

/** A slice in hand at shut-down may take so long to finish before it is given back; another replica has it within 5 s. */
const GRACE_MS = 3000;

/** The background of this service: workers on slices, the dispatcher, and what picks up after processes that died. */
@Injectable()
export class ExportWorkers
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly worker: LeasedWorker<ClaimedSlice>;
  private stopping: Promise<void> | undefined;

  constructor(
    leases: SliceLeases,
    private readonly dispatch: Dispatch,
    private readonly keeper: LeaseKeeper,
    runs: SliceRuns,
    private readonly handOver: HandOver,
    @Inject(LOG) log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    const { exportWorkers, leaseRenewMs, sweepMs } = exportSettings(settings);
    this.worker = new LeasedWorker({
      name: 'data-export.slices',
      claim: () => leases.claim(),
      run: (claimed, signal) => runs.run(claimed, signal),
      renew: (claimed) => leases.renew(claimed),
      giveBack: (claimed) => leases.giveBack(claimed),
      concurrency: exportWorkers,
      log,
      sweepMs,
      renewMs: leaseRenewMs,
    });
  }

  onApplicationBootstrap(): void {
    this.worker.start();
    this.dispatch.start();
    this.handOver.add(() => this.stop());
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.stop();
  }

  /** When nobody works any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.keeper[Symbol.asyncDispose]();
  }

  /** A slice was let out. */
  wake(): void {
    this.worker.wake();
  }

  private stop(): Promise<void> {
    this.stopping ??= this.dispatch.stop().then(() => this.worker.stop(GRACE_MS));
    return this.stopping;
  }
}
