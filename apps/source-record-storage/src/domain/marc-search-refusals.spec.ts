import { Failure } from '@quire/contracts/failure';
import { fastestMs } from '@quire/testing/fastest';
import { parseMarcSearch, type SearchKind } from './marc-search.js';

const LEADER = 'leaderSearchExpression';
const FIELDS = 'marcFieldSearchExpression';

function refusalOf(text: string, kind: SearchKind): string {
  try {
    parseMarcSearch(text, kind);
    return '';
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'refused') throw error;
    return error.message;
  }
}

const brackets = 'The number of opened brackets should be equal to number of closed brackets';
const quotes = 'Each value in the expression should be surrounded by single quotes';
const operators = 'Supported operators: [=, ^=, not=, from, to, in, is]';
const date = (text: string): string =>
  `The given date [${text}] is in a wrong format. Expected date pattern: [yyyymmdd]`;

describe('an expression that is none', () => {
  it.each([
    ['', 'The input expression should not be black or empty'],
    [' ', 'The input expression should not be black or empty'],
    [`(p_05 = 'c'`, brackets],
    [`p_05 = 'c')`, brackets],
    [`(p_05 = ')'`, brackets],
    [`p_05 = c`, quotes],
    [`p_05 = 'c`, quotes],
    [`(p_05 = '0') or (p_06 = 1')`, quotes],
    [`p_05 = 'c' and p_06 = c`, quotes],
    [`p_05 = ''`, 'Empty values are not allowed'],
    [`p_06 = 'a' and (p_05 = '')`, 'Empty values are not allowed'],
  ])('%s: %s, of either kind', (text, reason) => {
    for (const kind of [LEADER, FIELDS] as const)
      expect(refusalOf(text, kind)).toBe(`${reason} [expression: ${kind}]`);
  });

  it.each([
    [`p_05 'c'`, `p_05 'c'`],
    [`p_05 = 'c' p_06 = 'c'`, `p_06 = 'c'`],
    [`p_05 = 'c' and`, 'and'],
    [`p_05 = 'c' and and p_06 = 'c'`, `and p_06 = 'c'`],
    [`and p_05 = 'c'`, `and p_05 = 'c'`],
    [`()`, ')'],
    [`p_05 = 'c' ()`, '()'],
    [`)p_05 = 'c'(`, `)p_05 = 'c'(`],
    [`p_05 = 'c') and (p_06 = 'c'`, `) and (p_06 = 'c'`],
    [`p_05 = 'c'(p_06 = 'c')`, `(p_06 = 'c')`],
    [`xxx.a = '1'`, `xxx.a = '1'`],
    [`p_05 = 'c' & p_06 = 'c'`, `& p_06 = 'c'`],
  ])('%s: not parsable from %s on', (text, rest) => {
    expect(refusalOf(text, LEADER)).toBe(`The given expression [${rest}] is not parsable`);
  });
});

describe('a condition that is none', () => {
  it.each([
    [`005.date = '20140101'`, LEADER],
    [`p_23 = 'x'`, LEADER],
    [`p_5 = 'x'`, LEADER],
    [`p_05 = 'c'`, FIELDS],
    [`245.A = 'x'`, FIELDS],
    [`245.ab = 'x'`, FIELDS],
    [`245.ind3 = 'x'`, FIELDS],
    [`008.7_4 = 'x'`, FIELDS],
    [`006.date = 'x'`, FIELDS],
  ] as const)('%s has no known key', (text, kind) => {
    const [, key = '', value = ''] = /^(\S+) = '(.*)'$/.exec(text) ?? [];
    expect(refusalOf(text, kind)).toBe(
      `The given key is not supported [key: ${key}, operator: =, value: ${value}]`,
    );
  });

  it('has no known operator', () => {
    expect(refusalOf(`035.a none '1'`, FIELDS)).toBe(
      `The given binary operator is not supported [key: 035.a, operator: none, value: 1]. ${operators}`,
    );
    expect(refusalOf(`p_05 like 'c'`, LEADER)).toBe(
      `The given binary operator is not supported [key: p_05, operator: like, value: c]. ${operators}`,
    );
  });

  it.each([
    ['p_05', 'Leader', ['^=', 'from', 'to', 'in', 'is']],
    ['035.ind1', 'Indicator', ['from', 'to', 'in']],
    ['035.a', 'SubField', ['from', 'to', 'in']],
    ['001.value', 'Value', ['from', 'to', 'in']],
    ['005.date', 'Value', ['^=', 'is']],
    ['001.08_01', 'Position', ['^=', 'from', 'to', 'in', 'is']],
  ])('%s: the operand %s knows fewer operators', (key, operand, unknown) => {
    const kind = operand === 'Leader' ? LEADER : FIELDS;
    for (const operator of unknown)
      expect(refusalOf(`${key} ${operator} 'a'`, kind)).toBe(
        `Operator [${operator}] is not supported for the given ${operand} operand`,
      );
  });

  it('compares a value of another length than its place', () => {
    expect(refusalOf(`001.08_01 = 'abc'`, FIELDS)).toBe(
      'The length of the value [abc] should be equal to the end position [expected length = 1]',
    );
    expect(refusalOf(`008.07_04 not= '195'`, FIELDS)).toBe(
      'The length of the value [195] should be equal to the end position [expected length = 4]',
    );
  });

  it.each(['035.a', '050.ind2', '001.value'])('%s is neither present nor absent', (key) => {
    expect(refusalOf(`${key} is 'empty'`, FIELDS)).toBe(
      'Value [empty] is not supported for the given Presence operand',
    );
  });

  it.each([
    [`= 'today'`, 'today'],
    [`not= '2014'`, '2014'],
    [`from '201701025'`, '201701025'],
    [`to '20140231'`, '20140231'],
    [`in 'wrong date'`, 'wrong date'],
    [`in '20140101'`, '20140101'],
    [`in '20140101-x'`, 'x'],
    [`in '20140101-20140102-20140103'`, '20140101-20140102-20140103'],
  ])('005.date %s is no date', (condition, wrong) => {
    expect(refusalOf(`005.date ${condition}`, FIELDS)).toBe(date(wrong));
  });
});

/** Deterministic numbers below `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe('hostile text', () => {
  it('may be nested as deep as it is long', () => {
    const deep = `${'('.repeat(3_900)}035.a = 'x'${')'.repeat(3_900)}`;
    expect(refusalOf(deep, FIELDS)).toBe('');
    const zigzag = `${`035.a = 'x' and (`.repeat(400)}035.a = 'y'${')'.repeat(400)}`;
    expect(refusalOf(zigzag, FIELDS)).toBe('');
  });

  it.each([
    ['letters', 'a'.repeat(8_000)],
    ['blanks', `p_05${' '.repeat(7_990)}x`],
    ['brackets', `${'('.repeat(4_000)}${')'.repeat(4_000)}`],
    ['closed brackets first', `${')'.repeat(4_000)}${'('.repeat(4_000)}`],
    ['quotes', "'".repeat(8_000)],
    ['operators', '= '.repeat(4_000)],
    ['words', 'and or in '.repeat(800)],
    ['conditions', `035.a = 'x' or `.repeat(530)],
    ['nested conditions', `(035.a = 'x' and `.repeat(400)],
    ['an operator far away', `035.a${' not'.repeat(1_990)}`],
    ['values', `035.a = '${'('.repeat(7_900)}'`],
  ])('of 8,000 characters is answered within 50 ms: %s', (_, text) => {
    const ms = fastestMs(() => {
      refusalOf(text, FIELDS);
      refusalOf(text, LEADER);
    }, 50);
    expect(ms).toBeLessThanOrEqual(50);
  });

  it('of any kind is a search or refused (seed 11)', () => {
    const next = numbers(11);
    const words = [
      ...[
        `'`,
        `'x'`,
        `''`,
        '(',
        ')',
        ' ',
        'and',
        'or',
        '=',
        '^=',
        'not=',
        'is',
        'in',
        'from',
        'to',
      ],
      ...['p_05', 'p_', '035.a', '001.value', '035.ind1', '008.07_04', '005.date', '245.', '.'],
      ...[`'present'`, `'20140101'`, '\\', `'\\'`, ':*', '\u0000', '\ud800', '😀', '\n', 'é', '$1'],
    ];
    const whole = ["035.a = 'x'", "p_05 not= 'c'", '(', ')', 'and', 'or', "008.07_01 = 'x'"];
    const pick = (from: readonly string[]): string => from[next(from.length)] ?? '';
    let searches = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const length = 1 + next(12);
      const parts = Array.from({ length }, () => pick(next(2) ? words : whole));
      if (refusalOf(parts.join(next(2) ? ' ' : ''), next(2) ? FIELDS : LEADER) === '')
        searches += 1;
    }
    expect(searches).toBeGreaterThan(100);
  });
});
