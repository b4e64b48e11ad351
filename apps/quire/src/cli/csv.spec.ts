import { csvRows, plainCell } from './csv.js';

async function rowsOf(...parts: string[]): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const row of csvRows(
    (async function* () {
      yield* await Promise.resolve(parts);
    })(),
  ))
    rows.push(row);
  return rows;
}

const TABLE = 'order,title\r\n0,"A ""quoted"", long\r\ntitle"\r\n1,\r\n2,"""x"""\r\n';
const ROWS = [
  ['order', 'title'],
  ['0', 'A "quoted", long\r\ntitle'],
  ['1', ''],
  ['2', '"x"'],
];

describe('a table that arrives in parts', () => {
  it('is read row by row, with commas, quotes and line ends inside cells', async () => {
    expect(await rowsOf(TABLE)).toEqual(ROWS);
  });

  it('is the same wherever it is cut', async () => {
    for (let cut = 0; cut < TABLE.length; cut += 1)
      expect(await rowsOf(TABLE.slice(0, cut), TABLE.slice(cut))).toEqual(ROWS);
    expect(await rowsOf(...TABLE)).toEqual(ROWS);
  });

  it('may lack its last line end', async () => {
    expect(await rowsOf('a,b')).toEqual([['a', 'b']]);
    expect(await rowsOf('')).toEqual([]);
  });

  it('has cells that were kept from being formulas', () => {
    expect(plainCell("'=SUM(A1)")).toBe('=SUM(A1)');
    expect(plainCell("'s Gravenhage")).toBe("'s Gravenhage");
  });
});
