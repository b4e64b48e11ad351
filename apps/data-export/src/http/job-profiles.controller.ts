import { Body, Controller, Delete, Get, HttpCode, Post, Put, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { ExportJobProfile } from '@quire/contracts/data-export';
import { booleanParameter, type Query } from '@quire/contracts/paging';
import { aFlag } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { readOnce } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import {
  jobProfileAnswer,
  jobProfileListing,
  JobProfiles,
  usedJobProfileAnswer,
  usedJobProfileListing,
  type JobProfileRow,
} from '../db/job-profiles.js';
import { BUILT_IN, NAME_OF_2020 } from '../domain/built-in-profiles.js';
import { failures } from '../domain/failures.js';
import { Profiles } from '../usecases/profiles.js';
import { answerDialect } from './dialects.js';
import { answerList, ListQueries } from '@quire/service/listings';

const OF_2020 = { id: BUILT_IN.instanceJob, name: NAME_OF_2020 };

const USED = aFlag('used', {
  default: false,
  description: 'Id and name of those with which jobs have ended.',
});

@Controller('data-export/job-profiles')
export class JobProfilesController {
  constructor(
    private readonly source: DataSource,
    private readonly jobProfiles: JobProfiles,
    private readonly profiles: Profiles,
  ) {}

  @Get()
  @Permissions(routes.listExportJobProfiles)
  @ListQueries(jobProfileListing(), USED)
  async list(
    @CallerOf() caller: Caller,
    @QueryOf() query: Query,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const old = (await answerDialect(this.source, caller, reply)) === '2020';
    const named = (row: JobProfileRow): JobProfileRow => (old ? asIn2020(row) : row);
    const used = booleanParameter(query, 'used', false);
    answerList<JobProfileRow>(this.source, reply, {
      key: 'jobProfiles',
      listing: (used ? usedJobProfileListing : jobProfileListing)(old ? OF_2020 : undefined),
      query,
      scope: caller,
      write: (row) => (used ? usedJobProfileAnswer : jobProfileAnswer)(named(row)),
    });
  }

  @Get(':id')
  @Permissions(routes.readExportJobProfile)
  async read(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: (id) => failures.jobProfileNotFound(id).message }) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const old = (await answerDialect(this.source, caller, reply)) === '2020';
    const row = await readOnce(this.source, caller, (tx) => this.jobProfiles.find(tx, id));
    if (!row) throw failures.jobProfileNotFound(id);
    return jobProfileAnswer(old ? asIn2020(row) : row);
  }

  @Post()
  @HttpCode(201)
  @Permissions(routes.createExportJobProfile)
  async create(
    @CallerOf() caller: Caller,
    @Body() profile: ExportJobProfile,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const row = await this.profiles.createJobProfile(caller, profile);
    located(reply, caller, `/data-export/job-profiles/${row.id}`);
    return jobProfileAnswer(row);
  }

  @Put(':id')
  @HttpCode(204)
  @Permissions(routes.updateExportJobProfile)
  replace(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: (id) => failures.noJobProfile(id).message }) id: string,
    @Body() profile: ExportJobProfile,
  ): Promise<void> {
    return this.profiles.replaceJobProfile(caller, id, profile);
  }

  @Delete(':id')
  @HttpCode(204)
  @Permissions(routes.removeExportJobProfile)
  remove(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: (id) => failures.noJobProfile(id).message }) id: string,
  ): Promise<void> {
    return this.profiles.removeJobProfile(caller, id);
  }
}

/** Clients of 2020 know the first profile under the name it had then. */
function asIn2020(row: JobProfileRow): JobProfileRow {
  return row.id === OF_2020.id ? { ...row, name: NAME_OF_2020, description: NAME_OF_2020 } : row;
}
