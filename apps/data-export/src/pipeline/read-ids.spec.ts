import { uuidText } from '@quire/contracts/ids';
import { LINE_BYTES_MAX, readIds } from './read-ids.js';

const A = 'aaaaaaaa-0000-4000-8000-00000000000a';
const B = 'bbbbbbbb-1111-5111-9111-00000000000b';

interface Read {
  readonly ids: [line: number, id: string][];
  readonly invalid: [line: number, input: string][];
  blank: number;
}

/** Reads the bytes in chunks of this size. */
async function read(input: string | Buffer, chunkBytes = 1 << 20): Promise<Read> {
  const bytes = Buffer.from(input);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    await Promise.resolve();
  }
  const all: Read = { ids: [], invalid: [], blank: 0 };
  for await (const batch of readIds(chunks())) {
    batch.ids.forEach((id, index) => all.ids.push([batch.lines[index] ?? 0, uuidText(id)]));
    for (const { line, input: text } of batch.invalid) all.invalid.push([line, text]);
    all.blank += batch.blank;
  }
  return all;
}

describe('reading a file of ids', () => {
  it.each([
    ['LF', `${A}\n${B}`],
    ['CRLF', `${A}\r\n${B}\r\n`],
    ['CR', `${A}\r${B}\r`],
    ['a byte order mark', `\ufeff${A}\n${B}`],
    ['quotes', `"${A}"\n"${B}"`],
    ['commas and semicolons', `${A},\n${B};\n`],
    ['blanks and tabs', `  ${A}\t\n\t${B} `],
    ['capitals', `${A.toUpperCase()}\n${B.toUpperCase()}\n`],
    ['other characters', `→${A}\u00a0\nid:\u0000${B}`.replace('id:', '')],
  ])('takes %s', async (_, text) => {
    for (const chunkBytes of [1, 7, 36, 1 << 20]) {
      const { ids, invalid } = await read(text, chunkBytes);
      expect(invalid).toEqual([]);
      expect(ids).toEqual([
        [1, A],
        [2, B],
      ]);
    }
  });

  it('counts blank lines in line numbers and nowhere else', async () => {
    for (const chunkBytes of [1, 3, 1 << 20]) {
      const { ids, invalid, blank } = await read(`\n \r\n${A}\n\u3000\n\n${B}\n`, chunkBytes);
      expect(ids.map(([line]) => line)).toEqual([3, 6]);
      expect(invalid).toEqual([]);
      expect(blank).toBe(4);
    }
  });

  it.each([
    ['two ids on a line', `${A} ${B}`],
    ['a header', 'uuid'],
    ['a UUID of version 7', 'aaaaaaaa-0000-7000-8000-00000000000a'],
    ['a UUID of another variant', 'aaaaaaaa-0000-4000-c000-00000000000a'],
    ['the nil UUID', '00000000-0000-0000-0000-000000000000'],
    ['dashes elsewhere', 'aaaaaaaa0-000-4000-8000-00000000000a'],
    ['a letter too many', `${A}f`],
    ['only punctuation', ';;;'],
  ])('calls %s invalid', async (_, line) => {
    expect(await read(`${line}\n${A}`)).toMatchObject({ ids: [[2, A]], invalid: [[1, line]] });
  });

  it('loses only the line of a byte that cannot be decoded', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${A}\n`),
      Buffer.from([0xff]),
      Buffer.from(`${B}\n${B}`),
    ]);
    const { ids, invalid } = await read(bytes);
    expect(ids).toEqual([
      [1, A],
      [3, B],
    ]);
    expect(invalid).toEqual([[2, `\ufffd${B}`]]);
  });

  it('takes a line of 64 KiB and makes one invalid line of a longer one', async () => {
    const fits = `${A}${' '.repeat(LINE_BYTES_MAX - 36)}`;
    for (const chunkBytes of [1000, 65_536, 1 << 20]) {
      const { ids, invalid } = await read(`${fits}\n${fits} \n${B}`, chunkBytes);
      expect(ids).toEqual([
        [1, A],
        [3, B],
      ]);
      expect(invalid.map(([line]) => line)).toEqual([2]);
    }
  });

  it('keeps little of a very long line', async () => {
    const { invalid } = await read('é'.repeat(3_000_000), 65_536);
    expect(invalid).toHaveLength(1);
    expect(invalid[0]?.[1]).toHaveLength(257);
  });

  it.each([
    ['nothing', ''],
    ['only a byte order mark', '\ufeff'],
    ['only blank lines', '\n\n \n'],
  ])('finds no line in %s', async (_, text) => {
    expect(await read(text)).toMatchObject({ ids: [], invalid: [] });
  });

  it('gives the same whatever the chunks are', async () => {
    const text = `\ufeff${A}\r\n\r\nx\r${B}\n\n"${A}"\r\n${'z'.repeat(70_000)}\r\n${B}`;
    const whole = await read(text);
    for (let chunkBytes = 1; chunkBytes < 90; chunkBytes += 1)
      expect(await read(text, chunkBytes)).toEqual(whole);
  });
});
