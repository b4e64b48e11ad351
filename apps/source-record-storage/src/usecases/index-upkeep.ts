import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { MarcIndex } from '../db/marc-index.js';
import { PendingKeys } from '../db/pending-keys.js';
import { InstanceView } from './instance-view.js';

const EVERY_MS = 60_000;
/** Merged as they come: rarer merges make queries wait, more frequent ones the import (section 8.2). */
const MERGE_ROWS = 20_000;
const FILL_ROWS = 1_000;

/**
 * Keeps the indexes of records in order: merges what imports have written, as they go on, and reads records that are older
 * than an index, in batches of one transaction each, which go on where they stopped.
 */
@Injectable()
export class IndexUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;
  private unmergedRows = 0;

  constructor(
    private readonly source: DataSource,
    private readonly tenants: Tenants,
    private readonly marcIndex: MarcIndex,
    private readonly instances: InstanceView,
    private readonly pending: PendingKeys,
    @Inject(LOG) private readonly log: Log,
  ) {
    const work = (): Promise<void> => this.turn();
    const name = 'source-record-storage.indexes';
    this.background = new Background({ name, everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.background.stop();
  }

  /** Told of rows that were written, by who writes many. */
  written(rows: number): void {
    this.unmergedRows += rows;
    if (this.unmergedRows >= MERGE_ROWS) this.background.wake();
  }

  async merge(): Promise<void> {
    this.unmergedRows = 0;
    await this.pending.merge(this.source);
  }

  /** One batch of each tenant whose index is not complete. @returns whether there was any */
  async fill(): Promise<boolean> {
    let worked = false;
    const filling = this.tenants.each(async (scope) => {
      if (await this.fillOf(scope)) worked = true;
    });
    // What others have written is merged all the same.
    await filling.catch((error: unknown) =>
      this.log.warn({ err: error }, 'an index was not filled, trying again later'),
    );
    return worked;
  }

  private async fillOf(scope: Scope): Promise<boolean> {
    const keys = await withTenant(this.source, scope, (tx) => this.marcIndex.fill(tx, FILL_ROWS));
    const rows = await withTenant(this.source, scope, (tx) => this.instances.fill(tx, FILL_ROWS));
    return keys || rows;
  }

  private async turn(): Promise<void> {
    const filled = await this.fill();
    if (filled) this.unmergedRows += FILL_ROWS;
    if (!filled || this.unmergedRows >= MERGE_ROWS) await this.merge();
    if (filled) this.background.pauseOnly(0);
  }
}
