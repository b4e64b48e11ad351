import { checkLang, parsePaging, single, type Paging, type Query } from '@quire/contracts/paging';
import { LANG, pagingParameters, type QueryParameter } from '@quire/contracts/query-parameters';
import type { Scope } from '@quire/contracts/scope';
import { compileList, Page, type ListFilter, type Listing } from '@quire/postgres/pages';
import { streamTenant, type TenantRead } from '@quire/postgres/tenant';
import type { FastifyReply } from 'fastify';
import type { DataSource } from 'typeorm';
import { streamCollection } from './answers.js';
import { cqlOf, Queries } from './queries.js';

export interface AnsweredList<R extends object> {
  readonly key: string;
  readonly listing: Listing;
  readonly query: Query;
  readonly scope: Scope;
  readonly write: (row: R) => object;
}

/** A list whose rows are completed from another table, a batch at a time. */
export interface CompletedList<R extends object> extends Omit<AnsweredList<R>, 'write'> {
  readonly paging: Paging;
  /** Only these rows, whatever the query says. */
  readonly only?: ListFilter;
  readonly write: (tx: TenantRead, rows: readonly R[]) => Promise<readonly object[]>;
}

/** Says in the API description what {@link answerList} reads, and what is read besides. */
export const ListQueries = (
  { entity }: Listing,
  ...more: readonly QueryParameter[]
): MethodDecorator => Queries(cqlOf(entity), ...pagingParameters(), LANG, ...more);

/** A collection of an export or import service, which check `lang` (conventions, section 8). @throws Failure 400 */
export function answerList<R extends object>(
  source: DataSource,
  reply: FastifyReply,
  list: AnsweredList<R>,
): FastifyReply {
  const paging = parsePaging(list.query);
  checkLang(list.query);
  return answerCompletedList<R>(source, reply, {
    ...list,
    paging,
    write: (_tx, rows) => Promise.resolve(rows.map(list.write)),
  });
}

/** A collection with CQL and paging, the rows streamed (conventions, section 14). @throws Failure 400 */
export function answerCompletedList<R extends object>(
  source: DataSource,
  reply: FastifyReply,
  list: CompletedList<R>,
): FastifyReply {
  const { key, listing, query, scope, paging, only } = list;
  const compiled = compileList(listing, single(query, 'query'), scope.tenantId, only);
  const page = new Page<R>(compiled, paging);
  async function* items(tx: TenantRead): AsyncGenerator<object> {
    for await (const rows of page.batches(tx)) yield* await list.write(tx, rows);
  }
  return streamCollection(reply, {
    key,
    items: streamTenant(source, scope, items),
    totalRecords: (rows) => page.total(rows),
  });
}
