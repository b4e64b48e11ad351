import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import {
  ImportJobProfile,
  ImportJobProfiles,
  ProfileSnapshotWrapper,
} from '@quire/contracts/change-manager';
import type { Paging, Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { cqlOf, PagingOf, PathId, Queries, QueryOf } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import { JobProfiles, PROFILE } from '../db/job-profiles.js';
import { failures, texts } from '../domain/failures.js';
import { jobProfileOf, profileOf, wrappedProfileOf, wrapperOf } from '../domain/job-profiles.js';
import { byCql } from './listings.js';

const ID = { name: 'id', notFound: texts.profileNotFound };

/** The built-in profiles (data-import, section 6). Read only. */
@Controller('data-import-profiles')
export class JobProfilesController {
  constructor(
    private readonly source: DataSource,
    private readonly profiles: JobProfiles,
  ) {}

  @Get('jobProfiles')
  @Permissions(routes.listImportJobProfiles)
  @Queries(cqlOf(PROFILE))
  @ApiOkResponse({ type: ImportJobProfiles })
  async list(
    @ScopeOf() scope: Scope,
    @QueryOf() query: Query,
    @PagingOf() { offset, limit, totalRecords }: Paging,
  ): Promise<ImportJobProfiles> {
    const ids = await byCql(query, 'jobProfiles', (parsed) =>
      readTenant(this.source, scope, (tx) => this.profiles.ids(tx, parsed)),
    );
    const jobProfiles = ids.slice(offset, offset + limit).flatMap((id) => {
      const profile = profileOf(id);
      return profile ? [jobProfileOf(profile)] : [];
    });
    return { jobProfiles, ...(totalRecords === 'none' ? {} : { totalRecords: ids.length }) };
  }

  @Get('jobProfiles/:id')
  @Permissions(routes.readImportJobProfile)
  @ApiOkResponse({ type: ImportJobProfile })
  read(@PathId(ID) id: string): ImportJobProfile {
    const profile = profileOf(id);
    if (!profile) throw failures.profileUnknown(id);
    return jobProfileOf(profile);
  }

  @Get('profileSnapshots/:id')
  @Permissions(routes.readProfileSnapshot)
  @ApiOkResponse({ type: ProfileSnapshotWrapper })
  snapshot(@PathId(ID) id: string): ProfileSnapshotWrapper {
    const profile = wrappedProfileOf(id);
    if (!profile) throw failures.profileUnknown(id);
    return wrapperOf(profile);
  }
}
