import { Controller, Get } from '@nestjs/common';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import type { Paging, Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { PagingOf, QueryOf } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import { JobProfiles } from '../db/job-profiles.js';
import { profileOf } from '../domain/job-profiles.js';
import { jobProfileOf } from '../domain/shapes.js';
import { byCql } from './listings.js';

/** The built-in profiles (data-import, section 6). Read only. */
@Controller('data-import-profiles/jobProfiles')
export class JobProfilesController {
  constructor(
    private readonly source: DataSource,
    private readonly profiles: JobProfiles,
  ) {}

  @Get()
  @Permissions(routes.listImportJobProfiles)
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() { offset, limit, totalRecords }: Paging,
  ): Promise<object> {
    const ids = await byCql(query, 'jobProfiles', (parsed) =>
      readTenant(this.source, scope, (tx) => this.profiles.ids(tx, parsed)),
    );
    const jobProfiles = ids.slice(offset, offset + limit).flatMap((id) => {
      const profile = profileOf(id);
      return profile ? [jobProfileOf(profile)] : [];
    });
    return { jobProfiles, ...(totalRecords === 'none' ? {} : { totalRecords: ids.length }) };
  }
}
