import { inTime } from '../test/pace.js';
import { randomNumbers, sound } from '../test/records.js';
import { framesOf, OPEN, SLIM, xmlRecord } from '../test/xml.js';
import { RECORD_ERROR_CODES, RECORD_WARNING_CODES, type RecordError } from './errors.js';
import type { FoundFrame, Framer } from './framing.js';
import { readRecord } from './iso2709/read.js';
import { toMarcJson, writeMarcJsonLine } from './marc-json.js';
import { MarcJsonFramer } from './marc-json-frames.js';
import { readMarcJsonFrame } from './marc-json-read.js';
import { MarcXmlFramer } from './marcxml-frames.js';
import { MarcXmlReader } from './marcxml-read.js';
import { writeMarcXml } from './marcxml-write.js';
import type { MarcRecord } from './record.js';

type Read = MarcRecord | RecordError;

const subfield = '<subfield code="a">x</subfield>';
const xml = [
  xmlRecord('n1'),
  xmlRecord(
    'n2',
    '<datafield tag="500" ind1=\'"\' ind2="&lt;"><subfield code="&#x61;">&amp;&lt;&gt;&quot;&apos;]]&gt;</subfield></datafield>',
  ),
  xmlRecord('n3', `<datafield ind2=" " tag="500" ind1=" ">\n${subfield}\t${subfield}</datafield>`),
  xmlRecord('n4', '<!-- c --><controlfield tag="003">a<![CDATA[<b>]]>&#233;</controlfield>'),
].map((text) => Buffer.from(text));
const xmlFiles = [
  `<?xml version="1.0" encoding="UTF-8"?>\n${OPEN}\n${xml.join('\n')}\n</collection>\n`,
  `<a xmlns:m="${SLIM}"><b>${xmlRecord('n1', '', 'm:')} ${xmlRecord('n2', '', 'm:')}</b> ${xmlRecord('n3')}</a>`,
].map((text) => Buffer.from(text));
const xmlPlaces = { telling: Buffer.from('abcdexyz0123 .,<>/"\'&;=-]\n\r:é\x00'), head: 120 };

const lines = Buffer.concat([writeMarcJsonLine(sound()), writeMarcJsonLine(sound())]);
const json = [Buffer.from(JSON.stringify(toMarcJson(sound())))];
const jsonFiles = [lines, Buffer.from(`[${lines.toString().trim().replaceAll('\n', ',\n')}]`)];
const jsonPlaces = { telling: Buffer.from('{}[]",:\\ \n0aud8\xc3\xa9\xff\x00'), head: 120 };

/**
 * One to four of them: a byte changed, cut out, put in, or a run moved.
 *
 * @param telling bytes that mean something to the reader are likelier than others
 * @param head where the first half of the damages is done; the other half is anywhere
 */
function damaged(
  bytes: Buffer,
  random: (below: number) => number,
  { telling, head }: { telling: Buffer; head: number },
): Buffer {
  let made = Buffer.from(bytes);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(2) ? random(Math.min(made.length, head)) : random(made.length);
    const byte = random(3) ? telling[random(telling.length)]! : random(256);
    const kind = random(8);
    if (kind < 5) made[at] = byte;
    else if (kind === 5)
      made = Buffer.concat([made.subarray(0, at), made.subarray(at + 1 + random(14))]);
    else if (kind === 6)
      made = Buffer.concat([made.subarray(0, at), Buffer.from([byte]), made.subarray(at)]);
    else made = Buffer.concat([made.subarray(0, at), made.subarray(random(made.length))]);
    if (made.length === 0) made = Buffer.from('x');
  }
  return made;
}

/** Tens of thousands of `expect`s take longer than what they look at. */
function must(holds: boolean, what: string, bytes: Buffer): void {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(bytes.toString('latin1'))}`);
}

function same(one: Read, other: Read): boolean {
  if (one.failed || other.failed) return JSON.stringify(one) === JSON.stringify(other);
  return (
    one.bytes.equals(other.bytes) &&
    one.table.join() === other.table.join() &&
    JSON.stringify(one.warnings) === JSON.stringify(other.warnings)
  );
}

/** Coded, placed in the bytes, and a record in stored form if it is one. */
function sane(read: Read, bytes: Buffer): void {
  if (read.failed) {
    must(RECORD_ERROR_CODES.includes(read.code), read.code, bytes);
    must(read.offset >= 0 && read.offset <= bytes.length, 'offset', bytes);
    return;
  }
  for (const { code } of read.warnings) must(RECORD_WARNING_CODES.includes(code), code, bytes);
  const again = readRecord(read.bytes);
  must(!again.failed && again.bytes.equals(read.bytes), 'not in stored form', bytes);
}

/** Frames stand one behind the other and in the file, and do not depend on how it was cut. */
function framed(make: () => Framer, file: Buffer, random: (below: number) => number): FoundFrame[] {
  const frames = framesOf(make(), file);
  const pieces = framesOf(make(), file, 1 + random(file.length), 1 + random(40));
  must(JSON.stringify(pieces) === JSON.stringify(frames), 'depends on the pieces', file);
  let end = 0;
  for (const { offset, skipped, length } of frames) {
    must(offset - skipped === end && skipped >= 0 && length >= 0, 'gap', file);
    end = offset + length;
  }
  must(end <= file.length, 'beyond', file);
  return frames;
}

describe('any bytes', () => {
  it('give a record of MARCXML or an error, and the fast way says what saxes says', () => {
    const random = randomNumbers(20_240_602);
    const reader = new MarcXmlReader(OPEN);
    let failed = 0;
    for (let run = 0; run < 15_000; run++) {
      const frame = damaged(xml[run % xml.length]!, random, xmlPlaces);
      // A reader that knows the start tag takes the fast way where it can; a new one does not.
      if (run % 50 === 0) reader.read(xml[0]!);
      const read = reader.read(frame);
      must(same(new MarcXmlReader(OPEN).read(frame), read), 'not the same', frame);
      sane(read, frame);
      if (read.failed) failed++;
      else {
        const written = writeMarcXml(read).subarray(0, -1);
        must(!new MarcXmlReader(OPEN).read(written).failed, 'written', written);
      }
    }
    expect(failed).toBeGreaterThan(2_000);
    expect(failed).toBeLessThan(14_800);
  });

  it('give frames of MARCXML that can be read', () => {
    const random = randomNumbers(20_240_603);
    let found = 0;
    for (let run = 0; run < 3_000; run++) {
      const file = damaged(xmlFiles[run % xmlFiles.length]!, random, xmlPlaces);
      for (const { offset, length, refused, context } of framed(
        () => new MarcXmlFramer(),
        file,
        random,
      )) {
        if (refused) continue;
        found++;
        const read = new MarcXmlReader(context).read(file.subarray(offset, offset + length));
        must(
          !read.failed || read.code !== 'XML_SYNTAX',
          `cannot be read ${JSON.stringify(read)} ${context}`,
          file,
        );
      }
    }
    expect(found).toBeGreaterThan(1_000);
  });

  it('give a record of MARC-in-JSON or an error', () => {
    const random = randomNumbers(20_240_604);
    let failed = 0;
    for (let run = 0; run < 35_000; run++) {
      const frame = damaged(json[0]!, random, jsonPlaces);
      const read = readMarcJsonFrame(frame);
      must(same(readMarcJsonFrame(Buffer.from(frame)), read), 'not the same', frame);
      sane(read, frame);
      if (read.failed) failed++;
    }
    expect(failed).toBeGreaterThan(3_000);
    expect(failed).toBeLessThan(34_000);
  });

  it('give frames of MARC-in-JSON', () => {
    const random = randomNumbers(20_240_605);
    let found = 0;
    for (let run = 0; run < 7_000; run++) {
      const file = damaged(jsonFiles[run % jsonFiles.length]!, random, jsonPlaces);
      const frames = framed(() => new MarcJsonFramer(), file, random);
      found += frames.filter(({ refused }) => !refused).length;
    }
    expect(found).toBeGreaterThan(2_000);
  });

  it('take no longer than their length asks for, however bad', () => {
    const many = (text: (i: number) => string, size: number) =>
      Array.from({ length: Math.floor(size / text(100_000).length) }, (_, i) => text(i)).join('');
    const size = 1_040_000;
    const hostile: (readonly [read: (frame: Buffer) => Read, text: string])[] = [
      ...[
        `<record ${many((i) => `a${i}="" `, size)}></record>`,
        `<record>${'<a>'.repeat(size / 7)}${'</a>'.repeat(size / 7)}</record>`,
        `<record>${'&amp;'.repeat(size / 5)}</record>`,
        `<record>${'<a/>'.repeat(size / 4)}</record>`,
        `<record>${`<controlfield tag="001">${'&#x41;'.repeat(size / 6)}`}</controlfield></record>`,
        xmlRecord(
          'x',
          `<datafield tag="500" ind1=" " ind2=" ">${'<subfield code="">x</subfield>'.repeat(size / 30)}</datafield>`,
        ),
      ].map((text) => [(frame: Buffer) => new MarcXmlReader(OPEN).read(frame), text] as const),
      ...[
        `{"a":${'['.repeat(size)}`,
        `{"leader":"00000nam a2200000 i 4500","fields":[${many((i) => `{"500":{"subfields":[{"a":"${i}"}]}},`, size)}{}]}`,
      ].map((text) => [readMarcJsonFrame, text] as const),
    ];
    for (const [read, text] of hostile) {
      const frame = Buffer.from(text);
      const soon = inTime(() => {
        read(frame);
      });
      expect([text.slice(0, 60), soon]).toEqual([text.slice(0, 60), true]);
    }
  });
});
