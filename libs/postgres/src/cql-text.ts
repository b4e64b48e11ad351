/** Text: words, whole values with masks, order. Also what lists use to compare one of their elements. */
import type { CqlRelation } from '@quire/cql/ast';
import type { CqlLookup, CqlTextField, CqlWordIndex } from './cql-entity.js';
import type { Modifiers } from './cql-modifiers.js';
import { numberClause } from './cql-scalars.js';
import { badTerm, isDefined, isWordRelation } from './cql-scope.js';
import type { Comparison, CqlScope } from './cql-scope.js';
import { literalOf, matchesAll, readPattern, readWords, unescape } from './cql-terms.js';
import type { Pattern, Word } from './cql-terms.js';

export function textClause(
  comparison: Comparison,
  field: CqlTextField,
  modifiers: Modifiers,
): string {
  const { scope, relation, term } = comparison;
  if (modifiers.number) {
    const sql = scope.call('cql_number', field.sql);
    return numberClause(comparison, { type: 'number', sql });
  }
  if (isWordRelation(relation)) return wordClause(comparison, field);
  if (field.wordsOnly) {
    const reason = `relation '${relation}' is not supported for text ${comparison.name}`;
    throw scope.fail('unsupported', comparison.relationColumn, reason);
  }
  if (relation !== '==' && relation !== '<>') {
    const whole = scope.bind(unescape(term), 'text');
    const condition = `${foldedOf(scope, field)} ${relation} ${scope.call('fold', whole)}`;
    if (field.head === undefined) return condition;
    const side = relation.startsWith('<') ? '<=' : '>=';
    return `(${field.head} collate "C" ${side} ${scope.call('cql_head', whole)} and ${condition})`;
  }
  const pattern = readPattern(term);
  if (matchesAll(pattern)) return relation === '==' ? isDefined(field.sql) : 'false';
  const folds = modifiers.foldCase && modifiers.foldAccents;
  const value = folds ? foldedOf(scope, field) : normalized(scope, modifiers, field.sql);
  if (relation === '<>') return equality(scope, value, pattern, { ...modifiers, negated: true });
  const condition = equality(scope, value, pattern, modifiers);
  const narrowed = indexCondition(scope, field, pattern);
  return narrowed === undefined ? condition : `(${narrowed} and ${condition})`;
}

/** So much of a term is looked up in a head: folding makes at most four characters of one. */
const BEGINNING_CHARACTERS_MAX = 100;

/**
 * What every value fulfils that equals the pattern, in operators that an index may serve below row-level security:
 * LIKE is not among them, a range is. Case and accents that matter are left to the exact rule.
 */
function indexCondition(
  scope: CqlScope,
  field: CqlTextField,
  pattern: Pattern,
): string | undefined {
  const head = field.head === undefined ? undefined : `${field.head} collate "C"`;
  const literal = literalOf(pattern);
  if (literal !== undefined) {
    return head && `${head} = ${scope.call('cql_head', scope.bind(literal, 'text'))}`;
  }
  const beginning = Array.from(pattern.pieces[0] ?? '').slice(0, BEGINNING_CHARACTERS_MAX);
  if (beginning.length === 0) return undefined;
  const first = scope.call('fold', scope.bind(beginning.join(''), 'text'));
  const value = head ?? foldedOf(scope, field);
  return `${value} >= ${first} and ${value} <= ${first} || chr(${LAST_CODE_POINT})`;
}

const LAST_CODE_POINT = 0x10ffff;

/** Folded value in the order of code points; the one expression that an index on the field must have. */
export function foldedOf(scope: CqlScope, field: Pick<CqlTextField, 'sql' | 'folded'>): string {
  return `${field.folded ?? scope.call('fold', field.sql)} collate "C"`;
}

type Folding = Pick<Modifiers, 'foldCase' | 'foldAccents'>;

/** A value or parameter, freed of what the comparison shall not see. */
export function normalized(scope: CqlScope, folding: Folding, sql: string): string {
  if (folding.foldCase && folding.foldAccents) return scope.call('fold', sql);
  if (folding.foldCase) return `lower(${sql})`;
  return folding.foldAccents ? scope.call('cql_unaccent', sql) : `(${sql})`;
}

/** `value`, already normalised, equals the pattern. */
export function equality(
  scope: CqlScope,
  value: string,
  pattern: Pattern,
  options: Folding & { readonly negated?: boolean },
): string {
  const literal = literalOf(pattern);
  if (literal !== undefined) {
    const wanted = normalized(scope, options, scope.bind(literal, 'text'));
    return `${value} ${options.negated ? '<>' : '='} ${wanted}`;
  }
  const masked = scope.call(
    'cql_like',
    scope.bind(pattern.pieces, 'text[]'),
    scope.bind(pattern.masks, 'text[]'),
    String(options.foldCase),
    String(options.foldAccents),
  );
  return `${value} ${options.negated ? 'not like' : 'like'} ${masked}`;
}

function wordClause(comparison: Comparison, field: CqlTextField): string {
  const { scope, relation } = comparison;
  const wanted = wordsOf(comparison, comparison.term);
  if (wanted === 'every') return 'true';
  if (wanted === 'blank') return isDefined(field.sql);
  const candidates = field.words ? candidate(scope, field.words, relation, wanted) : undefined;
  if (candidates && field.words?.exact) return candidates;
  const exact = `${scope.call('cql_words', field.sql)} @@ ${wordQuery(scope, relation, wanted)}`;
  return candidates ? `${candidates} and ${exact}` : exact;
}

/** The words of a term, of the clause itself or of a modifier. @throws CqlError on a mask that words cannot have */
export function wordsOf(comparison: Comparison, term: string): readonly Word[] | 'every' | 'blank' {
  const read = readWords(term);
  if (read.kind === 'wrong') throw badTerm(comparison, read.reason);
  return read.kind === 'words' ? read.words : read.kind;
}

/** A condition that a word index answers and that every match fulfils. */
export function candidate(
  scope: CqlScope,
  index: CqlWordIndex,
  relation: CqlRelation,
  words: readonly Word[],
): string {
  const query = wordQuery(scope, relation, words, index.weights);
  if (index.lookup) return lookedUp(index.lookup, query);
  return `${index.vector} @@ ${query}`;
}

/** The row's key is among those that a function of the service finds. */
export function lookedUp({ key, call }: CqlLookup, wanted: string): string {
  return `${key} in (select found from ${call}(${wanted}) as found)`;
}

/** The tsquery of a term: `all` and `any` as they say, else the words side by side. */
export function wordQuery(
  scope: CqlScope,
  relation: CqlRelation,
  words: readonly Word[],
  weights = '',
): string {
  const joiner = relation === 'all' ? ' & ' : relation === 'any' ? ' | ' : ' <-> ';
  const label = (word: Word): string => `${word.truncated ? '*' : ''}${weights}`;
  const suffixes = words.map((word) => (label(word) === '' ? '' : `:${label(word)}`));
  return scope.call(
    'cql_query',
    scope.bind(
      words.map((word) => word.text),
      'text[]',
    ),
    scope.bind(suffixes, 'text[]'),
    `'${joiner}'`,
  );
}
