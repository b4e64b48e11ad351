/**
 * Lists: a clause looks at one element at a time, so that a phrase never spans two of them, and property names are
 * never text. A term that begins with `[` is a JSON list and is compared with the whole list.
 */
import type { CqlListField, CqlObjectsField } from './cql-entity.js';
import type { Modifiers } from './cql-modifiers.js';
import { impossible, isDefined, isOrderRelation, isWordRelation } from './cql-scope.js';
import type { Comparison } from './cql-scope.js';
import { literalOf, matchesAll, readPattern, unescape } from './cql-terms.js';
import type { Pattern, Word } from './cql-terms.js';
import { candidate, equality, lookedUp, normalized, wordQuery, wordsOf } from './cql-text.js';

export function listClause(
  comparison: Comparison,
  field: CqlListField,
  modifiers: Modifiers,
): string {
  refuseOrder(comparison);
  const { scope, relation, term } = comparison;
  const elements = `unnest(${field.sql}) as element(value)`;
  if (isWordRelation(relation)) {
    const wanted = wordsOf(comparison, term);
    if (wanted === 'every') return 'true';
    if (wanted === 'blank') return isDefined(field.sql);
    const query = wordQuery(scope, relation, wanted);
    if (relation === 'all') {
      const whole = `array_to_string(${field.sql}, ' ')`;
      return `${scope.call('cql_words', whole)} @@ ${query}`;
    }
    return some(elements, `${scope.call('cql_words', 'element.value')} @@ ${query}`);
  }
  if (term.startsWith('[')) return wholeList(comparison, field, modifiers);
  const pattern = elementPattern(term);
  if (matchesAll(pattern)) return relation === '==' ? isDefined(field.sql) : 'false';
  const folds = modifiers.foldCase && modifiers.foldAccents;
  const value = normalized(scope, modifiers, 'element.value');
  const found =
    (folds ? indexedElement(comparison, field, pattern) : undefined) ??
    some(elements, equality(scope, value, pattern, modifiers));
  return negatedIf(relation === '<>', found, field.sql);
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
  refuseOrder(comparison);
  const { scope, relation, term } = comparison;
  // before anything is bound: PostgreSQL refuses a parameter that the statement does not use
  if (!isWordRelation(relation) && term.startsWith('[')) return emptyList(comparison, field);
  const elements = `jsonb_array_elements(${field.sql}) as element(item)`;
  const chosen = modifiers.subfields.length > 0 ? modifiers.subfields : field.defaults;
  const values = chosen.map(valueOf);
  const conditions = modifiers.conditions.flatMap(({ subfield, modifier }) => {
    const words = wordsOf(comparison, modifier.comparison?.value ?? '');
    if (words === 'every') return [];
    if (words === 'blank') return [isDefined(valueOf(subfield))];
    return [`${scope.call('cql_words', valueOf(subfield))} @@ ${wordQuery(scope, '=', words)}`];
  });
  const indexed = modifiers.subfields.length === 0;
  if (isWordRelation(relation)) {
    const wanted = wordsOf(comparison, term);
    if (wanted === 'every') return conditions.length > 0 ? some(elements, and(conditions)) : 'true';
    if (wanted === 'blank') {
      if (conditions.length === 0) return isDefined(field.sql);
      return some(elements, and([...conditions, isDefined(`coalesce(${values.join(', ')})`)]));
    }
    const found = some(elements, and([...conditions, elementWords(comparison, values, wanted)]));
    if (!indexed || !field.words) return found;
    return `(${candidate(scope, field.words, relation, wanted)} and ${found})`;
  }
  const pattern = elementPattern(term);
  if (matchesAll(pattern) && conditions.length === 0 && indexed) {
    return relation === '==' ? isDefined(field.sql) : 'false';
  }
  const equals = values.map((value) =>
    equality(scope, normalized(scope, modifiers, value), pattern, modifiers),
  );
  const found = some(elements, and([...conditions, `(${equals.join(' or ')})`]));
  const candidates = indexed ? indexedElement(comparison, field, pattern) : undefined;
  const narrowed = candidates === undefined ? found : `(${candidates} and ${found})`;
  return negatedIf(relation === '<>', narrowed, field.sql);
}

/** What an index on the folded elements says about one that equals the pattern; it knows no masks. */
function indexedElement(
  { scope }: Comparison,
  field: CqlListField | CqlObjectsField,
  pattern: Pattern,
): string | undefined {
  const literal = literalOf(pattern);
  if (literal === undefined || !(field.lookup ?? field.folded)) return undefined;
  const wanted = scope.call('fold', scope.bind(literal, 'text'));
  if (field.lookup) return lookedUp(field.lookup, wanted);
  return `${field.folded} @> array[${wanted}]`;
}

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

function refuseOrder({ scope, relation, relationColumn, name }: Comparison): void {
  if (!isOrderRelation(relation)) return;
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
