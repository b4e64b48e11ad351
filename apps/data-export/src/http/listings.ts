import { checkLang, parsePaging, single, type Query } from '@quire/contracts/paging';
import type { Scope } from '@quire/contracts/scope';
import { streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { streamCollection } from '@quire/service/answers';
import type { FastifyReply } from 'fastify';
import type { DataSource } from 'typeorm';
import { compileList, Page, type Listing } from '../db/pages.js';

export interface AnsweredList<R extends object> {
  readonly key: string;
  readonly listing: Listing;
  readonly query: Query;
  readonly scope: Scope;
  readonly write: (row: R) => object;
}

/** A collection as every list of this service answers it: CQL, paging, the rows streamed. @throws Failure 400 */
export function answerList<R extends object>(
  source: DataSource,
  reply: FastifyReply,
  list: AnsweredList<R>,
): FastifyReply {
  const { key, listing, query, scope, write } = list;
  checkLang(query);
  const compiled = compileList(listing, single(query, 'query'), scope.tenantId);
  const page = new Page<R>(compiled, parsePaging(query));
  async function* items(tx: TenantRead): AsyncGenerator<object> {
    for await (const row of page.rows(tx)) yield write(row);
  }
  return streamCollection(reply, {
    key,
    items: streamTenant(source, scope, items),
    totalRecords: (rows) => page.total(rows),
  });
}
