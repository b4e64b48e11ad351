/**
 * Writes text in MARC-8, for readers that know nothing newer.
 *
 * The upper half stays ANSEL throughout; every other set comes into the lower half and leaves it at the end of the
 * subfield, as the standard wants. Marks go before their letter. What MARC-8 has no form for is written as a numeric
 * character reference, `&#xHHHH;`, so that nothing is lost. Reading it gives the text again, in normal form C.
 */

import {
  ANSEL,
  BASIC_LATIN,
  CONTROLS,
  type Eacc,
  eacc,
  MARK,
  MARKS_MAX,
  ONE_BYTE_SETS,
  type OneByteSet,
  SECOND_HALVES,
} from './marc8-sets.js';
import {
  ESCAPE,
  FIELD_TERMINATOR,
  isForbiddenControl,
  SUBFIELD_DELIMITER,
} from './iso2709/grammar.js';

/** Of several sets that have a character the first is taken, unless the text is in another one already. */
const PREFERENCE = 'BENQS234pbg';

/** The set each character is taken from, and which of them are marks. */
interface Index {
  readonly sets: ReadonlyMap<number, OneByteSet | Eacc>;
  readonly marks: ReadonlySet<number>;
}

let built: Index | undefined;
const index = (): Index => (built ??= buildIndex());

function buildIndex(): Index {
  const sets = new Map<number, OneByteSet | Eacc>();
  const marks = new Set<number>();
  for (const final of PREFERENCE) {
    const set = ONE_BYTE_SETS.get(final)!;
    for (const [char, code] of set.codes) {
      if (set.entries[code]! >= MARK) marks.add(char);
      if (!sets.has(char)) sets.set(char, set);
    }
  }
  const eastAsian = eacc();
  for (const char of eastAsian.codes.keys()) if (!sets.has(char)) sets.set(char, eastAsian);
  return { sets, marks };
}

const controlCodes: ReadonlyMap<number, number> = new Map(
  [...CONTROLS].flatMap((char, i): [number, number][] => (char > 0 ? [[char, 0x80 + i]] : [])),
);
const DELIMITER = String.fromCharCode(SUBFIELD_DELIMITER);
const UPPER = 0x80;
const NO_LETTER = -1;
const MARKS_BEGIN = 0x300;
/** Nothing before can be taken apart. */
const LATIN_1 = 0xc0;
/** More marks than normal forms should be asked to sort. */
const HOSTILE_MARKS = new RegExp(`\\p{M}{${MARKS_MAX + 1}}`, 'u');

/** Encodes field after field into one growing buffer. */
export class Marc8Encoder {
  private out = Buffer.allocUnsafe(1_024);
  private length = 0;
  private readonly index = index();
  private lower: OneByteSet | Eacc = BASIC_LATIN;
  private letter = NO_LETTER;
  private readonly marks: number[] = [];
  /** The second half of a double-width mark, due before the next letter. */
  private half = 0;

  /** Everything that was encoded so far; a view. */
  get bytes(): Buffer {
    return this.out.subarray(0, this.length);
  }

  /** Appends what needs no encoding: ASCII. */
  plain(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.out.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends a field's end mark and tells the offset behind it. */
  endField(): number {
    this.push(FIELD_TERMINATOR);
    return this.length;
  }

  /** Appends text without delimiters: a control field, or a part of a data field. */
  text(text: string): void {
    const normal = HOSTILE_MARKS.test(text) ? text : text.normalize('NFC');
    for (let i = 0; i < normal.length; i++) {
      const char = normal.codePointAt(i)!;
      if (char >= 0x20 && char < 0x7f) {
        this.flush();
        if (this.isPlain(normal.charCodeAt(i + 1))) this.push(char);
        else this.letter = char;
      } else {
        this.add(char);
        if (char > 0xffff) i++;
      }
    }
    this.endText();
  }

  /** Appends a data field behind its indicators: delimiters, each with its code, and text. */
  subfields(body: string): void {
    const [before = '', ...parts] = body.split(DELIMITER);
    this.text(before);
    for (const part of parts) {
      this.push(SUBFIELD_DELIMITER);
      // The text may begin with a mark, which belongs to no letter and so not to the code.
      const code = (part.codePointAt(0) ?? 0) > 0xffff ? 2 : 1;
      this.text(part.slice(0, code));
      this.text(part.slice(code));
    }
  }

  /** Does the way to the next character go through none of the sets? Most text is ASCII. */
  private isPlain(next: number): boolean {
    return this.lower === BASIC_LATIN && this.half === 0 && !(next >= MARKS_BEGIN);
  }

  private add(char: number): void {
    if (this.isMark(char)) {
      if (this.letter === NO_LETTER) this.reference(char);
      else this.marks.push(char);
      return;
    }
    this.flush();
    this.letter = char;
    if (char < LATIN_1 || this.index.sets.has(char)) return;
    const parts = decompose(char);
    if (!parts) return;
    this.letter = parts.letter;
    this.marks.push(...parts.marks);
  }

  /** Marks of other scripts too, which must not get between a letter and its marks. */
  private isMark(char: number): boolean {
    if (char < MARKS_BEGIN) return false;
    if (this.index.marks.has(char)) return true;
    return !this.index.sets.has(char) && /\p{M}/u.test(String.fromCodePoint(char));
  }

  /** Writes the letter that was held back until its marks were known. */
  private flush(): void {
    const { letter, marks } = this;
    if (letter === NO_LETTER) return;
    this.letter = NO_LETTER;
    if (!this.isKnown(letter)) {
      this.half = 0;
      this.reference(letter);
      for (const mark of marks) this.reference(mark);
    } else {
      this.cluster(letter, marks);
    }
    if (marks.length > 0) marks.length = 0;
  }

  private cluster(letter: number, marks: readonly number[]): void {
    const set = this.setFor(letter);
    if (set) this.designate(set);
    if (this.half > 0) this.push(this.half | UPPER);
    this.half = 0;
    const others: number[] = [];
    for (const [i, mark] of marks.entries()) {
      if (i >= MARKS_MAX || !this.index.marks.has(mark)) {
        others.push(mark);
        continue;
      }
      this.write(mark);
      this.half ||= SECOND_HALVES.get(mark) ?? 0;
    }
    this.write(letter);
    for (const mark of others) this.reference(mark);
  }

  private isKnown(char: number): boolean {
    if (char < 0x7f) return !isForbiddenControl(char);
    return controlCodes.has(char) || this.index.sets.has(char);
  }

  /** The set that must come into the lower half for this character; none if the character can be written as it is. */
  private setFor(char: number): OneByteSet | Eacc | undefined {
    if (char <= 0x20) return 'entries' in this.lower ? undefined : BASIC_LATIN;
    if (this.lower.codes.has(char) || ANSEL.codes.has(char)) return undefined;
    return this.index.sets.get(char);
  }

  private write(char: number): void {
    const set = this.setFor(char);
    if (set) this.designate(set);
    const code = char <= 0x20 ? char : this.lower.codes.get(char);
    if (code === undefined) {
      this.push(controlCodes.get(char) ?? ANSEL.codes.get(char)! | UPPER);
    } else if (code > 0xff) {
      this.push(code >> 16);
      this.push((code >> 8) & 0xff);
      this.push(code & 0xff);
    } else {
      this.push(code);
    }
  }

  private designate(set: OneByteSet | Eacc): void {
    if (set === this.lower) return;
    this.push(ESCAPE);
    if (!('final' in set)) this.ascii('$1');
    else if ('gbp'.includes(set.final)) this.ascii(set.final);
    else if (set === BASIC_LATIN && 'final' in this.lower && 'gbp'.includes(this.lower.final)) {
      this.ascii('s');
    } else this.ascii(`(${set.final}`);
    this.lower = set;
  }

  private reference(char: number): void {
    this.designate(BASIC_LATIN);
    this.ascii(`&#x${char.toString(16).toUpperCase().padStart(4, '0')};`);
  }

  /** Subfields and fields end in ASCII. */
  private endText(): void {
    this.flush();
    this.half = 0;
    this.designate(BASIC_LATIN);
  }

  private ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.push(text.charCodeAt(i));
  }

  private push(byte: number): void {
    if (this.length === this.out.length) this.reserve(1);
    this.out[this.length++] = byte;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.out.length * 2, this.length + bytes));
    this.out.copy(larger, 0, 0, this.length);
    this.out = larger;
  }
}

interface Parts {
  readonly letter: number;
  readonly marks: readonly number[];
}
/** What was taken apart so far: there are some thousand such characters. */
const decompositions = new Map<number, Parts>();

/** A character as a letter and marks if all of them have a code; the letter may be one that holds some of the marks. */
function decompose(char: number): Parts | undefined {
  const known = decompositions.get(char);
  if (known) return known;
  const { sets, marks } = index();
  const parts = [...String.fromCodePoint(char).normalize('NFD')];
  for (let taken = parts.length - 1; taken > 0; taken--) {
    const letter = parts.slice(0, taken).join('').normalize('NFC');
    const rest = parts.slice(taken).map(pointOf);
    if ([...letter].length > 1 || !sets.has(pointOf(letter))) continue;
    if (!rest.every((mark) => marks.has(mark))) continue;
    const found = { letter: pointOf(letter), marks: rest };
    decompositions.set(char, found);
    return found;
  }
  return undefined;
}

function pointOf(char: string): number {
  return char.codePointAt(0)!;
}

/** Encodes one text: control characters other than TAB, LF and CR become references like all that has no form. */
export function encodeMarc8(text: string): Buffer {
  const encoder = new Marc8Encoder();
  encoder.text(text);
  return encoder.bytes;
}
