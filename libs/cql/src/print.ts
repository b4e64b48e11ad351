/**
 * Tree → CQL text. Parsing what is printed gives the same tree, columns aside: services store and forward queries,
 * and a query that changes its meaning on the way would export the wrong records.
 */
import type { CqlClause, CqlModifier, CqlNode, CqlQuery } from './ast.js';
import { tokenize } from './lexer.js';

export function printCql(query: Pick<CqlQuery, 'root' | 'sortKeys'>): string {
  const keys = query.sortKeys.map(
    (key) => ` ${printName(key.name)}${printModifiers(key.modifiers)}`,
  );
  const root = printNode(query.root);
  return keys.length === 0 ? root : `${root} sortby${keys.join('')}`;
}

function printNode(node: CqlNode): string {
  if (node.kind === 'clause') return printClause(node);
  const rest = node.rest.map(({ operator, operand }) => ` ${operator} ${printOperand(operand)}`);
  return `${printOperand(node.first)}${rest.join('')}`;
}

function printOperand(node: CqlNode): string {
  return node.kind === 'group' ? `(${printNode(node)})` : printClause(node);
}

function printClause(clause: CqlClause): string {
  const term = `"${clause.term}"`;
  if (!clause.index) return term;
  const relation = `${clause.relation}${printModifiers(clause.modifiers)}`;
  return `${printName(clause.index.name)} ${relation} ${term}`;
}

function printModifiers(modifiers: readonly CqlModifier[]): string {
  return modifiers
    .map(({ name, comparison }) =>
      comparison ? `/${name}${comparison.symbol}"${comparison.value}"` : `/${name}`,
    )
    .join('');
}

/** A name came from a word or from a string, so that one of the two forms always gives it back. */
function printName(name: string): string {
  if (name === '' || name.startsWith('"')) return `"${name}"`;
  const [token, end] = tokenize(name);
  return token?.kind === 'word' && token.value === name && end?.kind === 'end' ? name : `"${name}"`;
}
