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
import { Uploads } from './uploads.js';

const EVERY_MS = 60_000;
/** An object without a row that refers to it is rubbish after this. Longer than a slice can take. */
const INTENT_MS = 3_600_000;

/** Picks up after processes that died: uploads that nobody feeds, objects that nobody refers to. */
@Injectable()
export class Sweeps implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;

  constructor(
    private readonly tenants: Tenants,
    private readonly uploads: Uploads,
    @Inject(LOG) log: Log,
  ) {
    const work = (): Promise<void> => this.sweep();
    this.background = new Background({ name: 'data-export.sweeps', everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.background.stop();
  }

  /** Objects wait to be removed. */
  wake(): void {
    this.background.wake();
  }

  private sweep(): Promise<void> {
    return this.tenants.eachAlone('data-export.sweeps', async (scope) => {
      await this.uploads.recover(scope);
      await this.removeObjects(scope);
    });
  }

  private async removeObjects(scope: Scope): Promise<void> {
    while ((await this.uploads.removeAbandoned(scope, INTENT_MS)) > 0);
  }
}
