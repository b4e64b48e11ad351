import { Injectable } from '@nestjs/common';
import { SliceFinished } from '@quire/contracts/data-export';
import { uuidV5 } from '@quire/contracts/ids';
import type { Scope } from '@quire/contracts/scope';
import { storable } from '@quire/contracts/storable';
import { Outbox } from '@quire/messaging/outbox';
import type { StoredObject } from '@quire/object-store/object-store';
import type { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { ClaimedSlice, HandBack, OutcomeRow } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import {
  logRows,
  SET_TO_DELETION,
  type AffectedRecord,
  type LogRow,
} from '../domain/error-codes.js';
import { textOf } from '../domain/error-texts.js';
import { oversizeName } from '../domain/file-name.js';
import type { ExportFile, ExportJob } from '../domain/job-answer.js';
import { ExportFiles } from '../files/export-files.js';
import type { LineOutcome, SliceTally } from '../pipeline/export-slice.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';

/** An object that an attempt has written. */
export interface WrittenObject {
  readonly key: TenantKey;
  readonly stored: StoredObject;
}

export interface FinishedAttempt {
  readonly job: ExportJob;
  readonly output: WrittenObject;
  /** The part of the file for oversize records, if there is one. */
  readonly oversize: WrittenObject | undefined;
  /** Every key that the attempt has announced. */
  readonly keys: readonly TenantKey[];
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
    { job, output, oversize, keys, tally }: FinishedAttempt,
  ): Promise<boolean> {
    return withTenant(this.source, scope, async (tx) => {
      // The job first, as everybody locks them: a slice that ends and a job that is ended must not wait for each other.
      const current = await this.stores.jobs.lock(tx, claimed.jobId);
      if (current?.status !== 'IN_PROGRESS') return false;
      const { exported, notFound, faulty, sourceDuplicates, outcomes } = tally;
      const result = {
        ...objectOf(output),
        ...{ exported, notFound, faulty, sourceDuplicates },
        ...(oversize ? { oversize: { ...objectOf(oversize), records: tally.oversize } } : {}),
      };
      if (!(await this.stores.slices.finish(tx, claimed, result))) return false;
      if (tally.oversize > 0) await this.stores.jobs.addOversizeFile(tx, job.id, oversizeFile(job));
      await this.stores.slices.addOutcomes(tx, claimed, outcomeRows(outcomes));
      await this.addLogs(tx, job, claimed, outcomes);
      await this.stores.jobs.sumUp(tx, claimed.jobId, this.fresh.now());
      for (const key of keys) await this.files.settle(tx, key);
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

  /** With a sign of life of the job: who waits for a dependency is seen to wait. */
  async handBack(scope: Scope, claimed: ClaimedSlice, back: HandBack): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      await this.stores.jobs.touch(tx, claimed.jobId, this.fresh.now());
      await this.stores.slices.handBack(tx, claimed, back);
    });
  }

  private async addLogs(
    tx: TenantTx,
    { id: jobId }: ExportJob,
    { sliceNo }: ClaimedSlice,
    outcomes: readonly LineOutcome[],
  ): Promise<void> {
    const at = this.fresh.now();
    const rows = outcomes.flatMap(({ ordinal, row }) =>
      row ? [{ id: uuidV5(jobId, `line ${ordinal} ${row.code}`), row }] : [],
    );
    for (let start = 0; start < rows.length; start += LOG_ROWS_AT_ONCE) {
      const some = rows.slice(start, start + LOG_ROWS_AT_ONCE);
      await this.stores.logs.add(tx, { jobId, sliceNo }, at, some);
    }
    if (!rows.some(({ row }) => row.code === SET_TO_DELETION)) return;
    const row = logRows.profileUsedForNonDeleted();
    await this.stores.logs.add(tx, { jobId }, at, [{ id: uuidV5(jobId, row.code), row }]);
  }
}

const objectOf = ({ key, stored }: WrittenObject) => ({
  objectKey: key.toString(),
  bytes: stored.bytes,
  sha256: stored.sha256,
});

/** The second file of a job is the same for all of its slices. */
function oversizeFile({ id, baseName, hrId }: ExportJob): ExportFile {
  return { fileId: uuidV5(id, 'oversize'), fileName: oversizeName(baseName, hrId) };
}

/** One row a line and class: a line may have several warnings. */
function outcomeRows(outcomes: readonly LineOutcome[]): OutcomeRow[] {
  const rows = new Map<string, OutcomeRow>();
  for (const outcome of outcomes) {
    const key = `${outcome.ordinal} ${outcome.class}`;
    const [before, row] = [rows.get(key), outcomeRow(outcome)];
    const message = [before?.message, row.message].filter((text) => text != null).join('; ');
    rows.set(key, before ? { ...before, message } : row);
  }
  return [...rows.values()];
}

function affectedOf({ hrid, title }: AffectedRecord): OutcomeRow['affected'] {
  return {
    ...(hrid === undefined ? {} : { hrid: storable(hrid) }),
    ...(title === undefined ? {} : { title: storable(title) }),
  };
}

function outcomeRow({ ordinal, class: kind, row }: LineOutcome): OutcomeRow {
  return {
    ordinal,
    class: kind,
    code: row?.code ?? null,
    message: row ? storable(textOf(row.code, row.values)) : null,
    affected: row?.affected ? affectedOf(row.affected) : null,
  };
}
