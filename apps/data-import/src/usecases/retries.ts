import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { Caller } from '@quire/contracts/scope';
import { APART, readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import type { JobView } from '../db/job-executions.js';
import type { JobOptions } from '../domain/job-options.js';
import { Dispatch } from './dispatch.js';
import { RetryCopies, type Copied, type RetryCopy } from './retry-copies.js';
import { RetrySteps } from './retry-steps.js';

/**
 * A new job over only the failed records of an ended one (data-import, 14, 5):
 *
 *   begin ─▶ copy ─▶ launch     the new job runs
 *      └───────┴───▶ give up    somebody else was faster, or the file is gone: as if it had not been
 */
@Injectable()
export class Retries {
  constructor(
    private readonly source: DataSource,
    private readonly steps: RetrySteps,
    private readonly copies: RetryCopies,
    private readonly dispatch: Dispatch,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** @throws Failure 404; 400 when the job runs, has no failed records, or a retry of it runs; 429 */
  async retry(caller: Caller, jobId: string, asked: JobOptions): Promise<JobView> {
    const copy = await withTenant(
      this.source,
      caller,
      (tx) => this.steps.begin(tx, jobId, this.ids.next()),
      APART,
    );
    const copied = await this.copies.copy(caller, copy);
    const id = this.ids.next();
    await this.launched(caller, copy, (tx) =>
      this.steps.launch(tx, caller, { id, copy, copied, asked }),
    );
    this.dispatch.wake();
    return readTenant(this.source, caller, (tx) => this.steps.view(tx, id));
  }

  private async launched(
    caller: Caller,
    copy: RetryCopy,
    work: (tx: TenantTx) => Promise<void>,
  ): Promise<void> {
    try {
      await withTenant(this.source, caller, work);
    } catch (error) {
      await this.copies.giveUp(caller, copy);
      throw error;
    }
  }
}

export interface Launch {
  /** Of the new job. */
  readonly id: string;
  readonly copy: RetryCopy;
  readonly copied: Copied;
  readonly asked: JobOptions;
}
