/** Comparisons of the scalar types other than text: enum, uuid, number, boolean, date. */
import type { CqlEnumField, CqlField, CqlNumberField, CqlPlainField } from './cql-entity.js';
import type { Modifiers } from './cql-modifiers.js';
import { readPeriod } from './cql-periods.js';
import {
  badTerm,
  impossible,
  isDefined,
  isOrderRelation,
  isWordRelation,
  sqlOperator,
} from './cql-scope.js';
import type { Comparison } from './cql-scope.js';
import {
  isUuid,
  likePattern,
  literalOf,
  matchesAll,
  matchesPattern,
  readNumber,
  readPattern,
  readUuid,
  trimBlanks,
  unescape,
} from './cql-terms.js';

/**
 * What a term of stars or blanks means on any scalar but a uuid, undefined for every other term: `x=*` is true for
 * each record, defined or not; `x=""` and `x==*` ask whether x is defined; `x<>*` cannot be.
 */
function generalClause(comparison: Comparison, sql: string): string | undefined {
  const { relation } = comparison;
  const term = trimBlanks(comparison.term);
  if (isWordRelation(relation)) {
    if (term === '*') return 'true';
    if (term === '') return isDefined(sql);
  }
  if (!isOrderRelation(relation) && matchesAll(readPattern(term))) {
    return relation === '<>' ? 'false' : isDefined(sql);
  }
  return undefined;
}

/** The terms of a clause: `any` looks for each of its words, everything else for the whole. */
export function alternatives(comparison: Comparison): string[] {
  const term = trimBlanks(comparison.term);
  return comparison.relation === 'any' ? [...new Set(term.split(/[ \t\r\n]+/))] : [term];
}

/** Accents and case away, as far as the ASCII values of enums can tell. */
function foldAscii(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** All values are known, so that masks, case and order are settled here and the database compares for equality. */
export function enumClause(
  comparison: Comparison,
  field: CqlEnumField,
  modifiers: Modifiers,
): string {
  const general = generalClause(comparison, field.sql);
  if (general !== undefined) return general;
  const wanted = isOrderRelation(comparison.relation)
    ? field.values.filter((value) => isInOrder(comparison, value))
    : alternatives(comparison).flatMap((term) => enumValues(field, term, modifiers));
  const values = [...new Set(wanted)];
  const { scope, relation } = comparison;
  if (values.length === 0) return relation === '<>' ? isDefined(field.sql) : 'false';
  if (values.length === 1) {
    return `${field.sql} ${relation === '<>' ? '<>' : '='} ${scope.bind(values[0], 'text')}`;
  }
  const list = scope.bind(values, 'text[]');
  return relation === '<>' ? `${field.sql} <> all(${list})` : `${field.sql} = any(${list})`;
}

function enumValues(field: CqlEnumField, term: string, modifiers: Modifiers): readonly string[] {
  const fold = modifiers.foldCase ? foldAscii : (text: string): string => text;
  const { pieces, masks } = readPattern(term);
  const pattern = { pieces: pieces.map(fold), masks };
  const literal = literalOf(pattern);
  const alias = Object.entries(field.aliases ?? {}).find(([name]) => fold(name) === literal);
  const matches = field.values.filter((value) => matchesPattern(fold(value), pattern));
  return alias ? [...matches, ...alias[1]] : matches;
}

function isInOrder(comparison: Comparison, value: string): boolean {
  const [left, right] = [foldAscii(value), foldAscii(unescape(comparison.term))];
  const { relation } = comparison;
  if (left === right) return relation === '<=' || relation === '>=';
  return left < right === relation.startsWith('<');
}

/** Ids are compared as uuids: by bytes, without case; a beginning followed by stars is a range. */
export function uuidClause(comparison: Comparison, field: CqlField): string {
  const { scope, relation, name, term } = comparison;
  const { sql } = field;
  if (isOrderRelation(relation)) {
    if (isUuid(term)) return `${sql} ${relation} ${scope.bind(term.toLowerCase(), 'uuid')}`;
    throw badTerm(comparison, `Invalid UUID after '${name}${relation}': ${term}`);
  }
  if (relation === 'adj' || relation === 'all' || relation === 'any') {
    const reason =
      `Unsupported operator '${relation}', UUID ${name} only supports ` +
      `'=', '==', and '<>' (possibly with right truncation)`;
    throw scope.fail('unsupported', comparison.relationColumn, reason);
  }
  const beginning = withoutStars(term);
  if (beginning.includes('*')) {
    throw badTerm(comparison, `only right truncation supported for id:  ${term}`);
  }
  const truncated = beginning !== term;
  if (trimBlanks(beginning) === '') {
    if (relation === '<>') return truncated ? 'false' : isDefined(sql);
    return truncated || relation === '=' ? isDefined(sql) : 'false';
  }
  const range = truncated || isUuid(beginning) ? readUuid(beginning) : undefined;
  if (!range) return impossible(comparison, sql);
  if (range.from === range.to) {
    return `${sql} ${relation === '<>' ? '<>' : '='} ${scope.bind(range.from, 'uuid')}`;
  }
  const between = relation === '<>' ? 'not between' : 'between';
  return `${sql} ${between} ${scope.bind(range.from, 'uuid')} and ${scope.bind(range.to, 'uuid')}`;
}

function withoutStars(term: string): string {
  let end = term.length;
  while (term.charAt(end - 1) === '*') end -= 1;
  return term.slice(0, end);
}

/** Compared as numbers; with masks, and only then, as text in plain decimal form. */
export function numberClause(comparison: Comparison, field: CqlNumberField): string {
  const { scope, relation } = comparison;
  const general = generalClause(comparison, field.sql);
  if (general !== undefined) return general;
  const terms = alternatives(comparison);
  const numbers = terms.map(readNumber).filter((number) => number !== undefined);
  const patterns = isOrderRelation(relation)
    ? []
    : terms.map(readPattern).filter((pattern) => pattern.masks.length > 0);
  const conditions: string[] = [];
  if (numbers.length > 0) {
    const whole = field.integer && numbers.every((number) => /^[-+]?\d{1,18}$/.test(number));
    const type = whole ? 'int8' : 'numeric';
    conditions.push(
      numbers.length === 1
        ? `${field.sql} ${sqlOperator(relation)} ${scope.bind(numbers[0], type)}`
        : `${field.sql} = any(${scope.bind(numbers, `${type}[]`)})`,
    );
  }
  if (patterns.length > 0) {
    const likes = scope.bind(patterns.map(likePattern), 'text[]');
    const decimal = `trim_scale((${field.sql})::numeric)::text`;
    conditions.push(
      relation === '<>' ? `${decimal} not like all(${likes})` : `${decimal} like any(${likes})`,
    );
  }
  if (conditions.length === 0) return impossible(comparison, field.sql, 'number');
  return conditions.length === 1 ? conditions.join('') : `(${conditions.join(' or ')})`;
}

export function booleanClause(comparison: Comparison, field: CqlPlainField): string {
  const { scope, relation, name } = comparison;
  if (isOrderRelation(relation)) {
    const reason = `relation '${relation}' is not supported for boolean ${name}`;
    throw scope.fail('unsupported', comparison.relationColumn, reason);
  }
  const general = generalClause(comparison, field.sql);
  if (general !== undefined) return general;
  const term = trimBlanks(comparison.term).toLowerCase();
  if (term !== 'true' && term !== 'false') return impossible(comparison, field.sql);
  return `${field.sql} = ${String((term === 'true') !== (relation === '<>'))}`;
}

export function dateClause(comparison: Comparison, field: CqlPlainField): string {
  const { scope, relation } = comparison;
  const general = generalClause(comparison, field.sql);
  if (general !== undefined) return general;
  const period = readPeriod(withoutStars(trimBlanks(comparison.term)));
  if (!period) return impossible(comparison, field.sql, 'date');
  const start = (): string => scope.bind(period.start, 'timestamptz');
  const end = (): string => scope.bind(period.end, 'timestamptz');
  if (relation === '<' || relation === '>=') return `${field.sql} ${relation} ${start()}`;
  if (relation === '<=') return `${field.sql} < ${end()}`;
  if (relation === '>') return `${field.sql} >= ${end()}`;
  return relation === '<>'
    ? `(${field.sql} < ${start()} or ${field.sql} >= ${end()})`
    : `(${field.sql} >= ${start()} and ${field.sql} < ${end()})`;
}
