import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { INTEGER_MAX } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { MarcRecordIdentifiers, MarcRecordSearch } from '@quire/contracts/source-records';
import { openStored } from '@quire/marc/iso2709/stored';
import { streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { MarcSearches } from '../db/marc-searches.js';
import { failures } from '../domain/failures.js';
import { matches, parseMarcSearch, statusOf, type MarcSearch } from '../domain/marc-search.js';

/** Instance ids by what stands in the MARC records (section 7.2). */
@Controller('source-storage/stream')
export class MarcSearchesController {
  constructor(
    private readonly source: DataSource,
    private readonly searches: MarcSearches,
  ) {}

  @Post('marc-record-identifiers')
  @HttpCode(200)
  @Permissions(routes.searchMarcRecords)
  @ApiOkResponse({ type: MarcRecordIdentifiers })
  async search(
    @ScopeOf() scope: Scope,
    @Body() request: MarcRecordSearch,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const search = searchOf(request);
    const { offset = 0, limit = INTEGER_MAX } = request;
    let found = 0;
    const ids = this.found(scope, search, request);
    const page = async function* (): AsyncGenerator<string> {
      for await (const id of ids) {
        found += 1;
        if (found > offset && found <= offset + limit) yield id;
      }
    };
    await streamCollection(reply, {
      key: 'records',
      items: page(),
      totalRecords: () => undefined,
      rest: () => ({ totalCount: found }),
    });
  }

  /** Each id once, in their order. */
  private found(
    scope: Scope,
    search: MarcSearch,
    { suppressFromDiscovery: suppressed, deleted = true }: MarcRecordSearch,
  ): AsyncGenerator<string> {
    const { searches } = this;
    return streamTenant<string>(this.source, scope, async function* (tx) {
      let last: string | undefined;
      const candidates = searches.candidates(tx, { status: statusOf(search), suppressed, deleted });
      for await (const { external_id: id, content } of candidates) {
        if (id === last || !matches(search, openStored(content))) continue;
        last = id;
        yield id;
      }
    });
  }
}

function searchOf({
  leaderSearchExpression: leader,
  fieldsSearchExpression: fields,
}: MarcRecordSearch): MarcSearch {
  const parts = [
    ...(leader === undefined ? [] : [parseMarcSearch(leader, 'leaderSearchExpression')]),
    ...(fields === undefined ? [] : [parseMarcSearch(fields, 'marcFieldSearchExpression')]),
  ];
  if (parts.length === 0) throw failures.noSearchExpression();
  return { kind: 'and', parts };
}
