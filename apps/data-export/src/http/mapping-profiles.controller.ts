import { Body, Controller, Delete, Get, HttpCode, Post, Put, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { MappingProfile } from '@quire/contracts/data-export';
import type { Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { readOnce } from '@quire/postgres/tenant';
import { located } from '@quire/service/answers';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import {
  mappingProfileAnswer,
  mappingProfileListing,
  MappingProfiles,
  type MappingProfileRow,
} from '../db/mapping-profiles.js';
import { failures } from '../domain/failures.js';
import { Profiles } from '../usecases/profiles.js';
import { answerList, ListQueries } from '@quire/service/listings';

@Controller('data-export/mapping-profiles')
export class MappingProfilesController {
  constructor(
    private readonly source: DataSource,
    private readonly mappingProfiles: MappingProfiles,
    private readonly profiles: Profiles,
  ) {}

  @Get()
  @Permissions(routes.listMappingProfiles)
  @ListQueries(mappingProfileListing)
  list(@CallerOf() caller: Caller, @QueryOf() query: Query, @Res() reply: FastifyReply): void {
    answerList<MappingProfileRow>(this.source, reply, {
      key: 'mappingProfiles',
      listing: mappingProfileListing,
      query,
      scope: caller,
      write: mappingProfileAnswer,
    });
  }

  @Get(':id')
  @Permissions(routes.readMappingProfile)
  async read(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: (id) => failures.mappingProfileNotFound(id).message })
    id: string,
  ): Promise<object> {
    const row = await readOnce(this.source, caller, (tx) => this.mappingProfiles.find(tx, id));
    if (!row) throw failures.mappingProfileNotFound(id);
    return mappingProfileAnswer(row);
  }

  @Post()
  @HttpCode(201)
  @Permissions(routes.createMappingProfile)
  async create(
    @CallerOf() caller: Caller,
    @Body() profile: MappingProfile,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const row = await this.profiles.createMappingProfile(caller, profile);
    located(reply, caller, `/data-export/mapping-profiles/${row.id}`);
    return mappingProfileAnswer(row);
  }

  @Put(':id')
  @HttpCode(204)
  @Permissions(routes.updateMappingProfile)
  replace(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: (id) => failures.noMappingProfile(id).message }) id: string,
    @Body() profile: MappingProfile,
  ): Promise<void> {
    return this.profiles.replaceMappingProfile(caller, id, profile);
  }

  @Delete(':id')
  @HttpCode(204)
  @Permissions(routes.removeMappingProfile)
  remove(
    @CallerOf() caller: Caller,
    @PathId({ name: 'id', notFound: (id) => failures.noMappingProfile(id).message }) id: string,
  ): Promise<void> {
    return this.profiles.removeMappingProfile(caller, id);
  }
}
