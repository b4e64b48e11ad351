import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { MarcMatching, MatchedRecordIdentifiers } from '@quire/contracts/marc-matching';
import { INTEGER_MAX } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { MarcRecordIdentifiers, MarcRecordSearch } from '@quire/contracts/source-records';
import { streamTenant } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { MarcSearches, type CandidateRow } from '../db/marc-searches.js';
import { failures } from '../domain/failures.js';
import { matchingSearch } from '../domain/marc-matching.js';
import { parseMarcSearch } from '../domain/marc-search.js';
import { joined, type MarcSearch } from '../domain/marc-search-tree.js';
import { matchesOf, SILENT_ROWS_MAX, type SearchPlace } from './marc-matches.js';

const MATCHES_DEFAULT = 1_000;

/** Ids of records by what stands in their MARC fields (section 7). */
@Controller('source-storage')
export class MarcSearchesController {
  constructor(
    private readonly source: DataSource,
    private readonly searches: MarcSearches,
  ) {}

  @Post('stream/marc-record-identifiers')
  @HttpCode(200)
  @Permissions(routes.searchMarcRecords)
  @ApiOkResponse({ type: MarcRecordIdentifiers })
  async search(
    @ScopeOf() scope: Scope,
    @Body() request: MarcRecordSearch,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { suppressFromDiscovery: suppressed, deleted = true, offset = 0 } = request;
    const rows = this.matches(scope, searchOf(request), {
      recordType: 'MARC_BIB',
      deleted,
      suppressed,
      order: 'external_id',
      unparsed: false,
    });
    const page = new Page(offset, request.limit ?? INTEGER_MAX);
    await streamCollection(reply, {
      key: 'records',
      items: page.of(distinct(rows)),
      totalRecords: () => undefined,
      rest: () => ({ totalCount: page.total }),
    });
  }

  @Post('records/matching')
  @HttpCode(200)
  @Permissions(routes.matchRecords)
  @ApiOkResponse({ type: MatchedRecordIdentifiers })
  async match(
    @ScopeOf() scope: Scope,
    @Body() request: MarcMatching,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { recordType, limit = MATCHES_DEFAULT, offset = 0 } = request;
    const place = { recordType, deleted: true, order: 'id', unparsed: true } as const;
    const rows = this.matches(scope, matchingSearch(request), place);
    const counted = request.returnTotalRecordsCount ?? true;
    const page = new Page(offset, limit);
    await streamCollection(reply, {
      key: 'identifiers',
      items: page.of(identifiers(rows), counted),
      totalRecords: () => (counted ? page.total : undefined),
    });
  }

  private matches(
    scope: Scope,
    search: MarcSearch,
    place: SearchPlace,
  ): AsyncGenerator<CandidateRow | undefined> {
    const { searches } = this;
    return streamTenant(this.source, scope, (tx) => matchesOf(tx, searches, search, place));
  }
}

/** A part of all matches, and how many there are. */
class Page {
  total = 0;

  constructor(
    private readonly offset: number,
    private readonly limit: number,
  ) {}

  /** @param counted false: nothing is read behind the page */
  async *of<T>(all: AsyncIterable<T | undefined>, counted = true): AsyncGenerator<T | undefined> {
    for await (const one of all) {
      if (one !== undefined) this.total += 1;
      const paged = this.total > this.offset && this.total <= this.offset + this.limit;
      if (paged || one === undefined) yield one;
      else if (this.total % SILENT_ROWS_MAX === 0) yield undefined;
      if (!counted && this.total >= this.offset + this.limit) return;
    }
  }
}

type Rows = AsyncIterable<CandidateRow | undefined>;

/** Each external id once; rows are in their order. */
async function* distinct(rows: Rows): AsyncGenerator<string | undefined> {
  let last: string | undefined;
  for await (const row of rows) {
    if (row && row.external_id === last) continue;
    yield row?.external_id;
    last = row?.external_id ?? last;
  }
}

async function* identifiers(
  rows: Rows,
): AsyncGenerator<{ recordId: string; externalId: string } | undefined> {
  for await (const row of rows) yield row && { recordId: row.id, externalId: row.external_id };
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
  return joined('and', parts);
}
