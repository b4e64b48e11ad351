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
import { readTenant, withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { exportSettings, type ExportSettings } from '../config.js';
import { HouseRules } from './house-rules.js';

/** Rows that are looked at in one go. */
const AT_ONCE = 100;

/**
 * What is done at a call and by itself (`data-export.md`, 7.1 and 7.2): jobs that lost an event go on, those that nobody works on
 * expire, old uploads are cleaned up. Each thing in a transaction of its own, so that one that fails holds up no other.
 */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly settings: ExportSettings;
  private readonly loops: readonly Background[];
  private readonly upSince: Date;

  constructor(
    private readonly source: DataSource,
    private readonly rules: HouseRules,
    private readonly tenants: Tenants,
    @Inject(LOG) private readonly log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    this.settings = exportSettings(settings);
    this.upSince = rules.now();
    const { stallMs, expiryEveryMs, cleanUpEveryMs } = this.settings;
    const loop = (name: string, everyMs: number, work: (scope: Scope) => Promise<void>) =>
      new Background({
        name: `data-export.${name}`,
        everyMs,
        log,
        work: () => this.tenants.eachAlone(`data-export.${name}`, work),
      });
    this.loops = [
      loop('stalls', stallMs / 2, (scope) => this.goOn(scope)),
      loop('expiry', expiryEveryMs, (scope) => this.expireJobs(scope)),
      loop('clean-up', cleanUpEveryMs, (scope) => this.cleanUpFiles(scope)),
    ];
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const loop of this.loops) await loop.stop();
  }

  /** If every event were lost, every job would still end, only later (reliability, section 2). */
  async goOn(scope: Scope): Promise<void> {
    const before = this.before(this.settings.stallMs);
    await this.each(scope, {
      find: (tx) => this.rules.idleJobs(tx, before, AT_ONCE),
      act: (tx, id) => this.rules.goOn(tx, id, before),
    });
  }

  /** Idle for the whole time, in our uptime too: after we were away, workers get the time to come back. */
  async expireJobs(scope: Scope): Promise<void> {
    const before = this.before(this.settings.expiryMs);
    if (this.upSince > before) return;
    await this.each(scope, {
      find: (tx) => this.rules.idleJobs(tx, before, AT_ONCE),
      act: (tx, id) => this.rules.expire(tx, id, before),
    });
  }

  async cleanUpFiles(scope: Scope): Promise<void> {
    const before = this.before(this.settings.cleanUpAgeMs);
    await this.each(scope, {
      find: (tx) => this.rules.oldUploads(tx, before, AT_ONCE),
      act: (tx, id) => this.rules.cleanUp(tx, id, before),
    });
    this.rules.wakeSweeps();
  }

  /** Until a round changes nothing. */
  private async each(scope: Scope, { find, act }: Chore): Promise<void> {
    for (let changed = true; changed;) {
      changed = false;
      const ids = await readTenant(this.source, scope, (tx) => find(tx));
      const one = async (id: string): Promise<void> => {
        changed = (await withTenant(this.source, scope, (tx) => act(tx, id))) || changed;
      };
      await apart(
        this.log,
        'housekeeping',
        ids.map((id): Task => [id, () => one(id)]),
      );
    }
  }

  private before(ms: number): Date {
    return new Date(this.rules.now().getTime() - ms);
  }
}

interface Chore {
  readonly find: (tx: TenantRead) => Promise<string[]>;
  /** @returns whether something changed */
  readonly act: (tx: TenantTx, id: string) => Promise<boolean>;
}
