import { Inject, Injectable } from '@nestjs/common';
import { SliceReady } from '@quire/contracts/data-export';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { LeaseKeeper } from '@quire/jobs/lease-keeper';
import { Outbox } from '@quire/messaging/outbox';
import { asSystem, withTenant } from '@quire/postgres/tenant';
import { SETTINGS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { exportSettings, type ExportSettings } from '../config.js';
import type { ClaimedSlice } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import { Fresh } from './fresh.js';

interface ClaimRow {
  readonly tenant_id: string;
  readonly job_id: string;
  readonly slice_no: number;
  readonly lease_epoch: string;
  readonly attempts: number;
}

/** Who may work on a released slice, and for how long. Only the clock of the database counts. */
@Injectable()
export class SliceLeases {
  private readonly settings: ExportSettings;
  /** Of this process, for people who look at the table. */
  private readonly owner: string;

  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly keeper: LeaseKeeper,
    private readonly fresh: Fresh,
    private readonly outbox: Outbox,
    @Inject(SETTINGS) settings: object,
  ) {
    this.settings = exportSettings(settings);
    this.owner = `${process.pid}.${fresh.id()}`;
  }

  /** The tenant with the fewest running slices first; one tenant never has all workers while there are several. */
  async claim(): Promise<ClaimedSlice | undefined> {
    const { leaseMs, exportWorkers } = this.settings;
    const [row] = await asSystem(this.source, (system) =>
      system.call<ClaimRow>(`select * from claim_slice($1, $2 * interval '1 millisecond', $3)`, [
        this.owner,
        leaseMs,
        Math.max(1, exportWorkers - 1),
      ]),
    );
    return (
      row && {
        tenantId: row.tenant_id,
        jobId: row.job_id,
        sliceNo: row.slice_no,
        epoch: Number(row.lease_epoch),
        attempts: row.attempts,
      }
    );
  }

  /** On a connection of its own, and with it the sign of life that clients see on the job. */
  renew(claimed: ClaimedSlice): Promise<boolean> {
    return this.keeper.renew(scopeOf(claimed), async (tx) => {
      await this.stores.jobs.touch(tx, claimed.jobId, this.fresh.now());
      return this.stores.slices.renew(tx, claimed, this.settings.leaseMs);
    });
  }

  /** Not finished and no attempt: it can be claimed at once, and the other replicas are told. */
  async giveBack(claimed: ClaimedSlice): Promise<void> {
    await withTenant(this.source, scopeOf(claimed), async (tx) => {
      const { jobId: jobExecutionId, sliceNo, tenantId } = claimed;
      const job = await this.stores.jobs.find(tx, jobExecutionId);
      const range = await this.stores.slices.range(tx, claimed);
      if (!job || !range) return;
      await this.stores.slices.handBack(tx, claimed, { delayMs: 0, attempt: false, wait: false });
      const { fromOrdinal, toOrdinal } = range;
      const about = { tenantId, jobExecutionId, jobVersion: job.version };
      await this.outbox.add(tx, SliceReady, { ...about, sliceNo, fromOrdinal, toOrdinal });
    });
  }
}

const scopeOf = ({ tenantId }: ClaimedSlice) => ({ tenantId, actorId: SYSTEM_USER_ID });
