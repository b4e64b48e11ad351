/**
 * Related rows that are looked up before the query.
 *
 * "The name of its fund has this word" is a condition on some of a few thousand funds, and on all of a million rows that have a
 * fund. Of the second the planner knows no more than it can guess, and a wrong guess makes it read the million. So the ids of
 * the funds are found first, and the query gets them: it knows how many there are, has an index on the column, and is at
 * its end at once when there is none. Where there are too many they narrow the query little, and it stays `exists`.
 */
import type { CqlJoin, CqlKey } from './cql-entity.js';
import { existing } from './cql-parts.js';
import type { CqlScope } from './cql-scope.js';

/** Of a query that goes to and fro between relations only so many are looked up. */
const LOOKUPS_MAX = 8;

const MARK = '\u0001';
const MARKED = new RegExp(`${MARK}(\\d+)${MARK}`, 'g');

interface RelatedRows {
  readonly join: CqlJoin;
  readonly key: CqlKey;
  readonly sql: string;
  /** There is none. */
  readonly none: boolean;
}

export interface Numbered {
  readonly sql: string;
  readonly params: unknown[];
}

/** Ids in PostgreSQL's binary form of `uuid[]`; null where they are too many. */
export type FoundIds = Buffer | null;

/** The related rows that one query asks about. */
export class CqlRelated {
  private readonly rows: RelatedRows[] = [];

  constructor(private readonly scope: CqlScope) {}

  get size(): number {
    return this.rows.length;
  }

  /** "A related row fulfils the condition", or none does, as a place that is filled in later. */
  condition(join: CqlJoin, sql: string, none: boolean): string {
    const { key } = join;
    if (!key || this.rows.length === LOOKUPS_MAX) return existence({ join, sql, none });
    return `${MARK}${this.rows.push({ join, key, sql, none }) - 1}${MARK}`;
  }

  /** Selects the {@link FoundIds} of each; without its offset the array would be made twice. @param idsMax of more there are none */
  lookup(tenantId: string, idsMax: number): Numbered {
    const params: unknown[] = [tenantId];
    const selected = this.rows.map(
      ({ join, key: { table }, sql }, at) =>
        `(select case when cardinality(ids) <= ${idsMax} then array_send(ids) end
          from (select array(select ${table}.id from ${join.from}
            where ${table}.tenant_id = $1 and (${sql}) limit ${idsMax + 1}) as ids offset 0) as found) as ids_${at}`,
    );
    return { sql: this.scope.numbered(`select ${selected.join(', ')}`, params), params };
  }

  /** @param found in the order of the lookup; where there are none, the query looks for the rows */
  filled(sql: string, params: unknown[], found: readonly FoundIds[] = []): string {
    const whole = sql.replaceAll(MARKED, (_mark, at: string) => {
      const row = this.rows[Number(at)];
      if (!row) throw new Error('A mark stands for no related rows.');
      return this.filledIn(row, found[Number(at)] ?? null);
    });
    return this.scope.numbered(whole, params);
  }

  private filledIn(row: RelatedRows, ids: FoundIds): string {
    if (ids === null) return existence(row);
    if (isEmpty(ids)) return String(row.none);
    const named = `${row.key.column} = any(${this.scope.bind(ids, 'uuid[]')})`;
    return row.none ? `(${named}) is not true` : named;
  }
}

const existence = ({ join, sql, none }: Omit<RelatedRows, 'key'>): string =>
  `${none ? 'not ' : ''}${existing(join, sql)}`;

/** Without elements there is no dimension, whose number comes first (see bulk.ts). */
const isEmpty = (ids: Buffer): boolean => ids.readInt32BE(0) === 0;
