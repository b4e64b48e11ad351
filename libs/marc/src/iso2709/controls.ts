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
  let found = false;
  const fields = fieldBytes(record).map(({ tag, body }, index) => {
    const allowed = record.isControl(index) ? -1 : SUBFIELD_DELIMITER;
    if (!holdsControl(body, allowed)) return { tag, body };
    found = true;
    return { tag, body: body.filter((byte) => byte === allowed || !isForbiddenControl(byte)) };
  });
  return found ? writeRecord(record.leader, fields) : undefined;
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
  const first = bytes.indexOf(SUBFIELD_DELIMITER, base);
  return first >= 0 && first < end;
}
