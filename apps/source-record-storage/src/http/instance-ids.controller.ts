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
import { readTenant, streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import { PagingOf, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { InstanceIds } from '../db/instance-ids.js';

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
    try {
      const parsed = parse(single(query, 'query'));
      // Counting also compiles the query, so that what is wrong with it is said before the first byte.
      const total = await readTenant(this.source, scope, (tx) =>
        this.instanceIds.count(tx, type, parsed),
      );
      await streamCollection(reply, {
        key: 'ids',
        items:
          paging.limit === 0
            ? []
            : streamTenant(this.source, scope, (tx) =>
                this.instanceIds.list(tx, type, parsed, paging),
              ),
        totalRecords: (rows) =>
          paging.totalRecords === 'none' ? undefined : correctTotal(rows, total, paging),
      });
    } catch (error) {
      if (error instanceof CqlError) throw refused(listFailureText('ids', error), 'cql');
      throw error;
    }
  }
}

function parse(text: string | undefined): CqlQuery | undefined {
  return text === undefined || text === '' ? undefined : parseCql(text, URL_LIMITS);
}
