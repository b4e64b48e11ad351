import type { CqlQuery } from '@quire/cql/ast';
import { CqlError, listFailureText } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { refused } from '@quire/contracts/failure';
import { correctTotal, type Paging } from '@quire/contracts/paging';
import type { CqlEntity } from './cql-entity.js';
import { compileCql } from './cql-where.js';
import type { TenantRead } from './tenant.js';

/**
 * One page of a collection and its count, from one snapshot of the database (conventions, section 14). Any limit is served
 * in full: rows come from a cursor.
 */
export interface Listing {
  /** Last path segment of the endpoint, for error texts. */
  readonly collection: string;
  readonly table: string;
  readonly columns: string;
  readonly entity: CqlEntity;
  /** Order when the query asks for none; ends with the id. */
  readonly defaultOrder: string;
  /** Prefix of `tenant_id` and of the default order. */
  readonly alias: string;
  /** Schema of the functions that CQL needs, where `search_path` does not find them. */
  readonly schema?: string;
  /** Which rows there are at all, when not all of the tenant's. */
  readonly condition?: string;
}

/** A filter that no query can escape, because it is joined to the finished condition. */
export interface ListFilter {
  /** Column that must have this value. */
  readonly column: string;
  readonly value: string;
}

export interface CompiledList {
  readonly listing: Listing;
  readonly where: string;
  readonly orderBy: string;
  readonly params: readonly unknown[];
  /** Has a query that may leave out rows. */
  readonly filtered: boolean;
}

/** Counts beyond this may be estimates (conventions, 14.2). */
const EXACT_UP_TO = 1000;
const CURSOR_ROWS = 500;

/** @throws Failure 400 in the one form of conventions 15.4 */
export function compileList(
  listing: Listing,
  text: string | undefined,
  tenantId: string,
  only?: ListFilter,
): CompiledList {
  const { alias, collection, defaultOrder, schema, condition } = listing;
  try {
    const query = text === undefined || text === '' ? undefined : parseCql(text, URL_LIMITS);
    const params: unknown[] = [tenantId];
    const always = condition === undefined ? '' : ` and ${condition}`;
    const own = only ? ` and ${only.column} = $${params.push(only.value)}` : '';
    const sql = compileCql(query, listing.entity, {
      params,
      ...(schema === undefined ? {} : { schema }),
    });
    return {
      listing,
      where: `${alias}.tenant_id = $1${own}${always} and ${sql.where}`,
      orderBy: query && query.sortKeys.length > 0 ? sql.orderBy : defaultOrder,
      params: sql.params,
      filtered:
        only !== undefined ||
        condition !== undefined ||
        (query !== undefined && !matchesAll(query)),
    };
  } catch (error) {
    if (error instanceof CqlError) throw refused(listFailureText(collection, error), 'cql');
    throw error;
  }
}

function matchesAll({ root }: CqlQuery): boolean {
  return root.kind === 'clause' && root.index?.name.toLowerCase() === 'cql.allrecords';
}

/** Rows in batches; what `total` says is known as soon as the first batch is there. */
export class Page<R extends object> {
  private counted: number | undefined;

  constructor(
    private readonly list: CompiledList,
    private readonly paging: Paging,
  ) {}

  async *batches(tx: TenantRead): AsyncGenerator<readonly R[]> {
    const { listing, where, orderBy, params } = this.list;
    const { offset, limit } = this.paging;
    this.counted = await countRows(tx, this.list, this.paging);
    if (limit === 0) return;
    const sql = `select ${listing.columns} from ${listing.table} ${listing.alias} where ${where}
      order by ${orderBy} limit ${limit} offset ${offset}`;
    yield* tx.cursor<R>(sql, params, Math.min(limit, CURSOR_ROWS));
  }

  /** @param rows that were sent */
  total(rows: number): number | undefined {
    return correctTotal(rows, this.counted, this.paging);
  }
}

async function countRows(
  tx: TenantRead,
  list: CompiledList,
  { totalRecords, limit }: Paging,
): Promise<number | undefined> {
  if (totalRecords === 'none') return undefined;
  const exact = totalRecords === 'exact' || limit === 0 || !list.filtered;
  if (exact && !(totalRecords === 'estimated' && limit > 0)) return count(tx, list, '');
  const estimate = await planned(tx, list);
  if (totalRecords === 'estimated' || estimate > 4 * EXACT_UP_TO) return estimate;
  const some = await count(tx, list, `limit ${EXACT_UP_TO}`);
  return some < EXACT_UP_TO ? some : Math.max(estimate, EXACT_UP_TO);
}

async function count(
  tx: TenantRead,
  { listing, where, params }: CompiledList,
  bound: string,
): Promise<number> {
  const row = await tx.one<{ n: number }>(
    `select count(*)::int as n from (select from ${listing.table} ${listing.alias} where ${where} ${bound}) as found`,
    params,
  );
  return row?.n ?? 0;
}

async function planned(tx: TenantRead, { listing, where, params }: CompiledList): Promise<number> {
  const row = await tx.one<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `explain (format json) select from ${listing.table} ${listing.alias} where ${where}`,
    params,
  );
  return row?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}
