import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { SnapshotDeletion } from './snapshot-deletion.js';

const EVERY_MS = 5_000;
/** So many batches of one snapshot, then another tenant's turn comes. */
const BATCHES_AT_ONCE = 20;

/** Goes on with the removal of snapshots' records where DELETE, or a process that is no more, has left it. */
@Injectable()
export class SnapshotRemovalWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;
  private stopping = false;

  constructor(
    private readonly tenants: Tenants,
    private readonly deletion: SnapshotDeletion,
    @Inject(LOG) private readonly log: Log,
  ) {
    const work = (): Promise<void> => this.turn();
    const name = 'source-record-storage.snapshot-removals';
    this.background = new Background({ name, everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  /** The batch in hand is finished, the task is given back. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.background.stop();
  }

  /** There is something to do. */
  wake(): void {
    this.background.wake();
  }

  /** Until nothing is left that is nobody else's. */
  async turn(): Promise<void> {
    for (let found = true; found && !this.stopping;) {
      found = false;
      const working = this.tenants.each(async (scope) => {
        if (!this.stopping && (await this.work(scope))) found = true;
      });
      await working.catch((error: unknown) =>
        this.log.warn({ err: error }, 'a snapshot was not removed, trying again later'),
      );
    }
  }

  private async work(scope: Scope): Promise<boolean> {
    const task = await this.deletion.claim(scope);
    if (!task) return false;
    for (let batches = 0; batches < BATCHES_AT_ONCE && !this.stopping; batches += 1)
      if (!(await this.deletion.goOn(scope, task))) return true;
    await this.deletion.giveBack(scope, task);
    return true;
  }
}
