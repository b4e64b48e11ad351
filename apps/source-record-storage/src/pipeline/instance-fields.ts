/** One MARC field as text, and the rules by which its subfields become values of the instance view. */

const DELIMITER = 0x1f;
const DELIMITER_TEXT = '\x1f';
const BLANK = 0x20;
const FULL_STOP = 0x2e;

/** Codes of subfields as flags by their character. */
export type Codes = Uint8Array;

export function codes(letters: string): Codes {
  const flags = new Uint8Array(128);
  for (const letter of letters) flags[letter.charCodeAt(0)] = 1;
  return flags;
}

/** Every code that is a letter. */
export const LETTERS = codes('abcdefghijklmnopqrstuvwxyz');

/**
 * Subfields of one field, trimmed and without the empty ones. One object serves all fields of all records: lists per field
 * would be most of what reading a record costs.
 */
export class FieldText {
  private readonly codes: number[] = [];
  private readonly texts: string[] = [];
  private count = 0;
  /** First and second indicator, as characters. */
  ind1 = BLANK;
  ind2 = BLANK;

  /** Reads the field that stands in `data` from `start` to before `end`: indicators, delimiters, codes and texts. */
  read(data: string, start: number, end: number): void {
    this.count = 0;
    this.ind1 = data.charCodeAt(start);
    this.ind2 = data.charCodeAt(start + 1);
    let at = start + 2;
    // Not `indexOf`: it would run on behind a field that has none.
    while (at < end && data.charCodeAt(at) !== DELIMITER) at++;
    while (at < end) {
      const next = data.indexOf(DELIMITER_TEXT, at + 1);
      const stop = next < 0 || next > end ? end : next;
      const text = trimmed(data, at + 2, stop);
      if (text !== '') {
        this.codes[this.count] = data.charCodeAt(at + 1);
        this.texts[this.count++] = text;
      }
      at = stop;
    }
  }

  /** Texts of the subfields with these codes, joined by one blank in the order of the record; `''` if there is none. */
  join(wanted: Codes): string {
    let joined = '';
    for (let i = 0; i < this.count; i++) {
      if (wanted[this.codes[i]!] !== 1) continue;
      joined = joined === '' ? this.texts[i]! : `${joined} ${this.texts[i]!}`;
    }
    return joined;
  }

  /** Text of the first subfield with this code. */
  first(code: string): string | undefined {
    const wanted = code.charCodeAt(0);
    for (let i = 0; i < this.count; i++) if (this.codes[i] === wanted) return this.texts[i];
    return undefined;
  }

  /** Shows every subfield in order. */
  each(visit: (code: string, text: string) => void): void {
    for (let i = 0; i < this.count; i++) visit(String.fromCharCode(this.codes[i]!), this.texts[i]!);
  }
}

function trimmed(data: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && data.charCodeAt(from) <= BLANK) from++;
  while (to > from && data.charCodeAt(to - 1) <= BLANK) to--;
  return data.slice(from, to);
}

const MARKS = codes('/:;,=');

/**
 * Without blanks around it, one trailing `/`, `:`, `;`, `,` or `=`, and a trailing full stop, which stays behind an initial,
 * an abbreviation of up to three letters or another full stop.
 */
export function tidy(text: string): string {
  let end = endBefore(text, text.length);
  if (end > 0 && MARKS[text.charCodeAt(end - 1)] === 1) end = endBefore(text, end - 1);
  if (end > 0 && text.charCodeAt(end - 1) === FULL_STOP && !isAbbreviation(text, end - 1))
    end = endBefore(text, end - 1);
  return trimmed(text, 0, end);
}

/** Where the text before `end` ends without its trailing blanks. */
function endBefore(text: string, end: number): number {
  let at = end;
  while (at > 0 && text.charCodeAt(at - 1) <= BLANK) at--;
  return at;
}

const ABBREVIATION_LETTERS_MAX = 3;

/** Is it a full stop that belongs to the word before it? */
function isAbbreviation(text: string, stop: number): boolean {
  let letters = 0;
  for (let at = stop - 1; at >= 0; at--) {
    const char = text.charCodeAt(at);
    if (char === FULL_STOP && letters === 0) return true;
    if (isMark(char)) continue;
    if (!isLetter(char)) break;
    if (++letters > ABBREVIATION_LETTERS_MAX) return false;
  }
  return letters > 0;
}

const isMark = (char: number): boolean => char >= 0x300 && char <= 0x36f;

/** Beyond ASCII only letters matter here: what else stands there is not followed by a full stop in practice. */
const isLetter = (char: number): boolean =>
  ((char | BLANK) >= 0x61 && (char | BLANK) <= 0x7a) || char >= 0xc0;
