import { refused, type Failure } from '@quire/contracts/failure';
import { isAnyUuid } from '@quire/contracts/ids';
import { isIndexed, wantedId, wantedKeys } from './marc-keys.js';
import type { SearchKind } from './marc-search.js';
import type { Lookup, MarcTest } from './marc-search-tree.js';
import type { SearchedRecord } from './searched-record.js';

/**
 * The conditions of section 7.2, from key, operator and value to a test. A condition holds when some matching field or
 * subfield satisfies it, `is 'absent'` when there is none.
 */
export interface MarcCondition {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
}

const OPERATORS = ['=', '^=', 'not=', 'from', 'to', 'in', 'is'];
const LEADER_KEY = /^p_(?:00_04|0[5-9]|1[01]|12_16|1[7-9]|2[0-2])$/;
const DATE_KEY = '005.date';
const FIELD_KEY =
  /^(?<tag>[0-9]{3})\.(?:(?<any>value)|(?<code>[0-9a-z])|ind(?<indicator>[12])|(?<start>[0-9]{2})_(?<length>[0-9]{2}))$/;

/** @throws Failure refused with the text of section 7.2 */
export function readOperand(condition: MarcCondition, kind: SearchKind): MarcTest {
  const { key, operator } = condition;
  const leader = kind === 'leaderSearchExpression';
  const field = leader || key === DATE_KEY ? undefined : FIELD_KEY.exec(key)?.groups;
  if (leader ? !LEADER_KEY.test(key) : key !== DATE_KEY && !field)
    throw unsupported('key', condition);
  if (!OPERATORS.includes(operator))
    throw unsupported(
      'binary operator',
      condition,
      `. Supported operators: [${OPERATORS.join(', ')}]`,
    );
  if (leader) return leaderTest(condition);
  return field ? fieldTest(condition, field) : dateTest(condition);
}

function fieldTest(condition: MarcCondition, key: Record<string, string | undefined>): MarcTest {
  const { tag = '', code, indicator, start } = key;
  if (indicator !== undefined) return indicatorTest(condition, tag, Number(indicator) - 1);
  if (start !== undefined) return positionTest(condition, tag, [Number(start), Number(key.length)]);
  return valueTest(condition, tag, code);
}

function unsupported(what: string, condition: MarcCondition, hint = ''): Failure {
  const { key, operator, value } = condition;
  const given = `[key: ${key}, operator: ${operator}, value: ${value}]`;
  return refused(`The given ${what} is not supported ${given}${hint}`, 'marc-search');
}

const unsupportedFor = (operator: string, operand: string): Failure =>
  refused(
    `Operator [${operator}] is not supported for the given ${operand} operand`,
    'marc-search',
  );

/** What the column holds for every record that has it (section 2.4, rule 7); other letters only the leader tells. */
const COLUMN_STATUSES = ['a', 'c', 'd', 'n', 'p', 'o', 's', 'x'];

/** `p_05`: one position of the leader; `p_00_04`: from the first to the last. */
function leaderTest({ key, operator, value }: MarcCondition): MarcTest {
  const [first = 0, last = first] = key.slice(2).split('_').map(Number);
  const text = (record: SearchedRecord): string => record.leader(first, last);
  if (operator === 'not=')
    return { kind: 'test', holds: (record) => text(record) !== '' && text(record) !== value };
  if (operator !== '=') throw unsupportedFor(operator, 'Leader');
  const holds = (record: SearchedRecord): boolean => text(record) === value;
  return key === 'p_05' && COLUMN_STATUSES.includes(value)
    ? { kind: 'test', status: value, holds }
    : { kind: 'test', holds };
}

/** `035.a`: subfields with this code; `035.value`: any of them; `001.value`: the field. */
function valueTest({ operator, value }: MarcCondition, tag: string, code?: string): MarcTest {
  const some =
    (test: (text: string) => boolean): MarcTest['holds'] =>
    (record) =>
      record.values(tag, { code }).some(test);
  switch (operator) {
    case '=':
    case '^=': {
      const prefix = operator === '^=';
      const holds = some((text) => (prefix ? text.startsWith(value) : text === value));
      return { kind: 'test', holds, contains: [value], ...lookupFor(tag, code, value, prefix) };
    }
    case 'not=':
      return { kind: 'test', holds: some((text) => text !== value) };
    case 'is':
      return presence(
        value,
        some(() => true),
      );
    default:
      throw unsupportedFor(operator, code === undefined ? 'Value' : 'SubField');
  }
}

function lookupFor(
  tag: string,
  code: string | undefined,
  value: string,
  prefix: boolean,
): { lookup?: Lookup } {
  if (isIndexed(tag)) return { lookup: { keys: wantedKeys(tag, code, value, prefix) } };
  if (tag !== '999' || prefix || !isAnyUuid(value)) return {};
  if (code === 's') return { lookup: { matchedIds: [value], keys: [wantedId('s', value)] } };
  if (code === 'i') return { lookup: { externalIds: [value], keys: [wantedId('i', value)] } };
  return {};
}

function presence(value: string, present: MarcTest['holds']): MarcTest {
  if (value === 'present') return { kind: 'test', holds: present };
  if (value === 'absent') return { kind: 'test', holds: (record) => !present(record) };
  throw refused(`Value [${value}] is not supported for the given Presence operand`, 'marc-search');
}

/** `#` is a blank; present: not blank. */
function indicatorTest({ operator, value }: MarcCondition, tag: string, place: number): MarcTest {
  const wanted = value.replaceAll('#', ' ');
  const some =
    (test: (indicator: string) => boolean): MarcTest['holds'] =>
    (record) =>
      record.indicators(tag).some((both) => test(both.charAt(place)));
  switch (operator) {
    case '=':
      return { kind: 'test', holds: some((indicator) => indicator === wanted) };
    case '^=':
      return { kind: 'test', holds: some((indicator) => indicator.startsWith(wanted)) };
    case 'not=':
      return { kind: 'test', holds: some((indicator) => indicator !== wanted) };
    case 'is':
      return presence(
        value,
        some((indicator) => indicator !== ' '),
      );
    default:
      throw unsupportedFor(operator, 'Indicator');
  }
}

/** `008.07_04`: four characters from the eighth on, of the field or of some subfield. */
function positionTest(
  { operator, value }: MarcCondition,
  tag: string,
  [start, length]: readonly [number, number],
): MarcTest {
  if (operator !== '=' && operator !== 'not=') throw unsupportedFor(operator, 'Position');
  if (value.length !== length)
    throw refused(
      `The length of the value [${value}] should be equal to the end position [expected length = ${length}]`,
      'marc-search',
    );
  const equal = operator === '=';
  const test = (text: string): boolean => (text.slice(start, start + length) === value) === equal;
  return {
    kind: 'test',
    holds: (record) => record.values(tag).some(test),
    ...(equal ? { contains: [value] } : {}),
  };
}

/** The first eight digits of 005, both ends inside. */
function dateTest({ operator, value }: MarcCondition): MarcTest {
  const test = (holds: (date: string) => boolean): MarcTest => ({
    kind: 'test',
    holds: (record) => datesOf(record).some(holds),
  });
  if (!['=', 'not=', 'from', 'to', 'in'].includes(operator))
    throw unsupportedFor(operator, 'Value');
  if (operator === 'in') {
    const [from = '', to, ...more] = value.split('-');
    if (more.length > 0) throw wrongDate(value);
    checkDate(from);
    if (to === undefined) throw wrongDate(value);
    checkDate(to);
    return test((date) => date >= from && date <= to);
  }
  checkDate(value);
  if (operator === '=') return { ...test((date) => date === value), contains: [value] };
  if (operator === 'not=') return test((date) => date !== value);
  return operator === 'from' ? test((date) => date >= value) : test((date) => date <= value);
}

const datesOf = (record: SearchedRecord): string[] =>
  record
    .values('005')
    .map((text) => text.slice(0, 8))
    .filter((date) => /^\d{8}$/.test(date));

function checkDate(text: string): void {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) throw wrongDate(text);
}

const wrongDate = (text: string): Failure =>
  refused(
    `The given date [${text}] is in a wrong format. Expected date pattern: [yyyymmdd]`,
    'marc-search',
  );
