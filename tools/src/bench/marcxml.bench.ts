/**
 * Reading MARCXML against saxes alone, and MARC-in-JSON against `JSON.parse` alone, on the same records in the same run.
 * Those only go through the text; the codec makes records of it, checked and in stored form.
 */

import { readRecord } from '@quire/marc/iso2709/read';
import { writeMarcJsonLine } from '@quire/marc/marc-json';
import { MarcJsonFramer } from '@quire/marc/marc-json-frames';
import { readMarcJsonFrame } from '@quire/marc/marc-json-read';
import type { Framer } from '@quire/marc/framing';
import { MarcXmlFramer } from '@quire/marc/marcxml-frames';
import { MarcXmlReader } from '@quire/marc/marcxml-read';
import {
  MARCXML_CLOSE,
  MARCXML_NAMESPACE,
  MARCXML_OPEN,
  writeMarcXml,
} from '@quire/marc/marcxml-write';
import { SaxesParser } from 'saxes';
import { type BenchLine, fastest, rate } from './codec.bench.js';

const CONTEXT = `<collection xmlns="${MARCXML_NAMESPACE}">`;
const PIECE_BYTES = 65_536;
/** Enough for a stable figure; saxes is slow. */
const RECORDS_MAX = 1000;

export function textFormatsBench(stored: readonly Buffer[]): BenchLine[] {
  const records = stored.slice(0, RECORDS_MAX).map((bytes) => {
    const record = readRecord(bytes);
    if (record.failed) throw new Error(`A record of the bench cannot be read: ${record.code}`);
    return record;
  });
  // Without the line end.
  const xml = records.map((record) => writeMarcXml(record).subarray(0, -1));
  const json = records.map((record) => writeMarcJsonLine(record).subarray(0, -1));
  const reader = new MarcXmlReader(CONTEXT);
  const [xmlSeconds, saxesSeconds] = fastest(xml, [
    (bytes) => lengthOf(reader.read(bytes)),
    readWithSaxes(),
  ]);
  const [jsonSeconds, parseSeconds] = fastest(json, [
    (bytes) => lengthOf(readMarcJsonFrame(bytes)),
    (bytes) => Object.keys(JSON.parse(bytes.toString()) as object).length,
  ]);
  const xmlFile = Buffer.from(`${MARCXML_OPEN}${xml.join('\n')}\n${MARCXML_CLOSE}`);
  const jsonFile = Buffer.from(json.join('\n'));
  return [
    {
      name: 'read MARCXML',
      value: rate(xml, xmlSeconds!),
      unit: 'MB/s',
      ratio: saxesSeconds! / xmlSeconds!,
      goal: 0.5,
    },
    {
      name: 'read MARC-in-JSON',
      value: rate(json, jsonSeconds!),
      unit: 'MB/s',
      ratio: parseSeconds! / jsonSeconds!,
    },
    frameLine('frames of a MARCXML file', xmlFile, () => new MarcXmlFramer()),
    frameLine('frames of a MARC-in-JSON file', jsonFile, () => new MarcJsonFramer()),
  ];
}

function lengthOf(read: ReturnType<typeof readMarcJsonFrame>): number {
  if (read.failed) throw new Error(`A record of the bench cannot be read: ${read.code}`);
  return read.bytes.length;
}

/** Takes what a reader of MARCXML must take: elements, attributes and text, with namespaces. */
function readWithSaxes(): (bytes: Buffer) => number {
  let count = 0;
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on('opentag', ({ attributes }) => {
    for (const name in attributes) count += name.length;
  });
  parser.on('text', (text) => {
    count += text.length;
  });
  parser.write(CONTEXT);
  return (bytes) => {
    parser.write(bytes.toString());
    return count;
  };
}

/** Frames come in pieces of 64 KiB, as from a socket or a file. */
function frameLine(name: string, file: Buffer, make: () => Framer): BenchLine {
  const split = (bytes: Buffer): number => {
    const framer = make();
    let count = 0;
    for (let from = 0; from < bytes.length; from += PIECE_BYTES)
      count += framer.push(bytes.subarray(from, from + PIECE_BYTES)).length;
    return count + framer.end().length;
  };
  const [seconds] = fastest([file], [split]);
  return { name, value: rate([file], seconds!), unit: 'MB/s' };
}
