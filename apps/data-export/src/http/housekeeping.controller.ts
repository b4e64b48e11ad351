import { Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { PathId } from '@quire/service/queries';
import { failures } from '../domain/failures.js';
import { Housekeeping } from '../usecases/housekeeping.js';
import { JobRemovals } from '../usecases/job-removals.js';

/** Removing what is done, dead or old (`data-export.md`, 7.1 to 7.3). */
@Controller('data-export')
export class HousekeepingController {
  constructor(
    private readonly housekeeping: Housekeeping,
    private readonly removals: JobRemovals,
  ) {}

  @Delete('job-executions/:id')
  @HttpCode(204)
  @Permissions(routes.removeExportJob)
  remove(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'id', notFound: (id) => failures.jobToRemoveNotFound(id).message }) id: string,
  ): Promise<void> {
    return this.removals.remove(scope, id);
  }

  @Post('expire-jobs')
  @HttpCode(204)
  @Permissions(routes.expireExports)
  expire(@ScopeOf() scope: Scope): Promise<void> {
    return this.housekeeping.expireJobs(scope);
  }

  @Post('clean-up-files')
  @HttpCode(204)
  @Permissions(routes.cleanUpFiles)
  cleanUp(@ScopeOf() scope: Scope): Promise<void> {
    return this.housekeeping.cleanUpFiles(scope);
  }
}
