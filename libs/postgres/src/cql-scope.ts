/** What the compilation of one query shares: its parameters, the schema of its functions, its errors. */
import type { CqlClause, CqlModifier, CqlRelation } from '@quire/cql/ast';
import { CqlError } from '@quire/cql/errors';
import type { CqlErrorCode } from '@quire/cql/errors';

export class CqlScope {
  /** @param params values are pushed here, so that `$n` goes on where the caller's statement stopped */
  constructor(
    private readonly text: string,
    readonly params: unknown[],
    private readonly schema: string | undefined,
  ) {}

  /** A bound parameter, with its type said: the server must not guess one from the context. */
  bind(value: unknown, type: string): string {
    this.params.push(value);
    return `$${this.params.length}::${type}`;
  }

  /** Call of a function of CQL_FUNCTIONS_SQL. */
  call(name: string, ...args: readonly string[]): string {
    const quoted = this.schema === undefined ? '' : `"${this.schema.replaceAll('"', '""')}".`;
    return `${quoted}${name}(${args.join(', ')})`;
  }

  fail(code: CqlErrorCode, column: number, reason: string): CqlError {
    return new CqlError(code, reason, column, this.text);
  }
}

/** A clause whose index was found. */
export interface Comparison {
  readonly scope: CqlScope;
  readonly relation: CqlRelation;
  readonly relationColumn: number;
  readonly modifiers: readonly CqlModifier[];
  readonly term: string;
  readonly termColumn: number;
  /** The index as typed, for reasons. */
  readonly name: string;
}

/** `clause` searched in the index `name`, which for a bare term is one of the defaults. */
export function comparisonOf(scope: CqlScope, clause: CqlClause, name: string): Comparison {
  const { relation, relationColumn, modifiers, term, termColumn } = clause;
  return { scope, relation, relationColumn, modifiers, term, termColumn, name };
}

/** Relations that search words in text, and are `==` elsewhere. */
export function isWordRelation(relation: CqlRelation): boolean {
  return relation === '=' || relation === 'adj' || relation === 'all' || relation === 'any';
}

export function isOrderRelation(relation: CqlRelation): boolean {
  return relation !== '==' && relation !== '<>' && !isWordRelation(relation);
}

/** How a relation of order or equality is written in SQL. */
export function sqlOperator(relation: CqlRelation): string {
  return relation === '==' || isWordRelation(relation) ? '=' : relation;
}

export function badTerm(comparison: Comparison, reason: string): CqlError {
  return comparison.scope.fail('bad-term', comparison.termColumn, reason);
}

/** "Is defined"; also the answer to `<>` with a term that can be no value of the type. */
export function isDefined(sql: string): string {
  return `(${sql}) is not null`;
}

/** A term that can be no value of the type: nothing equals it, everything differs, nothing is before or behind it. */
export function impossible(comparison: Comparison, sql: string, kind?: string): string {
  if (kind !== undefined && isOrderRelation(comparison.relation)) {
    throw badTerm(comparison, `'${comparison.term}' is not a ${kind}`);
  }
  return comparison.relation === '<>' ? isDefined(sql) : 'false';
}
