import { Injectable } from '@nestjs/common';
import type {
  ExportJobPayload,
  ExportRequestedPayload,
  SliceFinishedPayload,
} from '@quire/contracts/data-export';
import type { Delivery } from '@quire/messaging/event-bus';
import { Inbox } from '@quire/messaging/inbox';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { IdSelections } from '../db/id-selections.js';
import { logRows } from '../domain/error-codes.js';
import { Cuts } from './cuts.js';
import { Dispatch } from './dispatch.js';
import { JobEndings } from './job-endings.js';
import { SelectionWorkers } from './selection-workers.js';

/** The life of an export after its start, in order: slice · close. */
@Injectable()
export class Exports {
  constructor(
    private readonly source: DataSource,
    private readonly selections: IdSelections,
    private readonly cuts: Cuts,
    private readonly endings: JobEndings,
    private readonly selectors: SelectionWorkers,
    private readonly dispatch: Dispatch,
    private readonly inbox: Inbox,
  ) {}

  /** Cuts the ids of a job into slices, unless they are still to be found. */
  async slice({ jobExecutionId }: ExportRequestedPayload, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'exports.slice', delivery.id))) return;
      if (await this.selections.waits(tx, jobExecutionId)) return;
      await this.cuts.cut(tx, jobExecutionId);
    });
    this.selectors.wake();
    this.dispatch.wake();
  }

  /** After each slice: the last one ends the job. */
  async close({ jobExecutionId }: SliceFinishedPayload, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'exports.close', delivery.id))) return;
      await this.endings.closeWhenDone(tx, jobExecutionId);
    });
    this.dispatch.wake();
  }

  /** An event of the job could not be handled: the job ends with a reason instead of waiting for ever. */
  async giveUp({ jobExecutionId }: ExportJobPayload, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, (tx) =>
      this.endings.fail(tx, jobExecutionId, logRows.generic()),
    );
  }
}
