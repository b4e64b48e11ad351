/**
 * Repairs the bytes of fields: characters, indicators, delimiters without a code, control characters.
 *
 * Works on bytes, because delimiters and indicators are ASCII in every character set; the runs of text between them
 * are converted as the character set of the record says. Nothing beyond the listed repairs is "improved".
 */

import { isAscii, isUtf8 } from 'node:buffer';
import { recordError, type RecordError, type WarningList } from '../errors.js';
import {
  ESCAPE,
  isControlTag,
  isForbiddenControl,
  REPLACEMENT,
  SUBFIELD_DELIMITER,
  unpackTag,
} from './grammar.js';

/** How text is turned into UTF-8: it is already; bad sequences become U+FFFD; every byte is a character. */
export type Charset = 'utf8' | 'replace' | 'latin1';

/** From this many bad sequences on, a record is taken not to be UTF-8 at all. */
const BAD_SEQUENCES_MAX = 5;
/** Or from this share of its non-ASCII sequences on. */
const BAD_SHARE_MAX = 0.1;

export interface CharsetRules {
  /** The bytes come from text that was Unicode already: leader/09 means nothing. */
  readonly unicode?: boolean | undefined;
  /** Guesses and replaced characters are errors. */
  readonly strict?: boolean | undefined;
}

/**
 * Decides the character set of a record.
 *
 * @param data the fields' bytes, which begin at `base` in the frame
 * @param flag leader/09
 */
export function decideCharset(
  { data, base, flag }: { data: Buffer; base: number; flag: number },
  rules: CharsetRules,
  warnings: WarningList,
): Charset | RecordError {
  const valid = isUtf8(data);
  if (flag !== 0x61 && !rules.unicode) {
    const escape = data.indexOf(ESCAPE);
    if (escape < 0 && isAscii(data)) return 'utf8';
    if (escape >= 0 || !valid) {
      const at = escape >= 0 ? escape : data.findIndex((byte) => byte >= 0x80);
      const detail =
        'The record is in MARC-8, which is not read yet; please convert the file to UTF-8';
      return recordError('ENCODING', base + at, { detail });
    }
    warnings.add('FLAG_MISSING', 9, { tag: 'LDR' });
    return 'utf8';
  }
  if (valid) return 'utf8';
  const { bad, nonAscii, first } = countSequences(data);
  const few = bad < BAD_SEQUENCES_MAX && bad < nonAscii * BAD_SHARE_MAX;
  if (rules.strict) {
    const detail = `The record says it is UTF-8, but ${bad} of its characters are not`;
    return recordError('ENCODING', base + first, { detail });
  }
  if (few) return 'replace';
  const detail = 'The record is not UTF-8 as it claims; it was read as ISO 8859-1';
  warnings.add('ENCODING_GUESSED', base + first, { detail });
  return 'latin1';
}

/** Bad sequences as a decoder replaces them, one U+FFFD each, and all sequences that are not ASCII. */
export function countSequences(data: Uint8Array): { bad: number; nonAscii: number; first: number } {
  let bad = 0;
  let nonAscii = 0;
  let first = -1;
  let at = 0;
  while (at < data.length) {
    if (data[at]! < 0x80) {
      at++;
      continue;
    }
    const size = sequenceSize(data, at);
    nonAscii++;
    if (size < 0) {
      bad++;
      if (first < 0) first = at;
    }
    at += size < 0 ? -size : size;
  }
  return { bad, nonAscii, first };
}

/** Bytes of the UTF-8 sequence at `at`; negative for the bytes of a bad one (its longest good beginning). */
function sequenceSize(data: Uint8Array, at: number): number {
  const lead = data[at]!;
  const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size === 0) return -1;
  // The second byte is narrower for these leads: no overlong forms, no surrogates, nothing over U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < size; i++) {
    const byte = data[at + i] ?? 0;
    if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return -i;
  }
  return size;
}

/** Takes the repaired bytes of fields. A byte may become three, so it must be three times as large as the data. */
export class FieldRepair {
  private at = 0;

  constructor(
    private readonly source: Buffer,
    private readonly target: Buffer,
    private readonly charset: Charset,
    private readonly warnings: WarningList,
  ) {}

  /** Writes one field, `start` to `end` of the source, without its end mark. */
  field(packedTag: number, start: number, end: number): void {
    const place = { tag: unpackTag(packedTag), field: start };
    if (isControlTag(packedTag)) {
      this.controlBody(start, end, place);
      return;
    }
    // Not `indexOf`: it would run on behind the field, and through the whole record for each of 75,000 such fields.
    let first = start;
    while (first < end && this.source[first] !== SUBFIELD_DELIMITER) first++;
    if (first === end) first = -1;
    const textStart = this.indicators({ start, end, first }, place);
    if (first < 0) this.warnings.add('NO_SUBFIELD', start, place);
    this.dataBody(textStart, end, place);
  }

  endMark(byte: number): number {
    this.target[this.at++] = byte;
    return this.at;
  }

  /** Writes two indicators and tells where the text begins. */
  private indicators(
    { start, end, first }: { start: number; end: number; first: number },
    place: { tag: string; field: number },
  ): number {
    const stop = first >= 0 ? first : Math.min(end, start + 2);
    let sound = stop - start === 2;
    for (let i = 0; i < 2; i++) {
      const byte = start + i < stop ? this.source[start + i]! : 0x20;
      const printable = byte >= 0x20 && byte <= 0x7e;
      sound &&= printable;
      this.target[this.at++] = printable ? byte : 0x20;
    }
    if (!sound) this.warnings.add('INDICATOR', start, place);
    let from = stop;
    // Without a delimiter the text goes on here: it must not begin inside a character that was cut.
    if (first < 0 && !sound) while (from < end && (this.source[from]! & 0xc0) === 0x80) from++;
    return from;
  }

  private controlBody(start: number, end: number, place: { tag: string; field: number }): void {
    let from = start;
    for (let i = start; i < end; i++) {
      const byte = this.source[i]!;
      if (byte === SUBFIELD_DELIMITER) this.warnings.add('CONTROL_SUBFIELD', i, place);
      else if (isForbiddenControl(byte)) from = this.replaceControl(from, i, place);
    }
    this.text(from, end, place);
  }

  private dataBody(start: number, end: number, place: { tag: string; field: number }): void {
    let from = start;
    for (let i = start; i < end; i++) {
      const byte = this.source[i]!;
      if (byte === SUBFIELD_DELIMITER) {
        if (i + 1 < end && this.source[i + 1] !== SUBFIELD_DELIMITER) continue;
        this.warnings.add('NO_SUBFIELD', i, place);
        this.text(from, i, place);
        from = i + 1;
      } else if (isForbiddenControl(byte)) {
        from = this.replaceControl(from, i, place);
      }
    }
    this.text(from, end, place);
  }

  private replaceControl(from: number, at: number, place: { tag: string; field: number }): number {
    this.warnings.add('CONTROL_CHAR', at, place);
    this.text(from, at, place);
    this.target.set(REPLACEMENT, this.at);
    this.at += REPLACEMENT.length;
    return at + 1;
  }

  /** Writes a run of text in UTF-8. */
  private text(start: number, end: number, place: { tag: string; field: number }): void {
    const { charset, source, target } = this;
    if (charset === 'utf8') {
      this.at += source.copy(target, this.at, start, end);
    } else if (charset === 'latin1') {
      this.at += target.write(source.toString('latin1', start, end), this.at);
    } else {
      const { bad, first } = countSequences(source.subarray(start, end));
      if (bad > 0) this.warnings.add('ENCODING', start + first, { ...place, count: bad });
      this.at += target.write(source.toString('utf8', start, end), this.at);
    }
  }
}
