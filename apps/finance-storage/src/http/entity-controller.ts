import {
  Controller,
  createParamDecorator,
  Delete,
  Get,
  HttpCode,
  Post,
  Put,
  Res,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import type { financeEntityRoutes } from '@quire/contracts/finance-routes';
import type { Query } from '@quire/contracts/paging';
import type { Caller } from '@quire/contracts/scope';
import { located } from '@quire/service/answers';
import { checkedBody } from '@quire/service/contract.pipe';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Values } from '../db/entities.js';
import { answerOf, type Answer } from '../domain/entity-answer.js';
import type { Entity } from '../domain/entities.js';
import { texts } from '../domain/failures.js';
import { EntityChanges } from '../usecases/entity-changes.js';
import { askedParameters, EntityReads, listParameters } from './entity-reads.js';

type EntityRoutes = (typeof financeEntityRoutes)['groups'];

/** The header `If-Match`, as it came. */
export const IfMatch = createParamDecorator(
  (_: unknown, context: ExecutionContext): string | undefined =>
    context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'],
);

/** The five calls of an entity (finance-storage, sections 1.2 and 2): the same for all, so they are written once. */
export function entityController(entity: Entity, routes: EntityRoutes): Type {
  const { path, contract } = entity;
  const Body = checkedBody(contract);
  const type = contract as Type;

  @Controller(`finance-storage/${path}`)
  class EntityController {
    constructor(
      private readonly reads: EntityReads,
      private readonly changes: EntityChanges,
    ) {}

    @Get()
    @Permissions(routes.list)
    @Queries(...listParameters(entity))
    @ApiOkResponse({ type: [type] })
    list(@CallerOf() caller: Caller, @QueryOf() query: Query, @Res() reply: FastifyReply): void {
      this.reads.list(reply, caller, entity, query);
    }

    @Post()
    @HttpCode(201)
    @Permissions(routes.create)
    @ApiBody({ type })
    @ApiCreatedResponse({ type })
    async create(
      @CallerOf() caller: Caller,
      @Body() values: Values,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<object> {
      const row = await this.changes.create(caller, entity, values);
      located(reply, caller, `/finance-storage/${path}/${row.id}`);
      return answerOf(entity, row);
    }

    @Get(':id')
    @Permissions(routes.read)
    @Queries(...askedParameters(entity))
    @ApiOkResponse({ type })
    async read(
      @CallerOf() caller: Caller,
      @PathId({ name: 'id', notFound: texts.notFound }) id: string,
      @QueryOf() query: Query,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<Answer> {
      const answer = await this.reads.read(caller, entity, id, query);
      void reply.header('etag', `"${answer._version}"`);
      return answer;
    }

    @Put(':id')
    @HttpCode(204)
    @Permissions(routes.update)
    @ApiBody({ type })
    update(
      @CallerOf() caller: Caller,
      @PathId({ name: 'id', notFound: texts.notFound }) id: string,
      @Body() values: Values,
      @IfMatch() ifMatch: string | undefined,
    ): Promise<void> {
      return this.changes.change(caller, entity, { id, values, ifMatch });
    }

    @Delete(':id')
    @HttpCode(204)
    @Permissions(routes.remove)
    remove(
      @CallerOf() caller: Caller,
      @PathId({ name: 'id', notFound: texts.notFound }) id: string,
      @IfMatch() ifMatch: string | undefined,
    ): Promise<void> {
      return this.changes.remove(caller, entity, { id, ifMatch });
    }
  }
  // Names of operations in the API description are those of the classes.
  return Object.defineProperty(EntityController, 'name', { value: `${entity.name}sController` });
}
