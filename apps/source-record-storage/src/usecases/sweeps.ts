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
      await apart(this.log, `sweep of tenant ${scope.tenantId}`, [
        ['answers', () => this.purgeAnswers(scope)],
        ['lists', () => this.removeLists(scope)],
      ]);
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
    const tasks = keys.map((key): Task => [
      key,
      () =>
        this.intents.sweep(this.source, scope, { store: this.files, key: TenantKey.parse(key) }),
    ]);
    await apart(this.log, 'removal of an error list', tasks);
  }
}
