/**
 * The character sets of MARC-8, unpacked from their tables when somebody first needs them.
 *
 * A set has 94 characters for the bytes 21 to 7E or, designated to the upper half, A1 to FE; the East Asian set (EACC)
 * has three such bytes for each. An entry is a code point, perhaps with a flag; 0 says that there is no character.
 */

import {
  EACC_TABLE,
  MARC8_ALTERNATES,
  MARC8_CONTROLS,
  ONE_BYTE_TABLES,
  type OneByteTable,
} from './marc8-tables.js';

/** Flag of an entry: a mark, which stands before its letter. */
export const MARK = 1 << 24;
/** The second half of a double-width mark: the first half says everything. */
export const SECOND_HALF = 1 << 25;
export const CODE_POINT = 0x1fffff;

/** Double-width marks in Unicode, which stand between the two letters, and their second halves in ANSEL. */
export const SECOND_HALVES: ReadonlyMap<number, number> = new Map([
  [0x361, 0x6c],
  [0x360, 0x7b],
]);

/**
 * A mark that the code list does not call combining: it stands behind its letter in MARC-8 as in Unicode. The only
 * one.
 */
export const SUPERSCRIPT_ALEF = 0x670;

/** More marks than any letter has. Normal forms sort them, which takes time with the square of their number. */
export const MARKS_MAX = 30;

export interface OneByteSet {
  readonly final: string;
  /** Entries by code, 21 to 7E. */
  readonly entries: Uint32Array;
  /** Codes by code point. */
  readonly codes: ReadonlyMap<number, number>;
}

function oneByteSet({ final, chars, marks }: OneByteTable): OneByteSet {
  const entries = new Uint32Array(128);
  const codes = new Map<number, number>();
  for (let i = 0; i < chars.length; i++) {
    const char = chars.charCodeAt(i);
    if (char === 0x20) continue;
    entries[0x21 + i] = marks.includes(chars[i]!) ? char | MARK : char;
    codes.set(char, 0x21 + i);
  }
  for (const [set, code, char] of MARC8_ALTERNATES) {
    if (set === final) codes.set(char.charCodeAt(0), code);
  }
  if (final === 'E') for (const code of SECOND_HALVES.values()) entries[code] = SECOND_HALF;
  return { final, entries, codes };
}

/** By the last byte of their escape sequences. */
export const ONE_BYTE_SETS: ReadonlyMap<string, OneByteSet> = new Map(
  ONE_BYTE_TABLES.map((table) => [table.final, oneByteSet(table)]),
);
export const BASIC_LATIN = ONE_BYTE_SETS.get('B')!;
export const ANSEL = ONE_BYTE_SETS.get('E')!;

/** Code points of the few bytes that mean the same in every set, from 80 on; 0 for the others. */
export const CONTROLS = new Uint32Array(0x20);
for (const [code, char] of MARC8_CONTROLS) CONTROLS[code - 0x80] = char.charCodeAt(0);

/** "1", its letter in escape sequences. */
export const EACC_FINAL = 0x31;

/** The East Asian set. */
export interface Eacc {
  /** Code point of three bytes from 21 (the third from 20) to 7E; 0 where there is none. */
  entry(first: number, second: number, third: number): number;
  /** Codes by code point: three bytes in one number. Of several codes for one character the first of the list. */
  readonly codes: ReadonlyMap<number, number>;
}

let unpacked: Eacc | undefined;

/** A megabyte, and a few milliseconds the first time: most processes never see such text. */
export function eacc(): Eacc {
  return (unpacked ??= unpackEacc());
}

function unpackEacc(): Eacc {
  const rows = new Array<Uint32Array | undefined>(1 << 15);
  const codes = new Map<number, number>();
  for (const line of EACC_TABLE) {
    const row = parseInt(line.slice(0, 4), 16);
    const entries = (rows[row] = new Uint32Array(128));
    let code = 0x20;
    let skip = 0;
    for (let i = 4; i < line.length; i++) {
      const char = line.codePointAt(i)!;
      if (char >= 0x30 && char <= 0x39) {
        skip = skip * 10 + char - 0x30;
        continue;
      }
      if (char > 0xffff) i++;
      code += skip;
      skip = 0;
      entries[code] = char;
      if (!codes.has(char)) codes.set(char, (row << 8) | code);
      code++;
    }
  }
  const entry = (first: number, second: number, third: number) =>
    rows[(first << 8) | second]?.[third] ?? 0;
  return { entry, codes };
}
