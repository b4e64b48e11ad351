import { Marc8Decoder, decodeMarc8 } from './marc8-decode.js';
import { eacc, ONE_BYTE_SETS } from './marc8-sets.js';
import { EACC_TABLE, ONE_BYTE_TABLES } from './marc8-tables.js';

const ESC = '\x1b';
const US = '\x1f';
const bytes = (text: string) => Buffer.from(text, 'latin1');
const decode = (text: string) => decodeMarc8(bytes(text)).text;
const whole = (text: string) => ({ text, unknown: 0 });

/** Everything that was noted, with its place. */
function faults(text: string, options: { control?: boolean; lettersOnly?: boolean } = {}) {
  const found: [string, number][] = [];
  const decoder = new Marc8Decoder((code, at) => found.push([code, at]), options.lettersOnly);
  const run = { bytes: bytes(text), start: 0, end: text.length, control: options.control ?? false };
  decoder.read(run);
  return { text: decoder.text, found };
}

describe('the tables', () => {
  it('hold what the code list of the Library of Congress holds', () => {
    const sizes = ONE_BYTE_TABLES.map(({ chars }) => chars.replaceAll(' ', '').length);
    expect(ONE_BYTE_TABLES.map(({ final }) => final).join('')).toBe('BEgbp2NQ34S');
    expect(sizes).toEqual([94, 63, 3, 14, 14, 78, 94, 42, 83, 90, 73]);
    const count = EACC_TABLE.join('').replace(/[!-~]/g, '');
    expect([...count].length).toBe(15_739);
    expect(eacc().codes.size).toBe(15_513);
  });

  it.each([
    ['B', 'A', 'A'],
    ['E', '1', 'ł'],
    ['N', 'A', 'а'],
    ['Q', '@', 'ґ'],
    ['3', 'G', 'ا'],
    ['4', ')', 'پ'],
    ['S', 'a', 'α'],
    ['2', 'a', 'ב'],
  ])('set %s: %s is %s', (final, code, char) => {
    expect(ONE_BYTE_SETS.get(final)!.entries[code.charCodeAt(0)]).toBe(char.charCodeAt(0));
  });
});

describe('escape sequences', () => {
  it.each([
    ['(B', 'A', 'A'],
    ['(!E', '1', 'ł'],
    ['(N', 'A', 'а'],
    ['(Q', '@', 'ґ'],
    ['(3', 'G', 'ا'],
    ['(4', ')', 'پ'],
    ['(S', 'a', 'α'],
    ['(2', 'a', 'ב'],
    [',N', 'A', 'а'],
    [',!E', '1', 'ł'],
    [',S', 'a', 'α'],
    ['$1', '!0!', '一'],
    ['$,1', '!0!', '一'],
    ['g', 'a', 'α'],
    ['b', '2', '₂'],
    ['p', '2', '²'],
    ['s', 'A', 'A'],
  ])('ESC %s designates a set to the lower half: %s is %s', (sequence, code, char) => {
    expect(decodeMarc8(bytes(`x${ESC}${sequence}${code}\xb1${ESC}sx`))).toEqual(
      whole(`x${char}łx`),
    );
  });

  it.each([
    [')B', '\xc1', 'A'],
    [')!E', '\xb1', 'ł'],
    [')N', '\xc1', 'а'],
    [')Q', '\xc0', 'ґ'],
    [')3', '\xc7', 'ا'],
    [')4', '\xa9', 'پ'],
    [')S', '\xe1', 'α'],
    [')2', '\xe1', 'ב'],
    ['-N', '\xc1', 'а'],
    ['-!E', '\xb1', 'ł'],
    ['$)1', '\xa1\xb0\xa1', '一'],
    ['$-1', '\xa1\xb0\xa1', '一'],
  ])('ESC %s designates a set to the upper half', (sequence, code, char) => {
    expect(decodeMarc8(bytes(`x${ESC}${sequence}${code}A`))).toEqual(whole(`x${char}A`));
  });

  it('may follow each other and change one half at a time', () => {
    const text = `${ESC}(N${ESC})QA\xc0${ESC}g${ESC}(N${ESC}sA\xc0${ESC})!E\xb1`;
    expect(decodeMarc8(bytes(text))).toEqual(whole('аґAґł'));
  });

  it('hold over subfields but not over fields', () => {
    const text = `a${ESC}(NA${US}bA`;
    expect(decodeMarc8(bytes(text))).toEqual(whole(`aа${US}bа`));
    const decoder = new Marc8Decoder(() => undefined);
    const run = bytes(`${ESC}(N${ESC})NA`);
    decoder.read({ bytes: run, start: 0, end: run.length });
    const next = bytes('A\xb1');
    decoder.read({ bytes: next, start: 0, end: next.length });
    expect(decoder.text).toBe('Ał');
  });

  it.each([
    ['a set that nobody knows', `a${ESC}(Zbc`, 'a\ufffdbc', 1],
    ['a set in three bytes that nobody knows', `a${ESC}$Bbc`, 'a\ufffdbc', 1],
    ['ANSEL under half its name', `a${ESC}(!Zbc`, 'a\ufffdbc', 1],
    ['no set at all', `a${ESC}Zb`, 'a\ufffdZb', 1],
    ['one that is cut off', `a${ESC}`, 'a\ufffd', 1],
    ['one that is cut off before its set', `a${ESC}$)`, 'a\ufffd', 1],
    ['one that another begins in', `a${ESC}(${ESC}(NA`, 'a\ufffdа', 1],
    ['one that a subfield ends', `a${ESC}$${US}bc`, `a\ufffd${US}bc`, 1],
    ['one before a blank', `a${ESC}( b`, 'a\ufffd b', 1],
    ['one after the other', `${ESC}${ESC}${ESC}`, '\ufffd\ufffd\ufffd', 3],
  ])('that mean nothing become U+FFFD and change no set: %s', (_what, text, made, unknown) => {
    expect(decodeMarc8(bytes(text))).toEqual({ text: made, unknown });
  });
});

describe('characters', () => {
  it.each([
    ['a byte without character', 'a\xafb', 'a\ufffdb'],
    ['a control byte of the upper half', 'a\x80b\x9f', 'a\ufffdb\ufffd'],
    ['the corners of the table', '\x7f\xa0\xff', '\ufffd\ufffd\ufffd'],
    ['a byte without character in another set', `${ESC}(S(`, '\ufffd'],
  ])('unknown: %s', (_what, text, made) => {
    expect(decode(text)).toBe(made);
  });

  it.each(['', '(N', '(2', '$1', 'b'])('the same in any set: blanks and C1 (%s)', (sequence) => {
    const text = `${sequence && ESC + sequence} \x88\x89\x8d\x8e\t\n\r`;
    expect(decodeMarc8(bytes(text))).toEqual(whole(' \u0098\u009c\u200d\u200c\t\n\r'));
  });

  it('of three bytes: unknown ones and cut ones are one U+FFFD each', () => {
    const eastAsian = (text: string) => decodeMarc8(bytes(`${ESC}$1${text}`));
    expect(eastAsian('!0!!0"!# ')).toEqual(whole('一丁\u3000'));
    expect(eastAsian('~~~!0!')).toEqual({ text: '\ufffd一', unknown: 1 });
    expect(eastAsian('!0')).toEqual({ text: '\ufffd', unknown: 1 });
    expect(eastAsian('!')).toEqual({ text: '\ufffd', unknown: 1 });
    expect(eastAsian('!\xb1!0!')).toEqual({ text: '\ufffdł一', unknown: 1 });
    expect(eastAsian('!0\xb1!0!')).toEqual({ text: '\ufffdł一', unknown: 1 });
    expect(eastAsian('!0 !0!')).toEqual({ text: '\ufffd 一', unknown: 1 });
    expect(eastAsian(`!0${US}a!0!`)).toEqual({ text: `\ufffd${US}a一`, unknown: 1 });
    expect(eastAsian(`!0${ESC}(Ba`)).toEqual({ text: '\ufffda', unknown: 1 });
    expect(decode(`${ESC}$)1\xa1\xb0!a`)).toBe('\ufffd!a');
  });

  it('beyond U+FFFF are whole', () => {
    expect(decodeMarc8(bytes(`${ESC}$1!uY`))).toEqual(whole('\u{212c4}'));
  });
});

describe('marks', () => {
  it.each([
    ['come behind their letter, in normal form C', '\xe2e', 'é'],
    ['keep their order', '\xf2\xe3a\xe3\xe2e', 'ậế'],
    ['keep their order where no character has them all', '\xe6\xe2x', 'x\u0306\u0301'],
    ['stand before a blank too', '\xe5 ', ' \u0304'],
    ['stand before escape sequences', `\xe6${ESC}(NI${ESC}(B.`, 'й.'],
    ['of Greek', `${ESC}(S"a`, 'ά'],
    ['of Hebrew', `${ESC}(2Ea`, '\u05d1\u05b9'],
    ['of Arabic', `${ESC}(3nH`, '\u0628\u064e'],
    ['of Arabic that stands behind its letter', `${ESC}(3Gt`, 'ا\u0670'],
    ['over two letters: the first half says it', '\xebt\xecs', 't\u0361s'],
    ['over two letters: tilde', '\xfan\xfbg', 'n\u0360g'],
    ['over two letters: the second half alone says nothing', '\xecs\xfb', 's'],
  ])('%s', (_what, text, made) => {
    expect(decodeMarc8(bytes(text))).toEqual(whole(made));
  });

  it.each([
    ['the end', 'a\xe2', 'a\ufffd', [1]],
    ['a delimiter', `a\xe2\xe3${US}be`, `a\ufffd\ufffd${US}be`, [1, 2]],
    ['the end, an escape sequence between', `a\xe2${ESC}(B`, 'a\ufffd', [4]],
  ])('without a letter are unknown: before %s', (_what, text, made, places) => {
    expect(faults(text)).toEqual({
      text: made,
      found: places.map((at) => ['MARC8_UNKNOWN', at]),
    });
  });

  it('that no letter can have so many of are unknown, and take no long time', () => {
    const { text, unknown } = decodeMarc8(bytes('\xe2\xf2'.repeat(50_000) + 'a'));
    expect(unknown).toBe(100_000 - 30);
    expect(text.slice(100_000 - 30)).toBe(`a${'\u0301\u0323'.repeat(15)}`.normalize('NFC'));
    const alefs = decodeMarc8(bytes(`${ESC}(3G${'t'.repeat(1_000)}`));
    expect(alefs.unknown).toBe(Math.floor(1_000 / 31));
  });

  it('before anything but a letter can be told', () => {
    expect(faults('\xe2e\xe2\xb1', { lettersOnly: true }).found).toEqual([]);
    for (const text of ['\xe2 ', '\xe21', '\xe2-']) {
      expect(faults(text).found).toEqual([]);
      expect(faults(text, { lettersOnly: true }).found).toEqual([['MARC8_UNKNOWN', 1]]);
    }
  });
});

describe('subfields', () => {
  it('have codes in ASCII whatever the sets are', () => {
    const text = `${ESC}$1${US}a!0!${US}b`;
    expect(faults(text)).toEqual({ text: `${US}a一${US}b`, found: [] });
  });

  it('may have an escape sequence before their code', () => {
    expect(faults(`${US}${ESC}(N${ESC})NaA`)).toEqual({ text: `${US}aа`, found: [] });
  });

  it('that have no code are left out', () => {
    expect(faults(`${US}${US}ax${US}${ESC}(B`)).toEqual({
      text: `${US}ax`,
      found: [
        ['NO_SUBFIELD', 0],
        ['NO_SUBFIELD', 4],
      ],
    });
  });

  it.each([
    ['of the upper half', '\xe2', 'MARC8_UNKNOWN'],
    ['that begins an escape sequence of no meaning', `${ESC}Z`, 'MARC8_UNKNOWN'],
    ['that is a control byte', '\x07', 'CONTROL_CHAR'],
  ])('keep a code %s as U+FFFD', (_what, code, fault) => {
    expect(faults(`${US}${code}x`)).toEqual({
      text: `${US}\ufffd${code.slice(1)}x`,
      found: [[fault, 1]],
    });
  });

  it('are none in control fields', () => {
    expect(faults(`a${US}b\x07\xe2`, { control: true })).toEqual({
      text: `a${US}b\ufffd\ufffd`,
      found: [
        ['CONTROL_SUBFIELD', 1],
        ['CONTROL_CHAR', 3],
        ['MARC8_UNKNOWN', 4],
      ],
    });
  });
});
