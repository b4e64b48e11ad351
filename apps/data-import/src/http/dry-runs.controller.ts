import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse } from '@nestjs/swagger';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { DryRunRequest, DryRunStarted } from '@quire/contracts/import-work';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { PathId } from '@quire/service/queries';
import { texts } from '../domain/failures.js';
import { DryRuns } from '../usecases/dry-runs.js';

/** What an import of what is uploaded would do (data-import, 14, 3). */
@Controller('data-import/uploadDefinitions')
export class DryRunsController {
  constructor(private readonly dryRuns: DryRuns) {}

  @Post(':id/dryRun')
  @HttpCode(202)
  @Permissions(routes.dryRunImport)
  @ApiAcceptedResponse({ type: DryRunStarted })
  async start(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: texts.definitionNotFound }) id: string,
    @Body() request: DryRunRequest,
  ): Promise<DryRunStarted> {
    return { jobExecutionId: await this.dryRuns.start(caller, id, request) };
  }
}
