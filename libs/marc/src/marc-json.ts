/**
 * MARC-in-JSON, the form in which clients see parsed records:
 *
 *   {"leader": text, "fields": [{tag: text} | {tag: {"ind1": c, "ind2": c, "subfields": [{code: text}, …]}}, …]}
 *
 * A field without any subfield has `subfields: []`. `marcJsonText` writes the same as text in one go, because streams
 * of records are read as lines of JSON and an object per subfield would cost more than the rest together.
 */

import type { MarcRecord } from './record.js';

export interface MarcJsonData {
  ind1: string;
  ind2: string;
  subfields: Record<string, string>[];
}
export interface MarcJson {
  leader: string;
  fields: Record<string, string | MarcJsonData>[];
}

export function toMarcJson(record: MarcRecord): MarcJson {
  const fields: MarcJson['fields'] = [];
  for (let i = 0; i < record.fieldCount; i++) {
    fields.push({ [record.tag(i)]: record.isControl(i) ? record.text(i) : dataOf(record, i) });
  }
  return { leader: record.leader, fields };
}

function dataOf(record: MarcRecord, field: number): MarcJsonData {
  const [ind1 = ' ', ind2 = ' '] = record.indicators(field);
  const subfields = record.subfields(field).map(([code, text]) => ({ [code]: text }));
  return { ind1, ind2, subfields };
}

/** The same as `JSON.stringify(toMarcJson(record))`, character for character. */
export function marcJsonText(record: MarcRecord): string {
  let json = `{"leader":${quote(record.leader)},"fields":[`;
  // One decoding of all fields is several times cheaper than one per subfield; end marks and delimiters stay in it.
  const data = record.bytes.toString('utf8', record.start(0), record.bytes.length - 1);
  let start = 0;
  for (let i = 0; i < record.fieldCount; i++) {
    const end = data.indexOf('\x1e', start);
    json += i === 0 ? `{"${record.tag(i)}":` : `,{"${record.tag(i)}":`;
    const body = data.slice(start, end);
    json += `${record.isControl(i) ? quote(body) : dataText(body)}}`;
    start = end + 1;
  }
  return `${json}]}`;
}

/** A record as one line of a file of JSON lines, UTF-8, with its line end. */
export function writeMarcJsonLine(record: MarcRecord): Buffer {
  return jsonLine(marcJsonText(record));
}

/**
 * JSON without line ends as a line of UTF-8, with its line end. Characters that some readers take for line ends (U+0085,
 * U+2028, U+2029) are written as escapes.
 */
export function jsonLine(json: string): Buffer {
  const text = json.replace(
    /[\u0085\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(`${text}\n`);
}

/** Searches in the field alone: in the whole record a field without delimiters would be searched to its very end. */
function dataText(body: string): string {
  let json = `{"ind1":${quote(body[0]!)},"ind2":${quote(body[1]!)},"subfields":[`;
  let at = body.indexOf('\x1f', 2);
  let comma = '';
  while (at >= 0) {
    const next = body.indexOf('\x1f', at + 1);
    const text = at + 1 + (body.codePointAt(at + 1)! > 0xffff ? 2 : 1);
    const value = next < 0 ? body.slice(text) : body.slice(text, next);
    json += `${comma}{${quote(body.slice(at + 1, text))}:${quote(value)}}`;
    comma = ',';
    at = next;
  }
  return `${json}]}`;
}

const NEEDS_ESCAPE = /["\\\p{Cc}]/u;

/** A JSON string. The text comes from valid UTF-8, so there are no lone surrogates to mind. */
function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}
