/**
 * The tree of a CQL query.
 *
 * A run of operands that are joined by booleans of equal rank is one flat `CqlGroup`, read from the left, instead
 * of a chain of binary nodes: the depth of a tree is then the depth of its parentheses, which the parser limits,
 * and everything that walks a tree may recurse.
 *
 * `index relation (a or b)` does not survive as such: the parser gives index, relation and modifiers to the bare
 * terms inside. Parentheses around a single clause are dropped.
 */
export type CqlSymbol = '=' | '==' | '<>' | '<' | '<=' | '>' | '>=';
export type CqlRelation = CqlSymbol | 'adj' | 'all' | 'any';
export type CqlOperator = 'and' | 'or' | 'not';

/** A name as typed, without the quotes it may have had, and the column where it stood. */
export interface CqlName {
  readonly name: string;
  readonly column: number;
}

/** `/name` or `/name=value`; a name of a subfield begins with `@`. */
export interface CqlModifier extends CqlName {
  readonly comparison?: { readonly symbol: CqlSymbol; readonly value: string };
}

export interface CqlClause {
  readonly kind: 'clause';
  /** Absent for a bare term, which is searched in the default indexes with `=`. */
  readonly index?: CqlName;
  readonly relation: CqlRelation;
  readonly relationColumn: number;
  readonly modifiers: readonly CqlModifier[];
  /**
   * The pieces of the term joined by one space. Backslashes and masks are still in it; only two things are written
   * differently than typed, without a change of meaning: a quote inside a word as `\"`, a lone last `\` as `\\`.
   */
  readonly term: string;
  readonly termColumn: number;
}

export interface CqlGroup {
  readonly kind: 'group';
  readonly first: CqlNode;
  /** At least one; `not` means "and not". */
  readonly rest: readonly { readonly operator: CqlOperator; readonly operand: CqlNode }[];
}

export type CqlNode = CqlClause | CqlGroup;

export interface CqlSortKey extends CqlName {
  readonly modifiers: readonly CqlModifier[];
}

export interface CqlQuery {
  readonly root: CqlNode;
  /** Empty when the query has no `sortby`. */
  readonly sortKeys: readonly CqlSortKey[];
  /** The query as typed: errors found later draw their caret on it. */
  readonly text: string;
}

/** Is there a clause that is searched in this index? */
export function namesIndex(node: CqlNode, name: string): boolean {
  if (node.kind === 'clause') return node.index?.name === name;
  return namesIndex(node.first, name) || node.rest.some((one) => namesIndex(one.operand, name));
}
