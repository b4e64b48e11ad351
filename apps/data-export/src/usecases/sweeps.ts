import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { ExportFiles } from '../files/export-files.js';
import { Uploads } from './uploads.js';

const EVERY_MS = 60_000;
/** An object without a row that refers to it is rubbish after this. Longer than any upload or slice can take. */
const INTENT_MS = 3_600_000;

/** Picks up after processes that died: uploads that nobody feeds, objects that nobody refers to. */
@Injectable()
export class Sweeps implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;

  constructor(
    private readonly source: DataSource,
    private readonly tenants: Tenants,
    private readonly files: ExportFiles,
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

  private async sweep(): Promise<void> {
    for (const tenantId of await this.tenants.list()) {
      await this.uploads.recover(tenantId, SYSTEM_USER_ID);
      await this.removeAbandoned(tenantId);
    }
  }

  private async removeAbandoned(tenantId: string): Promise<void> {
    const scope = { tenantId, actorId: SYSTEM_USER_ID };
    const keys = await withTenant(this.source, scope, (tx) => this.files.abandoned(tx, INTENT_MS));
    for (const text of keys) {
      const key = TenantKey.parse(text);
      await this.files.store.remove(key);
      await withTenant(this.source, scope, (tx) => this.files.settle(tx, key));
    }
  }
}
