import { Controller, Get, Res, type Type } from '@nestjs/common';
import { InternalRoute } from '@quire/auth/permissions';
import { notFound, unavailable } from '@quire/contracts/failure';
import { uuidV5 } from '@quire/contracts/ids';
import { integerParameter, single, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { RecordEntry, SnapshotEntries } from '@quire/contracts/source-records';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';

/** What source-record-storage would know of imports, set by a test, and what it was asked for. */
export class SavedStub {
  entries: RecordEntry[] = [];
  readonly contents = new Map<string, Buffer>();
  readonly asked: Query[] = [];
  away = false;

  /** An entry of a frame of an uploaded file. */
  add(jobId: string, order: number, more: Partial<RecordEntry> = {}): RecordEntry {
    const recordId = uuidV5(jobId, `file:${order}`);
    const entry: RecordEntry = {
      order,
      recordId,
      matchedId: recordId,
      recordType: 'MARC_BIB',
      action: 'CREATED',
      title: `Title ${order}`,
      deleted: false,
      warnings: [],
      savedDate: '2026-03-01T10:00:00.000+00:00',
      snapshotId: jobId,
      origin: { at: 0, len: 1, sha256: '00' },
      ...more,
    };
    this.entries.push(entry);
    return entry;
  }

  check(): void {
    if (this.away) throw unavailable(5);
  }

  /** As source-record-storage 4.1 has it; a cursor is the number of entries before it. */
  page(jobId: string, query: Query): SnapshotEntries {
    this.asked.push(query);
    const sign = single(query, 'direction') === 'desc' ? -1 : 1;
    const from = single(query, 'from');
    const type = single(query, 'recordType');
    const key = (entry: RecordEntry): string =>
      single(query, 'sortBy') === 'title'
        ? entry.title
        : single(query, 'sortBy') === 'action'
          ? entry.action
          : '';
    const compare = (a: RecordEntry, b: RecordEntry): number =>
      sign *
      (Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b))) ||
        a.order - b.order ||
        (a.recordId < b.recordId ? -1 : 1));
    const all = this.entries.filter(
      (one) => one.snapshotId === jobId && (type === undefined || one.recordType === type),
    );
    const sorted = all
      .filter((one) => from === undefined || sign * (one.order - Number(from)) >= 0)
      .sort(compare);
    const start = Number(single(query, 'after') ?? 0);
    const end = start + integerParameter(query, 'limit', 1000, 1000);
    return {
      entries: sorted.slice(start, end),
      ...(start === 0 ? { total: all.length } : {}),
      ...(end < sorted.length ? { next: String(end) } : {}),
    };
  }

  find(recordId: string, jobId?: string): RecordEntry {
    const found = this.entries.find(
      (one) => one.recordId === recordId && (jobId === undefined || one.snapshotId === jobId),
    );
    if (!found) throw notFound('Not found');
    return found;
  }
}

const ID = { name: 'id', notFound: (): string => 'Not found' };
const JOB_ID = { ...ID, name: 'jobExecutionId' };
const RECORD_ID = { ...ID, name: 'recordId' };

export function entriesController(saved: SavedStub): Type {
  @Controller('internal')
  class Entries {
    @Get('snapshots/:jobExecutionId/entries')
    @InternalRoute(routes.snapshotEntries)
    list(@PathId(JOB_ID) jobId: string, @QueryOf() query: Query): SnapshotEntries {
      saved.check();
      return saved.page(jobId, query);
    }

    @Get('snapshots/:jobExecutionId/entries/:recordId')
    @InternalRoute(routes.snapshotEntry)
    ofSnapshot(@PathId(JOB_ID) jobId: string, @PathId(RECORD_ID) id: string): RecordEntry {
      saved.check();
      return saved.find(id, jobId);
    }

    @Get('entries/:recordId')
    @InternalRoute(routes.recordEntry)
    read(@PathId(RECORD_ID) id: string): RecordEntry {
      saved.check();
      return saved.find(id);
    }

    @Get('records/:recordId/content')
    @InternalRoute(routes.recordContent)
    async content(@PathId(RECORD_ID) id: string, @Res() reply: FastifyReply): Promise<void> {
      const bytes = saved.contents.get(id);
      if (!bytes) throw notFound('Not found');
      await reply.header('content-type', 'application/octet-stream').send(bytes);
    }
  }
  return Entries;
}
