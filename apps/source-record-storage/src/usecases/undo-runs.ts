import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import { LeasedWorker } from '@quire/jobs/worker';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { UndoTasks, type UndoTask } from './undo-tasks.js';

/** Of all tenants. Each keeps a connection busy. */
const AT_ONCE = 2;
const GRACE_MS = 5000;

interface Claimed {
  readonly scope: Scope;
  readonly task: UndoTask;
}

/** Does undos batch after batch: those that a client waits for in its name, the others, and what a dead process has left, by itself. */
@Injectable()
export class UndoRuns implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly worker: LeasedWorker<Claimed>;

  constructor(
    private readonly tenants: Tenants,
    private readonly undo: UndoTasks,
    @Inject(LOG) log: Log,
  ) {
    this.worker = new LeasedWorker({
      name: 'source-record-storage.undos',
      claim: () => this.claim(),
      run: ({ scope, task }, signal) => this.run(scope, task, signal),
      // Every batch renews the lease, and finds out whether it is still ours.
      renew: () => Promise.resolve(true),
      giveBack: ({ scope, task }) => this.undo.giveBack(scope, task),
      concurrency: AT_ONCE,
      log,
    });
  }

  onApplicationBootstrap(): void {
    this.worker.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.worker.stop(GRACE_MS);
  }

  /** There may be a task. */
  wake(): void {
    this.worker.wake();
  }

  /** Works on a claimed undo until it is done, or somebody else has it. */
  async run(scope: Scope, task: UndoTask, signal?: AbortSignal): Promise<void> {
    while (await this.undo.goOn(scope, task)) signal?.throwIfAborted();
  }

  private async claim(): Promise<Claimed | undefined> {
    for (const tenantId of await this.tenants.list()) {
      const scope = { tenantId, actorId: SYSTEM_USER_ID };
      const task = await this.undo.claim(scope);
      if (task) return { scope, task };
    }
    return undefined;
  }
}
