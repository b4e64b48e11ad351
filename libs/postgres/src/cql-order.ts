/** `sortby` → ORDER BY. Every order ends with the id, so that pages are stable. */
import type { CqlQuery, CqlSortKey } from '@quire/cql/ast';
import type { CqlEntity, CqlField, CqlJoin } from './cql-entity.js';
import { findField } from './cql-names.js';
import type { Found } from './cql-names.js';
import type { CqlScope } from './cql-scope.js';
import { foldedOf } from './cql-text.js';

/**
 * Names that are unknown, not sortable or of a to-many relation are skipped: known clients send some. A key that
 * comes a second time changes nothing and is left out, which also bounds the clause: PostgreSQL refuses more than
 * 1,664 keys.
 */
export function orderBy(scope: CqlScope, entity: CqlEntity, query: CqlQuery | undefined): Order {
  const id = findField(entity, 'id')?.field;
  if (!id) throw new Error('an entity has a field named id');
  const keys = new Map<string, string>();
  const joins = new Set<string>();
  for (const key of query?.sortKeys ?? []) {
    const found = findField(entity, key.name);
    if (!found || found.field.sortable === false) continue;
    if (found.join && !found.join.toOne) continue;
    const { direction, numeric } = readSortModifiers(scope, key);
    for (const expression of keysOf(scope, found, numeric)) {
      if (!keys.has(expression)) keys.set(expression, `${expression}${direction}`);
    }
    for (const join of joinsOf(found.join)) joins.add(join);
    if (found.field === id) break; // nothing is left to order
  }
  if (!keys.has(id.sql)) keys.set(id.sql, id.sql);
  return { by: [...keys.values()].join(', '), joins: [...joins].join('') };
}

export interface Order {
  /** What follows `order by`. */
  readonly by: string;
  /** What follows the table in `from`: the related rows by which it is ordered, if any. */
  readonly joins: string;
}

interface SortModifiers {
  /** Appended to the expression. PostgreSQL's default is ours: ascending puts nulls last, descending first. */
  readonly direction: string;
  readonly numeric: boolean;
}

const WITHOUT_EFFECT = new Set(['ignorecase', 'ignoreaccents', 'string', 'masked']);

function readSortModifiers(scope: CqlScope, key: CqlSortKey): SortModifiers {
  let [order, missing, numeric] = ['', '', false];
  for (const { name, column, comparison } of key.modifiers) {
    const known = comparison ? '' : name.toLowerCase();
    if (known === 'sort.ascending') order = '';
    else if (known === 'sort.descending') order = ' desc';
    else if (known === 'sort.missinglow') missing = ' nulls first';
    else if (known === 'sort.missinghigh') missing = ' nulls last';
    else if (known === 'number') numeric = true;
    else if (!WITHOUT_EFFECT.has(known)) {
      throw scope.fail('unsupported', column, `Unsupported modifier ${name}`);
    }
  }
  return { direction: `${order}${missing}`, numeric };
}

/** One expression, or two where an index knows the beginning of a value. */
function keysOf(scope: CqlScope, { field, join }: Found, numeric: boolean): string[] {
  const expression = field.sort ?? naturalKey(scope, field, numeric);
  if (field.within) {
    const { from, where } = field.within;
    return [scalar(from, where ?? 'true', expression)];
  }
  if (join && !isJoined(join)) return [scalar(join.from, join.on, expression)];
  const headed =
    field.type === 'text' && !numeric && field.sort === undefined ? field.head : undefined;
  return headed === undefined ? [expression] : [`${headed} collate "C"`, expression];
}

/** The related row is joined, so that an index on it can give the order; else it is looked up for each row. */
const isJoined = ({ key, over }: CqlJoin): boolean =>
  key !== undefined && (!over || isJoined(over));

/** From the row of the query on. Where a row may have none, it is kept, behind the others. */
function joinsOf(join: CqlJoin | undefined): string[] {
  if (!join || !isJoined(join)) return [];
  const { from, on, over, always = false } = join;
  return [...joinsOf(over), ` ${always ? '' : 'left '}join ${from} on ${on}`];
}

function scalar(from: string, where: string, expression: string): string {
  return `(select ${expression} from ${from} where ${where} limit 1)`;
}

function naturalKey(scope: CqlScope, field: CqlField, numeric: boolean): string {
  switch (field.type) {
    case 'text':
      return numeric ? scope.call('cql_number', field.sql) : foldedOf(scope, field);
    case 'enum':
      return foldedOf(scope, field);
    case 'list':
      return foldedOf(scope, { sql: `(${field.sql})[1]` });
    case 'objects': {
      const subfield = (field.defaults[0] ?? '').replaceAll("'", "''");
      return foldedOf(scope, { sql: `(${field.sql}) -> 0 ->> '${subfield}'` });
    }
    case 'uuid':
    case 'number':
    case 'boolean':
    case 'date':
      return field.sql;
  }
}
