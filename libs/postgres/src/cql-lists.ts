/**
 * Lists: a clause looks at one element at a time, so that a phrase never spans two of them, and property names are
 * never text. A term that begins with `[` is a JSON list and is compared with the whole list.
 */
import type { CqlListField, CqlObjectsField, CqlPartIndex } from './cql-entity.js';
import { keyed, keyEquality, keyWords } from './cql-keys.js';
import type { KeySearch } from './cql-keys.js';
import type { Modifiers } from './cql-modifiers.js';
import { impossible, isDefined, isOrderRelation, isWordRelation } from './cql-scope.js';
import type { Comparison } from './cql-scope.js';
import { literalOf, matchesAll, readPattern, unescape } from './cql-terms.js';
import type { Pattern, Word } from './cql-terms.js';
import { equality, normalized } from './cql-text.js';
import { lookedUp, settled, wordQuery, wordsOf } from './cql-words.js';

export function listClause(asked: Comparison, field: CqlListField, modifiers: Modifiers): string {
  const comparison = field.spelling ? spelled(asked, field.spelling) : asked;
  const { relation, term } = comparison;
  if (isOrderRelation(relation)) {
    return field.ordered ? orderOfElements(comparison, field) : refuseOrder(comparison);
  }
  if (isWordRelation(relation)) return listWords(comparison, field);
  if (term.startsWith('[')) return wholeList(comparison, field, modifiers);
  const pattern = elementPattern(term);
  if (matchesAll(pattern)) return relation === '==' ? isDefined(field.sql) : 'false';
  const found = listEquality(comparison, field, pattern, modifiers);
  return negatedIf(relation === '<>', found, field.sql);
}

const elementsOf = ({ sql }: CqlListField): string => `unnest(${sql}) as element(value)`;

/** Each word of a term as the values are written. */
function spelled(comparison: Comparison, spelling: (word: string) => string): Comparison {
  const { term } = comparison;
  if (term.startsWith('[')) return comparison;
  const words = term
    .split(/([ \t\r\n]+)/)
    .map((part, at) => (at % 2 === 0 ? spelling(part) : part));
  return { ...comparison, term: words.join('') };
}

function listWords(comparison: Comparison, field: CqlListField): string {
  const { scope, relation, term } = comparison;
  const words = wordsOf(comparison, term);
  if (words === 'every') return 'true';
  if (words === 'blank') return isDefined(field.sql);
  const search = field.keys && keyWords(scope, field.keys, relation, words);
  const rule = (): string => {
    const query = wordQuery(scope, relation, words);
    if (relation !== 'all')
      return some(elementsOf(field), `${scope.call('cql_words', 'element.value')} @@ ${query}`);
    return `${scope.call('cql_words', `array_to_string(${field.sql}, ' ')`)} @@ ${query}`;
  };
  if (search) return keyed(search, rule);
  // Side by side, odd values may have other words than each alone.
  const exact = relation !== 'all' || isOneWord(words);
  return field.words ? settled(scope, field.words, { relation, words, rule, exact }) : rule();
}

function listEquality(
  comparison: Comparison,
  field: CqlListField,
  pattern: Pattern,
  modifiers: Modifiers,
): string {
  const { scope } = comparison;
  const folds = modifiers.foldCase && modifiers.foldAccents;
  const search = indexedElement(comparison, field, pattern);
  const rule = (): string => {
    const value = normalized(scope, modifiers, 'element.value');
    return some(elementsOf(field), equality(scope, value, pattern, modifiers));
  };
  return search ? keyed(folds ? search : { ...search, exact: false }, rule) : rule();
}

function orderOfElements({ scope, relation, term }: Comparison, field: CqlListField): string {
  const wanted = scope.call('fold', scope.bind(unescape(term), 'text'));
  const value = `${scope.call('fold', 'element.value')} collate "C"`;
  return some(elementsOf(field), `${value} ${relation} ${wanted}`);
}

/** The whole list, element by element; text that is no JSON list of scalars equals none. */
function wholeList(comparison: Comparison, field: CqlListField, modifiers: Modifiers): string {
  const { scope, relation, term } = comparison;
  const wanted = scalars(jsonOf(term));
  if (!wanted) return impossible(comparison, field.sql);
  const own = `array(select ${normalized(scope, modifiers, 'own.value')}
    from unnest(${field.sql}) with ordinality as own(value, place) order by own.place)`;
  const other = `array(select ${normalized(scope, modifiers, 'other.value')}
    from unnest(${scope.bind(wanted, 'text[]')}) with ordinality as other(value, place) order by other.place)`;
  const comparisonSql = `${own} ${relation === '<>' ? '<>' : '='} ${other}`;
  return `(${isDefined(field.sql)} and ${comparisonSql})`;
}

export function objectsClause(
  comparison: Comparison,
  field: CqlObjectsField,
  modifiers: Modifiers,
): string {
  const { relation, term } = comparison;
  if (isOrderRelation(relation)) return refuseOrder(comparison);
  if (isWordRelation(relation)) return objectWords(comparison, field, modifiers);
  if (term.startsWith('[')) return emptyList(comparison, field);
  const found = objectEquality(comparison, field, modifiers);
  return typeof found === 'string' ? negatedIf(relation === '<>', found, field.sql) : found.whole;
}

const itemsOf = ({ sql }: CqlObjectsField): string =>
  `jsonb_array_elements(${sql}) as element(item)`;

/** The subfields that a clause looks at. `indexed`: those that the indexes are about. */
function chosenOf(
  field: CqlObjectsField,
  { subfields }: Modifiers,
): { values: string[]; indexed: boolean } {
  const chosen = subfields.length > 0 ? [...new Set(subfields)] : field.defaults;
  const indexed =
    chosen.length === field.defaults.length &&
    chosen.every((subfield) => field.defaults.includes(subfield));
  return { values: chosen.map(valueOf), indexed };
}

/** What the same element has to fulfil besides. */
function conditionsOf(comparison: Comparison, modifiers: Modifiers): string[] {
  const { scope } = comparison;
  return modifiers.conditions.flatMap(({ subfield, modifier }) => {
    const words = wordsOf(comparison, modifier.comparison?.value ?? '');
    if (words === 'every') return [];
    if (words === 'blank') return [isDefined(valueOf(subfield))];
    return [`${scope.call('cql_words', valueOf(subfield))} @@ ${wordQuery(scope, '=', words)}`];
  });
}

function objectWords(comparison: Comparison, field: CqlObjectsField, modifiers: Modifiers): string {
  const { scope, relation, term } = comparison;
  const { values, indexed } = chosenOf(field, modifiers);
  const words = wordsOf(comparison, term);
  if (words === 'every') {
    const conditions = conditionsOf(comparison, modifiers);
    return conditions.length > 0 ? some(itemsOf(field), and(conditions)) : 'true';
  }
  if (words === 'blank') {
    const conditions = conditionsOf(comparison, modifiers);
    if (conditions.length === 0) return isDefined(field.sql);
    const defined = isDefined(`coalesce(${values.join(', ')})`);
    return some(itemsOf(field), and([...conditions, defined]));
  }
  const rule = (): string =>
    field.rule && indexed && modifiers.conditions.length === 0
      ? field.rule(wordQuery(scope, relation, words))
      : some(
          itemsOf(field),
          and([...conditionsOf(comparison, modifiers), elementWords(comparison, values, words)]),
        );
  if (!indexed || !field.words) return rule();
  const part = partFor(comparison, field, modifiers)?.words;
  // The index does not know which words stand in the same element.
  const alone = modifiers.conditions.length === 0 || part !== undefined;
  const exact = alone && (relation !== 'all' || isOneWord(words));
  return settled(scope, part ?? field.words, { relation, words, rule, exact });
}

const isOneWord = (words: readonly Word[]): boolean =>
  words.length === 1 && /^[\p{L}\p{N}]+$/u.test(words[0]?.text ?? '');

/** `whole`: the answer to a term of stars, to be taken as it is. */
function objectEquality(
  comparison: Comparison,
  field: CqlObjectsField,
  modifiers: Modifiers,
): string | { readonly whole: string } {
  const { scope, relation, term } = comparison;
  const { values, indexed } = chosenOf(field, modifiers);
  const pattern = elementPattern(term);
  if (matchesAll(pattern) && modifiers.conditions.length === 0 && indexed) {
    return { whole: relation === '==' ? isDefined(field.sql) : 'false' };
  }
  const folds = modifiers.foldCase && modifiers.foldAccents;
  const narrow = folds && indexed ? partFor(comparison, field, modifiers)?.keys : undefined;
  const search = narrow
    ? keyEquality(scope, narrow, pattern)
    : indexed
      ? indexedElement(comparison, field, pattern)
      : undefined;
  const rule = (): string => {
    const conditions = conditionsOf(comparison, modifiers);
    const equals = values.map((value) =>
      equality(scope, normalized(scope, modifiers, value), pattern, modifiers),
    );
    return some(itemsOf(field), and([...conditions, `(${equals.join(' or ')})`]));
  };
  if (!search) return rule();
  const tellsAll = folds && (narrow !== undefined || modifiers.conditions.length === 0);
  return keyed(tellsAll ? search : { ...search, exact: false }, rule);
}

/** Indexes of just the elements that fulfil the condition, if it is one alone. */
function partFor(
  comparison: Comparison,
  { where }: CqlObjectsField,
  { conditions: [condition, ...more] }: Modifiers,
): CqlPartIndex | undefined {
  if (!where || !condition || more.length > 0) return undefined;
  const words = wordsOf(comparison, condition.modifier.comparison?.value ?? '');
  if (typeof words === 'string' || words.length !== 1 || words[0]?.truncated) return undefined;
  const wanted = words[0]?.text.toLowerCase();
  return where.find(({ subfield, value }) => subfield === condition.subfield && value === wanted);
}

/** What an index on the folded elements says about one that equals the pattern. */
function indexedElement(
  { scope }: Comparison,
  field: CqlListField | CqlObjectsField,
  pattern: Pattern,
): KeySearch | undefined {
  if (field.keys) return keyEquality(scope, field.keys, pattern);
  const literal = literalOf(pattern);
  if (literal === undefined || !(field.lookup ?? field.folded)) return undefined;
  const wanted = scope.call('fold', scope.bind(literal, 'text'));
  const condition = field.lookup
    ? lookedUp(field.lookup, wanted)
    : `${field.folded} @> array[${wanted}]`;
  return { condition, exact: field.type === 'list' && !(field.heads && isLong(literal)) };
}

/** Folding makes at most four characters of one, and a head has 400. */
const isLong = (text: string): boolean => Array.from(text).length > 100;

/** `all` and `any` find their words anywhere in the element, a phrase stands in one subfield. */
function elementWords(
  { scope, relation }: Comparison,
  values: readonly string[],
  words: readonly Word[],
): string {
  const query = wordQuery(scope, relation, words);
  const texts =
    relation === 'all' && values.length > 1 ? [`concat_ws(' ', ${values.join(', ')})`] : values;
  const found = texts.map((text) => `${scope.call('cql_words', text)} @@ ${query}`);
  return `(${found.join(' or ')})`;
}

/** Of whole lists of objects only the empty one can be asked for. */
function emptyList(comparison: Comparison, field: CqlObjectsField): string {
  const wanted = jsonOf(comparison.term);
  if (!Array.isArray(wanted) || wanted.length > 0) return impossible(comparison, field.sql);
  return `jsonb_array_length(${field.sql}) ${comparison.relation === '<>' ? '<>' : '='} 0`;
}

function valueOf(subfield: string): string {
  return `(element.item ->> '${subfield.replaceAll("'", "''")}')`;
}

function refuseOrder({ scope, relation, relationColumn, name }: Comparison): never {
  const reason = `relation '${relation}' is not supported for list ${name}`;
  throw scope.fail('unsupported', relationColumn, reason);
}

function some(elements: string, condition: string): string {
  return `exists (select 1 from ${elements} where ${condition})`;
}

function and(conditions: readonly string[]): string {
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
}

/** `<>` on a list: it is defined, and no element equals the term. */
function negatedIf(negated: boolean, found: string, sql: string): string {
  return negated ? `(${isDefined(sql)} and (${found}) is not true)` : found;
}

/** FOLIO keeps lists as JSON text, and its clients ask with `"*\"en\"*"` for an element that equals `en`. */
function elementPattern(term: string): Pattern {
  const idiom = term.startsWith('*\\"') && term.endsWith('\\"*') && term.length >= 6;
  return readPattern(idiom ? term.slice(3, -3) : term);
}

/** Undefined when the term is no JSON, neither as typed nor with its backslashes read. */
function jsonOf(term: string): unknown {
  for (const text of [unescape(term), term]) {
    try {
      return JSON.parse(text);
    } catch {
      // the other reading is tried; a term that is no JSON at all equals no list
    }
  }
  return undefined;
}

function scalars(list: unknown): string[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const texts = list.map((item) => {
    const scalar =
      typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean';
    return scalar ? String(item) : undefined;
  });
  const usable = texts.filter((text) => text !== undefined);
  return usable.length === texts.length && usable.every(isStorable) ? usable : undefined;
}

/** JSON can spell what the database cannot hold: NUL and lone surrogates. */
function isStorable(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text);
}
