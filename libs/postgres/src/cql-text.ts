/** Text: words, whole values with masks, order. Also what lists use to compare one of their elements. */
import type { CqlTextField } from './cql-entity.js';
import type { Modifiers } from './cql-modifiers.js';
import { alternatives, numberClause } from './cql-scalars.js';
import { isDefined, isWordRelation } from './cql-scope.js';
import type { Comparison, CqlScope } from './cql-scope.js';
import {
  beginningOf,
  literalOf,
  matchesAll,
  readPattern,
  trimBlanks,
  unescape,
} from './cql-terms.js';
import type { Pattern } from './cql-terms.js';
import { settled, wordQuery, wordsOf } from './cql-words.js';

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
  if (isWordRelation(relation)) {
    return field.whole ? wholeClause(comparison, field, modifiers) : wordClause(comparison, field);
  }
  if (field.wordsOnly) {
    const reason = `relation '${relation}' is not supported for text ${comparison.name}`;
    throw scope.fail('unsupported', comparison.relationColumn, reason);
  }
  if (relation !== '==' && relation !== '<>') return orderClause(comparison, field);
  const pattern = readPattern(term);
  if (matchesAll(pattern)) return relation === '==' ? isDefined(field.sql) : 'false';
  return relation === '<>'
    ? differs(scope, field, pattern, modifiers)
    : equals(scope, field, pattern, modifiers);
}

/** What the head tells, the whole value need not be asked for. */
function orderClause({ scope, relation, term }: Comparison, field: CqlTextField): string {
  const whole = scope.bind(unescape(term), 'text');
  const condition = `${foldedOf(scope, field)} ${relation} ${scope.call('fold', whole)}`;
  if (field.head === undefined) return condition;
  const head = `${field.head} collate "C"`;
  const wanted = scope.call('cql_head', whole);
  const side = relation.startsWith('<') ? '<' : '>';
  return `(${head} ${side}= ${wanted} and (${head} ${side} ${wanted} or ${condition}))`;
}

/** A word relation on a value that is compared as a whole: `any` looks for each of its words. */
function wholeClause(comparison: Comparison, field: CqlTextField, modifiers: Modifiers): string {
  const term = trimBlanks(comparison.term);
  if (term === '') return isDefined(field.sql);
  if (matchesAll(readPattern(term))) return 'true';
  const found = alternatives(comparison).map((one) =>
    equals(comparison.scope, field, readPattern(one), modifiers),
  );
  return found.length === 1 ? found.join('') : `(${found.join(' or ')})`;
}

function equals(
  scope: CqlScope,
  field: CqlTextField,
  pattern: Pattern,
  modifiers: Modifiers,
): string {
  const folds = modifiers.foldCase && modifiers.foldAccents;
  const condition = folds
    ? foldedEquality(scope, field, pattern)
    : equality(scope, normalized(scope, modifiers, field.sql), pattern, modifiers);
  const narrowed = indexCondition(scope, field, pattern);
  return narrowed === undefined ? condition : `(${narrowed} and ${condition})`;
}

const FOLDING: Folding = { foldCase: true, foldAccents: true };

/**
 * Masked values are compared with their heads where these tell: to fold 20,000 values takes 40 ms. Of a `case` the planner
 * expects half of the rows; of `like` below row-level security a two-hundredth, whatever the statistics say.
 */
function foldedEquality(scope: CqlScope, field: CqlTextField, pattern: Pattern): string {
  const whole = (): string => equality(scope, foldedOf(scope, field), pattern, FOLDING);
  if (field.head === undefined || literalOf(pattern) !== undefined) return whole();
  const ofHead = equality(scope, `${field.head} collate "C"`, pattern, FOLDING);
  // The head holds the beginning of every value, and that may be all the pattern asks about.
  if (isShort(beginningOf(pattern))) return ofHead;
  return `case when octet_length(${field.head}) < ${HEAD_CHARACTERS} then ${ofHead} else ${whole()} end`;
}

/** As many has `cql_head`: one of fewer bytes is the whole value. */
const HEAD_CHARACTERS = 400;

function differs(
  scope: CqlScope,
  field: CqlTextField,
  pattern: Pattern,
  modifiers: Modifiers,
): string {
  const folds = modifiers.foldCase && modifiers.foldAccents;
  const value = folds ? foldedOf(scope, field) : normalized(scope, modifiers, field.sql);
  const condition = equality(scope, value, pattern, { ...modifiers, negated: true });
  const literal = literalOf(pattern);
  if (!folds || literal === undefined || field.head === undefined) return condition;
  const head = scope.call('cql_head', scope.bind(literal, 'text'));
  return `(${field.head} collate "C" <> ${head} or ${condition})`;
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

const isShort = (text: string | undefined): boolean =>
  text !== undefined && Array.from(text).length <= BEGINNING_CHARACTERS_MAX;

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
  const rule = (): string => {
    const query = wordQuery(scope, relation, wanted);
    if (field.rule) return field.rule(query, relation);
    return `${scope.call('cql_words', field.sql)} @@ ${query}`;
  };
  return field.words ? settled(scope, field.words, { relation, words: wanted, rule }) : rule();
}
