/** Made-up records for the specs, sound and damaged. */

import { FIELD_TERMINATOR } from '../src/iso2709/grammar.js';
import type { MarcRecord } from '../src/record.js';
import type { RecordError } from '../src/errors.js';
import { controlField, dataField, type FieldBytes, writeRecord } from '../src/iso2709/write.js';

export const LEADER = '00000nam a2200000 i 4500';

export const FIELDS: readonly FieldBytes[] = [
  controlField('001', 'qx0001'),
  controlField('003', 'QUI'),
  controlField('005', '20240102030405.0'),
  controlField('008', '240102s2024    xx            000 0 eng d'),
  dataField('245', '10', [
    ['a', 'Møøse and “Мышь” :'],
    ['b', 'a tale in 漢字 /'],
    ['c', 'by Δ. Author.'],
  ]),
  dataField('650', ' 0', [['a', 'Mice.']]),
  dataField('999', '  ', [['a', 'local']]),
];

/** A sound record; fields and leader as wanted. */
export function sound(fields: readonly FieldBytes[] = FIELDS, leader = LEADER): MarcRecord {
  const record = writeRecord(leader, fields);
  if (record.failed) throw new Error(`fixture: ${record.code}`);
  return record;
}

/** A copy of the bytes with other text at some place (ASCII or byte escapes). */
export function patched(bytes: Buffer, at: number, text: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(text, at, 'latin1');
  return copy;
}

/** The bytes with some of them cut out and others put in. */
export function spliced(bytes: Buffer, at: number, cut: number, text = ''): Buffer {
  const all = bytes.toString('latin1');
  return Buffer.from(all.slice(0, at) + text + all.slice(at + cut), 'latin1');
}

/**
 * A frame with a body that no writer would give: bodies in Latin-1 escapes, all numbers true, entries in the order of
 * the fields.
 */
export function frameOf(
  fields: readonly (readonly [tag: string, body: string])[],
  leader = LEADER,
): Buffer {
  let directory = '';
  let data = '';
  for (const [tag, body] of fields) {
    const length = String(body.length + 1).padStart(4, '0');
    directory += tag + length + String(data.length).padStart(5, '0');
    data += body + String.fromCharCode(FIELD_TERMINATOR);
  }
  const base = 24 + directory.length + 1;
  const length = base + data.length + 1;
  const numbers = (value: number) => String(value).padStart(5, '0');
  const head = numbers(length) + leader.slice(5, 12) + numbers(base) + leader.slice(17);
  return Buffer.from(`${head}${directory}\x1e${data}\x1d`, 'latin1');
}

/** Codes of the warnings, or the code of the error. */
export function outcome(read: MarcRecord | RecordError): string | string[] {
  return read.failed ? read.code : read.warnings.map((warning) => warning.code);
}

/** Numbers from a seed, the same in every run: mulberry32. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
