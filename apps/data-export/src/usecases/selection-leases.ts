import { Inject, Injectable } from '@nestjs/common';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { LeaseKeeper } from '@quire/jobs/lease-keeper';
import { asSystem, withTenant } from '@quire/postgres/tenant';
import { SETTINGS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { exportSettings, type ExportSettings } from '../config.js';
import { IdSelections, type ClaimedSelection } from '../db/id-selections.js';
import { Stores } from '../db/stores.js';
import { Fresh } from './fresh.js';

interface ClaimRow {
  readonly tenant_id: string;
  readonly job_id: string;
  readonly lease_epoch: string;
  readonly attempts: number;
}

/** Who looks for the ids of a job, and for how long; as with slices. */
@Injectable()
export class SelectionLeases {
  private readonly settings: ExportSettings;
  private readonly owner: string;

  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly selections: IdSelections,
    private readonly keeper: LeaseKeeper,
    private readonly fresh: Fresh,
    @Inject(SETTINGS) settings: object,
  ) {
    this.settings = exportSettings(settings);
    this.owner = `${process.pid}.${fresh.id()}`;
  }

  async claim(): Promise<ClaimedSelection | undefined> {
    const [row] = await asSystem(this.source, (system) =>
      system.call<ClaimRow>(`select * from claim_selection($1, $2 * interval '1 millisecond')`, [
        this.owner,
        this.settings.leaseMs,
      ]),
    );
    return (
      row && {
        tenantId: row.tenant_id,
        jobId: row.job_id,
        epoch: Number(row.lease_epoch),
        attempts: row.attempts,
      }
    );
  }

  renew(claimed: ClaimedSelection): Promise<boolean> {
    return this.keeper.renew(scopeOf(claimed), async (tx) => {
      await this.stores.jobs.touch(tx, claimed.jobId, this.fresh.now());
      return this.selections.renew(tx, claimed, this.settings.leaseMs);
    });
  }

  /** Not finished and no attempt: it can be claimed at once. */
  async giveBack(claimed: ClaimedSelection): Promise<void> {
    await withTenant(this.source, scopeOf(claimed), (tx) =>
      this.selections.handBack(tx, claimed, { delayMs: 0, attempt: false, wait: false }),
    );
  }
}

const scopeOf = ({ tenantId }: ClaimedSelection) => ({ tenantId, actorId: SYSTEM_USER_ID });
