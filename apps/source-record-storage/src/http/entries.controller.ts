import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { InternalRoute, ScopeOf } from '@quire/auth/permissions';
import type { Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { RecordEntry, SnapshotEntries, type SnapshotEntry } from '@quire/contracts/source-records';
import { readTenant } from '@quire/postgres/tenant';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { Entries } from '../db/entries.js';
import { writeCursor } from '../domain/entry-cursor.js';
import { entryOf, recordEntryOf } from '../domain/entry-shapes.js';
import { failures, texts } from '../domain/failures.js';
import { marcBytesOf } from '../domain/stored-content.js';
import { entriesPageOf } from './entries-page.js';

const RECORD = { name: 'recordId', notFound: texts.entryNotFound } as const;
const SNAPSHOT = { name: 'jobExecutionId', notFound: texts.snapshotNotFound } as const;

/** What an import saved, for the logs of data-import, which keeps no entry per saved record (section 4.1). */
@Controller('internal')
export class EntriesController {
  constructor(
    private readonly source: DataSource,
    private readonly entries: Entries,
  ) {}

  @Get('snapshots/:jobExecutionId/entries')
  @InternalRoute(routes.snapshotEntries)
  @ApiOkResponse({ type: SnapshotEntries })
  async list(
    @ScopeOf() scope: Scope,
    @PathId(SNAPSHOT) snapshotId: string,
    @QueryOf() query: Query,
  ): Promise<SnapshotEntries> {
    const page = entriesPageOf(query, snapshotId);
    const { rows, total } = await readTenant(this.source, scope, async (tx) => ({
      // One more than is shown tells whether another page follows.
      rows: await this.entries.list(tx, { ...page, limit: page.limit + 1 }),
      total: page.after ? undefined : await this.entries.count(tx, page),
    }));
    const shown = rows.slice(0, page.limit);
    const last = shown.at(-1);
    return {
      entries: shown.map(entryOf),
      ...(total === undefined ? {} : { total }),
      ...(last && rows.length > shown.length
        ? { next: writeCursor(page, { ...last, order: last.record_order }) }
        : {}),
    };
  }

  @Get('snapshots/:jobExecutionId/entries/:recordId')
  @InternalRoute(routes.snapshotEntry)
  async ofSnapshot(
    @ScopeOf() scope: Scope,
    @PathId(SNAPSHOT) snapshotId: string,
    @PathId(RECORD) id: string,
  ): Promise<SnapshotEntry> {
    const row = await readTenant(this.source, scope, (tx) => this.entries.find(tx, id, snapshotId));
    if (!row) throw failures.entryNotFound(id);
    return entryOf(row);
  }

  @Get('entries/:recordId')
  @InternalRoute(routes.recordEntry)
  async read(@ScopeOf() scope: Scope, @PathId(RECORD) id: string): Promise<RecordEntry> {
    const row = await readTenant(this.source, scope, (tx) => this.entries.find(tx, id));
    if (!row) throw failures.entryNotFound(id);
    return recordEntryOf(row);
  }

  @Get('records/:recordId/content')
  @InternalRoute(routes.recordContent)
  async content(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'recordId', notFound: texts.recordNotFound }) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const content = await readTenant(this.source, scope, (tx) => this.entries.content(tx, id));
    // Clients may have changed an imported record into one that ISO 2709 cannot carry exactly.
    const bytes = content && marcBytesOf(content);
    if (!bytes) throw failures.recordNotFound(id);
    await reply.header('content-type', 'application/octet-stream').send(bytes);
  }
}
