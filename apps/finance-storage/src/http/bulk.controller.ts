import {
  Body,
  Controller,
  createParamDecorator,
  Delete,
  Get,
  Headers,
  HttpCode,
  Post,
  Put,
  Res,
  type ExecutionContext,
} from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { checkContract } from '@quire/contracts/check-contract';
import { invalid } from '@quire/contracts/failure';
import { BULK_MODES, BulkAnswer, BulkChange, FiscalYearCopy } from '@quire/contracts/finance-bulk';
import { financeBulkRoutes } from '@quire/contracts/finance-routes';
import { isUuid } from '@quire/contracts/ids';
import { booleanParameter, enumParameter, type Query } from '@quire/contracts/paging';
import { DRY_RUN, oneOf } from '@quire/contracts/query-parameters';
import type { Caller, Scope } from '@quire/contracts/scope';
import { located } from '@quire/service/answers';
import { missingBody, OptionalBody } from '@quire/service/contract.pipe';
import { badPathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerOf } from '../domain/entity-answer.js';
import { groupFundFiscalYear } from '../domain/entities.js';
import type { Triple } from '../domain/bulk-plan.js';
import { BulkSources } from '../usecases/bulk-sources.js';
import { FiscalYearCopies } from '../usecases/fiscal-year-copies.js';
import { RelationKeys } from '../usecases/relation-keys.js';
import { IfMatch } from './entity-controller.js';
import { MATRIX_PARAMETERS, MatrixAnswer } from './matrix-answer.js';

const PATH = 'finance-storage/group-fund-fiscal-years';
const BY_KEY = 'by-key/:groupId/:fundId/:fiscalYearId';

/** Group, fund and fiscal year of the path. */
const KeyOf = createParamDecorator((_: unknown, context: ExecutionContext): Triple => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const sent = request.params as Triple;
  const ids = [sent.groupId, sent.fundId, sent.fiscalYearId];
  if (!ids.every(isUuid)) throw badPathId();
  const [groupId = '', fundId = '', fiscalYearId = ''] = ids.map((id) => id.toLowerCase());
  return { groupId, fundId, fiscalYearId };
});

/** A list of operations, or the bytes of a table. */
const BulkBody = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined) throw missingBody();
  return checkedAs(BulkChange, body);
});

/** Takes no properties. */
class NoProperties {}

function checkedAs<T extends object>(contract: new () => T, body: unknown): T {
  const result = checkContract<T>(contract, body);
  if ('violations' in result) throw invalid(...result.violations);
  return result.value;
}

/** Many group-fund-fiscal-years at once, and one by what it ties (finance-storage, section 8). */
@Controller(PATH)
export class BulkController {
  constructor(
    private readonly sources: BulkSources,
    private readonly copies: FiscalYearCopies,
    private readonly keys: RelationKeys,
    private readonly matrices: MatrixAnswer,
  ) {}

  /** `mode` and `dryRun` may be parameters: a table has no other place for them. */
  @Post('bulk')
  @HttpCode(200)
  @Permissions(financeBulkRoutes.bulk)
  @Queries(oneOf('mode', BULK_MODES, { default: 'atomic' }), DRY_RUN)
  @ApiConsumes('application/json', 'text/csv')
  @ApiBody({ type: BulkChange })
  @ApiOkResponse({ type: BulkAnswer })
  bulk(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @BulkBody() body: BulkChange | Buffer,
  ): Promise<BulkAnswer> {
    const mode = enumParameter(query, 'mode', BULK_MODES) ?? 'atomic';
    const dryRun = booleanParameter(query, 'dryRun', false);
    if (Buffer.isBuffer(body)) return this.sources.table(caller, body, { mode, dryRun });
    const options = { mode: body.mode ?? mode, dryRun: body.dryRun ?? dryRun };
    return this.sources.list(caller, body, options);
  }

  @Post('copy')
  @HttpCode(200)
  @Permissions(financeBulkRoutes.copy)
  @ApiOkResponse({ type: BulkAnswer })
  copy(@CallerOf() caller: Caller, @Body() body: FiscalYearCopy): Promise<BulkAnswer> {
    return this.copies.copy(caller, body);
  }

  @Get('matrix')
  @Permissions(financeBulkRoutes.matrix)
  @Queries(...MATRIX_PARAMETERS)
  @ApiProduces('application/json', 'text/csv')
  async matrix(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @Headers('accept') accept: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const csv = /(^|[\s,])text\/csv([\s;,]|$)/i.test(accept ?? '');
    const text = await this.matrices.text(scope, query, csv);
    const type = csv ? 'text/csv' : 'application/json';
    void reply.header('content-type', `${type}; charset=utf-8`).header('vary', 'Accept').send(text);
  }

  @Put(BY_KEY)
  @HttpCode(204)
  @Permissions(financeBulkRoutes.putByKey)
  async put(
    @CallerOf() caller: Caller,
    @KeyOf() key: Triple,
    @OptionalBody() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    if (body !== undefined) checkedAs(NoProperties, body);
    const row = await this.keys.put(caller, key);
    if (!row) return undefined;
    void reply.status(201);
    located(reply, caller, `/${PATH}/${row.id}`);
    return answerOf(groupFundFiscalYear, row);
  }

  @Delete(BY_KEY)
  @HttpCode(204)
  @Permissions(financeBulkRoutes.removeByKey)
  async remove(
    @CallerOf() caller: Caller,
    @KeyOf() key: Triple,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<void> {
    await this.keys.remove(caller, key, ifMatch);
  }
}
