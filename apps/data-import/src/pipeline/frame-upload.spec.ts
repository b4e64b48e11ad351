import { generateMarc } from '@quire/testing/marc';
import type { UploadChunk } from '../domain/upload-chunk.js';
import { UploadFraming } from './frame-upload.js';

const RT = 0x1d;
const OPEN = '<collection xmlns="http://www.loc.gov/MARC21/slim">';
const XML_RECORD = '<record><leader>00000nam a2200000 i 4500</leader></record>';
const KIB = 1024;

interface Framed {
  readonly chunks: readonly UploadChunk[];
  readonly frames: number;
  readonly problem: string | undefined;
}

/** Pushes a file in pieces of the given sizes, the last one again and again. */
function framed(file: Buffer, ...sizes: readonly number[]): Framed {
  const framing = new UploadFraming();
  const chunks: UploadChunk[] = [];
  for (let at = 0, step = 0; at < file.length; step += 1) {
    const size = sizes[Math.min(step, sizes.length - 1)] ?? file.length;
    chunks.push(...framing.push(Buffer.from(file.subarray(at, at + size))));
    at += size;
  }
  chunks.push(...framing.end());
  return { chunks, frames: framing.frames, problem: framing.problem };
}

const joined = (...parts: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));

/** A frame of this length that looks like a record to framing. */
const frame = (length: number): Buffer => {
  const bytes = Buffer.alloc(length, 'x');
  bytes.write('00000');
  bytes[length - 1] = RT;
  return bytes;
};
const frames = (count: number, length: number): Buffer[] =>
  Array.from({ length: count }, () => frame(length));

const pairsOf = (chunk: UploadChunk | undefined): number[] =>
  JSON.parse(chunk?.frames ?? '[]') as number[];

describe('framing of an upload', () => {
  const records = [...generateMarc(7, 60)];
  const files: Readonly<Record<string, Buffer>> = {
    records: joined(...records),
    'records with blanks between': joined(...records.flatMap((one) => [one, '\r\n \0'])),
    'blanks before a record': joined(' '.repeat(1300), ...records.slice(0, 2)),
    XML: joined(`\uFEFF${OPEN}`, XML_RECORD.repeat(30), '</collection>'),
    'XML behind many blanks': joined(' '.repeat(1300), OPEN, XML_RECORD.repeat(2), '<x></y>'),
    'JSON behind many blanks': joined(' '.repeat(700), '[{"a":"1"} , {"leader":"00000nxm"}', '17'),
    'gzip that holds end marks': joined(
      Buffer.from('1f8b', 'hex'),
      ...frames(9, 100),
      'x'.repeat(900),
    ),
    'a picture': Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7 + 137) % 256)),
    'short text': Buffer.from('no MARC at all'),
    blanks: Buffer.alloc(2000, ' '),
  };

  it.each(Object.keys(files))('does not depend on how the bytes arrive: %s', (name) => {
    const file = files[name] ?? Buffer.alloc(0);
    const whole = framed(file);
    for (const sizes of [[1], [7], [511], [512], [513], [300, 300], [1, 4096], [511, 2, 65_536]])
      expect(framed(file, ...sizes)).toEqual(whole);
  });

  it('describes each frame by the bytes skipped before it and its length', () => {
    const { chunks, frames: count } = framed(
      joined('\r\n', frame(30), frame(40), '\n\n', frame(50)),
    );
    expect(count).toBe(3);
    expect(chunks).toEqual([
      {
        chunkNo: 0,
        offset: 0,
        length: 124,
        firstOrder: 0,
        count: 3,
        frames: '[2,30,0,40,2,50]',
        format: 'MARC_RAW',
      },
    ]);
  });

  it('cuts after a thousand frames, and the chunks join without a gap', () => {
    const { chunks, problem } = framed(joined(...frames(2001, 30)), 4096);
    expect(problem).toBeUndefined();
    expect(chunks.map(({ count }) => count)).toEqual([1000, 1000, 1]);
    expect(chunks.map(({ chunkNo }) => chunkNo)).toEqual([0, 1, 2]);
    expect(chunks.map(({ firstOrder }) => firstOrder)).toEqual([0, 1000, 2000]);
    expect(chunks.map(({ offset }) => offset)).toEqual([0, 30_000, 60_000]);
    expect(chunks.map(({ length }) => length)).toEqual([30_000, 30_000, 30]);
  });

  it('cuts before a frame that would make a chunk longer than 4 MiB', () => {
    const { chunks } = framed(joined(...frames(5, 900 * KIB)), 100_000);
    expect(chunks.map(({ count }) => count)).toEqual([4, 1]);
    for (const { length } of chunks) expect(length).toBeLessThanOrEqual(4096 * KIB);
  });

  it('lets a frame that is too long stand alone, between the others in their order', () => {
    const { chunks, frames: count } = framed(
      joined(frame(30), frame(1100 * KIB), frame(40), frame(50)),
      50_000,
    );
    expect(count).toBe(4);
    expect(chunks.map(({ refusal }) => refusal?.code)).toEqual([undefined, 'TOO_LARGE', undefined]);
    expect(chunks.map(({ firstOrder }) => firstOrder)).toEqual([0, 1, 2]);
    expect(pairsOf(chunks[1])).toEqual([0, 1100 * KIB]);
    expect(chunks[2]?.offset).toBe(30 + 1100 * KIB);
  });

  it.each([
    ['an empty file', '', 'EMPTY_FILE'],
    ['blanks', ' \r\n\0', 'EMPTY_FILE'],
    ['more blanks than are looked at', ' '.repeat(5000), 'EMPTY_FILE'],
    ['end marks with nothing before them', '\x1d\x1d\x1d', 'EMPTY_FILE'],
    ['text', 'dear library', 'EMPTY_FILE'],
    ['text that ends like a record', 'dear library\x1d', 'EMPTY_FILE'],
    ['XML without a record', '<collection/>', 'EMPTY_FILE'],
    ['XML with a record', OPEN + XML_RECORD, undefined],
    ['XML that is none', '<', undefined],
    ['XML with a DOCTYPE', `<!DOCTYPE a><a/>`, 'DOCTYPE_FORBIDDEN'],
    ['XML in another encoding', '<?xml version="1.0" encoding="latin1"?><a/>', 'NOT_UTF8'],
    ['JSON without a record', ' []', 'EMPTY_FILE'],
    ['JSON with an object', '{}', undefined],
    ['EDIFACT', "UNA:+.? '", 'EDIFACT'],
    ['a zip archive', 'PK\x03\x04…', 'COMPRESSED'],
    ['the beginning of a record', '00026', undefined],
    ['a record that is cut short', '00026nam a22', undefined],
    ['text and then a record', 'dear library\x1d00026nam\x1d', undefined],
  ])('says what is wrong with a file as a whole: %s', (_, text, problem) => {
    expect(framed(Buffer.from(text)).problem).toBe(problem);
  });

  it('finds nothing in a file of another format', () => {
    const { chunks, frames: count } = framed(joined('UNA', ...frames(3, 900)), 10);
    expect([chunks, count]).toEqual([[], 0]);
  });

  it('begins a chunk with no more skipped bytes than fit into it beside the record', () => {
    const blanks = 9 * 1024 * KIB;
    const { chunks } = framed(joined(frame(50), ' '.repeat(blanks), frame(100), frame(60)));
    expect(chunks.map(({ length }) => length)).toEqual([50, 4 * 1024 * KIB, 60]);
    expect(chunks[1]).toMatchObject({ firstOrder: 1, count: 1 });
    expect(chunks[1]!.offset + chunks[1]!.length).toBe(50 + blanks + 100);
    expect(pairsOf(chunks[1])).toEqual([4 * 1024 * KIB - 100, 100]);
  });

  it('counts a record that may refer to an earlier one only if it will be read', () => {
    const inOrder = (...parts: readonly (Buffer | string)[]): boolean => {
      const framing = new UploadFraming();
      framing.push(joined(...parts));
      framing.end();
      return framing.inOrder;
    };
    expect(inOrder('00030nam\x1d')).toBe(false);
    for (const type of 'uvxy') expect(inOrder(`00030n${type}m\x1d`)).toBe(true);
    expect(inOrder('00030nam\x1d', frame(1100 * KIB), '00030nam\x1d')).toBe(false);
  });

  it('takes a file for MARC only if one of the first thousand frames starts with five digits', () => {
    const junk = 'junk\x1d';
    expect(framed(joined(junk.repeat(999), frame(30))).problem).toBeUndefined();
    expect(framed(joined(junk.repeat(1000), frame(30))).problem).toBe('EMPTY_FILE');
  });

  it('lets a chunk of XML begin with a record, and tells the elements around its records', () => {
    const wrapped = `<b>${XML_RECORD}</b>`;
    const { chunks } = framed(
      joined(`<?xml version="1.0"?>${OPEN}`, XML_RECORD, '\n', XML_RECORD, wrapped),
    );
    expect(chunks).toMatchObject([
      {
        offset: 21 + OPEN.length,
        count: 2,
        frames: `[0,${XML_RECORD.length},1,${XML_RECORD.length}]`,
        format: 'MARC_XML',
        xmlContext: OPEN,
      },
      { count: 1, frames: `[0,${XML_RECORD.length}]`, xmlContext: `${OPEN}<b>` },
      { count: 1, refusal: { code: 'XML_SYNTAX', detail: expect.stringContaining('at byte') } },
    ]);
    expect(chunks[2]).not.toHaveProperty('xmlContext');
  });

  it('gives a file up in which what stands around the records changes more than 10,000 times', () => {
    const wrapped = (count: number): Framed =>
      framed(
        joined(
          OPEN,
          ...Array.from({ length: count }, (_, at) => `<w xmlns:b="${at}">${XML_RECORD}</w>`),
          '</collection>',
        ),
        65_536,
      );
    const most = wrapped(10_001);
    expect(most.problem).toBeUndefined();
    expect(most.chunks).toHaveLength(10_001);
    const { problem, chunks } = wrapped(20_000);
    expect(problem).toBe('TOO_MANY_WRAPPERS');
    expect(chunks.length).toBeLessThanOrEqual(10_001);
  });

  it('knows holdings in every format', () => {
    const inOrder = (text: string): boolean => {
      const framing = new UploadFraming();
      framing.push(Buffer.from(text));
      framing.end();
      return framing.inOrder;
    };
    for (const type of 'auvxy') {
      const holdings = type !== 'a';
      expect(inOrder(OPEN + XML_RECORD.replace('nam', `n${type}m`))).toBe(holdings);
      expect(inOrder(`[{"leader":"00000n${type}m"}]`)).toBe(holdings);
    }
  });
});
