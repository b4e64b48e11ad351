/**
 * Conditions on the row of a query and on rows that are related to it, put together without losing sight of whom they are
 * about: those on one related row become one search for it.
 */
import type { CqlJoin } from './cql-entity.js';

/** What a node of a query says of the row, or of a related row that must exist. */
export interface Part {
  readonly join?: CqlJoin;
  readonly sql: string;
  /** The row, or its want of such a related row, does not fulfil `sql`: also where that is null. */
  readonly not?: boolean;
  /** `sql` is never null. */
  readonly defined?: boolean;
}

export type Operator = 'and' | 'or';

/** Of a row or of its related row. Of a plain `not exists` the planner can make a join. */
function conditionOf({ sql, not = false, defined = false }: Part): string {
  if (!not) return sql;
  return defined ? `not ${sql}` : `(${sql}) is not true`;
}

/**
 * @param parts of which all or some must hold; there is at least one
 * @param related SQL for "a related row fulfils the condition", or none does
 */
export function combine(
  operator: Operator,
  parts: readonly Part[],
  related: (join: CqlJoin, sql: string, none: boolean) => string,
): Part {
  const merge = operator === 'or' ? mergeAlternatives : mergeConditions;
  const near = merge(parts);
  if (isOne(near)) return near[0];
  const far = merge(near.map(overJoined));
  if (isOne(far)) return far[0];
  const closed = far.map((part) =>
    part.join ? related(part.join, part.sql, part.not === true) : conditionOf(part),
  );
  return { sql: closed.map((sql) => `(${sql})`).join(` ${operator} `) };
}

const isOne = (parts: readonly Part[]): parts is readonly [Part] =>
  parts.length === 1 && parts[0]?.not !== true;

/** As a condition on the row in between, if there is one. */
export function overJoined(part: Part): Part {
  return part.join?.over
    ? { ...part, join: part.join.over, sql: existing(part.join, part.sql), defined: true }
    : part;
}

/** One row per row of the query, however many related rows match. */
export function existing(join: CqlJoin, condition: string): string {
  return `exists (select 1 from ${join.from} where ${join.on} and (${condition}))`;
}

/** Some row that fulfils one condition, or some row that fulfils the other: that is one search. */
function mergeAlternatives(parts: readonly Part[]): Part[] {
  const alternatives = new Map<CqlJoin | Part, Part[]>();
  for (const part of parts) {
    const key = part.join ?? part;
    alternatives.set(key, [...(alternatives.get(key) ?? []), part]);
  }
  return [...alternatives.values()].map((same) => anyOf(same));
}

function anyOf(parts: readonly Part[]): Part {
  const [first, ...others] = parts;
  if (!first) throw new Error('A group of parts has none.');
  if (others.length === 0) return first;
  const { join, not = false } = first;
  return { ...(join ? { join } : {}), not, sql: parts.map(({ sql }) => `(${sql})`).join(' or ') };
}

const allOf = (parts: readonly Part[]): string =>
  parts.length === 1
    ? parts.map(conditionOf).join('')
    : parts.map((part) => `(${conditionOf(part)})`).join(' and ');

/**
 * Of a relation to one row all that is said of it holds of the same row. Nothing need be said but what it is not, where every row
 * has one; elsewhere there may be none. Of a relation to many each condition may be that of another row.
 */
function mergeConditions(parts: readonly Part[]): Part[] {
  const narrowing = parts.filter(
    ({ join, sql, not: negated }) => join || negated || sql !== 'true',
  );
  const merged: Part[] = narrowing.filter(({ join }) => join === undefined);
  for (const join of new Set(narrowing.map((part) => part.join))) {
    if (!join) continue;
    const same = narrowing.filter((part) => part.join === join);
    const wanted = same.filter((part) => part.not !== true);
    const unwanted = same.filter((part) => part.not === true);
    if (join.toOne && (wanted.length > 0 || join.always)) {
      merged.push({ join, sql: allOf(same) });
      continue;
    }
    merged.push(...wanted);
    if (unwanted.length > 0) merged.push(anyOf(unwanted));
  }
  return merged.length > 0 ? merged : [{ sql: 'true' }];
}
