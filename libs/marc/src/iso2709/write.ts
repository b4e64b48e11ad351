/**
 * Writes records in stored form (see `grammar.ts`), the only form Quire writes.
 *
 * Numbers that do not fit their digits become all nines and `oversize` is told; who reads such a record walks the end
 * marks. Everything over 1 MiB is refused. Edits of a stored record (fields removed, one appended) copy bytes and
 * directory entries and decode nothing: this is the hot path of imports and exports.
 */

import { invalidTag, recordError, type RecordError, WarningList } from '../errors.js';
import { MarcRecord, TABLE_STRIDE } from '../record.js';
import {
  ENTRY_BYTES,
  FIELD_NUMBER_MAX,
  FIELD_TERMINATOR,
  isForbiddenControl,
  isTagByte,
  LEADER_BYTES,
  packTag,
  RECORD_BYTES_MAX,
  RECORD_NUMBER_MAX,
  RECORD_TERMINATOR,
  SUBFIELD_DELIMITER,
  unpackTag,
  writeDigits,
} from './grammar.js';

/** A field as bytes: body without end mark, UTF-8, for a data field with indicators and delimiters. */
export interface FieldBytes {
  readonly tag: string;
  readonly body: Uint8Array;
}

/** A record as bytes in stored form. */
export interface StoredRecord {
  readonly failed: false;
  readonly bytes: Buffer;
  /** A number of it is all nines because it does not fit: warning `OVERSIZE_LEADER`. */
  readonly oversize: boolean;
}

/** Body of a control field. Control characters become U+FFFD: nothing can write an end mark into text. */
export function controlField(tag: string, text: string): FieldBytes {
  return { tag, body: Buffer.from(replaceControls(text)) };
}

/**
 * Body of a data field.
 *
 * @param indicators two printable ASCII characters, such as `'10'` or `'  '`; anything else is written as a blank
 * @param subfields code (one character) and text
 */
export function dataField(
  tag: string,
  indicators: string,
  subfields: readonly (readonly [code: string, text: string])[],
): FieldBytes {
  let text = indicators
    .slice(0, 2)
    .replace(/[^\x20-\x7e]/g, ' ')
    .padEnd(2);
  for (const [code, value] of subfields) {
    text += String.fromCharCode(SUBFIELD_DELIMITER) + replaceControls(code + value);
  }
  return { tag, body: Buffer.from(text) };
}

/** Control characters but TAB, LF and CR, as one must not write them. */
export function replaceControls(text: string, by = '\ufffd'): string {
  let clean = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (!isForbiddenControl(text.charCodeAt(i))) continue;
    clean += text.slice(from, i) + by;
    from = i + 1;
  }
  return from === 0 ? text : clean + text.slice(from);
}

/** The fields of a record as `writeRecord` takes them; the bodies are views. */
export function fieldBytes(record: MarcRecord): FieldBytes[] {
  return Array.from({ length: record.fieldCount }, (_, i) => ({
    tag: record.tag(i),
    body: record.body(i),
  }));
}

/**
 * Writes a record from its leader and fields, in their order.
 *
 * @param leader 24 characters; lengths, 09, 10–11 and 20–23 are written anew, characters that are not printable ASCII
 *   become blanks
 * @returns the record, with warning `OVERSIZE_LEADER` where due; error `LEADER`, `TAG`, `NO_FIELDS` or `TOO_LARGE`
 */
export function writeRecord(
  leader: string,
  fields: readonly FieldBytes[],
): MarcRecord | RecordError {
  if (leader.length !== LEADER_BYTES) return recordError('LEADER', 0, { tag: 'LDR' });
  if (fields.length === 0) return recordError('NO_FIELDS', 0);
  const tags = new Uint32Array(fields.length);
  const ends = new Uint32Array(fields.length);
  let dataBytes = 0;
  for (let i = 0; i < fields.length; i++) {
    const { tag, body } = fields[i]!;
    if (!isTag(tag)) return invalidTag(tag);
    tags[i] = packTag(tag);
    dataBytes += body.length + 1;
    ends[i] = dataBytes;
  }
  if (dataBytes > RECORD_BYTES_MAX) return recordError('TOO_LARGE', 0);
  const data = Buffer.allocUnsafe(dataBytes);
  for (let i = 0, at = 0; i < fields.length; i++) {
    data.set(fields[i]!.body, at);
    at = ends[i]!;
    data[at - 1] = FIELD_TERMINATOR;
  }
  return writeStored(
    { leader: Buffer.from(leader, 'latin1'), tags, ends, data },
    new WarningList(),
  );
}

function isTag(tag: string): boolean {
  if (tag.length !== 3) return false;
  for (let i = 0; i < 3; i++) if (!isTagByte(tag.charCodeAt(i))) return false;
  return true;
}

/** A record in pieces: contiguous field bodies, each with its end mark; `ends` are offsets behind those marks. */
export interface Pieces {
  /** 24 bytes, of which the computed ones are ignored. */
  readonly leader: Uint8Array;
  /** Packed tags. */
  readonly tags: Uint32Array;
  readonly ends: Uint32Array;
  readonly data: Uint8Array;
}

/** Puts the pieces together; adds `OVERSIZE_LEADER` to the warnings where due. The readers' way to stored form. */
export function writeStored(pieces: Pieces, warnings: WarningList): MarcRecord | RecordError {
  const { tags, ends, data } = pieces;
  const count = tags.length;
  const base = LEADER_BYTES + count * ENTRY_BYTES + 1;
  const length = base + data.length + 1;
  if (length > RECORD_BYTES_MAX) return recordError('TOO_LARGE', 0);
  const bytes = Buffer.allocUnsafe(length);
  writeLeader(bytes, pieces.leader, length, base);
  const table = new Uint32Array(count * TABLE_STRIDE);
  let start = 0;
  let tooLong = length > RECORD_NUMBER_MAX ? 'LDR' : '';
  for (let i = 0; i < count; i++) {
    const end = ends[i]!;
    writeEntry(bytes, LEADER_BYTES + i * ENTRY_BYTES, tags[i]!, [end - start, start]);
    table[i * TABLE_STRIDE] = tags[i]!;
    table[i * TABLE_STRIDE + 1] = base + start;
    table[i * TABLE_STRIDE + 2] = base + end - 1;
    if (end - start > FIELD_NUMBER_MAX) tooLong ||= unpackTag(tags[i]!);
    start = end;
  }
  bytes[base - 1] = FIELD_TERMINATOR;
  bytes.set(data, base);
  bytes[length - 1] = RECORD_TERMINATOR;
  if (tooLong) warnings.add('OVERSIZE_LEADER', 0, { tag: tooLong });
  return new MarcRecord(bytes, table, warnings.list);
}

function writeLeader(bytes: Buffer, leader: Uint8Array, length: number, base: number): void {
  for (let i = 5; i < 20; i++) {
    const byte = leader[i]!;
    bytes[i] = byte >= 0x20 && byte <= 0x7e ? byte : 0x20;
  }
  bytes.write('a22', 9, 'latin1');
  bytes.write('4500', 20, 'latin1');
  writeDigits(bytes, 0, 5, length);
  writeDigits(bytes, 12, 5, base);
}

function writeEntry(
  bytes: Buffer,
  at: number,
  tag: number,
  [length, start]: readonly [number, number],
): void {
  bytes[at] = tag >> 16;
  bytes[at + 1] = (tag >> 8) & 0xff;
  bytes[at + 2] = tag & 0xff;
  writeDigits(bytes, at + 3, 4, length);
  writeDigits(bytes, at + 7, 5, start);
}

/** A change of a record that needs no decoding. */
export interface Edit {
  /** Fields for which this holds are left out. */
  readonly remove?: (record: MarcRecord, field: number) => boolean;
  /** A field to stand last. */
  readonly append?: FieldBytes;
}

/**
 * Removes fields and appends one, by copying bytes.
 *
 * @returns the same bytes if there is nothing to do; error `NO_FIELDS` if none is left, `TOO_LARGE` over 1 MiB
 */
export function editRecord(record: MarcRecord, edit: Edit): StoredRecord | RecordError {
  const { remove, append } = edit;
  if (append && !remove) return appendField(record, append);
  const kept: number[] = [];
  let dataBytes = 0;
  for (let i = 0; i < record.fieldCount; i++) {
    if (remove?.(record, i)) continue;
    kept.push(i);
    dataBytes += record.end(i) + 1 - record.start(i);
  }
  if (kept.length === record.fieldCount) {
    if (append) return appendField(record, append);
    return { failed: false, bytes: record.bytes, oversize: isOversize(record) };
  }
  const count = kept.length + (append ? 1 : 0);
  if (count === 0) return recordError('NO_FIELDS', 0);
  dataBytes += append ? append.body.length + 1 : 0;
  const tags = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const data = Buffer.allocUnsafe(dataBytes);
  let at = 0;
  for (const [k, i] of kept.entries()) {
    at += record.bytes.copy(data, at, record.start(i), record.end(i) + 1);
    tags[k] = record.packedTag(i);
    ends[k] = at;
  }
  if (append) {
    tags[count - 1] = packTag(append.tag);
    ends[count - 1] = dataBytes;
    data.set(append.body, at);
    data[dataBytes - 1] = FIELD_TERMINATOR;
  }
  const written = writeStored({ leader: record.bytes, tags, ends, data }, new WarningList());
  return written.failed
    ? written
    : { failed: false, bytes: written.bytes, oversize: isOversize(written) };
}

/** The commonest edit, and so the fastest: leader, directory and data are copied in two pieces. */
function appendField(record: MarcRecord, { tag, body }: FieldBytes): StoredRecord | RecordError {
  const old = record.bytes;
  const oldBase = record.start(0);
  const base = oldBase + ENTRY_BYTES;
  const length = old.length + ENTRY_BYTES + body.length + 1;
  if (length > RECORD_BYTES_MAX) return recordError('TOO_LARGE', 0);
  const bytes = Buffer.allocUnsafe(length);
  old.copy(bytes, 0, 0, oldBase - 1);
  writeDigits(bytes, 0, 5, length);
  writeDigits(bytes, 12, 5, base);
  const start = old.length - 1 - oldBase;
  writeEntry(bytes, oldBase - 1, packTag(tag), [body.length + 1, start]);
  bytes[base - 1] = FIELD_TERMINATOR;
  old.copy(bytes, base, oldBase, old.length - 1);
  bytes.set(body, base + start);
  bytes[length - 2] = FIELD_TERMINATOR;
  bytes[length - 1] = RECORD_TERMINATOR;
  const oversize =
    length > RECORD_NUMBER_MAX || body.length >= FIELD_NUMBER_MAX || isOversize(record);
  return { failed: false, bytes, oversize };
}

/** What keeps a record from being a valid ISO 2709 record, with the length that is too much. */
export type ExportLimit =
  | { readonly limit: 'record'; readonly length: number }
  | { readonly limit: 'field'; readonly length: number; readonly tag: string };

/** Checks the limits of binary export: a record of 99,999 bytes, a field of 9,999 with its end mark. */
export function exportLimit(record: MarcRecord): ExportLimit | undefined {
  if (record.bytes.length > RECORD_NUMBER_MAX) {
    return { limit: 'record', length: record.bytes.length };
  }
  // No field can be too long in a record that is not.
  if (record.bytes.length <= FIELD_NUMBER_MAX) return undefined;
  for (let i = 0; i < record.fieldCount; i++) {
    const length = record.end(i) + 1 - record.start(i);
    if (length > FIELD_NUMBER_MAX) return { limit: 'field', length, tag: record.tag(i) };
  }
  return undefined;
}

/** Is a number of the record written as all nines? */
export function isOversize(record: MarcRecord): boolean {
  return exportLimit(record) !== undefined;
}
