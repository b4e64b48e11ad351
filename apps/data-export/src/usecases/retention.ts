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
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { exportSettings } from '../config.js';
import { CleanUps } from '../db/clean-ups.js';
import { ExportTenantSettings } from '../db/tenant-settings.js';
import { HouseRules } from './house-rules.js';
import { JobRemovals } from './job-removals.js';

const AT_ONCE = 100;
const DAY_MS = 86_400_000;

/** What the retention reads. */
@Injectable()
export class RetentionStores {
  constructor(
    readonly settings: ExportTenantSettings,
    readonly cleanUps: CleanUps,
  ) {}
}

/** What each tenant wants kept for how long (`data-export.md`, section 14, B13): outputs, and jobs with their logs. */
@Injectable()
export class Retention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;

  constructor(
    private readonly source: DataSource,
    private readonly stores: RetentionStores,
    private readonly rules: HouseRules,
    private readonly removals: JobRemovals,
    private readonly tenants: Tenants,
    @Inject(LOG) private readonly log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    const { retentionEveryMs: everyMs } = exportSettings(settings);
    const work = (): Promise<void> => this.turn();
    this.background = new Background({ name: 'data-export.retention', everyMs, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.background.stop();
  }

  private turn(): Promise<void> {
    return this.tenants.eachAlone('data-export.retention', (scope) => this.keepTo(scope));
  }

  private async keepTo(scope: Scope): Promise<void> {
    const [jobDays, outputDays] = await readTenant(this.source, scope, async (tx) => [
      await this.stores.settings.read(tx, 'jobRetentionDays'),
      await this.stores.settings.read(tx, 'outputRetentionDays'),
    ]);
    if (jobDays !== null)
      await this.each(scope, { days: jobDays, withOutput: false }, (id) =>
        this.removals.remove(scope, id),
      );
    if (outputDays !== null)
      await this.each(scope, { days: outputDays, withOutput: true }, (id) =>
        withTenant(this.source, scope, (tx) => this.rules.removeOutput(tx, id)),
      );
    this.rules.wakeSweeps();
  }

  /** All that is old enough: what was acted on is not found again. */
  private async each(
    scope: Scope,
    { days, withOutput }: { readonly days: number; readonly withOutput: boolean },
    act: (id: string) => Promise<unknown>,
  ): Promise<void> {
    const before = new Date(this.rules.now().getTime() - days * DAY_MS);
    for (;;) {
      const ids = await readTenant(this.source, scope, (tx) =>
        this.stores.cleanUps.endedJobs(tx, { before, withOutput }, AT_ONCE),
      );
      const tasks = ids.map((id): Task => [id, () => act(id)]);
      if ((await apart(this.log, 'retention', tasks)) === 0) return;
    }
  }
}
