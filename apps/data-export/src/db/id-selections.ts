import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { Selection } from '../domain/selection.js';
import type { HandBack } from './slices.js';

/** A selection that a worker holds; every write of the worker names the epoch of its claim. */
export interface ClaimedSelection {
  readonly tenantId: string;
  readonly jobId: string;
  readonly epoch: number;
  /** This one included. */
  readonly attempts: number;
}

export interface SelectionRow {
  readonly selection: Selection;
  readonly waits: number;
}

/** Inputs that are still to be found. A row is there until its job has its ids or has ended. */
@Injectable()
export class IdSelections {
  async insert(tx: TenantTx, jobId: string, selection: Selection): Promise<void> {
    await tx.execute(
      'insert into id_selection (tenant_id, job_id, selection) values ($1, $2, $3)',
      [tx.tenantId, jobId, JSON.stringify(selection)],
    );
  }

  async waits(tx: TenantRead, jobId: string): Promise<boolean> {
    const sql = 'select from id_selection where tenant_id = $1 and job_id = $2';
    return (await tx.one(sql, [tx.tenantId, jobId])) !== undefined;
  }

  /** Undefined when the claim is over. */
  async find(tx: TenantRead, claimed: ClaimedSelection): Promise<SelectionRow | undefined> {
    return tx.one<SelectionRow & Record<string, unknown>>(
      `select selection, waits from id_selection where ${HELD}`,
      held(claimed),
    );
  }

  /** Nobody else claims it while this transaction lasts. @returns false when somebody else has it already */
  async hold(tx: TenantTx, claimed: ClaimedSelection): Promise<boolean> {
    const sql = `select from id_selection where ${HELD} for update`;
    return (await tx.one(sql, held(claimed))) !== undefined;
  }

  async renew(tx: TenantTx, claimed: ClaimedSelection, leaseMs: number): Promise<boolean> {
    const renewed = await tx.execute(
      `update id_selection set lease_until = clock_timestamp() + make_interval(secs => $4) where ${HELD}`,
      [...held(claimed), leaseMs / 1000],
    );
    return renewed === 1;
  }

  /** Gives it back, to be claimed after `delayMs`. What was no attempt is not counted as one. */
  async handBack(
    tx: TenantTx,
    claimed: ClaimedSelection,
    { delayMs, attempt, wait }: HandBack,
  ): Promise<void> {
    await tx.execute(
      `update id_selection set lease_owner = null, lease_until = null,
         run_at = clock_timestamp() + make_interval(secs => $4), attempts = attempts - $5, waits = waits + $6
       where ${HELD}`,
      [...held(claimed), delayMs / 1000, attempt ? 0 : 1, wait ? 1 : 0],
    );
  }

  /** The ids are found, or nobody wants them any more; a worker that still looks can change nothing. */
  async drop(tx: TenantTx, jobId: string): Promise<void> {
    await tx.execute('delete from id_selection where tenant_id = $1 and job_id = $2', [
      tx.tenantId,
      jobId,
    ]);
  }
}

const HELD = 'tenant_id = $1 and job_id = $2 and lease_epoch = $3';

const held = ({ tenantId, jobId, epoch }: ClaimedSelection): unknown[] => [tenantId, jobId, epoch];
