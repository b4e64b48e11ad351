/**
 * CQL tree → SQL, with an entity's allow-list.
 *
 * Every term reaches SQL as a bound parameter, every name through the allow-list, and no pattern is built from what
 * a user typed except LIKE with its wildcards escaped. The caller joins its own filters (tenant, owner, state) to
 * `where` with AND, which is why it comes in parentheses:
 *
 *   select … from fund where fund.tenant_id = $1 and ${where} order by ${orderBy} limit …
 *
 * Undefined values make clauses null. That is as good as false for AND and OR and at the end, but not below `not`,
 * which is a full complement: it is compiled to `is not true`.
 */
import type { CqlClause, CqlGroup, CqlNode, CqlQuery } from '@quire/cql/ast';
import type { CqlEntity, CqlField } from './cql-entity.js';
import { listClause, objectsClause } from './cql-lists.js';
import { readModifiers } from './cql-modifiers.js';
import { findField, suggestName } from './cql-names.js';
import type { Found } from './cql-names.js';
import { orderBy } from './cql-order.js';
import { combine, overJoined } from './cql-parts.js';
import type { Operator, Part } from './cql-parts.js';
import { CqlRelated } from './cql-related.js';
import type { FoundIds } from './cql-related.js';
import { booleanClause, dateClause, enumClause, numberClause, uuidClause } from './cql-scalars.js';
import { comparisonOf, CqlScope } from './cql-scope.js';
import type { Comparison } from './cql-scope.js';
import { textClause } from './cql-text.js';

export interface CqlSql {
  /** A condition in parentheses; `(true)` without a query. */
  readonly where: string;
  /** What follows `order by`; ends with the id. */
  readonly orderBy: string;
  /** What follows the table in `from` when that order is used; there is nothing unless joins have a key. */
  readonly orderJoins: string;
  /** Values of `$1`, `$2` … : those that were handed in, then those of the query. */
  readonly params: unknown[];
  /** Of a query with related rows that can be looked up first. */
  readonly related?: RelatedLookup;
}

/** How the ids of related rows are found, and the condition when they are. */
export interface RelatedLookup extends Pick<CqlRelated, 'size' | 'lookup'> {
  /** @param params get the values; @param found see {@link CqlRelated.filled} */
  where(params: unknown[], found: readonly FoundIds[]): string;
}

export interface CqlOptions {
  /** Parameters the statement already has; the query's are pushed to this list and numbered on. */
  readonly params?: unknown[];
  /** Schema of the functions of CQL_FUNCTIONS_SQL; default: they are found by `search_path`. */
  readonly schema?: string;
}

/** @throws CqlError when the query names what the entity does not have or compares what cannot be compared */
export function compileCql(
  query: CqlQuery | undefined,
  entity: CqlEntity,
  { params = [], schema }: CqlOptions = {},
): CqlSql {
  const scope = new CqlScope(query?.text ?? '', schema);
  const related = new CqlRelated(scope);
  const condition = query ? new Compiler(scope, related, entity).node(query.root) : 'true';
  const order = orderBy(scope, entity, query);
  return {
    where: related.filled(`(${condition})`, params),
    orderBy: order.by,
    orderJoins: order.joins,
    params,
    ...(related.size === 0 ? {} : { related: lookupOf(related, `(${condition})`) }),
  };
}

function lookupOf(related: CqlRelated, condition: string): RelatedLookup {
  return {
    size: related.size,
    lookup: (tenantId, idsMax) => related.lookup(tenantId, idsMax),
    where: (params, found) => related.filled(condition, params, found),
  };
}

class Compiler {
  constructor(
    private readonly scope: CqlScope,
    private readonly related: CqlRelated,
    private readonly entity: CqlEntity,
  ) {}

  node(node: CqlNode): string {
    const { join, sql } = overJoined(this.part(node));
    return join ? this.related.condition(join, sql, false) : sql;
  }

  private part(node: CqlNode): Part {
    return node.kind === 'group' ? this.group(node) : this.clause(node);
  }

  /** From the left; runs of the same operator share their parentheses, else 2,000 clauses nest 2,000 deep. */
  private group({ first, rest }: CqlGroup): Part {
    let operator: Operator = 'and';
    let run = [this.part(first)];
    for (const { operator: next, operand } of rest) {
      const wanted = next === 'or' ? 'or' : 'and';
      if (run.length > 1 && wanted !== operator) run = [this.combined(operator, run)];
      operator = wanted;
      const part = this.part(operand);
      run.push(next === 'not' ? { ...part, not: true } : part);
    }
    return this.combined(operator, run);
  }

  private combined(operator: Operator, parts: readonly Part[]): Part {
    return combine(operator, parts, (...about) => this.related.condition(...about));
  }

  private clause(clause: CqlClause): Part {
    const name = clause.index?.name;
    const lower = name?.toLowerCase();
    if (lower === 'cql.allrecords') return { sql: 'true' };
    if (name === undefined || lower === 'cql.serverchoice') return this.defaultIndexes(clause);
    const found = findField(this.entity, name);
    if (!found) throw this.unknownIndex(name, clause.index?.column ?? clause.termColumn);
    return this.indexed(clause, name, found);
  }

  private defaultIndexes(clause: CqlClause): Part {
    const names = this.entity.defaultIndexes ?? [];
    if (names.length === 0) {
      const reason = 'cql.serverChoice requested, but no serverChoiceIndexes defined.';
      const column = clause.index?.column ?? clause.termColumn;
      throw this.scope.fail('unknown-index', column, reason);
    }
    const parts = names.map((name) => {
      const found = findField(this.entity, name);
      if (!found) throw new Error(`the default index ${name} is not in the allow-list`);
      return this.indexed(clause, name, found);
    });
    return this.combined('or', parts);
  }

  private indexed(clause: CqlClause, name: string, { field, join }: Found): Part {
    const condition = compare(comparisonOf(this.scope, clause, name), field);
    const within =
      field.within && condition !== 'true' ? inside(field.within, condition) : condition;
    return join ? { join, sql: within } : { sql: within };
  }

  private unknownIndex(name: string, column: number): Error {
    const suggestion = suggestName(this.entity, name);
    const hint = suggestion === undefined ? '' : `, did you mean '${suggestion}'?`;
    return this.scope.fail('unknown-index', column, `unknown index '${name}'${hint}`);
  }
}

function compare(comparison: Comparison, field: CqlField): string {
  if (field.type === 'uuid' && comparison.modifiers.length === 0)
    return uuidClause(comparison, field);
  const modifiers = readModifiers(comparison, field);
  switch (field.type) {
    case 'text':
      return textClause(comparison, field, modifiers);
    case 'enum':
      return enumClause(comparison, field, modifiers);
    case 'uuid':
      return uuidClause(comparison, field);
    case 'number':
      return numberClause(comparison, field);
    case 'boolean':
      return booleanClause(comparison, field);
    case 'date':
      return dateClause(comparison, field);
    case 'list':
      return listClause(comparison, field, modifiers);
    case 'objects':
      return objectsClause(comparison, field, modifiers);
  }
}

function inside(within: NonNullable<CqlField['within']>, condition: string): string {
  return `exists (select 1 from ${within.from} where ${within.where ?? 'true'} and (${condition}))`;
}
