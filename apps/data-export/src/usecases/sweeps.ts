import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { apart, type Task } from '@quire/jobs/apart';
import { Background } from '@quire/jobs/background';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { Stores } from '../db/stores.js';
import { Uploads } from './uploads.js';

const EVERY_MS = 60_000;
/** An object without a row that refers to it is rubbish after this. Longer than a slice can take. */
const INTENT_MS = 3_600_000;
/** Batches of lines of one tenant in a turn: some ten seconds. The others want their turn, too. */
const BATCHES_A_TURN = 40;

/** Picks up after processes that died, and what others discarded: uploads that nobody feeds, lines and objects of nobody. */
@Injectable()
export class Sweeps implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;
  private readonly stopping = new AbortController();

  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly tenants: Tenants,
    private readonly uploads: Uploads,
    @Inject(LOG) private readonly log: Log,
  ) {
    const work = (): Promise<void> => this.sweep();
    this.background = new Background({ name: 'data-export.sweeps', everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    return this.background.stop();
  }

  /** Lines and objects wait to be removed. */
  wake(): void {
    this.background.wake();
  }

  private sweep(): Promise<void> {
    return this.tenants.eachAlone('data-export.sweeps', async (scope) => {
      await apart(this.log, `sweep of tenant ${scope.tenantId}`, [
        ['uploads', () => this.uploads.recover(scope)],
        ['lines', () => this.removeLines(scope)],
        ['objects', () => this.removeObjects(scope)],
      ]);
    });
  }

  /** What is left after these batches, or when the service stops, is for the next turn. */
  private async removeLines(scope: Scope): Promise<void> {
    const { signal } = this.stopping;
    const owners = await readTenant(this.source, scope, (tx) => this.stores.discarded.owners(tx));
    let batches = BATCHES_A_TURN;
    const removeLinesOf = async (owner: string): Promise<void> => {
      let from: number | undefined = 0;
      for (; from !== undefined && batches > 0 && !signal.aborted; batches -= 1)
        from = await this.removeSome(scope, owner, from);
    };
    const tasks = owners.map((owner): Task => [owner, () => removeLinesOf(owner)]);
    await apart(this.log, 'removal of lines', tasks);
    if (batches === 0) this.wake();
  }

  private removeSome(scope: Scope, owner: string, from: number): Promise<number | undefined> {
    return withTenant(this.source, scope, async (tx) => {
      const next = await this.stores.discarded.removeSome(tx, owner, from);
      if (next === undefined) await this.stores.discarded.settle(tx, owner);
      return next;
    });
  }

  private async removeObjects(scope: Scope): Promise<void> {
    while ((await this.uploads.removeAbandoned(scope, INTENT_MS)) > 0);
  }
}
