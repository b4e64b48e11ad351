/**
 * Repairs the bytes of fields: characters, indicators, delimiters without a code, control characters.
 *
 * Works on bytes, because delimiters and indicators are ASCII in every character set; the runs of text between them
 * are converted as the character set of the record says. Nothing beyond the listed repairs is "improved".
 */

import type { WarningList } from '../errors.js';
import { Marc8Decoder } from '../marc8-decode.js';
import { type Charset, countSequences } from './charset.js';
import {
  ESCAPE,
  isControlTag,
  isForbiddenControl,
  RECORD_BYTES_MAX,
  REPLACEMENT,
  SUBFIELD_DELIMITER,
  unpackTag,
} from './grammar.js';

/** With more unknown characters than that a record is too long whatever else is in it. */
const UNKNOWN_MAX = RECORD_BYTES_MAX / REPLACEMENT.length;

/** Takes the repaired bytes of fields. A byte may become three, so it must be three times as large as the data. */
export class FieldRepair {
  private at = 0;
  private readonly marc8: Marc8Decoder | undefined;
  private unknown = 0;
  /** The field that is being written, for its warnings. */
  private place: { tag: string; field: number } = { tag: '', field: 0 };

  constructor(
    private readonly source: Buffer,
    private readonly target: Buffer,
    private readonly charset: Charset,
    private readonly warnings: WarningList,
  ) {
    if (charset === 'marc8') {
      const decoder = new Marc8Decoder((code, at) => {
        this.warnings.add(code, at, this.place);
        if (code === 'MARC8_UNKNOWN' && ++this.unknown > UNKNOWN_MAX) decoder.stop();
      });
      this.marc8 = decoder;
    }
  }

  /** Writes one field, `start` to `end` of the source, without its end mark. */
  field(packedTag: number, start: number, end: number): void {
    const place = { tag: unpackTag(packedTag), field: start };
    this.place = place;
    if (isControlTag(packedTag)) {
      if (this.marc8 && !isPlain(this.source, start, end))
        this.decoded(this.marc8, start, end, true);
      else this.controlBody(start, end, place);
      return;
    }
    // Not `indexOf`: it would run on behind the field, and through the whole record for each of 75,000 such fields.
    let first = start;
    while (first < end && this.source[first] !== SUBFIELD_DELIMITER) first++;
    if (first === end) first = -1;
    const textStart = this.indicators({ start, end, first }, place);
    if (first < 0) this.warnings.add('NO_SUBFIELD', start, place);
    if (this.marc8 && !isPlain(this.source, textStart, end))
      this.decoded(this.marc8, textStart, end);
    else this.dataBody(textStart, end, place);
  }

  /** Writes a body from MARC-8; the decoder knows delimiters and control characters itself. */
  private decoded(marc8: Marc8Decoder, start: number, end: number, control = false): void {
    marc8.read({ bytes: this.source, start, end, control });
    this.at += marc8.write(this.target, this.at);
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
    const cut = first < 0 && !sound && !this.marc8;
    if (cut) while (from < end && (this.source[from]! & 0xc0) === 0x80) from++;
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
    if (charset === 'utf8' || charset === 'marc8') {
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

/** Is it ASCII without escape sequences, which is the same in MARC-8? */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x7f || byte === ESCAPE) return false;
  }
  return true;
}
