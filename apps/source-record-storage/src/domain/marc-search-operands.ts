import { refused, type Failure } from '@quire/contracts/failure';
import type { MarcRecord } from '@quire/marc/record';
import type { SearchKind } from './marc-search.js';

/** One condition, as it is written. */
export interface MarcCondition {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
}

export interface MarcTest {
  readonly kind: 'test';
  /** Set where the condition is that leader/05 is this letter: then an index finds the records. */
  readonly status?: string;
  readonly holds: (record: MarcRecord) => boolean;
}

const OPERATORS = ['=', '^=', 'not=', 'from', 'to', 'in', 'is'];
const LEADER_KEYS = [
  'p_00_04',
  'p_05',
  'p_06',
  'p_07',
  'p_08',
  'p_09',
  'p_10',
  'p_11',
  'p_12_16',
  'p_17',
  'p_18',
  'p_19',
  'p_20',
  'p_21',
  'p_22',
];
const DATE_KEY = '005.date';

/** @throws Failure refused with the text of source-record-storage, 7.2 */
export function readOperand(condition: MarcCondition, kind: SearchKind): MarcTest {
  const keys = kind === 'leaderSearchExpression' ? LEADER_KEYS : [DATE_KEY];
  if (!keys.includes(condition.key))
    throw unsupported('key', condition, `. Supported keys: [${keys.join(', ')}]`);
  if (!OPERATORS.includes(condition.operator))
    throw unsupported(
      'binary operator',
      condition,
      `. Supported operators: [${OPERATORS.join(', ')}]`,
    );
  return condition.key === DATE_KEY ? dateTest(condition) : leaderTest(condition);
}

function unsupported(what: string, condition: MarcCondition, hint: string): Failure {
  const { key, operator, value } = condition;
  const given = `[key: ${key}, operator: ${operator}, value: ${value}]`;
  return refused(`The given ${what} is not supported ${given}${hint}`, 'marc-search');
}

const unsupportedFor = (operator: string, operand: string): Failure =>
  refused(
    `Operator [${operator}] is not supported for the given ${operand} operand`,
    'marc-search',
  );

/** `p_05`: one position of the leader; `p_00_04`: from the first to the last. */
function leaderTest({ key, operator, value }: MarcCondition): MarcTest {
  const [first = 0, last = first] = key.slice(2).split('_').map(Number);
  const text = ({ bytes }: MarcRecord): string => bytes.toString('latin1', first, last + 1);
  if (operator === 'not=') return { kind: 'test', holds: (record) => text(record) !== value };
  if (operator !== '=') throw unsupportedFor(operator, 'Leader');
  const holds = (record: MarcRecord): boolean => text(record) === value;
  return key === 'p_05' && /^[a-z]$/.test(value)
    ? { kind: 'test', status: value, holds }
    : { kind: 'test', holds };
}

/** The first eight digits of 005, both ends inside. */
function dateTest({ operator, value }: MarcCondition): MarcTest {
  const test = (holds: (date: string) => boolean): MarcTest => ({
    kind: 'test',
    holds: (record) => datesOf(record).some(holds),
  });
  if (operator === 'in') {
    const [from = '', to = '', ...more] = value.split('-');
    if (more.length > 0) throw wrongDate(value);
    checkDate(from);
    checkDate(to);
    return test((date) => date >= from && date <= to);
  }
  checkDate(value);
  if (operator === '=') return test((date) => date === value);
  if (operator === 'not=') return test((date) => date !== value);
  if (operator === 'from') return test((date) => date >= value);
  if (operator === 'to') return test((date) => date <= value);
  throw unsupportedFor(operator, 'Value');
}

function datesOf(record: MarcRecord): string[] {
  const dates: string[] = [];
  for (let field = record.find('005'); field >= 0; field = record.find('005', field + 1)) {
    const date = record.text(field).slice(0, 8);
    if (/^\d{8}$/.test(date)) dates.push(date);
  }
  return dates;
}

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
