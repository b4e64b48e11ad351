import { FIELDS, frameOf, LEADER, outcome, patched, sound, spliced } from '../../test/records.js';
import { errorSentence, warningSentence } from '../errors.js';
import type { MarcRecord } from '../record.js';
import { readRecord, readRecordText } from './read.js';
import { controlField, dataField } from './write.js';

const record = sound();
const { bytes } = record;
const base = record.start(0);
const US = '\x1f';

/** The bytes it has once it is read. */
function stored(frame: Buffer): Buffer {
  const read = readRecord(frame);
  if (read.failed) throw new Error(read.code);
  return read.bytes;
}

function read(frame: Buffer): MarcRecord {
  const made = readRecord(frame);
  if (made.failed) throw new Error(made.code);
  return made;
}

/** Where the n-th directory entry begins. */
const entry = (n: number) => 24 + 12 * n;

describe('a frame in stored form', () => {
  it('is taken as it is, without copying', () => {
    const made = read(bytes);
    expect(made.bytes).toBe(bytes);
    expect(made.warnings).toEqual([]);
    expect(made.leader).toBe(bytes.toString('latin1', 0, 24));
    expect(made.fieldCount).toBe(FIELDS.length);
    expect(made.tag(4)).toBe('245');
    expect(made.indicators(4)).toBe('10');
    expect(made.subfields(4)).toEqual([
      ['a', 'Møøse and “Мышь” :'],
      ['b', 'a tale in 漢字 /'],
      ['c', 'by Δ. Author.'],
    ]);
    expect(made.subfield(4, 'c')).toBe('by Δ. Author.');
    expect(made.subfield(4, 'x')).toBeUndefined();
  });

  it('may hold TAB, LF and CR in text, empty subfields, any printable code', () => {
    const frame = frameOf([
      ['001', 'a\tb\r\nc'],
      ['500', `  ${US}a${US}Ba b${US}_${US} x${US}#`],
    ]);
    expect(readRecord(patched(frame, 9, 'a'))).toMatchObject({ bytes: frame, warnings: [] });
  });

  it('makes a record of any leader/10–11 and of any printable rest', () => {
    const frame = patched(patched(bytes, 10, '  '), 17, 'xyz');
    const made = read(frame);
    expect(made.warnings).toEqual([]);
    expect(made.leader.slice(9)).toBe(`a22${bytes.toString('latin1', 12, 17)}xyz4500`);
  });
});

describe('the end of a frame', () => {
  it('is added after the end mark of a field', () => {
    const frame = bytes.subarray(0, -1);
    expect(outcome(readRecord(frame))).toEqual(['TERMINATOR_ADDED']);
    expect(stored(frame)).toEqual(bytes);
  });

  it('anywhere else means that the record breaks off (M3)', () => {
    expect(readRecord(bytes.subarray(0, -5))).toMatchObject({
      code: 'TRUNCATED',
      offset: bytes.length - 5,
    });
    expect(outcome(readRecord(Buffer.alloc(0)))).toBe('TRUNCATED');
  });

  it('within the leader is an error of the leader', () => {
    expect(outcome(readRecord(Buffer.from('00012nam a22\x1d')))).toBe('LEADER');
  });

  it('must come within 1 MiB', () => {
    const huge = Buffer.alloc(1_048_577, 97);
    huge[huge.length - 1] = 0x1d;
    expect(outcome(readRecord(huge))).toBe('TOO_LARGE');
  });
});

describe('the record length (M4)', () => {
  it.each(['00010', '99998', '0a123', '00000', '99999', '     '])('%s is corrected', (length) => {
    const frame = patched(bytes, 0, length);
    expect(outcome(readRecord(frame))).toEqual(['LENGTH_MISMATCH']);
    expect(stored(frame)).toEqual(bytes);
  });
});

describe('the base address (M5)', () => {
  it.each(['00000', '00024', '99999', 'abcde', '00126'])('%s is found again', (address) => {
    const frame = patched(bytes, 12, address);
    expect(outcome(readRecord(frame))).toEqual(['BASE_REBUILT']);
    expect(stored(frame)).toEqual(bytes);
  });

  it('that ends another field is found again', () => {
    const frame = patched(bytes, 12, String(record.start(1)).padStart(5, '0'));
    expect(outcome(readRecord(frame))).toEqual(['BASE_REBUILT']);
    expect(stored(frame)).toEqual(bytes);
  });

  it('cannot be found where the directory has no end mark', () => {
    const frame = patched(patched(bytes, 12, '00000'), base - 1, 'x');
    expect(readRecord(frame)).toMatchObject({ code: 'BASE_ADDRESS', offset: 12 });
  });
});

describe('the directory (M6)', () => {
  it.each([
    ['a length that is no number', entry(1) + 3, '00x4'],
    ['a start that is no number', entry(1) + 7, 'start'],
    ['a start out of bounds', entry(3) + 7, '88888'],
    ['a length out of bounds', entry(3) + 3, '8888'],
    ['an overlap', entry(3) + 7, '00000'],
    ['a length of nothing', entry(3) + 3, '0000'],
    ['a length that is too short', entry(4) + 3, '0003'],
  ])('with %s is made anew', (_what, at, text) => {
    const frame = patched(bytes, at, text);
    expect(outcome(readRecord(frame))).toEqual(['DIRECTORY_REBUILT']);
    expect(stored(frame)).toEqual(bytes);
  });

  it('is made anew in any order where only lengths are wrong', () => {
    const swapped = swapEntries(bytes, 1, 4);
    const frame = patched(swapped, entry(2) + 3, '0001');
    expect(outcome(readRecord(frame))).toEqual(['DIRECTORY_REBUILT']);
    expect(stored(frame)).toEqual(stored(swapped));
  });

  it('may list the fields in any order, and that is the order of the record', () => {
    const made = read(swapEntries(bytes, 1, 4));
    expect(made.warnings).toEqual([]);
    expect(Array.from({ length: 7 }, (_, i) => made.tag(i))).toEqual([
      ...['001', '245', '005', '008', '003', '650', '999'],
    ]);
    expect(made.text(4)).toBe('QUI');
  });

  it('that is wrong where fields and entries differ in number is an error', () => {
    const frame = patched(patched(bytes, entry(3) + 7, '88888'), record.end(1), 'x');
    expect(readRecord(frame)).toMatchObject({ code: 'DIRECTORY', offset: entry(3), tag: '008' });
  });

  it('of no multiple of the entry width is an error', () => {
    const frame = spliced(bytes, entry(2), 3);
    const address = String(base - 3).padStart(5, '0');
    expect(readRecord(patched(frame, 12, address))).toMatchObject({
      code: 'DIRECTORY',
      offset: 24,
    });
  });

  it('may leave data out, which is not kept', () => {
    const gap = spliced(bytes, bytes.length - 1, 0, 'lost\x1e');
    const frame = patched(gap, 0, String(gap.length).padStart(5, '0'));
    expect(readRecord(frame)).toMatchObject({
      warnings: [{ code: 'TRAILING_DATA', offset: bytes.length - 1, count: 5 }],
    });
    expect(stored(frame)).toEqual(bytes);
  });

  function swapEntries(from: Buffer, one: number, other: number): Buffer {
    const frame = Buffer.from(from);
    from.copy(frame, entry(one), entry(other), entry(other) + 12);
    from.copy(frame, entry(other), entry(one), entry(one) + 12);
    return frame;
  }
});

describe('the entry map (M7)', () => {
  it.each(['    ', '45  ', '4501'])('%j is used', (map) => {
    const frame = patched(bytes, 20, map);
    expect(outcome(readRecord(frame))).toEqual(['ENTRY_MAP']);
    expect(stored(frame)).toEqual(bytes);
  });

  it('of other sane widths is used', () => {
    const directory = '001' + '00004' + '000000' + 'x' + '245' + '00007' + '000004' + 'x';
    const data = `abc\x1e10${US}aT.\x1e`;
    const head = `00072nam a22${String(25 + directory.length).padStart(5, '0')} i 5610`;
    const frame = Buffer.from(`${head}${directory}\x1e${data}\x1d`);
    const made = read(patched(frame, 0, String(frame.length).padStart(5, '0')));
    expect(outcome(made)).toEqual(['ENTRY_MAP']);
    expect(made.leader.slice(20)).toBe('4500');
    expect([made.text(0), made.subfield(1, 'a')]).toEqual(['abc', 'T.']);
  });

  it.each(['0500', '4000', 'ab00'])('%s is no directory', (map) => {
    expect(readRecord(patched(bytes, 20, map))).toMatchObject({ code: 'DIRECTORY', offset: 20 });
  });
});

describe('end marks in the wrong place (M8)', () => {
  it('a field without end mark is an error', () => {
    const frame = patched(bytes, record.end(2), 'x');
    expect(readRecord(frame)).toMatchObject({
      code: 'FIELD_TERMINATOR',
      offset: record.end(2),
      tag: '005',
    });
  });

  it.each([
    ['\x1d', 'of the record'],
    ['\x1e', 'of a field'],
    ['\x01', 'like any other control character'],
  ])('%j inside data becomes U+FFFD, %s', (mark) => {
    const frame = patched(bytes, record.start(5) + 5, mark);
    const made = read(frame);
    expect(made.warnings).toMatchObject([
      { code: 'CONTROL_CHAR', tag: '650', offset: record.start(5) + 5, count: 1 },
    ]);
    expect(made.subfield(5, 'a')).toBe('M\ufffdce.');
  });

  it('a delimiter in a control field is kept', () => {
    const frame = patched(bytes, record.start(1), US);
    const made = read(frame);
    expect(made.warnings).toMatchObject([{ code: 'CONTROL_SUBFIELD', tag: '003' }]);
    expect(made.bytes).toEqual(frame);
  });
});

describe('fields and tags (M13)', () => {
  it('a record without fields is an error', () => {
    const frame = Buffer.from(`00026nam a2200025 i 4500\x1e\x1d`);
    expect(outcome(readRecord(frame))).toBe('NO_FIELDS');
  });

  it('no 001, two 001 and no 245 are fine', () => {
    expect(outcome(readRecord(frameOf([['500', `  ${US}ax`]])))).toEqual([]);
    const twice = frameOf([
      ['001', 'a'],
      ['001', 'b'],
    ]);
    expect(outcome(readRecord(twice))).toEqual([]);
  });

  it('letters and digits make tags, nothing else', () => {
    expect(outcome(readRecord(patched(bytes, entry(6), 'CaT')))).toEqual([]);
    expect(readRecord(patched(bytes, entry(6), '9-9'))).toMatchObject({
      code: 'TAG',
      tag: '9-9',
      detail: 'Invalid tag: 9-9',
      offset: entry(6),
    });
  });
});

describe('data fields', () => {
  const field = (body: string) => {
    const made = read(frameOf([['500', body]]));
    return [outcome(made), made.text(0)];
  };

  it.each([
    ['one indicator', `1${US}ax`, `1 ${US}ax`],
    ['no indicators', `${US}ax`, `  ${US}ax`],
    ['three indicators', `123${US}ax`, `12${US}ax`],
    ['an indicator that is no printable character', `\x071${US}ax`, ` 1${US}ax`],
    ['a character of two bytes for indicators', `Ã©${US}ax`, `  ${US}ax`],
  ])('with %s get two', (_what, body, expected) => {
    expect(field(body)).toEqual([['INDICATOR'], expected]);
  });

  it.each([
    ['before the next', `  ${US}${US}ax`, `  ${US}ax`],
    ['at the end', `  ${US}ax${US}`, `  ${US}ax`],
    ['alone', `  ${US}`, '  '],
  ])('lose a delimiter without code: %s', (_what, body, expected) => {
    expect(field(body)).toEqual([['NO_SUBFIELD'], expected]);
  });

  it('without any delimiter keep their bytes', () => {
    expect(field('  text')).toEqual([['NO_SUBFIELD'], '  text']);
    expect(field('')).toEqual([['INDICATOR', 'NO_SUBFIELD'], '  ']);
    expect(field('1Ã©tÃ©')).toEqual([['INDICATOR', 'NO_SUBFIELD'], '1 tÃ©'.replace('Ã©', 'é')]);
  });

  it('may have a code of more than one byte', () => {
    const made = read(
      sound([
        dataField('500', '  ', [
          ['é', 'x'],
          ['😀', 'y'],
          ['a', ''],
        ]),
      ]).bytes,
    );
    expect(made.warnings).toEqual([]);
    expect(made.subfields(0)).toEqual([
      ['é', 'x'],
      ['😀', 'y'],
      ['a', ''],
    ]);
  });
});

describe('characters', () => {
  const good = 'é'.repeat(20);
  const utf8 = (body: string) =>
    frameOf([['500', `  ${US}a${Buffer.from(body).toString('latin1').replaceAll('?', '\xff')}`]]);

  it('a few bad sequences become U+FFFD (M9)', () => {
    const made = read(utf8(`${good}?`));
    expect(made.warnings).toMatchObject([{ code: 'ENCODING', tag: '500', count: 1 }]);
    expect(made.subfield(0, 'a')).toBe(`${good}\ufffd`);
  });

  it.each([
    ['a tenth of them', `${'é'.repeat(9)}?`],
    ['five', `${'é'.repeat(100)}?a?a?a?a?`],
  ])('many bad sequences make it ISO 8859-1: %s', (_what, text) => {
    const frame = utf8(text);
    const made = read(frame);
    expect(outcome(made)).toEqual(['ENCODING_GUESSED']);
    const body = made.subfield(0, 'a');
    expect(body).toBe(Buffer.from(text).toString('latin1').replaceAll('?', 'ÿ'));
  });

  it('under the option strict either is an error', () => {
    for (const text of [`${good}?`, '?']) {
      expect(outcome(readRecord(utf8(text), { strict: true }))).toBe('ENCODING');
    }
    expect(outcome(readRecord(utf8(good), { strict: true }))).toEqual([]);
  });

  it('UTF-8 without the flag is read and flagged (M11)', () => {
    const made = read(patched(bytes, 9, ' '));
    expect(outcome(made)).toEqual(['FLAG_MISSING']);
    expect(made.bytes).toEqual(bytes);
  });

  it('ASCII without the flag is read and flagged without a word', () => {
    const ascii = sound([controlField('001', 'x')]).bytes;
    expect(readRecord(patched(ascii, 9, ' '))).toMatchObject({ bytes: ascii, warnings: [] });
  });

  describe('of a record that says UTF-8 and is full of other bytes', () => {
    const guess = (body: string) => read(frameOf([['500', `  ${US}a${body}`]]));

    it.each([
      ['Tol\xe2e, \xa1\xf2odz', 'Tolé, Łọdz'],
      ['\x1b(NA\x1b(B\xb1', 'аł'],
      ['\xe6\xe2x \xebt\xecs', 'x\u0306\u0301 t\u0361s'],
    ])('are read as MARC-8 if all of them have a meaning there: %j', (body, text) => {
      const made = guess(body);
      expect(made.warnings).toMatchObject([{ code: 'ENCODING_GUESSED' }]);
      expect(warningSentence(made.warnings[0]!)).toMatch(/read as MARC-8/);
      expect(made.subfield(0, 'a')).toBe(text);
    });

    it.each([
      ['a byte that is nothing in MARC-8', 'Tol\xe2e \xaf', 'Tolâe ¯'],
      ['a mark before a blank', 'caf\xe9 noir', 'café noir'],
      ['a mark at the end', 'caf\xe9', 'café'],
    ])('are read as ISO 8859-1 if not: %s', (_what, body, text) => {
      const made = guess(body);
      expect(made.warnings).toMatchObject([{ code: 'ENCODING_GUESSED' }]);
      expect(warningSentence(made.warnings[0]!)).toMatch(/read as ISO 8859-1/);
      expect(made.subfield(0, 'a')).toBe(text);
    });
  });
});

describe('MARC-8 (M10)', () => {
  const marc8 = (fields: readonly (readonly [string, string])[]) =>
    frameOf(fields, LEADER.replace(' a22', '  22'));
  const body = (text: string) => marc8([['500', `1 ${US}a${text}`]]);

  it.each([
    ['bytes that are not UTF-8', 'Tol\xe2e \xb1', 'Tolé ł'],
    ['an escape sequence, ASCII else', '\x1b(NIA\x1b(B', 'иа'],
    ['an escape sequence in what could be UTF-8', '\x1b(N\xc3\xa9', '©♭'],
  ])('is what a record is in that does not say UTF-8: %s', (_what, text, made) => {
    expect(read(body(text)).subfield(0, 'a')).toBe(made);
  });

  it('is stored as UTF-8 and says so', () => {
    const made = read(body('\xe2e'));
    expect(made.bytes).toEqual(sound([dataField('500', '1 ', [['a', 'é']])]).bytes);
    expect(made.warnings).toEqual([]);
  });

  it('begins anew with every field, whatever the one before ended with', () => {
    const made = read(
      marc8([
        ['001', 'x\x1b(N'],
        ['245', `00${US}a\x1b(NA${US}cI\x1b$1!0`],
        ['500', `  ${US}aA\xe2`],
        ['650', ` 0${US}ae`],
      ]),
    );
    expect(made.text(0)).toBe('x');
    expect(made.subfields(1)).toEqual([
      ['a', 'а'],
      ['c', 'и\ufffd'],
    ]);
    expect(made.subfields(2)).toEqual([['a', 'A\ufffd']]);
    expect(made.subfields(3)).toEqual([['a', 'e']]);
    expect(made.warnings).toMatchObject([
      { code: 'MARC8_UNKNOWN', tag: '245', count: 1 },
      { code: 'MARC8_UNKNOWN', tag: '500', count: 1 },
    ]);
  });

  it('may hold characters that are unknown: each field is told, with their number and the first place', () => {
    const frame = marc8([
      ['245', `00${US}a\xaf\xafx${US}b\xaf`],
      ['500', `  ${US}afine \xb1`],
      ['500', `  ${US}a\x1b(Zx`],
    ]);
    const made = read(frame);
    expect(made.subfields(0)).toEqual([
      ['a', '\ufffd\ufffdx'],
      ['b', '\ufffd'],
    ]);
    expect(made.warnings).toEqual([
      { code: 'MARC8_UNKNOWN', offset: frame.indexOf(0xaf), tag: '245', count: 3 },
      { code: 'MARC8_UNKNOWN', offset: frame.indexOf(0x1b), tag: '500', count: 1 },
    ]);
    const failed = readRecord(frame, { strict: true });
    expect(failed).toMatchObject({ code: 'ENCODING', offset: frame.indexOf(0xaf), tag: '245' });
    expect(failed.failed && errorSentence(failed)).toBe(
      'Field 245 holds 3 characters that are unknown in MARC-8',
    );
    expect(outcome(readRecord(body('\xe2e'), { strict: true }))).toEqual([]);
  });

  it('is repaired like other text', () => {
    const made = read(
      marc8([
        ['001', `x${US}\xb1`],
        ['500', `1${US}a\x07\xb1${US}${US}`],
        ['500', '\xb1\xb2\xb1one'],
      ]),
    );
    expect(made.text(0)).toBe(`x${US}ł`);
    expect(made.text(1)).toBe(`1 ${US}a\ufffdł`);
    expect(made.text(2)).toBe('  łone');
    expect(made.warnings).toMatchObject([
      { code: 'CONTROL_SUBFIELD', tag: '001', count: 1 },
      { code: 'INDICATOR', tag: '500' },
      { code: 'CONTROL_CHAR', tag: '500', count: 1 },
      { code: 'NO_SUBFIELD', tag: '500', count: 2 },
      { code: 'INDICATOR', tag: '500' },
      { code: 'NO_SUBFIELD', tag: '500', count: 1 },
    ]);
  });

  it.each([
    ['UTF-8 with a stray ESC', 'é\x1b.', ['FLAG_MISSING', 'CONTROL_CHAR'], 'é\ufffd.'],
    ['ASCII with a stray ESC', 'e\x1b.', ['MARC8_UNKNOWN'], 'e\ufffd.'],
  ])('needs more than a lone ESC: %s', (_what, text, codes, made) => {
    const found = read(body(Buffer.from(text).toString('latin1')));
    expect(outcome(found)).toEqual(codes);
    expect(found.subfield(0, 'a')).toBe(made);
  });

  it('is no matter for text that is Unicode already', () => {
    const text = body('x').toString('latin1').replace('ax', 'aé');
    expect(outcome(readRecordText(text))).toEqual(['LENGTH_MISMATCH', 'DIRECTORY_REBUILT']);
  });
});

describe('oversize records (M12, M14)', () => {
  it('are read by their end marks and written with all nines', () => {
    const long = sound([
      controlField('001', 'big'),
      ...Array.from({ length: 30 }, () => dataField('520', '  ', [['a', 'é'.repeat(2_400)]])),
      dataField('650', ' 0', [['a', 'Last.']]),
    ]);
    expect(long.bytes.length).toBeGreaterThan(99_999);
    expect(long.leader.slice(0, 5)).toBe('99999');
    const made = read(long.bytes);
    expect(made.bytes).toEqual(long.bytes);
    expect(made.warnings).toMatchObject([{ code: 'OVERSIZE_LEADER' }]);
    expect(made.subfield(31, 'a')).toBe('Last.');
    expect(stored(patched(long.bytes, 0, '00000'))).toEqual(long.bytes);
    expect(outcome(readRecord(patched(long.bytes, 0, '00000')))).toEqual([
      'LENGTH_MISMATCH',
      'OVERSIZE_LEADER',
    ]);
  });

  it('a field over its limit makes one of them, a field at the limit does not', () => {
    const at = (length: number) =>
      sound([dataField('520', '  ', [['a', 'x'.repeat(length - 5)]]), controlField('001', 'x')]);
    expect(at(9_999).warnings).toEqual([]);
    expect(outcome(readRecord(at(9_999).bytes))).toEqual([]);
    expect(read(at(10_000).bytes).warnings).toMatchObject([
      { code: 'OVERSIZE_LEADER', tag: '520' },
    ]);
    expect(stored(at(10_000).bytes)).toEqual(at(10_000).bytes);
  });

  it('10,000 fields and 10,000 subfields are fine', () => {
    const many = sound(Array.from({ length: 10_000 }, () => dataField('650', '  ', [['a', 'x']])));
    expect(read(many.bytes).fieldCount).toBe(10_000);
    const parts = Array.from({ length: 10_000 }, () => ['a', 'x'] as const);
    expect(read(sound([dataField('650', '  ', parts)]).bytes).subfields(0)).toHaveLength(10_000);
  });

  it('may have numbers that are simply cut', () => {
    const long = sound(
      Array.from({ length: 20 }, () => dataField('520', '  ', [['a', 'x'.repeat(9_000)]])),
    );
    const frame = Buffer.from(long.bytes);
    for (let i = 0; i < 20; i++) frame.write('00000', entry(i) + 7, 'latin1');
    expect(outcome(readRecord(frame))).toEqual(['DIRECTORY_REBUILT', 'OVERSIZE_LEADER']);
    expect(stored(frame)).toEqual(long.bytes);
  });
});

describe('what was skipped before a frame (M17)', () => {
  it.each([
    ['\r\n', []],
    ['', []],
    ['\r\n \0', ['BYTES_SKIPPED']],
    ['\xef\xbb\xbf', ['BYTES_SKIPPED']],
  ])('%j', (skipped, codes) => {
    expect(outcome(readRecord(bytes, { skipped: Buffer.from(skipped, 'latin1') }))).toEqual(codes);
  });
});

describe('a record as text', () => {
  it('is Unicode whatever its leader says, and its lengths are those of UTF-8', () => {
    const made = readRecordText(patched(bytes, 9, ' ').toString());
    expect(made).toMatchObject({ bytes, warnings: [] });
  });

  it('ends at its first end mark', () => {
    expect(outcome(readRecordText(`\r\n${bytes.toString()}`))).toEqual([]);
    const made = readRecordText(`${bytes.toString()}\n`);
    expect(made).toMatchObject({ bytes, warnings: [{ code: 'TRAILING_DATA', count: 1 }] });
  });

  it('may be nothing at all', () => {
    expect(outcome(readRecordText(''))).toBe('TRUNCATED');
  });
});
