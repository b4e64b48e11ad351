import type { FileFormat, UploadChunk } from '../domain/upload-chunk.js';
import { failedFile, oneLine, type FailedFrame } from './failed-frames.js';
import { UploadFraming } from './frame-upload.js';

const SLIM = 'http://www.loc.gov/MARC21/slim';
const record = (number: string, prefix = ''): string =>
  `<${prefix}record><${prefix}leader>${number}</${prefix}leader></${prefix}record>`;

async function fileOf(format: FileFormat, frames: readonly FailedFrame[]): Promise<Buffer> {
  async function* given(): AsyncGenerator<FailedFrame> {
    for (const frame of frames) yield await Promise.resolve(frame);
  }
  const parts: Buffer[] = [];
  for await (const part of failedFile(format, given())) parts.push(part);
  return Buffer.concat(parts);
}

/** The frames of a file, each as it stands in it, with the elements around it. */
function framesOf(file: Buffer): FailedFrame[] {
  const framing = new UploadFraming();
  const chunks: UploadChunk[] = [...framing.push(file), ...framing.end()];
  expect(framing.problem).toBeUndefined();
  return chunks.flatMap(({ offset, frames, xmlContext, refusal }) => {
    expect(refusal).toBeUndefined();
    let at = offset;
    const pairs = JSON.parse(frames) as number[];
    return Array.from({ length: pairs.length / 2 }, (_, i) => {
      const start = at + pairs[2 * i]!;
      at = start + pairs[2 * i + 1]!;
      return { bytes: file.subarray(start, at), ...(xmlContext && { xmlContext }) };
    });
  });
}

const texts = (frames: readonly FailedFrame[]): string[] =>
  frames.map(({ bytes }) => bytes.toString());

describe('a file of failed frames', () => {
  it('is one behind the other in ISO 2709', async () => {
    const frames = [Buffer.from('00026x\x1d'), Buffer.from('00027y\x1d')];
    const file = await fileOf(
      'MARC_RAW',
      frames.map((bytes) => ({ bytes })),
    );
    expect(file).toEqual(Buffer.concat(frames));
  });

  it('is one collection of MARCXML', async () => {
    const source = Buffer.from(`<c xmlns="${SLIM}">${record('1')} ${record('2')}</c>`);
    const file = await fileOf('MARC_XML', framesOf(source));
    expect(file.toString()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="${SLIM}">\n${record('1')}\n${record('2')}\n</collection>\n`,
    );
  });

  it('gives the same records again, whatever elements they stood in', async () => {
    const source = Buffer.from(
      `<a xmlns:m="${SLIM}" xmlns:q="http://example.org/?a=&quot;&amp;">${record('1', 'm:')}<b>${record('2', 'm:')}</b>${record('3')}` +
        `<c xmlns="${SLIM}">${record('4')}<d xmlns="">${record('5')}</d></c></a>`,
    );
    const frames = framesOf(source);
    expect(frames).toHaveLength(5);
    const again = framesOf(await fileOf('MARC_XML', frames));
    expect(texts(again)).toEqual(texts(frames));
    expect(texts(framesOf(await fileOf('MARC_XML', [...frames].reverse())))).toEqual(
      texts(frames).reverse(),
    );
  });

  it('is well-formed without any', async () => {
    expect((await fileOf('MARC_XML', [])).toString()).toBe(
      `<collection xmlns="${SLIM}"></collection>\n`,
    );
  });

  it('is one object of JSON behind the other, each as received', async () => {
    const frames = ['{"a":\r\n1}', '{"b":2}'].map((text) => ({ bytes: Buffer.from(text) }));
    const file = await fileOf('MARC_JSON', frames);
    expect(file.toString()).toBe('{"a":\r\n1}\n{"b":2}\n');
    expect(texts(framesOf(file))).toEqual(texts(frames));
    expect(oneLine(frames[0]!.bytes).toString()).toBe('{"a":  1}');
  });

  it('is the same when its frames come in pieces', async () => {
    const source = Buffer.from(`<c xmlns="${SLIM}">${record('1')} ${record('2')}</c>`);
    const pieces = framesOf(source).flatMap(({ bytes, xmlContext }) => [
      { bytes: bytes.subarray(0, 9), xmlContext, ends: false },
      { bytes: bytes.subarray(9), xmlContext, begins: false },
    ]);
    expect(await fileOf('MARC_XML', pieces)).toEqual(await fileOf('MARC_XML', framesOf(source)));
  });
});
