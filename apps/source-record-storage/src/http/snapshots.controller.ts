import { Body, Controller, Delete, Get, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  booleanParameter,
  enumParameter,
  single,
  type Paging,
  type Query,
} from '@quire/contracts/paging';
import { aFlag, oneOf } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { Snapshot, SnapshotCollection } from '@quire/contracts/snapshots';
import { JOB_STATUSES } from '@quire/contracts/source-records';
import { compileList, Page, type CompiledList } from '@quire/postgres/pages';
import { readOnce, streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { located, streamCollection } from '@quire/service/answers';
import { cqlOf, PagingOf, PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { SnapshotFacts } from '../db/snapshot-facts.js';
import { ofStatus, SNAPSHOT_ORDERS, snapshotListing } from '../db/snapshot-lists.js';
import { Snapshots, type SnapshotRow } from '../db/snapshots.js';
import { failures, texts } from '../domain/failures.js';
import { snapshotOf } from '../domain/record-shapes.js';
import { etagOf } from '../domain/versions.js';
import { SnapshotDeletion } from '../usecases/snapshot-deletion.js';
import { SnapshotEdits } from '../usecases/snapshot-edits.js';
import { SnapshotRemovalWorker } from '../usecases/snapshot-removal-worker.js';
import { listOrder, orderParameter } from './list-order.js';

const PATH_ID = { name: 'jobExecutionId', notFound: texts.snapshotNotFound };
/** What `include` may ask for. */
const INCLUDES = ['stats'] as const;
const LIST_PARAMETERS = [
  cqlOf(snapshotListing(undefined).entity),
  oneOf('status', JOB_STATUSES),
  orderParameter(SNAPSHOT_ORDERS),
  oneOf('include', INCLUDES, { description: 'Adds to each how many records it has.' }),
];
const RESTORE_PREVIOUS = aFlag('restorePrevious', {
  default: false,
  description: 'Makes the generations before those of the snapshot the current ones.',
});

/** Snapshots as clients write, read, list and delete them (source-record-storage, section 1 and 9.1). */
@Controller('source-storage/snapshots')
export class SnapshotsController {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
    private readonly facts: SnapshotFacts,
    private readonly edits: SnapshotEdits,
    private readonly deletion: SnapshotDeletion,
    private readonly removals: SnapshotRemovalWorker,
  ) {}

  @Get()
  @Permissions(routes.listSnapshots)
  @ApiOkResponse({ type: SnapshotCollection })
  @Queries(...LIST_PARAMETERS)
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const page = new Page<SnapshotRow>(listOf(query, scope), paging);
    const withStats = enumParameter(query, 'include', INCLUDES) === 'stats';
    const { facts } = this;
    async function* items(tx: TenantRead): AsyncGenerator<object> {
      for await (const rows of page.batches(tx)) {
        const ids = rows.map(({ id }) => id);
        const stats = withStats ? await facts.stats(tx, ids) : undefined;
        yield* rows.map((row, at) =>
          stats ? { ...snapshotOf(row), stats: stats[at] } : snapshotOf(row),
        );
      }
    }
    await streamCollection(reply, {
      key: 'snapshots',
      items: streamTenant(this.source, scope, items),
      totalRecords: (rows) => page.total(rows),
    });
  }

  @Post()
  @HttpCode(201)
  @Permissions(routes.saveSnapshot)
  async save(
    @CallerOf() caller: Caller,
    @Body() snapshot: Snapshot,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Snapshot> {
    const row = await this.edits.save(caller, snapshot);
    located(reply, caller, `/source-storage/snapshots/${row.id}`);
    return tagged(reply, row);
  }

  @Get(':jobExecutionId')
  @Permissions(routes.readSnapshot)
  @ApiOkResponse({ type: Snapshot })
  async read(
    @ScopeOf() scope: Scope,
    @PathId(PATH_ID) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Snapshot> {
    const row = await readOnce(this.source, scope, (tx) => this.snapshots.find(tx, id));
    if (!row) throw failures.snapshotNotFound(id);
    return tagged(reply, row);
  }

  @Put(':jobExecutionId')
  @Permissions(routes.replaceSnapshot)
  @ApiOkResponse({ type: Snapshot })
  @ApiHeader({ name: 'If-Match', required: false })
  async replace(
    @CallerOf() caller: Caller,
    @PathId(PATH_ID) jobExecutionId: string,
    @Body() snapshot: Snapshot,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Snapshot | undefined> {
    const { 'if-match': ifMatch, prefer } = reply.request.headers;
    const row = await this.edits.replace(caller, { ...snapshot, jobExecutionId }, ifMatch);
    const answer = tagged(reply, row);
    if (!wantsMinimal(prefer)) return answer;
    void reply.code(204).header('preference-applied', 'return=minimal');
    return undefined;
  }

  @Delete(':jobExecutionId')
  @HttpCode(204)
  @Permissions(routes.deleteSnapshot)
  @Queries(RESTORE_PREVIOUS)
  async delete(
    @CallerOf() caller: Caller,
    @PathId(PATH_ID) id: string,
    @QueryOf() query: Query,
  ): Promise<void> {
    const restorePrevious = booleanParameter(query, 'restorePrevious', false);
    if (!(await this.deletion.delete(caller, id, { restorePrevious }))) this.removals.wake();
  }
}

/** @throws Failure 400 */
function listOf(query: Query, scope: Scope): CompiledList {
  const status =
    single(query, 'status') === ''
      ? undefined
      : enumParameter(query, 'status', JOB_STATUSES, (x) => `Unknown job execution status ${x}`);
  return compileList(
    snapshotListing(listOrder(query, SNAPSHOT_ORDERS)),
    single(query, 'query'),
    scope.tenantId,
    status && ofStatus(status),
  );
}

function tagged(reply: FastifyReply, row: SnapshotRow): Snapshot {
  void reply.header('etag', etagOf(row.version));
  return snapshotOf(row);
}

/** RFC 7240: preferences are a list; names in any case, values maybe quoted. */
const wantsMinimal = (prefer: string | readonly string[] = ''): boolean =>
  /(?:^|,)\s*return\s*=\s*"?minimal"?\s*(?:[,;]|$)/i.test(String(prefer));
