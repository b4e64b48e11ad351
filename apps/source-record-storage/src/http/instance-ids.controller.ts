import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { InternalRoute, Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  correctTotal,
  enumParameter,
  INTEGER_MAX,
  single,
  type Paging,
  type Query,
} from '@quire/contracts/paging';
import { oneOf } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import {
  InstanceIds as InstanceIdsBody,
  InstanceIdsRequest,
  type InstanceIdsType,
} from '@quire/contracts/source-records';
import { BODY_LIMITS, URL_LIMITS } from '@quire/cql/parser';
import { streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { cqlOf, PagingOf, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { INSTANCE } from '../db/instance-entity.js';
import { InstanceIds, selectIds, type IdSelection } from '../db/instance-ids.js';
import { InstanceProjector } from '../usecases/instance-projector.js';
import { parseQuery, readable } from './cql-query.js';

const TYPES = ['INSTANCE', 'HOLDING'] as const;
const RECORD_TYPE = oneOf('recordType', TYPES, { default: 'INSTANCE' });

/** The ids that go straight into an export (section 8.3). */
@Controller()
export class InstanceIdsController {
  constructor(
    private readonly source: DataSource,
    private readonly instanceIds: InstanceIds,
    private readonly projector: InstanceProjector,
  ) {}

  @Get('instance-bulk/ids')
  @Permissions(routes.instanceIds)
  @Queries(cqlOf(INSTANCE), RECORD_TYPE)
  @ApiOkResponse({ type: InstanceIdsBody })
  listInstances(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.list(scope, { query, paging, type: typeOf(query) }, reply);
  }

  @Get('record-bulk/ids')
  @Permissions(routes.recordIds)
  @Queries(cqlOf(INSTANCE), RECORD_TYPE)
  @ApiOkResponse({ type: InstanceIdsBody })
  listRecords(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.list(scope, { query, paging, type: typeOf(query) }, reply);
  }

  @Get('search/instances/ids')
  @Permissions(routes.searchInstanceIds)
  @Queries(cqlOf(INSTANCE))
  @ApiOkResponse({ type: InstanceIdsBody })
  searchInstances(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.list(scope, { query, paging, type: 'INSTANCE' }, reply);
  }

  /** All of them, for data-export; also those of authorities and of deleted records. */
  @Post('internal/instance-ids')
  @HttpCode(200)
  @InternalRoute(routes.exportIds)
  async listForExport(
    @ScopeOf() scope: Scope,
    @Body() { query, recordType = 'INSTANCE', deleted }: InstanceIdsRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const selection = readable('instance-ids', () =>
      selectIds(recordType, parseQuery(query, BODY_LIMITS), deleted),
    );
    await this.makeCurrent(scope, recordType);
    const { instanceIds } = this;
    const items = streamTenant<{ id: string }>(this.source, scope, (tx) =>
      instanceIds.list(tx, selection),
    );
    await streamCollection(reply, { key: 'ids', items, totalRecords: (rows) => rows });
  }

  /** Before the snapshot of the database that is answered from. */
  private async makeCurrent(scope: Scope, type: InstanceIdsType): Promise<void> {
    if (type === 'INSTANCE') await this.projector.current(scope);
  }

  private async list(scope: Scope, asked: Asked, reply: FastifyReply): Promise<void> {
    const { query, paging, type } = asked;
    const selection = readable('ids', () =>
      selectIds(type, parseQuery(single(query, 'query'), URL_LIMITS)),
    );
    await this.makeCurrent(scope, type);
    const page = new IdPage(this.instanceIds, selection, paging);
    const items = streamTenant<{ id: string }>(this.source, scope, (tx) => page.items(tx));
    await streamCollection(reply, {
      key: 'ids',
      items,
      totalRecords: (rows) => correctTotal(rows, page.total, paging),
    });
  }
}

interface Asked {
  readonly query: Query;
  readonly paging: Paging;
  readonly type: InstanceIdsType;
}

const typeOf = (query: Query): InstanceIdsType =>
  enumParameter(query, 'recordType', TYPES) ?? 'INSTANCE';

/** The total is the exact one, and counted only where the page does not tell it. */
class IdPage {
  total: number | undefined;

  constructor(
    private readonly ids: InstanceIds,
    private readonly selection: IdSelection,
    private readonly paging: Paging,
  ) {}

  async *items(tx: Parameters<InstanceIds['list']>[0]): AsyncGenerator<{ id: string }> {
    const { offset, limit, totalRecords } = this.paging;
    let rows = 0;
    if (limit > 0) {
      for await (const item of this.ids.list(tx, this.selection, { offset, limit })) {
        rows += 1;
        yield item;
      }
    }
    if (totalRecords === 'none') return;
    const isLast = rows < limit && (rows > 0 || offset === 0);
    this.total = isLast ? offset + rows : await this.ids.count(tx, this.selection);
  }
}
