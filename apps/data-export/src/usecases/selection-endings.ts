import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { InputCounts } from '../db/file-definitions.js';
import { IdSelections, type ClaimedSelection } from '../db/id-selections.js';
import { Stores } from '../db/stores.js';
import type { LogRow } from '../domain/error-codes.js';
import { Cuts } from './cuts.js';
import { Dispatch } from './dispatch.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';

/** How the search for the ids of a job ends. */
@Injectable()
export class SelectionEndings {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly selections: IdSelections,
    private readonly cuts: Cuts,
    private readonly endings: JobEndings,
    private readonly dispatch: Dispatch,
    private readonly fresh: Fresh,
  ) {}

  /** The ids are there: they are counted and cut in one step. Nothing happens when somebody else has the selection. */
  async finish(scope: Scope, claimed: ClaimedSelection, lines: InputCounts): Promise<void> {
    const { jobId } = claimed;
    await withTenant(this.source, scope, async (tx) => {
      // The job first, as everybody locks them.
      const job = await this.stores.jobs.lock(tx, jobId);
      if (job?.status !== 'IN_PROGRESS') return;
      if (!(await this.selections.hold(tx, claimed))) return;
      await this.selections.drop(tx, jobId);
      await this.stores.jobs.setLines(tx, jobId, lines, this.fresh.now());
      await this.cuts.cut(tx, jobId);
    });
    this.dispatch.wake();
  }

  /** The job ends as if no line had been read. */
  async fail(scope: Scope, claimed: ClaimedSelection, row: LogRow): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      await this.stores.jobs.lock(tx, claimed.jobId);
      if (await this.selections.hold(tx, claimed)) await this.endings.fail(tx, claimed.jobId, row);
    });
  }
}
