import { readPeriod } from './cql-periods.js';
import {
  likePattern,
  matchesPattern,
  readNumber,
  readPattern,
  readUuid,
  readWords,
} from './cql-terms.js';

describe('a period', () => {
  it.each([
    ['2020', '2020-01-01T00:00:00.000+00', '2021-01-01T00:00:00.000+00'],
    ['2020-12', '2020-12-01T00:00:00.000+00', '2021-01-01T00:00:00.000+00'],
    ['2020-02-29', '2020-02-29T00:00:00.000+00', '2020-03-01T00:00:00.000+00'],
    ['2020-10-07T13:59', '2020-10-07T13:59:00.000+00', '2020-10-07T14:00:00.000+00'],
    ['2020-10-07 23:59:59', '2020-10-07T23:59:59.000+00', '2020-10-08T00:00:00.000+00'],
    ['2020-10-07T13:18:20.3649', '2020-10-07T13:18:20.364+00', '2020-10-07T13:18:20.365+00'],
    ['2020-10-07T13:18:20.3', '2020-10-07T13:18:20.300+00', '2020-10-07T13:18:20.301+00'],
    ['2020-10-07T13:18Z', '2020-10-07T13:18:00.000+00', '2020-10-07T13:19:00.000+00'],
    ['2020-10-07T13:18-0230', '2020-10-07T15:48:00.000+00', '2020-10-07T15:49:00.000+00'],
    ['2020-10-07+02', '2020-10-06T22:00:00.000+00', '2020-10-07T22:00:00.000+00'],
    ['9999', '9999-01-01T00:00:00.000+00', '10000-01-01T00:00:00.000+00'],
    ['0001-01-01+02:00', '0001-12-31T22:00:00.000+00 BC', '0001-01-01T22:00:00.000+00'],
    ['0099', '0099-01-01T00:00:00.000+00', '0100-01-01T00:00:00.000+00'],
  ])('lasts as long as its last unit: %s', (term, start, end) => {
    expect(readPeriod(term)).toEqual({ start, end });
  });

  it.each([
    '',
    'soon',
    '20',
    '0000',
    '2020-13',
    '2021-02-29',
    '2020-10-07T24:00',
    '2020-10-07T13:60',
    '2020-10-07T13',
    '2020-10-07T13:18:60',
    '2020-10-07T13:18+19',
    '12020',
    '2020-1-1',
    '2020-10-07TT13:18',
    '٢٠٢٠',
  ])('is not read from %j', (term) => {
    expect(readPeriod(term)).toBeUndefined();
  });
});

describe('a pattern', () => {
  it.each([
    ['a*b?c', 'a%b_c'],
    ['**a***', '%a%'],
    ['*?*?', '__%'],
    ['a\\*b\\\\*', 'a*b\\\\%'],
    ['50%_\\', '50\\%\\_\\\\'],
    ['', ''],
  ])('becomes LIKE with one wildcard per run: %s', (term, like) => {
    expect(likePattern(readPattern(term))).toBe(like);
  });

  it.each([
    ['OPEN', 'OPEN', true],
    ['OPEN*', 'OPEN_LATE', true],
    ['*P?N', 'OPEN', true],
    ['?PEN', 'PEN', false],
    ['*', '', true],
    ['?', '😀', true],
    ['a*a*a*b', 'aaaaaaaaaaaa', false],
    ['*ab*ab', 'abab', true],
    ['*ab', 'aab', true],
  ])('%s against %s in memory', (term, value, matches) => {
    expect(matchesPattern(value, readPattern(term))).toBe(matches);
  });
});

describe('words', () => {
  it.each([
    [
      'Ce*  Ha',
      [
        ['Ce', true],
        ['Ha', false],
      ],
    ],
    [
      "o'bri*",
      [
        ['o', false],
        ["'", false],
        ['bri', true],
      ],
    ],
    ['a\\*b *', [['a*b', false]]],
    ['\\', [['\\', false]]],
  ])('are cut at blanks and separators: %s', (term, words) => {
    const read = readWords(term);
    expect(read.kind === 'words' && read.words.map((word) => [word.text, word.truncated])).toEqual(
      words,
    );
  });

  it('know lone stars, blanks and wrong masks', () => {
    expect(readWords(' * * ')).toEqual({ kind: 'every' });
    expect(readWords(' \t ')).toEqual({ kind: 'blank' });
    expect(readWords('a*😀')).toMatchObject({
      kind: 'wrong',
      reason: expect.stringMatching(/found 😀$/),
    });
    expect(readWords('a**')).toMatchObject({
      kind: 'wrong',
      reason: expect.stringMatching(/found \*$/),
    });
  });

  it('leave out what is longer than any word', () => {
    expect(readWords(`a ${'x'.repeat(2_001)}`)).toEqual({
      kind: 'words',
      words: [{ text: 'a', truncated: false }],
    });
  });
});

describe('numbers and ids', () => {
  it.each([
    ['4', '4'],
    [' 4.0 ', '4.0'],
    ['-.5e+10', '-.5e+10'],
    ['1e1000', undefined],
    ['0x10', undefined],
    ['NaN', undefined],
    ['1'.repeat(401), undefined],
    ['１', undefined],
    ['', undefined],
  ])('%j', (term, number) => {
    expect(readNumber(term)).toBe(number);
  });

  it('read the beginning of a UUID as a range', () => {
    expect(readUuid('1234ABCD-')).toEqual({
      from: '1234abcd-0000-0000-0000-000000000000',
      to: '1234abcd-ffff-ffff-ffff-ffffffffffff',
    });
    expect(readUuid('1234abcde')).toBeUndefined();
    expect(readUuid('12-')).toBeUndefined();
  });
});
