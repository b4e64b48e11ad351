import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { Instance, Instances } from '@quire/contracts/instances';
import { booleanParameter, single, type Paging, type Query } from '@quire/contracts/paging';
import { aFlag } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { URL_LIMITS } from '@quire/cql/parser';
import { streamCollection } from '@quire/service/answers';
import { cqlOf, PagingOf, PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { INSTANCE } from '../db/instance-entity.js';
import { selectIds } from '../db/instance-ids.js';
import { texts } from '../domain/failures.js';
import { InstancePreviews } from '../usecases/instance-previews.js';
import { parseQuery, readable } from './cql-query.js';

const EXPLAIN = aFlag('explain', {
  default: false,
  description: 'Names the MARC fields that each value came from.',
});

/** Rows of the instance view, for consoles and previews (section 14). */
@Controller('source-storage/instances')
export class InstancesController {
  constructor(private readonly previews: InstancePreviews) {}

  @Get()
  @Permissions(routes.listInstances)
  @Queries(cqlOf(INSTANCE), EXPLAIN)
  @ApiOkResponse({ type: Instances })
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() paging: Paging,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const selection = readable('instances', () =>
      selectIds('INSTANCE', parseQuery(single(query, 'query'), URL_LIMITS)),
    );
    const explained = isExplained(query);
    const { items, total } = await this.previews.list(scope, selection, paging, explained);
    await streamCollection(reply, { key: 'instances', items, totalRecords: total });
  }

  @Get(':id')
  @Permissions(routes.readInstance)
  @Queries(EXPLAIN)
  @ApiOkResponse({ type: Instance })
  read(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'id', notFound: texts.instanceNotFound }) id: string,
    @QueryOf() query: Query,
  ): Promise<Instance> {
    return this.previews.read(scope, id, isExplained(query));
  }
}

const isExplained = (query: Query): boolean => booleanParameter(query, 'explain', false);
