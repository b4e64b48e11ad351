import { Controller, Get, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { readTenant } from '@quire/postgres/tenant';
import type { Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { errorLogAnswer, errorLogListing, type ErrorLogRow } from '../db/error-logs.js';
import { ExportTenantSettings } from '../db/tenant-settings.js';
import { answerList, ListQueries } from '@quire/service/listings';

@Controller('data-export/logs')
export class ErrorLogsController {
  constructor(
    private readonly source: DataSource,
    private readonly settings: ExportTenantSettings,
  ) {}

  @Get()
  @Permissions(routes.exportLogs)
  @ListQueries(errorLogListing)
  async list(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const host = await readTenant(this.source, caller, (tx) => this.settings.read(tx, 'folioHost'));
    answerList<ErrorLogRow>(this.source, reply, {
      key: 'errorLogs',
      listing: errorLogListing,
      query,
      scope: caller,
      write: (row) => errorLogAnswer(row, host),
    });
  }
}
