import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { booleanParameter, type Query } from '@quire/contracts/paging';
import { DRY_RUN } from '@quire/contracts/query-parameters';
import { RetentionReport } from '@quire/contracts/retention';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { Queries, QueryOf } from '@quire/service/queries';
import { Retention } from '../usecases/retention.js';

/** Removes what its time is over for, or says what would go (source-record-storage, 9.2). */
@Controller('source-storage')
export class RetentionController {
  constructor(private readonly retention: Retention) {}

  /** A run ends after some seconds; who wants all of it gone asks until nothing is removed any more. */
  @Post('retention')
  @HttpCode(200)
  @Permissions(routes.applyRetention)
  @Queries(DRY_RUN)
  @ApiOkResponse({ type: RetentionReport })
  async apply(@ScopeOf() scope: Scope, @QueryOf() query: Query): Promise<RetentionReport> {
    const dryRun = booleanParameter(query, 'dryRun', false);
    const counts = await (dryRun ? this.retention.preview(scope) : this.retention.apply(scope));
    return { dryRun, ...counts };
  }
}
