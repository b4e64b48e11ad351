import type { CqlQuery } from '@quire/cql/ast';
import { CqlError, listFailureText } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { refused } from '@quire/contracts/failure';
import { correctTotal, type Paging } from '@quire/contracts/paging';
import type { CqlEntity } from './cql-entity.js';
import type { FoundIds, Numbered } from './cql-related.js';
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
  /** Order that the request asks for by a parameter of its own, which stands above the query's; ends with the id. */
  readonly order?: string | undefined;
  /** Prefix of `tenant_id` and of the default order. */
  readonly alias: string;
  /** Schema of the functions that CQL needs, where `search_path` does not find them. */
  readonly schema?: string;
  /** Counts beyond this may be estimates (conventions, 14.2); 1,000 unless said. */
  readonly exactUpTo?: number;
  /** Statement for the number `n` of all rows of the tenant `$1`, where it is kept. */
  readonly total?: string;
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
  /** What the order needs in `from`. */
  readonly orderJoins?: string;
  readonly params: readonly unknown[];
  /** Has a query that may leave out rows. */
  readonly filtered: boolean;
  readonly foundBy?: FoundBy;
  /** The same list, when it is known which related rows it asks about. */
  readonly related?: RelatedList;
}

interface RelatedList {
  readonly lookup: Numbered;
  /** @param found in the order of the columns of `lookup` */
  readonly having: (found: readonly FoundIds[]) => CompiledList;
}

/**
 * An index finds the rows, and they are ordered afterwards. Of a tenant that the statistics do not know the planner expects one
 * row: all indexes then cost the same, and it takes the one that saves the ordering, which reads the whole tenant. Pages of few
 * rows out of many stay with the planner, for which the order may be the shorter way.
 */
export interface FoundBy {
  /** Columns of that index behind those that the condition fixes. */
  readonly order?: string;
  /** There are so few rows that they are always found first. */
  readonly few?: boolean;
}

const EXACT_UP_TO = 1000;
const CURSOR_ROWS = 500;
/**
 * Ids of related rows that a statement is given. Estimates for 5,000 took up to 20 ms, for 2,000 up to 5 ms; and of more than
 * these `exists` is found often enough.
 */
const RELATED_MAX = 2500;

/** @throws Failure 400 in the one form of conventions 15.4 */
export function compileList(
  listing: Listing,
  text: string | undefined,
  tenantId: string,
  only?: ListFilter | readonly ListFilter[],
): CompiledList {
  const { alias, collection, defaultOrder, order, schema, condition } = listing;
  try {
    const query = text === undefined || text === '' ? undefined : parseCql(text, URL_LIMITS);
    const params: unknown[] = [tenantId];
    const always = condition === undefined ? '' : ` and ${condition}`;
    const filters = [only ?? []].flat();
    const own = filters.map(({ column, value }) => ` and ${column} = $${params.push(value)}`);
    const given = [...params];
    const sql = compileCql(query, listing.entity, {
      params,
      ...(schema === undefined ? {} : { schema }),
    });
    const whole = (where: string): string =>
      `${alias}.tenant_id = $1${own.join('')}${always} and ${where}`;
    const list: CompiledList = {
      listing,
      where: whole(sql.where),
      ...(order === undefined && query && query.sortKeys.length > 0
        ? { orderBy: sql.orderBy, orderJoins: sql.orderJoins }
        : { orderBy: order ?? defaultOrder }),
      params: sql.params,
      filtered:
        filters.length > 0 ||
        condition !== undefined ||
        (query !== undefined && !matchesAll(query)),
    };
    const { related } = sql;
    if (!related) return list;
    const having = (found: readonly FoundIds[]): CompiledList => {
      const values = [...given];
      return { ...list, where: whole(related.where(values, found)), params: values };
    };
    return { ...list, related: { lookup: related.lookup(tenantId, RELATED_MAX), having } };
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
    const { limit, totalRecords } = this.paging;
    const asked = await lookedUp(tx, this.list);
    const { counted, exact } = await countRows(tx, asked, this.paging);
    this.counted = counted;
    if (limit === 0 || (exact && counted === 0)) return;
    let empty = true;
    // Once the rows are counted and few, they are found as they were for the count. The planner believes in many, spread
    // evenly, and would walk along the order of the page until it has enough, to the end of the table if there are not.
    const few = exact && asked.filtered && (counted ?? 0) <= FEW_ROWS;
    const list = few ? { ...asked, foundBy: { ...asked.foundBy, few } } : asked;
    const sql = pageSql(list, this.paging);
    // A row more than there can be: a short page needs no second look to know that it was all.
    const batch = Math.min(limit + 1, CURSOR_ROWS);
    for await (const rows of tx.cursor<R>(sql, list.params, batch)) {
      empty = false;
      yield rows;
    }
    // Behind the end nothing corrects an estimate.
    if (empty && !exact && totalRecords !== 'none') this.counted = await count(tx, list, '');
  }

  /** @param rows that were sent */
  total(rows: number): number | undefined {
    return correctTotal(rows, this.counted, this.paging);
  }
}

/** @returns the list with the ids of its related rows, where they are not too many */
async function lookedUp(tx: TenantRead, list: CompiledList): Promise<CompiledList> {
  if (!list.related) return list;
  const { lookup, having } = list.related;
  const row = await tx.one<Record<string, FoundIds>>(lookup.sql, lookup.params);
  return having(Object.values(row ?? {}));
}

/** Of a million rows the order passes as many to ten that are wanted, if there are so many of these. */
const FEW_ROWS = 3000;
/** Up to this many rows the order of a page may be the shorter way to them. */
const SHORT_PAGE_ROWS = 1000;

/** The statement of a page. */
export function pageSql(
  list: CompiledList,
  { offset, limit }: Pick<Paging, 'offset' | 'limit'>,
): string {
  const { listing, orderBy, orderJoins = '', foundBy } = list;
  const { alias, columns } = listing;
  const first = foundBy !== undefined && (foundBy.few === true || limit > SHORT_PAGE_ROWS);
  const from = first
    ? `(${foundSql(list, '*')} offset 0) ${alias}${orderJoins}`
    : rowsOf(list, orderJoins);
  return `select ${columns} from ${from} order by ${orderBy} limit ${limit} offset ${offset}`;
}

const rowsOf = ({ listing, where }: CompiledList, joins = ''): string =>
  `${listing.table} ${listing.alias}${joins} where ${where}`;

/** All rows, found by their index. */
function foundSql(list: CompiledList, columns: string): string {
  const order = list.foundBy?.order;
  return `select ${columns} from ${rowsOf(list)}${order === undefined ? '' : ` order by ${order}`}`;
}

/** The statement that counts. @param bound `limit n`, or nothing */
export const countSql = (list: CompiledList, bound: string): string =>
  `select count(*)::int as n from (${foundSql(list, '')} ${bound}) as found`;

interface Count {
  readonly counted: number | undefined;
  /** Rows were counted, all that there are. */
  readonly exact: boolean;
}

async function countRows(
  tx: TenantRead,
  list: CompiledList,
  { totalRecords, limit }: Paging,
): Promise<Count> {
  if (totalRecords === 'none') return { counted: undefined, exact: false };
  const exact = totalRecords === 'exact' || limit === 0 || !list.filtered;
  if (exact && !(totalRecords === 'estimated' && limit > 0))
    return { counted: await count(tx, list, ''), exact: true };
  const { exactUpTo = EXACT_UP_TO } = list.listing;
  const estimate = await planned(tx, list);
  if (totalRecords === 'estimated' || estimate > 4 * exactUpTo)
    return { counted: estimate, exact: false };
  const some = await count(tx, list, `limit ${exactUpTo}`);
  return some < exactUpTo
    ? { counted: some, exact: true }
    : { counted: Math.max(estimate, exactUpTo), exact: false };
}

async function count(tx: TenantRead, list: CompiledList, bound: string): Promise<number> {
  const { listing, filtered } = list;
  const row =
    listing.total === undefined || filtered
      ? await tx.one<{ n: number }>(countSql(list, bound), list.params)
      : await tx.one<{ n: number }>(listing.total, [tx.tenantId]);
  return row?.n ?? 0;
}

async function planned(tx: TenantRead, list: CompiledList): Promise<number> {
  const row = await tx.one<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `explain (format json) select from ${rowsOf(list)}`,
    list.params,
  );
  return row?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}
