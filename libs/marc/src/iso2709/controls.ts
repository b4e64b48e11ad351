import type { RecordError } from '../errors.js';
import type { MarcRecord } from '../record.js';
import {
  ENTRY_BYTES,
  isForbiddenControl,
  LEADER_BYTES,
  readDigits,
  SUBFIELD_DELIMITER,
} from './grammar.js';
import { fieldBytes, writeRecord } from './write.js';

/**
 * The record without control characters inside its data. Readers of Quire let only one kind of them in: a subfield
 * delimiter inside a control field, which is kept with a warning.
 *
 * @returns undefined if there are none
 */
export function withoutControls(record: MarcRecord): MarcRecord | RecordError | undefined {
  const fields = fieldBytes(record);
  const allowed = (index: number): number => (record.isControl(index) ? -1 : SUBFIELD_DELIMITER);
  if (!fields.some(({ body }, index) => holdsControl(body, allowed(index)))) return undefined;
  const cleaned = fields.map(({ tag, body }, index) => ({
    tag,
    body: body.filter((byte) => byte === allowed(index) || !isForbiddenControl(byte)),
  }));
  return writeRecord(record.leader, cleaned);
}

function holdsControl(body: Uint8Array, allowed: number): boolean {
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (byte < 0x20 && byte !== allowed && isForbiddenControl(byte)) return true;
  }
  return false;
}

const ZERO = 0x30;

/**
 * Does a delimiter stand inside a control field? Looks at stored bytes without reading the record, at control fields that
 * stand first, where they belong: made for the path on which bytes pass untouched.
 */
export function hasDelimiterInControl(bytes: Buffer): boolean {
  const base = readDigits(bytes, 12, 5);
  if (base < LEADER_BYTES) return false;
  let end = base;
  for (let at = LEADER_BYTES; bytes[at] === ZERO && bytes[at + 1] === ZERO; at += ENTRY_BYTES)
    end += readDigits(bytes, at + 3, 4);
  // A hundred bytes or so: a loop is done before `indexOf` has begun.
  for (let at = base; at < end; at++) if (bytes[at] === SUBFIELD_DELIMITER) return true;
  return false;
}
