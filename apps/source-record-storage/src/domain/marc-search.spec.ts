import { readRecord } from '@quire/marc/iso2709/read';
import type { MarcRecord } from '@quire/marc/record';
import { marcRecord } from '@quire/testing/marc';
import { matches, parseMarcSearch, statusOf } from './marc-search.js';

function recordOf(leader: string, dates: readonly string[]): MarcRecord {
  const fields = [...dates.map((date) => ['005', date] as const), ['001', 'x'] as const];
  const record = readRecord(marcRecord({ leader, fields }));
  if (record.failed) throw new Error(record.code);
  return record;
}

const record = recordOf('00000ccm a2200000 i 4500', ['20141107001016.0']);
const LEADER = 'leaderSearchExpression';
const FIELDS = 'marcFieldSearchExpression';
const leader = (text: string): boolean => matches(parseMarcSearch(text, LEADER), record);
const fields = (text: string, of = record): boolean => matches(parseMarcSearch(text, FIELDS), of);

function refusalOf(text: string, kind: typeof LEADER | typeof FIELDS): string {
  try {
    parseMarcSearch(text, kind);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a search in the leader', () => {
  it('looks at one position, or from one to another', () => {
    expect(leader(`p_05 = 'c'`)).toBe(true);
    expect(leader(`p_05='d'`)).toBe(false);
    expect(leader(`p_05 not= 'd'`)).toBe(true);
    expect(leader(`p_20 = '4' and p_22 = '0'`)).toBe(true);
    expect(leader(`p_00_04 not= '01542'`)).toBe(true);
    expect(leader(`p_00_04 = '${record.leader.slice(0, 5)}'`)).toBe(true);
  });

  it('joins by "and" before "or", and by brackets first', () => {
    expect(leader(`p_05 = 'c' and p_06 = 'c' and p_07 = 'm'`)).toBe(true);
    expect(leader(`p_05 = 'c' or p_06 = 'x' and p_07 = 'x'`)).toBe(true);
    expect(leader(`(p_05 = 'c' or p_06 = 'x') and p_07 = 'x'`)).toBe(false);
    expect(leader(`p_07 = 'x' and(p_05 = 'c' OR p_06 = 'x')`)).toBe(false);
  });

  it('tells the status that every match has, if there is one', () => {
    const status = (text: string): string | undefined => statusOf(parseMarcSearch(text, LEADER));
    expect(status(`p_05 = 'd'`)).toBe('d');
    expect(status(`p_06 = 'a' and (p_05 = 'd' and p_07 = 'm')`)).toBe('d');
    expect(status(`p_05 = 'd' or p_06 = 'a'`)).toBeUndefined();
    expect(status(`p_05 not= 'd'`)).toBeUndefined();
    expect(status(`p_05 = '#'`)).toBeUndefined();
  });
});

describe('a search by the date of 005', () => {
  it('takes both ends as inside', () => {
    expect(fields(`005.date = '20141107'`)).toBe(true);
    expect(fields(`005.date not= '20141107'`)).toBe(false);
    expect(fields(`005.date from '20141107' and 005.date to '20141107'`)).toBe(true);
    expect(fields(`005.date from '20141108'`)).toBe(false);
    expect(fields(`005.date to '20141106'`)).toBe(false);
    expect(fields(`005.date in '20141106-20141108'`)).toBe(true);
    expect(fields(`005.date in '20141108-20141109'`)).toBe(false);
  });

  it('finds no record without such a date, whatever is asked', () => {
    for (const dates of [[], ['2014'], ['yesterday']]) {
      const undated = recordOf('00000ccm a2200000 i 4500', dates);
      expect(fields(`005.date not= '20141107'`, undated)).toBe(false);
      expect(fields(`005.date to '99991231'`, undated)).toBe(false);
    }
  });
});

describe('an expression that is none', () => {
  const blank = 'The input expression should not be black or empty';
  const brackets = 'The number of opened brackets should be equal to number of closed brackets';
  const quotes = 'Each value in the expression should be surrounded by single quotes';

  it.each([
    [' ', `${blank} [expression: ${LEADER}]`],
    [`(p_05 = 'c'`, `${brackets} [expression: ${LEADER}]`],
    [`p_05 = 'c')`, `${brackets} [expression: ${LEADER}]`],
    [`p_05 = c`, `${quotes} [expression: ${LEADER}]`],
    [`p_05 = 'c`, `${quotes} [expression: ${LEADER}]`],
    [`p_05 = ''`, `Empty values are not allowed [expression: ${LEADER}]`],
    [`p_05 'c'`, `The given expression [p_05 'c'] is not parsable`],
    [`p_05 = 'c' p_06 = 'c'`, `The given expression [p_06 = 'c'] is not parsable`],
    [`p_05 = 'c' and`, `The given expression [and] is not parsable`],
    [`()`, `The given expression [)] is not parsable`],
    [
      `p_05 like 'c'`,
      'The given binary operator is not supported [key: p_05, operator: like, value: c]. Supported operators: [=, ^=, not=, from, to, in, is]',
    ],
    [`p_05 ^= 'c'`, 'Operator [^=] is not supported for the given Leader operand'],
  ])('%s', (text, message) => {
    expect(refusalOf(text, LEADER)).toBe(message);
  });

  it('names the keys that there are', () => {
    expect(refusalOf(`245.a = 'x'`, FIELDS)).toBe(
      'The given key is not supported [key: 245.a, operator: =, value: x]. Supported keys: [005.date]',
    );
    expect(refusalOf(`005.date = '20140101'`, LEADER)).toMatch(
      /^The given key is not supported \[key: 005\.date,.* Supported keys: \[p_00_04, p_05, /,
    );
  });

  it.each(['20140231', '2014', '20140101-20140102-20140103', '20140101-x'])(
    'with the date %s',
    (date) => {
      expect(refusalOf(`005.date in '${date}'`, FIELDS)).toMatch(
        /^The given date \[.*\] is in a wrong format\. Expected date pattern: \[yyyymmdd\]$/,
      );
    },
  );

  it('does not count brackets inside of values', () => {
    expect(leader(`p_05 not= '('`)).toBe(true);
  });

  it('is refused fast, however long it is', () => {
    const began = performance.now();
    for (const text of [
      'a'.repeat(8000),
      `${'('.repeat(4000)}${')'.repeat(4000)}`,
      ' '.repeat(8000),
    ])
      expect(refusalOf(text, LEADER)).not.toBe('');
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
