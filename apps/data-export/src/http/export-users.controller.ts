import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { ExportConfiguration, RelatedUsers } from '@quire/contracts/export-reports';
import type { Paging } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { PagingOf } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import { ExportUsers } from '../db/related-users.js';
import { Configurations } from '../usecases/configurations.js';

/** Who ran exports, and the configuration of older clients (`data-export.md`, 2.2, 19 and 24). */
@Controller('data-export')
export class ExportUsersController {
  constructor(
    private readonly source: DataSource,
    private readonly users: ExportUsers,
    private readonly configurations: Configurations,
  ) {}

  @Get('related-users')
  @Permissions(routes.exportUsers)
  @ApiOkResponse({ type: RelatedUsers })
  list(@ScopeOf() scope: Scope, @PagingOf() paging: Paging): Promise<RelatedUsers> {
    return readTenant(this.source, scope, async (tx) => ({
      relatedUsers: await this.users.page(tx, paging),
      ...(paging.totalRecords === 'none' ? {} : { totalRecords: await this.users.count(tx) }),
    }));
  }

  @Post('configuration')
  @HttpCode(201)
  @Permissions(routes.configureExports)
  @ApiCreatedResponse({ type: ExportConfiguration })
  async configure(
    @ScopeOf() scope: Scope,
    @Body() configuration: ExportConfiguration,
  ): Promise<ExportConfiguration> {
    await this.configurations.keep(scope, configuration);
    return configuration;
  }
}
