/**
 * Reads MARC-8: bytes of a field in, text in normal form C out.
 *
 *   field  = (escape | mark* character | delimiter escape* code)*      G0 Basic Latin, G1 ANSEL at its start
 *   escape = ESC ("(" | ",") final       one-byte set to G0, bytes 21 to 7E
 *          | ESC (")" | "-") final       one-byte set to G1, bytes A1 to FE
 *          | ESC "$" [ "," ] "1"         East Asian set to G0, three bytes each
 *          | ESC "$" (")" | "-") "1"     East Asian set to G1
 *          | ESC ("g" | "b" | "p" | "s") Greek symbols, subscripts, superscripts, Basic Latin to G0
 *   final  = "B" | "!E" | "N" | "Q" | "3" | "4" | "S" | "2"
 *
 * Marks stand before their letter and are moved behind it in their order. A mark without a letter, an unknown byte and
 * an escape sequence that is cut off or names no set become U+FFFD each; after such a sequence the sets stay as they
 * were. Never throws, and takes time linear in the bytes.
 */

import {
  ANSEL,
  BASIC_LATIN,
  CODE_POINT,
  CONTROLS,
  type Eacc,
  eacc,
  EACC_FINAL,
  MARK,
  MARKS_MAX,
  ONE_BYTE_SETS,
  type OneByteSet,
  SECOND_HALF,
  SUPERSCRIPT_ALEF,
} from './marc8-sets.js';
import { ESCAPE, isForbiddenControl, SUBFIELD_DELIMITER } from './iso2709/grammar.js';

/** What was wrong, and where: a byte offset in the source. */
export type Marc8Fault = (
  code: 'MARC8_UNKNOWN' | 'CONTROL_CHAR' | 'CONTROL_SUBFIELD' | 'NO_SUBFIELD',
  offset: number,
) => void;

/** A run of bytes of one field. */
export interface Marc8Run {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Control fields have no subfields: a delimiter is a character like others. */
  readonly control?: boolean;
}

const REPLACEMENT = 0xfffd;
const SPACE = 0x20;
const DOLLAR = 0x24;
const EXCLAMATION = 0x21;
/** Text without characters from here on is in normal form C. */
const MARKS_BEGIN = 0x300;
/** Letters below are composed with their mark here, which saves most fields the way through `normalize`. */
const LATIN_END = 0x180;
const MARKS = 0x80;

/** An escape sequence that was understood. */
interface Designation {
  readonly length: number;
  readonly upper: boolean;
  readonly set: OneByteSet | Eacc;
}

/** Decodes field after field: reads one, then tells its text or writes it. Keeps its buffer between them. */
export class Marc8Decoder {
  private units = new Uint16Array(0);
  private length = 0;
  /** May the text be in another form than C? */
  private loose = false;
  private lower: OneByteSet | Eacc = BASIC_LATIN;
  private upper: OneByteSet | Eacc = ANSEL;
  private readonly marks = new Uint16Array(MARKS_MAX);
  private markCount = 0;
  /** Marks behind the last letter. */
  private behind = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private end = 0;

  /**
   * @param fault is told of everything that is replaced or left out
   * @param lettersOnly a mark before anything but a letter counts as unknown too
   */
  constructor(
    private readonly fault: Marc8Fault,
    private readonly lettersOnly = false,
  ) {}

  /** Reads a field, or its part behind the indicators, with its delimiters. */
  read({ bytes, start, end, control = false }: Marc8Run): void {
    if (this.units.length < end - start) this.units = new Uint16Array(end - start);
    this.length = 0;
    this.loose = false;
    this.lower = BASIC_LATIN;
    this.upper = ANSEL;
    this.behind = 0;
    this.bytes = bytes;
    this.end = end;
    let at = start;
    while (at < this.end) {
      if (this.lower === BASIC_LATIN && this.markCount === 0) at = this.ascii(at);
      if (at >= this.end) break;
      const byte = bytes[at]!;
      if (byte === ESCAPE) at = this.escape(at);
      else if (byte < 0x20) at = this.controlByte(at, control);
      else if ((byte & 0x7f) > 0x20 && (byte & 0x7f) < 0x7f) at = this.graphic(at);
      else at = this.other(at);
    }
    this.dropMarks(end);
  }

  /** Ends the reading, for who has heard enough of its faults. */
  stop(): void {
    this.end = 0;
  }

  /** What was read. */
  get text(): string {
    const text = Buffer.from(this.units.buffer, 0, this.length * 2).toString('utf16le');
    return this.loose ? text.normalize('NFC') : text;
  }

  /** Writes what was read in UTF-8, which takes at most three bytes for each that was read, and returns their number. */
  write(target: Buffer, at: number): number {
    if (this.loose) return target.write(this.text, at);
    const { units, length } = this;
    let next = at;
    for (let i = 0; i < length; i++) {
      const unit = units[i]!;
      if (unit < 0x80) {
        target[next++] = unit;
      } else if (unit < 0x800) {
        target[next++] = 0xc0 | (unit >> 6);
        target[next++] = 0x80 | (unit & 0x3f);
      } else {
        target[next++] = 0xe0 | (unit >> 12);
        target[next++] = 0x80 | ((unit >> 6) & 0x3f);
        target[next++] = 0x80 | (unit & 0x3f);
      }
    }
    return next - at;
  }

  /** Takes over the ASCII from `at` on, which is most of any text, and tells where it ends. */
  private ascii(at: number): number {
    const { bytes, units, end } = this;
    let { length } = this;
    let next = at;
    for (; next < end; next++) {
      const byte = bytes[next]!;
      if (byte < 0x20 || byte >= 0x7f) break;
      units[length++] = byte;
    }
    if (next > at) this.behind = 0;
    this.length = length;
    return next;
  }

  private graphic(at: number): number {
    const byte = this.bytes[at]!;
    const set = byte < 0x80 ? this.lower : this.upper;
    if (!('entries' in set)) return this.eastAsian(at, set);
    const entry = set.entries[byte & 0x7f]!;
    if (entry === 0) this.unknown(at);
    else if (entry < MARK) this.letter(entry, at);
    else if (entry < SECOND_HALF) this.mark(entry & CODE_POINT, at);
    return at + 1;
  }

  /** Three bytes of one half, or the one U+FFFD for those that are there of them. */
  private eastAsian(at: number, set: Eacc): number {
    const second = this.sevenBits(at, at + 1);
    const third = this.sevenBits(at, at + 2);
    const entry = set.entry(this.bytes[at]! & 0x7f, second, third);
    if (entry > 0) {
      this.letter(entry, at);
      return at + 3;
    }
    this.unknown(at);
    if (second <= SPACE) return at + 1;
    return third <= SPACE ? at + 2 : at + 3;
  }

  /** The byte at `at` as a code if it is of the same half as the one at `first`; else 0. */
  private sevenBits(first: number, at: number): number {
    const byte = at < this.end ? this.bytes[at]! : 0;
    const code = byte & 0x7f;
    return code < 0x7f && (byte ^ this.bytes[first]!) < 0x80 ? code : 0;
  }

  /** Blanks, the few bytes that belong to no set, and those that are nothing. */
  private other(at: number): number {
    const byte = this.bytes[at]!;
    const control = byte >= 0x80 && byte < 0xa0 ? CONTROLS[byte - 0x80]! : 0;
    if (byte === SPACE) this.letter(SPACE, at);
    else if (control > 0) this.letter(control, at);
    else this.unknown(at);
    return at + 1;
  }

  private controlByte(at: number, inControlField: boolean): number {
    const byte = this.bytes[at]!;
    if (byte === SUBFIELD_DELIMITER) {
      if (!inControlField) return this.delimiter(at);
      this.fault('CONTROL_SUBFIELD', at);
    } else if (isForbiddenControl(byte)) {
      this.fault('CONTROL_CHAR', at);
      this.letter(REPLACEMENT, at);
      return at + 1;
    }
    this.letter(byte, at);
    return at + 1;
  }

  /** A delimiter and its code, which is ASCII whatever the sets are; escape sequences may stand between them. */
  private delimiter(at: number): number {
    this.dropMarks(at);
    let next = at + 1;
    for (let found = this.designation(next); found; found = this.designation(next)) {
      this.designate(found);
      next += found.length;
    }
    if (next >= this.end || this.bytes[next] === SUBFIELD_DELIMITER) {
      this.fault('NO_SUBFIELD', at);
      return next;
    }
    this.push(SUBFIELD_DELIMITER);
    const code = this.bytes[next]!;
    if (code < 0x7f && !isForbiddenControl(code)) {
      this.push(code);
    } else {
      this.fault(code < 0x20 && code !== ESCAPE ? 'CONTROL_CHAR' : 'MARC8_UNKNOWN', next);
      this.push(REPLACEMENT);
    }
    return next + 1;
  }

  private escape(at: number): number {
    const found = this.designation(at);
    if (found) {
      this.designate(found);
      return at + found.length;
    }
    this.unknown(at);
    return at + this.brokenLength(at);
  }

  private designate({ upper, set }: Designation): void {
    if (upper) this.upper = set;
    else this.lower = set;
  }

  /** The escape sequence at `at`, if it is a whole one and its set is known. */
  private designation(at: number): Designation | undefined {
    if (this.byte(at) !== ESCAPE) return undefined;
    const announced = this.byte(at + 1);
    const single = SINGLE_SETS[announced];
    if (single) return { length: 2, upper: false, set: single };
    const multiple = announced === DOLLAR;
    let next = multiple ? at + 2 : at + 1;
    const half = HALVES[this.byte(next)];
    if (half !== undefined) next++;
    else if (!multiple) return undefined;
    const upper = half === 'upper';
    if (!multiple && this.byte(next) === EXCLAMATION) {
      if (this.byte(next + 1) !== ANSEL_FINAL) return undefined;
      return { length: next + 2 - at, upper, set: ANSEL };
    }
    const final = this.byte(next);
    // "1" after "(" is not what the standard says, but cannot mean anything else.
    const set = final === EACC_FINAL ? eacc() : multiple ? undefined : DESIGNATED[final];
    return set && { length: next + 1 - at, upper, set };
  }

  /** Of a sequence that means nothing, what belongs to it: the bytes that announce a set, and its name. */
  private brokenLength(at: number): number {
    let next = at + 1;
    if (this.byte(next) === DOLLAR) next++;
    if (HALVES[this.byte(next)]) next++;
    if (next === at + 1) return 1;
    if (this.byte(next) === EXCLAMATION) next++;
    const final = this.byte(next);
    return final >= 0x30 && final <= 0x7e ? next + 1 - at : next - at;
  }

  private byte(at: number): number {
    return at < this.end ? this.bytes[at]! : 0;
  }

  private letter(char: number, at: number): void {
    if (this.markCount > 0 && this.lettersOnly && !isLetter(char)) this.fault('MARC8_UNKNOWN', at);
    if (char < LATIN_END) {
      this.behind = 0;
      if (this.markCount === 1) this.composed(char, this.marks[0]!);
      else this.push(char);
    } else if (char === REPLACEMENT) {
      this.behind = 0;
      this.push(char);
    } else {
      this.otherLetter(char, at);
    }
    if (this.markCount > 0) this.placeMarks();
  }

  /** Letters that may change with what stands beside them. */
  private otherLetter(char: number, at: number): void {
    if (char !== SUPERSCRIPT_ALEF) {
      this.behind = 0;
    } else if (++this.behind + this.markCount > MARKS_MAX) {
      this.unknown(at);
      return;
    }
    if (char >= MARKS_BEGIN) this.loose = true;
    if (char > 0xffff) {
      this.push(0xd800 + ((char - 0x10000) >> 10));
      this.push(0xdc00 + ((char - 0x10000) & 0x3ff));
    } else {
      this.push(char);
    }
  }

  /** A letter below U+0180 with one mark; no third can join them. */
  private composed(letter: number, mark: number): void {
    this.markCount = 0;
    this.behind = 1;
    const both = compose(letter, mark);
    if (both > 0) {
      this.push(both);
    } else {
      this.push(letter);
      this.push(mark);
    }
  }

  private placeMarks(): void {
    for (let i = 0; i < this.markCount; i++) this.push(this.marks[i]!);
    this.behind += this.markCount;
    this.markCount = 0;
    this.loose = true;
  }

  private mark(char: number, at: number): void {
    if (this.markCount < MARKS_MAX) {
      this.marks[this.markCount++] = char;
    } else {
      this.fault('MARC8_UNKNOWN', at);
      this.push(REPLACEMENT);
    }
  }

  /** Marks before a delimiter or the end have no letter. */
  private dropMarks(at: number): void {
    for (; this.markCount > 0; this.markCount--) {
      this.fault('MARC8_UNKNOWN', at - this.markCount);
      this.push(REPLACEMENT);
    }
    this.behind = 0;
  }

  private unknown(at: number): void {
    this.fault('MARC8_UNKNOWN', at);
    this.letter(REPLACEMENT, at);
  }

  private push(unit: number): void {
    this.units[this.length++] = unit;
  }
}

// By byte; sparse, for they are asked for every ESC of a hostile file.
const SINGLE_SETS = byFinal('gbp');
SINGLE_SETS['s'.charCodeAt(0)] = BASIC_LATIN;
const DESIGNATED = byFinal('BNQ34S2');
const ANSEL_FINAL = ANSEL.final.charCodeAt(0);
const HALVES: ('lower' | 'upper' | undefined)[] = [];
for (const [i, char] of [...'(,)-'].entries()) {
  HALVES[char.charCodeAt(0)] = i < 2 ? 'lower' : 'upper';
}

function byFinal(finals: string): (OneByteSet | undefined)[] {
  const sets: (OneByteSet | undefined)[] = [];
  for (const final of finals) sets[final.charCodeAt(0)] = ONE_BYTE_SETS.get(final);
  return sets;
}

/** What `compose` found so far: 0 not asked, 1 nothing. */
const compositions = new Uint16Array(LATIN_END * MARKS);

/** The one character that is a letter below U+0180 with a mark from U+0300 to U+037F, or 0. */
function compose(letter: number, mark: number): number {
  const place = letter * MARKS + mark - MARKS_BEGIN;
  const known = compositions[place]!;
  if (known > 0) return known === 1 ? 0 : known;
  const both = String.fromCharCode(letter, mark).normalize('NFC');
  compositions[place] = both.length === 1 ? both.charCodeAt(0) : 1;
  return both.length === 1 ? both.charCodeAt(0) : 0;
}

const letters = new Map<number, boolean>();

function isLetter(char: number): boolean {
  let is = letters.get(char);
  if (is === undefined) letters.set(char, (is = /\p{L}/u.test(String.fromCodePoint(char))));
  return is;
}

/** Decodes bytes of one field: its text, and how many characters of it are U+FFFD because they are unknown. */
export function decodeMarc8(bytes: Uint8Array): { text: string; unknown: number } {
  let unknown = 0;
  const decoder = new Marc8Decoder((code) => (unknown += code === 'MARC8_UNKNOWN' ? 1 : 0));
  decoder.read({ bytes, start: 0, end: bytes.length });
  return { text: decoder.text, unknown };
}
