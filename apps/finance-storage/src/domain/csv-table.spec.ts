import { csvRows, csvText, MalformedCsv } from './csv-table.js';

const texts = (text: string, delimiter = ','): string[][] =>
  [...csvRows(text, delimiter)].map((cells) => cells.map((cell) => cell.text));
const places = (text: string): string[] =>
  [...csvRows(text, ',')].flat().map(({ line, column }) => `${line}:${column}`);

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof MalformedCsv) return error.message;
    throw error;
  }
  return 'none';
}

describe('a CSV table', () => {
  it.each([
    ['', []],
    ['\n\r\n\r', []],
    ['a', [['a']]],
    [
      'a,b\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\r\nc,d\r',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [',\n', [['', '']]],
    ['"a","b""c",""\n', [['a', 'b"c', '']]],
    ['"a\r\nb,c",d', [['a\r\nb,c', 'd']]],
    [' a ,b', [[' a ', 'b']]],
  ])('%j has rows of cells', (text, rows) => {
    expect(texts(text)).toEqual(rows);
  });

  it('may have another delimiter', () => {
    expect(texts('a,b;c', ';')).toEqual([['a,b', 'c']]);
  });

  it('knows the place of each cell, in characters, also behind quotes over several lines', () => {
    expect(places('a,📚,c\n\n"x\ny",z\n"q""",r')).toEqual([
      '1:1',
      '1:3',
      '1:5',
      '3:1',
      '4:4',
      '5:1',
      '5:7',
    ]);
  });

  it.each([
    ['a"b', '1:2'],
    ['"ab', '1:4'],
    ['"a\nb', '2:2'],
    ['x\n"a" ,b', '2:4'],
    ['"a"b', '1:4'],
  ])('%j is malformed at %s', (text, place) => {
    expect(faultOf(() => texts(text))).toBe(`malformed CSV at ${place}`);
  });

  it('has at most 10,000 columns', () => {
    expect(faultOf(() => texts(`a${','.repeat(9_999)}`))).toBe('none');
    expect(faultOf(() => texts(`a${','.repeat(10_000)}`))).toBe('malformed CSV at 1:10002');
  });

  it('is UTF-8 without U+0000, perhaps with a byte order mark', () => {
    expect(csvText(Buffer.from('\ufeffé'))).toBe('é');
    const bad = Buffer.concat([Buffer.from('é\nab'), Buffer.from([0xc3, 0x28])]);
    expect(faultOf(() => csvText(bad))).toBe('malformed CSV at 2:3');
    expect(faultOf(() => csvText(Buffer.from('a\r\nb\0')))).toBe('malformed CSV at 2:2');
  });

  it('is read in one pass, however long its lines and cells are', () => {
    const wide = `${'x'.repeat(3_000)},`.repeat(9_999);
    const long = `a\n`.repeat(1_000_000);
    const quoted = `"${'""\n'.repeat(3_000_000)}"`;
    const before = process.cpuUsage();
    let cells = 0;
    for (const text of [wide, long, quoted])
      for (const row of csvRows(text, ',')) cells += row.length;
    expect(cells).toBe(10_000 + 1_000_000 + 1);
    // Time of the processor, which no other process can take from us.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(30);
  });
});
