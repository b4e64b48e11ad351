import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
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
import { InstanceIds as InstanceIdsBody } from '@quire/contracts/source-records';
import type { CqlQuery } from '@quire/cql/ast';
import { CqlError, listFailureText } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PagingOf, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { InstanceIds, selectIds, type IdSelection } from '../db/instance-ids.js';

const TYPES = ['INSTANCE', 'HOLDING'] as const;

/** `GET /instance-bulk/ids`: the ids that go straight into an export (section 8.3). */
@Controller('instance-bulk')
export class InstanceIdsController {
  constructor(
    private readonly source: DataSource,
    private readonly instanceIds: InstanceIds,
  ) {}

  @Get('ids')
  @Permissions(routes.instanceIds)
  @ApiOkResponse({ type: InstanceIdsBody })
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf(INTEGER_MAX) paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const type = enumParameter(query, 'recordType', TYPES) ?? 'INSTANCE';
    const { instanceIds } = this;
    let selection: IdSelection;
    try {
      // Compiled before the first byte, so that what is wrong with the query has its proper status.
      selection = selectIds(type, parse(single(query, 'query')));
    } catch (error) {
      if (error instanceof CqlError) throw refused(listFailureText('ids', error), 'cql');
      throw error;
    }
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
}

function parse(text: string | undefined): CqlQuery | undefined {
  return text === undefined || text === '' ? undefined : parseCql(text, URL_LIMITS);
}
