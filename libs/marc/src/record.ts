/**
 * A MARC record, laid over its bytes.
 *
 * Millions of records pass through one process, so a record is no tree of objects: it is the ISO 2709 bytes in stored
 * form (see `iso2709/grammar.ts`) and one flat table with tag, start and end of every field. Text is decoded when
 * somebody asks for it. The bytes may be part of a larger buffer: copy them to keep them longer than that.
 */

import type { RecordWarning } from './errors.js';
import {
  FIELD_TERMINATOR,
  isControlTag,
  LEADER_BYTES,
  packTag,
  SUBFIELD_DELIMITER,
  unpackTag,
} from './iso2709/grammar.js';

/** Numbers per field in the table: packed tag, offset of the first byte, offset behind the last byte (its end mark). */
export const TABLE_STRIDE = 3;

const FIELD_END = String.fromCharCode(FIELD_TERMINATOR);
const DELIMITER = String.fromCharCode(SUBFIELD_DELIMITER);

export class MarcRecord {
  readonly failed = false as const;

  constructor(
    /** The record in stored form, end mark included. */
    readonly bytes: Buffer,
    readonly table: Uint32Array,
    readonly warnings: readonly RecordWarning[],
  ) {}

  get fieldCount(): number {
    return this.table.length / TABLE_STRIDE;
  }

  /** 24 ASCII characters. */
  get leader(): string {
    return this.bytes.toString('latin1', 0, LEADER_BYTES);
  }

  /** Tag as one number; compare with `packTag('245')`. */
  packedTag(field: number): number {
    return this.table[field * TABLE_STRIDE]!;
  }

  tag(field: number): string {
    return unpackTag(this.packedTag(field));
  }

  isControl(field: number): boolean {
    return isControlTag(this.packedTag(field));
  }

  start(field: number): number {
    return this.table[field * TABLE_STRIDE + 1]!;
  }

  end(field: number): number {
    return this.table[field * TABLE_STRIDE + 2]!;
  }

  /** The field's bytes without its end mark; a view, not a copy. */
  body(field: number): Buffer {
    return this.bytes.subarray(this.start(field), this.end(field));
  }

  /** The whole field as text; of a data field with indicators and delimiters. */
  text(field: number): string {
    return this.bytes.toString('utf8', this.start(field), this.end(field));
  }

  /** Index of the first field with this tag at or after `from`, or -1. */
  find(tag: string, from = 0): number {
    const packed = packTag(tag);
    for (let i = from * TABLE_STRIDE; i < this.table.length; i += TABLE_STRIDE) {
      if (this.table[i] === packed) return i / TABLE_STRIDE;
    }
    return -1;
  }

  /** Both indicators of a data field, two ASCII characters. */
  indicators(field: number): string {
    const start = this.start(field);
    return this.bytes.toString('latin1', start, start + 2);
  }

  /** Code and text of every subfield, in order; none for a field without delimiters and for control fields. */
  subfields(field: number): [code: string, text: string][] {
    if (this.isControl(field)) return [];
    const [, ...parts] = this.text(field).split(DELIMITER);
    return parts.map((part) => {
      const length = codeLength(part, 0);
      return [part.slice(0, length), part.slice(length)];
    });
  }

  /** Text of the first subfield with this (ASCII) code, or undefined. */
  subfield(field: number, code: string): string | undefined {
    const wanted = code.charCodeAt(0);
    const end = this.end(field);
    let at = subfieldStart(this.bytes, this.start(field) + 2, end);
    while (at < end) {
      const next = subfieldStart(this.bytes, at, end);
      if (this.bytes[at] === wanted)
        return this.bytes.toString('utf8', at + 1, Math.min(end, next - 1));
      at = next;
    }
    return undefined;
  }
}

/**
 * Shows the text of every subfield, and of every control field (with code `''`), in order. Decodes the record in one
 * go and makes no lists: several times cheaper than field by field, for who needs most of a record.
 */
export function visitTexts(
  record: MarcRecord,
  visit: (field: number, code: string, text: string) => void,
): void {
  const { bytes, table } = record;
  const data = bytes.toString('utf8', table[1], bytes.length - 1);
  // The next delimiter is remembered across fields, so that every character is searched once.
  let mark = data.indexOf(DELIMITER);
  let start = 0;
  for (let i = 0; i < table.length; i += TABLE_STRIDE) {
    const end = data.indexOf(FIELD_END, start);
    const control = isControlTag(table[i]!);
    if (control) visit(i / TABLE_STRIDE, '', data.slice(start, end));
    while (mark >= 0 && mark < end) {
      const next = data.indexOf(DELIMITER, mark + 1);
      const stop = next < 0 || next > end ? end : next;
      const from = mark + 1 + codeLength(data, mark + 1);
      if (!control) visit(i / TABLE_STRIDE, data.slice(mark + 1, from), data.slice(from, stop));
      mark = next;
    }
    start = end + 1;
  }
}

/** A code is one character, which may be two units of a string. */
function codeLength(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1;
}

/** Offset of the code behind the next delimiter at or after `from`; `end + 1` when there is none. */
export function subfieldStart(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== SUBFIELD_DELIMITER) at++;
  return at + 1;
}
