import { Injectable } from '@nestjs/common';
import type { JournalRecord } from '@quire/contracts/job-logs';
import type { Scope } from '@quire/contracts/scope';
import {
  comparatorOf,
  deedRowOf,
  parseRowOf,
  type LoggedJob,
  type LoggedRecord,
  type LogSort,
} from '../domain/logged-record.js';
import { Ahead, mergeSorted, slice } from '../pipeline/merge-sorted.js';
import { JobLog } from './job-log.js';

export const JOURNAL_SORTS = ['source_record_order', 'action_type', 'error'] as const;
export type JournalSort = (typeof JOURNAL_SORTS)[number];

export interface JournalView {
  readonly sortBy: JournalSort;
  readonly descending: boolean;
}

export interface OpenJournal {
  readonly total: number;
  readonly rows: AsyncIterable<JournalRecord>;
}

const ALL = { skip: 0, limit: Number.MAX_SAFE_INTEGER };

/** Two rows for each record of a job, made on reading (data-import, 5.4 and 11.1). */
@Injectable()
export class Journal {
  constructor(private readonly log: JobLog) {}

  async open(
    scope: Scope,
    job: LoggedJob,
    view: JournalView,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<OpenJournal> {
    const { offset, limit } = page;
    if (view.sortBy === 'source_record_order') {
      const records = { skip: Math.floor(offset / 2), limit: Math.ceil(limit / 2) + (offset % 2) };
      const { descending } = view;
      const { total, records: read } = await this.log.open(
        scope,
        job,
        { sortBy: 'order', descending },
        records,
      );
      return { total: 2 * total, rows: slice(rowsOf(read, job), { skip: offset % 2, limit }) };
    }
    const counted = await this.log.open(
      scope,
      job,
      { sortBy: 'order', descending: false },
      { skip: 0, limit: 0 },
    );
    const sorted =
      view.sortBy === 'error'
        ? this.byError(scope, job, view.descending)
        : this.byAction(scope, job, view.descending);
    return { total: 2 * counted.total, rows: slice(sorted, { skip: offset, limit }) };
  }

  /** Rows without an error stand together, in the order of the file; then those with one, by its text. */
  private async *byError(
    scope: Scope,
    job: LoggedJob,
    descending: boolean,
  ): AsyncGenerator<JournalRecord> {
    for (const withError of descending ? [true, false] : [false, true]) {
      const records = withError
        ? await this.failed(scope, job, 'error', descending)
        : await this.records(scope, job, 'order', descending);
      for await (const row of rowsOf(records, job)) if ((row.error !== '') === withError) yield row;
    }
  }

  /** Action by action, each in the order of the file. */
  private async *byAction(
    scope: Scope,
    job: LoggedJob,
    descending: boolean,
  ): AsyncGenerator<JournalRecord> {
    const deeds = new Ahead(await this.records(scope, job, 'action', descending));
    const compare = comparatorOf('order', descending);
    const run = (action: LoggedRecord['action']): AsyncGenerator<LoggedRecord> =>
      deeds.takeWhile((record) => record.action === action || record.action === 'FAILED');
    const isSaved = (record: LoggedRecord): boolean => record.action !== 'FAILED';
    // What failed was to be created; in the log it stands with what changed nothing.
    const actions = {
      CREATE: async () =>
        mergeSorted(
          only(run('CREATED'), isSaved),
          await this.failed(scope, job, 'order', descending),
          compare,
        ),
      MATCH: () => Promise.resolve(only(run('UNCHANGED'), isSaved)),
      PARSE: () => this.records(scope, job, 'order', descending),
      UPDATE: () => Promise.resolve(only(run('UPDATED'), isSaved)),
    } as const;
    const names = ['CREATE', 'MATCH', 'PARSE', 'UPDATE'] as const;
    try {
      for (const name of descending ? [...names].reverse() : names) {
        for await (const record of await actions[name]())
          yield name === 'PARSE' ? parseRowOf(record, job) : deedRowOf(record, job);
      }
    } finally {
      await deeds.end();
    }
  }

  private async records(
    scope: Scope,
    job: LoggedJob,
    sortBy: LogSort,
    descending: boolean,
  ): Promise<AsyncIterable<LoggedRecord>> {
    return (await this.log.open(scope, job, { sortBy, descending }, ALL)).records;
  }

  private async failed(
    scope: Scope,
    job: LoggedJob,
    sortBy: LogSort,
    descending: boolean,
  ): Promise<AsyncIterable<LoggedRecord>> {
    return (await this.log.open(scope, job, { sortBy, descending, errorsOnly: true }, ALL)).records;
  }
}

/** That a record was read comes before what was done with it. */
async function* rowsOf(
  records: AsyncIterable<LoggedRecord>,
  job: LoggedJob,
): AsyncGenerator<JournalRecord> {
  for await (const record of records) {
    yield parseRowOf(record, job);
    yield deedRowOf(record, job);
  }
}

async function* only<T>(items: AsyncIterable<T>, wanted: (item: T) => boolean): AsyncGenerator<T> {
  for await (const item of items) if (wanted(item)) yield item;
}
