import { buffer } from 'node:stream/consumers';
import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type {
  EntrySort,
  MarcRecordType,
  RecordEntry,
  SnapshotEntries,
  SnapshotEntry,
} from '@quire/contracts/source-records';
import { ServiceClient, UnexpectedAnswer, type ServiceCall } from '@quire/service/service-client';

export interface EntriesRequest {
  readonly jobId: string;
  readonly sortBy: EntrySort;
  readonly descending: boolean;
  readonly recordType?: MarcRecordType | undefined;
  /** First order, or last when descending; of the order of the file only. */
  readonly from?: number | undefined;
  /** Entries a page. */
  readonly pageSize: number;
}

/**
 * What source-record-storage saved of a job (source-record-storage, 4.1).
 *
 * @throws Failure unavailable, UnexpectedAnswer: both end as 503 when the service is away
 */
@Injectable()
export class SavedEntries {
  constructor(private readonly client: ServiceClient) {}

  /** The page after a cursor; the first one tells the total of all of them. */
  page(scope: Scope, request: EntriesRequest, after?: string): Promise<SnapshotEntries> {
    const { jobId, sortBy, descending, recordType, from, pageSize } = request;
    const query = new URLSearchParams({
      sortBy,
      direction: descending ? 'desc' : 'asc',
      limit: String(pageSize),
    });
    if (recordType !== undefined) query.set('recordType', recordType);
    if (from !== undefined && after === undefined) query.set('from', String(from));
    if (after !== undefined) query.set('after', after);
    const target = `/internal/snapshots/${jobId}/entries?${query.toString()}`;
    return this.client.json<SnapshotEntries>(reading(scope, jobId, target));
  }

  /** The first page and all behind it. */
  async *all(
    scope: Scope,
    request: EntriesRequest,
    first: SnapshotEntries,
  ): AsyncGenerator<SnapshotEntry> {
    let page = first;
    for (;;) {
      yield* page.entries;
      if (page.next === undefined) return;
      page = await this.page(scope, request, page.next);
    }
  }

  ofJob(scope: Scope, jobId: string, recordId: string): Promise<SnapshotEntry | undefined> {
    const target = `/internal/snapshots/${jobId}/entries/${recordId}`;
    return this.found<SnapshotEntry>(reading(scope, jobId, target));
  }

  ofRecord(scope: Scope, recordId: string): Promise<RecordEntry | undefined> {
    return this.found<RecordEntry>(reading(scope, undefined, `/internal/entries/${recordId}`));
  }

  /** The stored bytes of a record: at most a few MiB. */
  async content(scope: Scope, recordId: string): Promise<Buffer | undefined> {
    const call = reading(scope, undefined, `/internal/records/${recordId}/content`);
    const { status, body } = await this.client.call(call);
    if (status === 200) return buffer(body);
    body.destroy();
    if (status === 404) return undefined;
    throw new UnexpectedAnswer(call, status, '');
  }

  private async found<T>(call: ServiceCall): Promise<T | undefined> {
    try {
      return await this.client.json<T>(call);
    } catch (error) {
      if (error instanceof UnexpectedAnswer && error.status === 404) return undefined;
      throw error;
    }
  }
}

function reading(scope: Scope, jobId: string | undefined, target: string): ServiceCall {
  const call = { to: 'source-record-storage', method: 'GET', target, scope } as const;
  return jobId === undefined ? call : { ...call, jobId };
}
