import { decodeMarc8 } from './marc8-decode.js';
import { encodeMarc8, Marc8Encoder } from './marc8-encode.js';
import { CODE_POINT, eacc, MARK, ONE_BYTE_SETS, SECOND_HALF } from './marc8-sets.js';
import { EACC_TABLE } from './marc8-tables.js';
import { randomNumbers } from '../test/records.js';

const ESC = '\x1b';
const US = '\x1f';
/** MARC-8 as Latin-1, in which a spec can be read. */
const encode = (text: string) => encodeMarc8(text).toString('latin1');
const decode = (text: string) => decodeMarc8(Buffer.from(text, 'latin1'));

function encodeField(text: string): string {
  const encoder = new Marc8Encoder();
  encoder.subfields(text);
  return encoder.bytes.toString('latin1');
}

/** How a set comes into the lower half. */
function designation(final: string): string {
  if (final === '1') return `${ESC}$1`;
  if ('gbp'.includes(final)) return ESC + final;
  return `${ESC}(${final === 'E' ? '!E' : final}`;
}

/** Every code of every set: its set, its bytes, its character and whether that is a mark. */
function everyCode(): { final: string; code: string; char: string; mark: boolean }[] {
  const codes = [...ONE_BYTE_SETS].flatMap(([final, { entries }]) =>
    [...entries].flatMap((entry, code) =>
      entry === 0 || entry === SECOND_HALF
        ? []
        : [
            {
              final,
              code: String.fromCharCode(code),
              char: String.fromCodePoint(entry & CODE_POINT),
              mark: (entry & MARK) > 0,
            },
          ],
    ),
  );
  const set = eacc();
  for (const line of EACC_TABLE) {
    const row = parseInt(line.slice(0, 4), 16);
    for (let third = 0x20; third < 0x7f; third++) {
      const entry = set.entry(row >> 8, row & 0xff, third);
      const code = String.fromCharCode(row >> 8, row & 0xff, third);
      const char = String.fromCodePoint(entry);
      if (entry > 0) codes.push({ final: '1', code, char, mark: false });
    }
  }
  return codes;
}

describe('the code tables', () => {
  const codes = everyCode();
  const seen = new Map<string, number>();
  for (const { char } of codes) {
    const normal = char.normalize('NFC');
    seen.set(normal, (seen.get(normal) ?? 0) + 1);
  }

  it('are read, written and read again, every character of them', () => {
    expect(codes.length).toBe(648 + 15_739);
    for (const { final, code, char, mark } of codes) {
      const letter = mark ? 'x' : '';
      const bytes = designation(final) + code + (mark ? `${ESC}(B${letter}` : '');
      const text = (letter + char).normalize('NFC');
      const read = decode(bytes);
      const again = decode(encode(text));
      if (read.text !== text || read.unknown > 0) throw new Error(`${final} ${code}: ${read.text}`);
      if (again.text !== text || again.unknown > 0) throw new Error(`${text}: ${again.text}`);
    }
  });

  it('are written as they were read where a character has one code only', () => {
    let count = 0;
    for (const { final, code, char, mark } of codes) {
      if (mark || final === 'E' || seen.get(char) !== 1 || char.normalize('NFC') !== char) continue;
      const back = 'gbp'.includes(final) ? `${ESC}s` : `${ESC}(B`;
      const bytes = final === 'B' ? code : designation(final) + code + back;
      if (encode(char) !== bytes) throw new Error(`${final} ${code}: ${encode(char)}`);
      count++;
    }
    expect(count).toBeGreaterThan(15_500);
  });
});

describe('text in MARC-8', () => {
  it.each([
    ['ASCII as it is', 'Plain, text\t~', 'Plain, text\t~'],
    ['Latin letters in ANSEL', 'Łódź', '\xa1\xe2od\xe2z'],
    ['marks before their letter, in their order', 'ậx\u0306\u0301', '\xf2\xe3a\xe6\xe2x'],
    ['decomposed text like composed', 'e\u0301', '\xe2e'],
    ['letters that the set has whole', 'ợ', '\xf2\xbc'],
    ['marks before a blank', ' \u0304.', '\xe5 .'],
    ['double-width marks as two halves', 't\u0361sn\u0360g', '\xebt\xecs\xfan\xfbg'],
    ['double-width marks with others', 'o\u0361\u0301o', '\xe2\xebo\xeco'],
    ['a double-width mark that ends the text as the first half', 't\u0361', '\xebt'],
    ['half marks as what they are', 't\ufe20s\ufe21', '\xebt\xecs'],
    ['alif in either spelling', '\u02bc\u02be', '\xae\xae'],
    ['Cyrillic with its blanks and digits', 'мой 2', `${ESC}(NMOJ 2${ESC}(B`],
    ['Cyrillic of two sets', 'їі', `${ESC}(QGF${ESC}(B`],
    ['marks that no Cyrillic letter has', 'а\u0301', `${ESC}(N\xe2A${ESC}(B`],
    ['Greek with its own marks', 'ά', `${ESC}(S"a${ESC}(B`],
    ['Hebrew', 'בֹ', `${ESC}(2Ea${ESC}(B`],
    ['Arabic', 'بَ', `${ESC}(3nH${ESC}(B`],
    ['East Asian, blanks in ASCII', '漢 字', `${ESC}$1!HW${ESC}(B ${ESC}$1!:R${ESC}(B`],
    ['East Asian beyond U+FFFF', '\u{212c4}', `${ESC}$1!uY${ESC}(B`],
    ['subscripts and superscripts', 'H₂O⁺', `H${ESC}b2${ESC}sO${ESC}p+${ESC}s`],
    ['the bytes of no set', '\u0098a\u009c\u200d\u200c', '\x88a\x89\x8d\x8e'],
  ])('has %s', (_what, text, bytes) => {
    expect(encode(text)).toBe(bytes);
    const { text: read, unknown } = decode(bytes);
    const normal = text.replace('\u02be', '\u02bc').replace('\ufe20', '\u0361');
    expect(read).toBe(normal.replace('\ufe21', '').normalize('NFC'));
    expect(unknown).toBe(0);
  });

  it.each([
    ['letters', 'aกb', 'a&#x0E01;b'],
    ['letters beyond U+FFFF', '😀', '&#x1F600;'],
    ['a letter with all its marks', 'ก\u0301', '&#x0E01;&#x0301;'],
    ['a composed letter, whole', 'ḏ', '&#x1E0F;'],
    ['a mark behind its letter', 'a\u0301\u20d7', '\xe2a&#x20D7;'],
    ['a mark of another script', 'กิb', '&#x0E01;&#x0E34;b'],
    ['a mark without a letter', '\u0301a', '&#x0301;a'],
    ['what stands between two halves', 't\u0361กa', '\xebt&#x0E01;a'],
    ['control characters', 'a\x1b\x1e\x1f\x7f\x80', 'a&#x001B;&#x001E;&#x001F;&#x007F;&#x0080;'],
    ['U+FFFD', '\ufffd', '&#xFFFD;'],
    ['in ASCII, whatever the set was', 'аกа', `${ESC}(NA${ESC}(B&#x0E01;${ESC}(NA${ESC}(B`],
  ])('refers to what has no form: %s', (_what, text, bytes) => {
    expect(encode(text)).toBe(bytes);
  });

  it('returns to ASCII at the end of every subfield', () => {
    const text = `${US}aмой${US}bй 漢${US}c`;
    expect(encodeField(text)).toBe(
      `${US}a${ESC}(NMOJ${ESC}(B${US}b${ESC}(NJ ${ESC}$1!HW${ESC}(B${US}c`,
    );
    expect(decode(encodeField(text))).toEqual({ text, unknown: 0 });
  });

  it('keeps marks away from subfield codes and delimiters', () => {
    expect(encodeField(`${US}a\u0301x${US}bt\u0361${US}cs`)).toBe(
      `${US}a&#x0301;x${US}b\xebt${US}cs`,
    );
    expect(encodeField(`${US}é\u0301${US}${US}a`)).toBe(`${US}\xe2e&#x0301;${US}${US}a`);
  });

  it('that no one wrote is written in time too', () => {
    const marks = encodeMarc8(`a${'\u0301\u0323'.repeat(50_000)}`);
    expect(decodeMarc8(marks).unknown).toBe(0);
    expect(marks.toString('latin1').slice(0, 32)).toBe(`${'\xe2\xf2'.repeat(15)}a&`);
    expect(encodeMarc8('漢a'.repeat(100_000)).length).toBe(1_000_000);
  });

  it('says what it said when it is read again', () => {
    const random = randomNumbers(8);
    const chars = [
      ...'abc xyz.,;12ÄéŁơợậ\u0301\u0323\u0361\u0304юїґΑάאבּبپ漢字一가각₂²α“”ɐกṩ\u0670\u064e😀\t',
    ];
    for (let run = 0; run < 20_000; run++) {
      let text = US + 'a';
      for (let n = random(12); n > 0; n--) {
        text += random(12) ? chars[random(chars.length)]! : `${US}b`;
      }
      const read = decode(encodeField(text));
      const plain = read.text.replace(/&#x([0-9A-F]+);/g, (_all, hex: string) =>
        String.fromCodePoint(parseInt(hex, 16)),
      );
      if (read.unknown > 0 || plain.normalize('NFC') !== text.normalize('NFC')) {
        throw new Error(
          `${JSON.stringify(text)} → ${JSON.stringify(encodeField(text))} → ${JSON.stringify(read.text)}`,
        );
      }
    }
  });
});
