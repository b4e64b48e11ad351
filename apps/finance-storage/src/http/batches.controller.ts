import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  Budget,
  FinanceIds,
  Fund,
  GroupFundFiscalYear,
  GroupFundFiscalYearBatch,
} from '@quire/contracts/finance';
import { financeBatchRoutes as routes } from '@quire/contracts/finance-routes';
import type { Scope } from '@quire/contracts/scope';
import { streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { BatchReads } from '../db/batch-reads.js';
import type { EntityRow } from '../db/entities.js';
import { answerOf } from '../domain/entity-answer.js';
import { budget, fund, groupFundFiscalYear, type Entity } from '../domain/entities.js';

/** Many entities by a list of ids in the body (finance-storage, 1.3 and section 2). */
@Controller('finance-storage')
export class BatchesController {
  constructor(
    private readonly source: DataSource,
    private readonly batches: BatchReads,
  ) {}

  @Post('group-fund-fiscal-years/batch')
  @HttpCode(200)
  @Permissions(routes.groupFundFiscalYears)
  @ApiOkResponse({ type: [GroupFundFiscalYear] })
  relations(
    @ScopeOf() scope: Scope,
    @Body() wanted: GroupFundFiscalYearBatch,
    @Res() reply: FastifyReply,
  ): void {
    this.answer([reply, scope], groupFundFiscalYear, (tx) => this.batches.ofFunds(tx, wanted));
  }

  @Post('funds/batch')
  @HttpCode(200)
  @Permissions(routes.funds)
  @ApiOkResponse({ type: [Fund] })
  funds(@ScopeOf() scope: Scope, @Body() { ids }: FinanceIds, @Res() reply: FastifyReply): void {
    this.answer([reply, scope], fund, (tx) => this.batches.ofIds(tx, fund, ids));
  }

  @Post('budgets/batch')
  @HttpCode(200)
  @Permissions(routes.budgets)
  @ApiOkResponse({ type: [Budget] })
  budgets(@ScopeOf() scope: Scope, @Body() { ids }: FinanceIds, @Res() reply: FastifyReply): void {
    this.answer([reply, scope], budget, (tx) => this.batches.ofIds(tx, budget, ids));
  }

  private answer(
    [reply, scope]: readonly [FastifyReply, Scope],
    entity: Entity,
    read: (tx: TenantRead) => AsyncIterable<EntityRow>,
  ): void {
    async function* items(tx: TenantRead): AsyncGenerator<object> {
      for await (const row of read(tx)) yield answerOf(entity, row);
    }
    streamCollection(reply, {
      key: entity.key,
      items: streamTenant(this.source, scope, items),
      totalRecords: (rows) => rows,
    });
  }
}
