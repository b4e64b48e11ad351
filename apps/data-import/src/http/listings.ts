import { refused } from '@quire/contracts/failure';
import { correctTotal, single, type Paging, type Query } from '@quire/contracts/paging';
import type { CqlQuery } from '@quire/cql/ast';
import { CqlError, listFailureText } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { streamCollection } from '@quire/service/answers';
import type { FastifyReply } from 'fastify';

/**
 * Reads `query` and does the work of a listing by it: every fault of the query, those that only its compilation shows among
 * them, becomes the one 400 of conventions 15.4.
 *
 * @param collection as its texts call it: `definition`, `jobProfiles`
 */
export async function byCql<T>(
  query: Query,
  collection: string,
  work: (parsed: CqlQuery | undefined) => Promise<T>,
): Promise<T> {
  try {
    const text = single(query, 'query');
    return await work(text === undefined || text === '' ? undefined : parseCql(text, URL_LIMITS));
  } catch (error) {
    if (error instanceof CqlError) throw refused(listFailureText(collection, error), 'cql');
    throw error;
  }
}

/** A list that was found, made from several sources. */
interface FoundList<T> {
  readonly total: number;
  readonly items: AsyncIterable<T>;
  readonly show: (item: T) => object;
}

/** Answers a list that is looked for when the answer begins; none is an empty one. */
export function streamLog<T>(
  reply: FastifyReply,
  key: string,
  paging: Paging,
  open: () => Promise<FoundList<T> | undefined>,
): FastifyReply {
  const found = { total: 0 };
  async function* items(): AsyncGenerator<object> {
    const list = await open();
    if (!list) return;
    found.total = list.total;
    for await (const item of list.items) yield list.show(item);
  }
  return streamCollection(reply, {
    key,
    items: items(),
    totalRecords: (rows) =>
      paging.totalRecords === 'none' ? undefined : correctTotal(rows, found.total, paging),
  });
}
