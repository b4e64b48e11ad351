/**
 * The grammar of an ISO 2709 record as MARC 21 uses it, and the few byte tests that reader, writer and splitter share.
 *
 *   record    = leader directory FT field+ RT                 at most 99,999 bytes by its own numbers; we accept 1 MiB
 *   leader    = 24 bytes: 00–04 record length · 05 status · 06 type · 09 `a` = UTF-8 · 10–11 `22`
 *               · 12–16 base address (offset of the first field) · 20–23 entry map, `4500`
 *   directory = entry*; entry = tag(3) length(4, FT included) start(5, from the base address); widths by the entry map
 *   field     = control-field FT | data-field FT
 *   data-field = indicator indicator (US code text)*
 *
 * Stored form is the one spelling of it that Quire keeps: leader/09 `a`, 10–11 `22`, 20–23 `4500`, UTF-8, fields
 * contiguous in directory order, all numbers true, or all nines where a number does not fit its digits.
 */

export const RECORD_TERMINATOR = 0x1d;
export const FIELD_TERMINATOR = 0x1e;
export const SUBFIELD_DELIMITER = 0x1f;
export const ESCAPE = 0x1b;

export const LEADER_BYTES = 24;
/** Width of a directory entry under the entry map `4500`. */
export const ENTRY_BYTES = 12;

/** What the five digits of the record length can say. */
export const RECORD_NUMBER_MAX = 99_999;
/** What the four digits of a field length can say. */
export const FIELD_NUMBER_MAX = 9_999;
/** Longest record that is accepted, frame and stored form alike. */
export const RECORD_BYTES_MAX = 1_048_576;

/** Bytes of U+FFFD, written for what cannot be kept. */
export const REPLACEMENT = Buffer.from('\ufffd');

const TAG_BYTE = new Uint8Array(256);
for (const char of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz') {
  TAG_BYTE[char.charCodeAt(0)] = 1;
}

/** Is it one of `[0-9A-Za-z]`, of which tags are made? */
export function isTagByte(byte: number | undefined): boolean {
  return byte !== undefined && TAG_BYTE[byte] === 1;
}

/** The number written in `width` ASCII digits, or -1 if one of the bytes is no digit or lies outside. */
export function readDigits(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = at; i < at + width; i++) {
    const digit = bytes[i]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes a number in `width` digits; one that does not fit is written as all nines. */
export function writeDigits(bytes: Uint8Array, at: number, width: number, value: number): void {
  const largest = 10 ** width - 1;
  let rest = value > largest ? largest : value;
  for (let i = at + width - 1; i >= at; i--) {
    const tens = (rest / 10) | 0;
    bytes[i] = 0x30 + rest - tens * 10;
    rest = tens;
  }
}

/** A tag as one number, so that tables of fields stay flat. */
export function packTag(tag: string): number {
  return (tag.charCodeAt(0) << 16) | (tag.charCodeAt(1) << 8) | tag.charCodeAt(2);
}

export function unpackTag(packed: number): string {
  return String.fromCharCode(packed >> 16, (packed >> 8) & 0xff, packed & 0xff);
}

/** 00x: a field without indicators and subfields. */
export function isControlTag(packed: number): boolean {
  return packed >> 8 === 0x3030;
}

/** Control bytes other than TAB, LF and CR have no place in text. */
export function isForbiddenControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
}
