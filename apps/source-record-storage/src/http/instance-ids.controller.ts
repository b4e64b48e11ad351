import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { InternalRoute, Permissions, ScopeOf } from '@quire/auth/permissions';
import { refused } from '@quire/contracts/failure';
import {
  correctTotal,
  enumParameter,
  INTEGER_MAX,
  single,
  type Paging,
  type Query,
} from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import {
  InstanceIds as InstanceIdsBody,
  InstanceIdsRequest,
} from '@quire/contracts/source-records';
import type { CqlQuery } from '@quire/cql/ast';
import { CqlError, listFailureText } from '@quire/cql/errors';
import { BODY_LIMITS, parseCql, URL_LIMITS, type CqlLimits } from '@quire/cql/parser';
import { streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PagingOf, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { InstanceIds, selectIds, type IdSelection } from '../db/instance-ids.js';

const TYPES = ['INSTANCE', 'HOLDING'] as const;

/** The ids that go straight into an export (section 8.3). */
@Controller()
export class InstanceIdsController {
  constructor(
    private readonly source: DataSource,
    private readonly instanceIds: InstanceIds,
  ) {}

  @Get('instance-bulk/ids')
  @Permissions(routes.instanceIds)
  @ApiOkResponse({ type: InstanceIdsBody })
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const type = enumParameter(query, 'recordType', TYPES) ?? 'INSTANCE';
    const selection = readable('ids', () =>
      selectIds(type, parse(single(query, 'query'), URL_LIMITS)),
    );
    const { instanceIds } = this;
    let total: number | undefined;
    const items = streamTenant<{ id: string }>(this.source, scope, async function* (tx) {
      if (paging.totalRecords !== 'none') total = await instanceIds.count(tx, selection);
      if (paging.limit > 0) yield* instanceIds.list(tx, selection, paging);
    });
    await streamCollection(reply, {
      key: 'ids',
      items,
      totalRecords: (rows) => correctTotal(rows, total, paging),
    });
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
      selectIds(recordType, parse(query, BODY_LIMITS), deleted),
    );
    const { instanceIds } = this;
    const items = streamTenant<{ id: string }>(this.source, scope, (tx) =>
      instanceIds.list(tx, selection),
    );
    await streamCollection(reply, { key: 'ids', items, totalRecords: (rows) => rows });
  }
}

const parse = (text: string | undefined, limits: CqlLimits): CqlQuery | undefined =>
  text === undefined || text === '' ? undefined : parseCql(text, limits);

/** Compiled before the first byte, so that what is wrong with a query has its proper status. */
function readable(collection: string, select: () => IdSelection): IdSelection {
  try {
    return select();
  } catch (error) {
    if (error instanceof CqlError) throw refused(listFailureText(collection, error), 'cql');
    throw error;
  }
}
