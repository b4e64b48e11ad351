/**
 * Opens records that Quire wrote itself, and keeps the books of their field 999 ff.
 *
 * Stored records carry exactly one 999 with both indicators `f`, as their last field: `$s` the matched id, `$i` the id
 * of the instance, authority or holdings record where there is one. A plain 999 is an ordinary field.
 */

import type { RecordError } from '../errors.js';
import { MarcRecord, TABLE_STRIDE } from '../record.js';
import {
  ENTRY_BYTES,
  FIELD_TERMINATOR,
  LEADER_BYTES,
  packTag,
  readDigits,
  RECORD_NUMBER_MAX,
  RECORD_TERMINATOR,
} from './grammar.js';
import { readRecord } from './read.js';
import { dataField, editRecord, type FieldBytes, type StoredRecord } from './write.js';

const LOWER_F = 0x66;
const TAG_999 = packTag('999');

/**
 * Lays a record over bytes that `readRecord`, `writeRecord` or an edit gave, without proving them again.
 *
 * @throws Error if they are no record: then the store is damaged
 */
export function openStored(bytes: Buffer): MarcRecord {
  const table = readEntries(bytes);
  if (table) return new MarcRecord(bytes, table, []);
  const record = readRecord(bytes);
  if (record.failed) throw new Error(`Stored record is damaged: ${record.code}`);
  return record;
}

/** The table as the directory has it; undefined for oversize records, whose end marks must be walked. */
function readEntries(bytes: Buffer): Uint32Array | undefined {
  const end = bytes.length - 1;
  const base = readDigits(bytes, 12, 5);
  if (end > RECORD_NUMBER_MAX || base > end || bytes[end] !== RECORD_TERMINATOR) return undefined;
  const count = (base - LEADER_BYTES - 1) / ENTRY_BYTES;
  if (count < 1 || count % 1 !== 0) return undefined;
  const table = new Uint32Array(count * TABLE_STRIDE);
  let start = base;
  for (let i = 0, at = LEADER_BYTES; i < table.length; i += TABLE_STRIDE, at += ENTRY_BYTES) {
    const last = start + readDigits(bytes, at + 3, 4) - 1;
    if (last < start || bytes[last] !== FIELD_TERMINATOR) return undefined;
    table[i] = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    table[i + 1] = start;
    table[i + 2] = last;
    start = last + 1;
  }
  return start === end ? table : undefined;
}

/** Is this field a 999 with both indicators `f`? */
export function is999ff(record: MarcRecord, field: number): boolean {
  if (record.packedTag(field) !== TAG_999) return false;
  const start = record.start(field);
  return record.bytes[start] === LOWER_F && record.bytes[start + 1] === LOWER_F;
}

/** What the 999 ff fields of a record say: the first `$s` and `$i` that are not empty. */
export interface Ids999ff {
  /** How many fields 999 ff there are. */
  readonly count: number;
  readonly s?: string;
  readonly i?: string;
}

export function find999ff(record: MarcRecord): Ids999ff {
  let count = 0;
  let s: string | undefined;
  let i: string | undefined;
  for (let field = record.find('999'); field >= 0; field = record.find('999', field + 1)) {
    if (!is999ff(record, field)) continue;
    count++;
    s ||= firstFilled(record, field, 's');
    i ||= firstFilled(record, field, 'i');
  }
  return { count, ...(s && { s }), ...(i && { i }) };
}

function firstFilled(record: MarcRecord, field: number, code: string): string | undefined {
  return record.subfields(field).find(([key, text]) => key === code && text !== '')?.[1];
}

/**
 * The record as it is stored: every 999 ff it has goes, one with these ids comes last.
 *
 * @param ids `s` matched id, `i` external id where there is one
 * @returns error `TOO_LARGE` if that makes it longer than 1 MiB
 */
export function with999ff(
  record: MarcRecord,
  ids: { s: string; i?: string | undefined },
): StoredRecord | RecordError {
  const append = field999ff(ids);
  if (record.find('999') < 0) return editRecord(record, { append });
  return editRecord(record, { remove: is999ff, append });
}

/** A field 999 ff as bytes. */
export function field999ff({ s, i }: { s: string; i?: string | undefined }): FieldBytes {
  return dataField(
    '999',
    'ff',
    i === undefined
      ? [['s', s]]
      : [
          ['s', s],
          ['i', i],
        ],
  );
}

/** What an export leaves out. */
export interface Suppression {
  /** All fields with these tags, control fields too. */
  readonly tags?: ReadonlySet<string>;
  /** Fields 999 with both indicators `f`. */
  readonly ff999?: boolean;
}

/**
 * The record without the suppressed fields. A record that was imported in stored form and loses only its 999 ff is
 * byte for byte what was imported.
 *
 * @returns the same bytes if nothing goes; error `NO_FIELDS` if nothing stays
 */
export function suppressFields(
  record: MarcRecord,
  { tags, ff999 = false }: Suppression,
): StoredRecord | RecordError {
  const packed = new Set([...(tags ?? [])].map(packTag));
  return editRecord(record, {
    remove: (from, field) => packed.has(from.packedTag(field)) || (ff999 && is999ff(from, field)),
  });
}

const TAG_005 = packTag('005');

/**
 * Do two records say the same, apart from 005 and 999 ff? Leader numbers do not count; order of fields does.
 */
export function sameContent(one: MarcRecord, other: MarcRecord): boolean {
  if (one.bytes.compare(other.bytes, 5, 12, 5, 12) !== 0) return false;
  if (one.bytes.compare(other.bytes, 17, 20, 17, 20) !== 0) return false;
  let i = nextContent(one, 0);
  let k = nextContent(other, 0);
  while (i < one.fieldCount && k < other.fieldCount) {
    if (one.packedTag(i) !== other.packedTag(k)) return false;
    const [start, end] = [other.start(k), other.end(k)];
    if (one.bytes.compare(other.bytes, start, end, one.start(i), one.end(i)) !== 0) return false;
    i = nextContent(one, i + 1);
    k = nextContent(other, k + 1);
  }
  return i === one.fieldCount && k === other.fieldCount;
}

/** The first field at or after `from` that is neither 005 nor 999 ff. */
function nextContent(record: MarcRecord, from: number): number {
  let field = from;
  while (
    field < record.fieldCount &&
    (record.packedTag(field) === TAG_005 || is999ff(record, field))
  ) {
    field++;
  }
  return field;
}
