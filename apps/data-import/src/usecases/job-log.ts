import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { SnapshotEntries } from '@quire/contracts/source-records';
import { readTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobErrors, type ErrorRow } from '../db/job-errors.js';
import { JobExecutions } from '../db/job-executions.js';
import {
  comparatorOf,
  failedRecordOf,
  savedRecordOf,
  type LoggedJob,
  type LoggedRecord,
  type LogSort,
} from '../domain/logged-record.js';
import { mergeSorted, slice } from '../pipeline/merge-sorted.js';
import { SavedEntries, type EntriesRequest } from './saved-entries.js';

export interface LogView {
  readonly sortBy: LogSort;
  readonly descending: boolean;
  readonly errorsOnly?: boolean;
  readonly authoritiesOnly?: boolean;
}

export interface LogPage {
  readonly skip: number;
  readonly limit: number;
}

/** A log that was found; its records are read as they are asked for. */
export interface OpenLog {
  /** Records that are listed. */
  readonly total: number;
  readonly records: AsyncIterable<LoggedRecord>;
}

/** Rows or entries read at once. */
const BATCH = 1000;

/**
 * The records of a job, failed ones from our rows and saved ones from source-record-storage, merged in flat memory
 * (data-import, section 5). No transaction is held while the other service or a slow reader is waited for.
 */
@Injectable()
export class JobLog {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly errors: JobErrors,
    private readonly saved: SavedEntries,
  ) {}

  /** Undefined for an unknown job. */
  async job(scope: Scope, id: string): Promise<LoggedJob | undefined> {
    const row = await readTenant(this.source, scope, (tx) => this.jobs.view(tx, id));
    return row && { id, tenantId: scope.tenantId, profileName: row.profile_name ?? '' };
  }

  /** @throws Failure 503 when source-record-storage is away and has a part in it */
  async open(scope: Scope, job: LoggedJob, view: LogView, page: LogPage): Promise<OpenLog> {
    const failedTotal = await readTenant(this.source, scope, (tx) =>
      this.errors.count(tx, job.id, typeOf(view)),
    );
    const pageSize = Math.max(1, Math.min(BATCH, page.skip + page.limit));
    const none = { entries: [], total: 0 };
    const request = requestOf(job.id, view, pageSize);
    const place = await this.place(scope, job.id, view, page.skip);
    const first = view.errorsOnly
      ? none
      : await this.saved.page(scope, { ...request, from: place?.from });
    const savedTotal = first.total ?? 0;
    const total = failedTotal + savedTotal;
    // An entry that was removed shifts those behind it: then the chunks do not tell where an offset falls.
    const isExact = place !== undefined && place.handled === total;
    const start = isExact ? place : { from: undefined, skip: page.skip };
    const readAgain = place !== undefined && !isExact && !view.errorsOnly;
    const opening = readAgain ? await this.saved.page(scope, request) : first;
    const merged = mergeSorted(
      this.failedRecords(scope, job, { ...view, from: start.from, pageSize }),
      this.savedRecords(scope, { ...request, from: start.from }, opening),
      comparatorOf(view.sortBy, view.descending),
    );
    return { total, records: slice(merged, { skip: start.skip, limit: page.limit }) };
  }

  async find(scope: Scope, job: LoggedJob, recordId: string): Promise<LoggedRecord | undefined> {
    const row = await readTenant(this.source, scope, (tx) => this.errors.find(tx, recordId));
    if (row) return row.job_id === job.id ? failedRecordOf(row, job) : undefined;
    const entry = await this.saved.ofJob(scope, job.id, recordId);
    return entry && savedRecordOf(entry);
  }

  /** Of the order of the file, where reading up to the offset would cost more than asking the chunks. */
  private place(
    scope: Scope,
    jobId: string,
    { sortBy, descending, errorsOnly, authoritiesOnly }: LogView,
    offset: number,
  ): Promise<{ from: number; skip: number; handled: number } | undefined> {
    if (sortBy !== 'order' || errorsOnly || authoritiesOnly || offset < BATCH)
      return Promise.resolve(undefined);
    return readTenant(this.source, scope, async (tx) => {
      const found = await this.chunks.placeOf(tx, jobId, { offset, descending });
      if (!found) return undefined;
      const { created, updated, unchanged, failed } = await this.chunks.sums(tx, jobId);
      return { ...found, handled: created + updated + unchanged + failed };
    });
  }

  private async *failedRecords(
    scope: Scope,
    job: LoggedJob,
    view: LogView & { readonly from: number | undefined; readonly pageSize: number },
  ): AsyncGenerator<LoggedRecord> {
    const { sortBy, descending, from, pageSize: limit } = view;
    // What failed has one action: its order is that of the file.
    const page = {
      sortBy: sortBy === 'action' ? 'order' : sortBy,
      descending,
      type: typeOf(view),
      from,
      limit,
    } as const;
    let after: ErrorRow | undefined;
    for (;;) {
      const next = { ...page, after };
      const rows = await readTenant(this.source, scope, (tx) => this.errors.page(tx, job.id, next));
      for (const row of rows) yield failedRecordOf(row, job);
      after = rows.at(-1);
      if (rows.length < limit) return;
    }
  }

  private async *savedRecords(
    scope: Scope,
    request: EntriesRequest,
    first: SnapshotEntries,
  ): AsyncGenerator<LoggedRecord> {
    for await (const entry of this.saved.all(scope, request, first)) yield savedRecordOf(entry);
  }
}

const typeOf = (view: LogView): string | undefined => (view.authoritiesOnly ? 'A' : undefined);

function requestOf(jobId: string, view: LogView, pageSize: number): EntriesRequest {
  return {
    jobId,
    // Saved records have no error: they stand together, in the order of the file.
    sortBy: view.sortBy === 'error' ? 'order' : view.sortBy,
    descending: view.descending,
    recordType: view.authoritiesOnly ? 'MARC_AUTHORITY' : undefined,
    pageSize,
  };
}
