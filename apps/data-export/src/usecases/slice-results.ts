import { Injectable } from '@nestjs/common';
import { SliceFinished } from '@quire/contracts/data-export';
import { uuidV5 } from '@quire/contracts/ids';
import type { Scope } from '@quire/contracts/scope';
import { Outbox } from '@quire/messaging/outbox';
import type { StoredObject } from '@quire/object-store/object-store';
import type { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { ClaimedSlice, HandBack } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import { logRows, type LogRow } from '../domain/error-codes.js';
import type { ExportJob } from '../domain/job-answer.js';
import { ExportFiles } from '../files/export-files.js';
import type { LineOutcome, SliceTally } from '../pipeline/export-slice.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';

export interface FinishedAttempt {
  readonly job: ExportJob;
  readonly key: TenantKey;
  readonly stored: StoredObject;
  readonly tally: SliceTally;
}

/** Log rows of one statement: a slice may have 10,000 lines with a problem. */
const LOG_ROWS_AT_ONCE = 1000;

/** What a worker writes of its slice: one transaction each, and only while the claim is its own. */
@Injectable()
export class SliceResults {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly files: ExportFiles,
    private readonly endings: JobEndings,
    private readonly outbox: Outbox,
    private readonly fresh: Fresh,
  ) {}

  /** @returns false when somebody else has the slice by now: then nothing was written */
  finish(
    scope: Scope,
    claimed: ClaimedSlice,
    { job, key, stored, tally }: FinishedAttempt,
  ): Promise<boolean> {
    return withTenant(this.source, scope, async (tx) => {
      // The job first, as everybody locks them: a slice that ends and a job that is ended must not wait for each other.
      const current = await this.stores.jobs.lock(tx, claimed.jobId);
      if (current?.status !== 'IN_PROGRESS') return false;
      const { exported, notFound, faulty, sourceDuplicates, outcomes } = tally;
      const { bytes, sha256 } = stored;
      const counts = { exported, notFound, faulty, sourceDuplicates };
      const result = { ...counts, objectKey: key.toString(), bytes, sha256 };
      if (!(await this.stores.slices.finish(tx, claimed, result))) return false;
      await this.stores.slices.addOutcomes(tx, claimed, outcomes.map(outcomeRow));
      await this.addLogs(tx, job, outcomes);
      await this.stores.jobs.sumUp(tx, claimed.jobId, this.fresh.now());
      await this.files.settle(tx, key);
      await this.outbox.add(tx, SliceFinished, {
        tenantId: tx.tenantId,
        jobExecutionId: claimed.jobId,
        jobVersion: current.version,
        sliceNo: claimed.sliceNo,
        exported,
        failed: notFound + faulty,
      });
      return true;
    });
  }

  /** Ends the job of a slice that cannot be done. */
  async giveUp(scope: Scope, claimed: ClaimedSlice, row: LogRow): Promise<void> {
    await withTenant(this.source, scope, (tx) => this.endings.fail(tx, claimed.jobId, row));
  }

  async handBack(scope: Scope, claimed: ClaimedSlice, back: HandBack): Promise<void> {
    await withTenant(this.source, scope, (tx) => this.stores.slices.handBack(tx, claimed, back));
  }

  private async addLogs(
    tx: TenantTx,
    job: ExportJob,
    outcomes: readonly LineOutcome[],
  ): Promise<void> {
    const at = this.fresh.now();
    const rows = outcomes.flatMap(({ ordinal, row }) =>
      row ? [{ id: uuidV5(job.id, `line ${ordinal} ${row.code}`), row }] : [],
    );
    if (rows.some(({ row }) => row.code === 'error.setToDeletion')) {
      const row = logRows.profileUsedForNonDeleted();
      rows.push({ id: uuidV5(job.id, row.code), row });
    }
    for (let start = 0; start < rows.length; start += LOG_ROWS_AT_ONCE)
      await this.stores.logs.add(tx, job.id, at, rows.slice(start, start + LOG_ROWS_AT_ONCE));
  }
}

function outcomeRow({ ordinal, class: kind, row }: LineOutcome) {
  return {
    ordinal,
    class: kind,
    code: row?.code ?? null,
    message: row ? row.values.join(', ').replaceAll('\0', '\ufffd').toWellFormed() : null,
  };
}
