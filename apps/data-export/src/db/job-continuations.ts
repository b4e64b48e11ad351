import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { SET_TO_DELETION } from '../domain/error-codes.js';

/** From one job to the job that goes on with it (`data-export.md`, section 14, B5). */
export interface Continuation {
  readonly from: string;
  readonly to: string;
}

/**
 * Moves the work of a job that failed to a new one. Finished slices change hands with their objects, so that each object
 * belongs to one job and goes when that job is deleted; the counts of the old job stay, because counts are only summed up
 * while a job runs. What became of the lines of these slices is copied: it belongs to the report of both.
 */
@Injectable()
export class JobContinuations {
  /** @returns how many finished slices the new job has taken over; 0 also when nothing is left to do */
  async takeOver(tx: TenantTx, { from, to }: Continuation): Promise<number> {
    const [tenantId, ids] = [tx.tenantId, [tx.tenantId, from, to]];
    const row = await tx.one<{ rest: boolean }>(
      `select bool_or(state <> 'DONE') as rest from slice where tenant_id = $1 and job_id = $2`,
      [tenantId, from],
    );
    if (!row?.rest) return 0;
    await tx.execute(
      `insert into slice (tenant_id, job_id, slice_no, from_ordinal, to_ordinal, ids)
       select tenant_id, $3, slice_no, from_ordinal, to_ordinal, ids from slice
       where tenant_id = $1 and job_id = $2 and state <> 'DONE'`,
      ids,
    );
    const moved = await tx.execute(
      `update slice set job_id = $3 where tenant_id = $1 and job_id = $2 and state = 'DONE'`,
      ids,
    );
    if (moved > 0) await this.copyOutcomes(tx, ids);
    return moved;
  }

  /** Is one of the lines taken over a deleted authority? */
  async hasDeletedAuthorities(tx: TenantRead, jobId: string): Promise<boolean> {
    const row = await tx.one(
      'select from export_outcome where tenant_id = $1 and job_id = $2 and code = $3 limit 1',
      [tx.tenantId, jobId, SET_TO_DELETION],
    );
    return row !== undefined;
  }

  private async copyOutcomes(tx: TenantTx, ids: readonly string[]): Promise<void> {
    const done = `(select s.slice_no from slice s where s.tenant_id = $1 and s.job_id = $3 and s.state = 'DONE')`;
    await tx.execute(
      `insert into export_outcome (tenant_id, job_id, ordinal, slice_no, class, code, message, affected)
       select tenant_id, $3, ordinal, slice_no, class, code, message, affected from export_outcome
       where tenant_id = $1 and job_id = $2 and slice_no in ${done}`,
      ids,
    );
    await tx.execute(
      `insert into error_log (tenant_id, id, job_id, created_at, level, code, message_values, affected, actor, slice_no)
       select tenant_id, gen_random_uuid(), $3, created_at, level, code, message_values, affected, actor, slice_no
       from error_log where tenant_id = $1 and job_id = $2 and slice_no in ${done} order by seq`,
      ids,
    );
  }
}
