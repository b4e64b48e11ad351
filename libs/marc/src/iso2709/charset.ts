/**
 * Decides the character set of a record from leader/09 and from its bytes.
 *
 * Only records that are not in stored form come here. A record that says it is UTF-8 and is not, or says nothing and is
 * no ASCII, is read by the best guess, and a warning names the guess.
 */

import { isAscii, isUtf8 } from 'node:buffer';
import { recordError, type RecordError, type WarningList } from '../errors.js';
import { Marc8Decoder } from '../marc8-decode.js';
import { ESCAPE, FIELD_TERMINATOR } from './grammar.js';

/**
 * How text is turned into UTF-8: it is already; bad sequences become U+FFFD; from MARC-8; every byte is a character.
 */
export type Charset = 'utf8' | 'replace' | 'marc8' | 'latin1';

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

/** The fields' bytes, end marks included, which begin at `base` in the frame, and leader/09. */
interface FieldData {
  readonly data: Buffer;
  readonly base: number;
  readonly flag: number;
}

const LOWER_A = 0x61;

/** Decides the character set; error `ENCODING` under the rule `strict` for what is not what it says. */
export function decideCharset(
  fields: FieldData,
  rules: CharsetRules,
  warnings: WarningList,
): Charset | RecordError {
  const valid = isUtf8(fields.data);
  if (fields.flag === LOWER_A || rules.unicode) {
    return valid ? 'utf8' : decideInvalid(fields, rules, warnings);
  }
  const escape = fields.data.indexOf(ESCAPE);
  if (escape < 0 && isAscii(fields.data)) return 'utf8';
  if (!valid || holdsEscapeSequence(fields.data, escape)) return 'marc8';
  if (isAscii(fields.data)) return 'marc8';
  warnings.add('FLAG_MISSING', 9, { tag: 'LDR' });
  return 'utf8';
}

/** The record says UTF-8 and is not. */
function decideInvalid(
  { data, base }: FieldData,
  { strict }: CharsetRules,
  warnings: WarningList,
): Charset | RecordError {
  const { bad, nonAscii, first } = countSequences(data);
  if (strict) {
    const detail = `The record says it is UTF-8, but ${bad} of its characters are not`;
    return recordError('ENCODING', base + first, { detail });
  }
  if (bad < BAD_SEQUENCES_MAX && bad < nonAscii * BAD_SHARE_MAX) return 'replace';
  const [charset, name] = readsAsMarc8(data)
    ? (['marc8', 'MARC-8'] as const)
    : (['latin1', 'ISO 8859-1'] as const);
  const detail = `The record is not UTF-8 as it claims; it was read as ${name}`;
  warnings.add('ENCODING_GUESSED', base + first, { detail });
  return charset;
}

/** Is every byte a character in MARC-8, and every mark before a letter? */
function readsAsMarc8(data: Buffer): boolean {
  let unknown = 0;
  const decoder = new Marc8Decoder((code) => {
    if (code !== 'MARC8_UNKNOWN') return;
    unknown++;
    decoder.stop();
  }, true);
  for (let start = 0; start < data.length && unknown === 0;) {
    const mark = data.indexOf(FIELD_TERMINATOR, start);
    const end = mark < 0 ? data.length : mark;
    decoder.read({ bytes: data, start, end });
    start = end + 1;
  }
  return unknown === 0;
}

/** Behind ESC, what begins an escape sequence of MARC-8. A lone ESC may stray into any file. */
const ANNOUNCING = new Set(Buffer.from('(,)-$gbps'));

function holdsEscapeSequence(data: Buffer, from: number): boolean {
  for (let at = from; at >= 0; at = data.indexOf(ESCAPE, at + 1)) {
    if (ANNOUNCING.has(data[at + 1] ?? 0)) return true;
  }
  return false;
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
