/**
 * Reads one frame: ISO 2709 bytes in, a record in stored form out, or the reason why not.
 *
 * Nearly all frames of well-kept files are in stored form already. `readSound` proves that in one pass over the bytes,
 * without decoding or copying, and the record is then a view of the frame. Whatever it does not like goes the long way
 * (`readRepaired`), which knows every fault and repair, and writes the record anew. Both ways end in stored form, and
 * reading that again changes nothing.
 *
 * Never throws, whatever the bytes; takes time linear in them (n log n for unordered directories).
 */

import { isUtf8 } from 'node:buffer';
import { recordError, type RecordError, type RecordWarning, WarningList } from '../errors.js';
import { MarcRecord, TABLE_STRIDE } from '../record.js';
import { type CharsetRules, decideCharset } from './charset.js';
import { FieldRepair } from './content.js';
import { type Layout, readDirectory } from './directory.js';
import {
  ENTRY_BYTES,
  FIELD_TERMINATOR,
  isControlTag,
  isForbiddenControl,
  isTagByte,
  LEADER_BYTES,
  readDigits,
  RECORD_BYTES_MAX,
  RECORD_NUMBER_MAX,
  RECORD_TERMINATOR,
  SUBFIELD_DELIMITER,
} from './grammar.js';
import { writeStored } from './write.js';

export interface ReadOptions extends CharsetRules {
  /** The bytes that were skipped before the frame, for warning `BYTES_SKIPPED`. */
  readonly skipped?: Uint8Array;
}

const NO_WARNINGS: readonly RecordWarning[] = [];
const NO_OPTIONS: ReadOptions = {};

/**
 * Reads one frame, which ends with its end mark or where the file ended.
 *
 * @returns a record whose bytes are the frame itself if it is in stored form, and new ones if not
 */
export function readRecord(frame: Buffer, options = NO_OPTIONS): MarcRecord | RecordError {
  const skipped = options.skipped;
  const table = readSound(frame);
  if (!table) return readRepaired(frame, options);
  if (!skipped || skipped.length === 0) return new MarcRecord(frame, table, NO_WARNINGS);
  const warnings = new WarningList();
  noteSkipped(skipped, warnings);
  return new MarcRecord(frame, table, warnings.list);
}

/**
 * Reads the text of one record, as record batches send it: Unicode already, so leader/09 is not asked. What stands
 * before the record is skipped, what stands behind its end mark is ignored with a warning.
 */
export function readRecordText(
  text: string,
  options: { strict?: boolean } = {},
): MarcRecord | RecordError {
  const bytes = Buffer.from(text);
  let start = 0;
  while (start < bytes.length && isBlank(bytes[start]!)) start++;
  const mark = bytes.indexOf(RECORD_TERMINATOR, start);
  const end = mark < 0 ? bytes.length : mark + 1;
  const skipped = bytes.subarray(0, start);
  const read = readRecord(bytes.subarray(start, end), { ...options, unicode: true, skipped });
  if (read.failed || end === bytes.length) return read;
  const trailing: RecordWarning = {
    code: 'TRAILING_DATA',
    offset: end - start,
    count: bytes.length - end,
    detail: 'Text behind the end mark of the record was ignored',
  };
  return new MarcRecord(read.bytes, read.table, [...read.warnings, trailing]);
}

/** Table of a frame in stored form with all its numbers true, or undefined for any other. */
function readSound(bytes: Buffer): Uint32Array | undefined {
  const end = bytes.length - 1;
  if (end < LEADER_BYTES || end >= RECORD_NUMBER_MAX || bytes[end] !== RECORD_TERMINATOR) return;
  if (!isStoredLeader(bytes)) return;
  const base = readDigits(bytes, 12, 5);
  const count = (base - LEADER_BYTES - 1) / ENTRY_BYTES;
  if (count < 1 || count % 1 !== 0 || base >= end || bytes[base - 1] !== FIELD_TERMINATOR) return;
  const table = new Uint32Array(count * TABLE_STRIDE);
  let start = base;
  for (let i = 0, at = LEADER_BYTES; i < table.length; i += TABLE_STRIDE, at += ENTRY_BYTES) {
    const last = start + readDigits(bytes, at + 3, 4) - 1;
    if (readDigits(bytes, at + 7, 5) !== start - base || last < start || last >= end) return;
    if (bytes[last] !== FIELD_TERMINATOR) return;
    if (!isTagByte(bytes[at]) || !isTagByte(bytes[at + 1]) || !isTagByte(bytes[at + 2])) return;
    const tag = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (!(isControlTag(tag) ? isText(bytes, start, last) : isDataBody(bytes, start, last))) return;
    table[i] = tag;
    table[i + 1] = start;
    table[i + 2] = last;
    start = last + 1;
  }
  return start === end && isUtf8(bytes) ? table : undefined;
}

/** True length, leader/09 `a`, 10–11 `22`, 20–23 `4500`, all of it printable ASCII. */
function isStoredLeader(bytes: Buffer): boolean {
  for (let i = 5; i < LEADER_BYTES; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return (
    bytes[9] === 0x61 &&
    bytes[10] === 0x32 &&
    bytes[11] === 0x32 &&
    bytes[20] === 0x34 &&
    bytes[21] === 0x35 &&
    bytes[22] === 0x30 &&
    bytes[23] === 0x30 &&
    readDigits(bytes, 0, 5) === bytes.length
  );
}

function isText(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i]! < 0x20 && isForbiddenControl(bytes[i]!)) return false;
  }
  return true;
}

/** Two printable indicators, a delimiter, and a code behind every delimiter. */
function isDataBody(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 4 || bytes[start + 2] !== SUBFIELD_DELIMITER) return false;
  const first = bytes[start]!;
  const second = bytes[start + 1]!;
  if (first < 0x20 || first > 0x7e || second < 0x20 || second > 0x7e) return false;
  for (let i = start + 2; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x20) continue;
    // A delimiter must be followed by its code; the end mark behind the field counts as none.
    if (byte === SUBFIELD_DELIMITER ? bytes[i + 1]! < 0x20 : isForbiddenControl(byte)) return false;
  }
  return true;
}

function readRepaired(frame: Buffer, options: ReadOptions): MarcRecord | RecordError {
  const warnings = new WarningList();
  if (options.skipped) noteSkipped(options.skipped, warnings);
  const ended = frame[frame.length - 1] === RECORD_TERMINATOR;
  if (frame.length > RECORD_BYTES_MAX) return recordError('TOO_LARGE', 0);
  if (!ended) {
    if (frame[frame.length - 1] !== FIELD_TERMINATOR) {
      return recordError('TRUNCATED', frame.length);
    }
    warnings.add('TERMINATOR_ADDED', frame.length);
  }
  const end = ended ? frame.length - 1 : frame.length;
  if (end < LEADER_BYTES) return recordError('LEADER', 0, { tag: 'LDR' });
  noteLeader(frame, end + 1, warnings);
  const layout = readLayout(frame, end, warnings);
  if ('failed' in layout) return layout;
  const fields = readDirectory(layout, warnings);
  if ('failed' in fields) return fields;
  return repair(layout, fields, options, warnings);
}

/** Length and characters of the leader; neither stops the reading. */
function noteLeader(frame: Buffer, length: number, warnings: WarningList): void {
  const declared = readDigits(frame, 0, 5);
  const saturated = declared === RECORD_NUMBER_MAX && length > RECORD_NUMBER_MAX;
  if (declared !== length && !saturated) warnings.add('LENGTH_MISMATCH', 0, { tag: 'LDR' });
  for (let i = 5; i < 20; i++) {
    const computed = i >= 9 && i < 17;
    if (computed || (frame[i]! >= 0x20 && frame[i]! <= 0x7e)) continue;
    const detail = 'The leader held characters that are not allowed there; they became blanks';
    warnings.add('CONTROL_CHAR', i, { tag: 'LDR', field: 0, detail });
  }
}

function readLayout(frame: Buffer, end: number, warnings: WarningList): Layout | RecordError {
  const widths = readEntryMap(frame, warnings);
  if (!widths) {
    const detail = 'The leader (20–23) describes no possible directory';
    return recordError('DIRECTORY', 20, { tag: 'LDR', detail });
  }
  const [lengthDigits, startDigits, extra] = widths;
  const entryBytes = 3 + lengthDigits + startDigits + extra;
  const declared = readDigits(frame, 12, 5);
  const first = frame.indexOf(FIELD_TERMINATOR, LEADER_BYTES);
  const firstBase = first >= 0 && (first - LEADER_BYTES) % entryBytes === 0 ? first + 1 : -1;
  const holds =
    declared > LEADER_BYTES && declared <= end && frame[declared - 1] === FIELD_TERMINATOR;
  if (firstBase < 0 && !holds) return recordError('BASE_ADDRESS', 12, { tag: 'LDR' });
  const base = firstBase < 0 ? declared : firstBase;
  const saturated = declared === RECORD_NUMBER_MAX && base > RECORD_NUMBER_MAX;
  if (base !== declared && !saturated) warnings.add('BASE_REBUILT', 12, { tag: 'LDR' });
  return { bytes: frame, lengthDigits, startDigits, entryBytes, base, end };
}

/** Digits of length and start, and bytes behind them; blanks read as `4500`. */
function readEntryMap(frame: Buffer, warnings: WarningList): [number, number, number] | undefined {
  const map = frame.toString('latin1', 20, LEADER_BYTES);
  if (map !== '4500') warnings.add('ENTRY_MAP', 20, { tag: 'LDR' });
  const widths = [...map].map((char, i) => (char === ' ' ? '4500'[i]! : char));
  if (widths.some((char) => char < '0' || char > '9')) return undefined;
  const [length, start, extra] = widths.map(Number) as [number, number, number, number];
  return length > 0 && start > 0 ? [length, start, extra] : undefined;
}

function repair(
  layout: Layout,
  fields: Uint32Array,
  rules: CharsetRules,
  warnings: WarningList,
): MarcRecord | RecordError {
  const { bytes, base, end } = layout;
  const data = bytes.subarray(base, end);
  const charset = decideCharset({ data, base, flag: bytes[9]! }, rules, warnings);
  if (typeof charset !== 'string') return charset;
  const count = fields.length / TABLE_STRIDE;
  const tags = new Uint32Array(count);
  const ends = new Uint32Array(count);
  // Three bytes for one, two indicators for none, and an end mark.
  const target = Buffer.allocUnsafe(data.length * 3 + count * 3);
  const writer = new FieldRepair(bytes, target, charset, warnings);
  for (let i = 0; i < count; i++) {
    const at = i * TABLE_STRIDE;
    tags[i] = fields[at]!;
    writer.field(fields[at]!, fields[at + 1]!, fields[at + 2]!);
    ends[i] = writer.endMark(FIELD_TERMINATOR);
  }
  if (rules.strict) {
    const unknown = warnings.list.find(({ code }) => code === 'MARC8_UNKNOWN');
    if (unknown) return unknownCharacters(unknown);
  }
  const pieces = { leader: bytes, tags, ends, data: target.subarray(0, ends[count - 1]) };
  return writeStored(pieces, warnings);
}

/** Under the option `strict` no character may be lost. */
function unknownCharacters({ offset, tag = '', count }: RecordWarning): RecordError {
  const what = count === 1 ? 'a character that is' : `${count} characters that are`;
  return recordError('ENCODING', offset, {
    tag,
    detail: `Field ${tag} holds ${what} unknown in MARC-8`,
  });
}

/** Line ends between records are common and harmless; anything else is worth a word. */
function noteSkipped(skipped: Uint8Array, warnings: WarningList): void {
  const at = skipped.findIndex((byte) => byte !== 0x0a && byte !== 0x0d);
  if (at >= 0) warnings.add('BYTES_SKIPPED', 0, { count: skipped.length });
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x00 || byte === 0x1a;
}
