/** Whole values that stand as lexemes behind the name of their index: found as they are, by their beginning, as words. */
import type { CqlRelation } from '@quire/cql/ast';
import type { CqlKeys } from './cql-entity.js';
import type { CqlScope } from './cql-scope.js';
import { beginningOf, literalOf } from './cql-terms.js';
import type { Pattern, Word } from './cql-terms.js';

/** A lexeme holds 400 characters of prefix and folded value, and folding makes at most four of one. */
const WHOLE_CHARACTERS_MAX = 90;

export interface KeySearch {
  /** Every match fulfils it. */
  readonly condition: string;
  /** It is the whole truth; for every row, or for those that fulfil this condition. */
  readonly exact: boolean | string;
}

/** The search and, where it does not tell all, the rule, which binds its parameters only when it is asked for. */
export function keyed({ condition, exact }: KeySearch, rule: () => string): string {
  if (exact === true) return condition;
  return `(${condition} and ${exact === false ? rule() : `(${exact} or ${rule()})`})`;
}

/** Rows with a value that equals the pattern, but for case and accents; undefined for masks that no index knows. */
export function keyEquality(
  scope: CqlScope,
  { vector, prefix }: CqlKeys,
  pattern: Pattern,
): KeySearch | undefined {
  const literal = literalOf(pattern);
  const text = literal ?? beginningOf(pattern) ?? pattern.pieces[0] ?? '';
  if (literal === undefined && text === '') return undefined;
  const query = keyQuery(scope, prefix, [{ text, truncated: literal === undefined }]);
  const whole = literal !== undefined || beginningOf(pattern) !== undefined;
  return {
    condition: `${vector} @@ ${query}`,
    exact: whole && Array.from(text).length <= WHOLE_CHARACTERS_MAX,
  };
}

/**
 * Rows with these words in their values, where each value is one word. Undefined where words are no runs of letters and
 * digits, because only those are words for PostgreSQL too.
 */
export function keyWords(
  scope: CqlScope,
  { vector, prefix, words: single }: CqlKeys,
  relation: CqlRelation,
  words: readonly Word[],
): KeySearch | undefined {
  if (single === undefined) return undefined;
  if (!words.every(({ text }) => /^[a-z\d]{1,90}$/i.test(text))) return undefined;
  const query = keyQuery(scope, prefix, words, relation === 'any' ? ' | ' : ' & ');
  const condition = `${vector} @@ ${query}`;
  const phrase = words.length > 1 && (relation === '=' || relation === 'adj');
  if (single === true) return { condition, exact: !phrase };
  return {
    condition: `(${condition} or ${single.except})`,
    exact: phrase ? false : `not (${single.except})`,
  };
}

function keyQuery(
  scope: CqlScope,
  prefix: string,
  words: readonly Word[],
  joiner: ' & ' | ' | ' = ' & ',
): string {
  const texts = words.map(({ text }) => prefix + text);
  const suffixes = words.map(({ truncated }) => (truncated ? ':*' : ''));
  const [keys, ends] = [scope.bind(texts, 'text[]'), scope.bind(suffixes, 'text[]')];
  return scope.call('cql_keys', keys, ends, `'${joiner}'`);
}
