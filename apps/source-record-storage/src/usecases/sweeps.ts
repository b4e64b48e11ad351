import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { ObjectIntents } from '@quire/jobs/intents';
import { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { AnsweredEvents } from '../db/answered-events.js';
import { ImportFiles } from '../files/import-files.js';

const EVERY_MS = 60_000;
/** An error list without a chunk that names it is rubbish after this; writing one takes seconds. */
const INTENT_MS = 3_600_000;
/** A store that is away refuses everything, each time after its time-out: the rest waits for the next sweep. */
const REFUSED_MAX = 3;

/**
 * Removes what nobody needs any more: answers of chunks that are long done, and error lists. A list of a purged answer gets
 * its intent back, so that a crash in between forgets nothing, and goes like one that was never referred to.
 */
@Injectable()
export class Sweeps implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;

  constructor(
    private readonly source: DataSource,
    private readonly tenants: Tenants,
    private readonly answered: AnsweredEvents,
    private readonly intents: ObjectIntents,
    private readonly files: ImportFiles,
    @Inject(LOG) private readonly log: Log,
  ) {
    const work = (): Promise<void> => this.sweep();
    const name = 'source-record-storage.sweeps';
    this.background = new Background({ name, everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.background.stop();
  }

  sweep(): Promise<void> {
    return this.tenants.eachAlone('source-record-storage.sweeps', async (scope) => {
      await this.purgeAnswers(scope);
      await this.removeLists(scope);
    });
  }

  private async purgeAnswers(scope: Scope): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      for (const key of await this.answered.purge(tx))
        await this.intents.announce(tx, TenantKey.parse(key));
    });
  }

  private async removeLists(scope: Scope): Promise<void> {
    const keys = await withTenant(this.source, scope, (tx) => this.intents.overdue(tx, INTENT_MS));
    let refused = 0;
    for (const key of keys.map((text) => TenantKey.parse(text))) {
      try {
        await this.files.remove(key);
      } catch (error) {
        this.log.warn({ err: error, of: key.toString() }, 'an error list was not removed');
        // To the end of the row: what the store never gives up must not stand before the others.
        await withTenant(this.source, scope, async (tx) => {
          await this.intents.settle(tx, key);
          await this.intents.announce(tx, key);
        });
        refused += 1;
        if (refused === REFUSED_MAX) return;
        continue;
      }
      await withTenant(this.source, scope, (tx) => this.intents.settle(tx, key));
    }
  }
}
