import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { LeasedWorker } from '@quire/jobs/worker';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { exportSettings } from '../config.js';
import type { ClaimedSelection } from '../db/id-selections.js';
import { SelectionLeases } from './selection-leases.js';
import { SelectionRuns } from './selection-runs.js';

/** Lists of ids that this process reads at once: each is one long answer and many small writes. */
const AT_ONCE = 2;
const GRACE_MS = 1000;

/** Workers that look for the ids of jobs. */
@Injectable()
export class SelectionWorkers implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly worker: LeasedWorker<ClaimedSelection>;

  constructor(
    leases: SelectionLeases,
    runs: SelectionRuns,
    @Inject(LOG) log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    const { leaseRenewMs, sweepMs } = exportSettings(settings);
    this.worker = new LeasedWorker({
      name: 'data-export.selections',
      claim: () => leases.claim(),
      run: (claimed, signal) => runs.run(claimed, signal),
      renew: (claimed) => leases.renew(claimed),
      giveBack: (claimed) => leases.giveBack(claimed),
      concurrency: AT_ONCE,
      log,
      sweepMs,
      renewMs: leaseRenewMs,
    });
  }

  onApplicationBootstrap(): void {
    this.worker.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.worker.stop(GRACE_MS);
  }

  /** There may be ids to look for. */
  wake(): void {
    this.worker.wake();
  }
}
