/** What the compilation of one query shares: its parameters, the schema of its functions, its errors. */
import type { CqlClause, CqlModifier, CqlRelation } from '@quire/cql/ast';
import { CqlError } from '@quire/cql/errors';
import type { CqlErrorCode } from '@quire/cql/errors';

/** Stands around the place of a value; no SQL text has it. */
const MARK = '\u0000';
const MARKED = new RegExp(`${MARK}(\\d+)${MARK}`, 'g');

export class CqlScope {
  private readonly values: unknown[] = [];

  constructor(
    private readonly text: string,
    private readonly schema: string | undefined,
  ) {}

  /**
   * A bound parameter, with its type said: the server must not guess one from the context. What is compiled may come to stand
   * in more than one statement, so it has its number by `numbered`.
   */
  bind(value: unknown, type: string): string {
    this.values.push(value);
    return `${MARK}${this.values.length - 1}${MARK}::${type}`;
  }

  /** @param params values are pushed here, so that `$n` goes on where the caller's statement stopped */
  numbered(sql: string, params: unknown[]): string {
    const numbers = new Map<string, number>();
    return sql.replaceAll(MARKED, (_mark, place: string) => {
      const number = numbers.get(place) ?? params.push(this.values[Number(place)]);
      numbers.set(place, number);
      return `$${number}`;
    });
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
