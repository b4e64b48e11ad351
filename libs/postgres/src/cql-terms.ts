/**
 * Terms of CQL, read as what their index needs: words, a pattern with masks, a period, a range of UUIDs, a number.
 * Pure. No pattern is ever built from a term; the constant ones below are linear in their input.
 */

/** Blanks of CQL: they separate words, other white space does not. */
const BLANKS = ' \t\r\n';

function isBlank(character: string): boolean {
  return character !== '' && BLANKS.includes(character);
}

/** Blanks cut off at both ends. */
export function trimBlanks(term: string): string {
  let from = 0;
  let to = term.length;
  while (from < to && isBlank(term.charAt(from))) from += 1;
  while (to > from && isBlank(term.charAt(to - 1))) to -= 1;
  return term.slice(from, to);
}

/** What a word search looks for; `every` is a term of lone stars, `blank` one without any character. */
export type WordTerm =
  | { readonly kind: 'every' }
  | { readonly kind: 'blank' }
  | { readonly kind: 'words'; readonly words: readonly Word[] }
  | { readonly kind: 'wrong'; readonly reason: string };

/** A run without blanks, `&` and `'`. The database may find several words in it, or none. */
export interface Word {
  readonly text: string;
  /** Right truncation. */
  readonly truncated: boolean;
}

/** Characters that separate words and would otherwise share the truncation of the word behind them. */
const SEPARATORS = "&'’‘＆＇";

/** PostgreSQL keeps no word of more than 2,047 bytes; longer runs could only overload its parser's stack. */
const WORD_CHARACTERS_MAX = 2_000;

export function readWords(term: string): WordTerm {
  const words: Word[] = [];
  let text = '';
  let starred = false;
  const end = (truncated: boolean): void => {
    if (text !== '') words.push({ text: text.slice(0, WORD_CHARACTERS_MAX + 1), truncated });
    text = '';
  };
  for (let at = 0; at < term.length; at += 1) {
    const character = term.charAt(at);
    const next = term.charAt(at + 1);
    if (isBlank(character)) end(false);
    else if (character === '\\' && next !== '') {
      text += next;
      at += 1;
    } else if (character === '?') {
      return { kind: 'wrong', reason: '? wildcard not allowed in full text query string' };
    } else if (character === '*') {
      if (next !== '' && !isBlank(next)) return { kind: 'wrong', reason: badStar(term, at + 1) };
      starred = true;
      end(true);
    } else if (SEPARATORS.includes(character)) {
      // kept as a piece without a word: a term of nothing else has characters, but matches nothing
      end(false);
      text = character;
      end(false);
    } else text += character;
  }
  end(false);
  if (words.length > 0) {
    return {
      kind: 'words',
      words: words.filter((word) => word.text.length <= WORD_CHARACTERS_MAX),
    };
  }
  return { kind: starred ? 'every' : 'blank' };
}

function badStar(term: string, at: number): string {
  const found = String.fromCodePoint(term.codePointAt(at) ?? 0);
  return `* right truncation wildcard must be followed by space or end of string, but found ${found}`;
}

/**
 * A whole value with masks: `pieces[0] masks[0] pieces[1] masks[1] … pieces[n]`. A mask is a run of LIKE's wildcards
 * in which `%` occurs once, at the end: however many stars were typed, LIKE walks the value once per mask.
 */
export interface Pattern {
  readonly pieces: readonly string[];
  readonly masks: readonly string[];
}

export function readPattern(term: string): Pattern {
  const pieces: string[] = [];
  const masks: string[] = [];
  let piece = '';
  let mask = '';
  const literal = (text: string): void => {
    if (mask !== '') {
      pieces.push(piece);
      masks.push(mask);
      piece = mask = '';
    }
    piece += text;
  };
  for (let at = 0; at < term.length; at += 1) {
    const character = term.charAt(at);
    if (character === '\\' && at + 1 < term.length) literal(term.charAt(++at));
    else if (character === '?') mask = mask.endsWith('%') ? `${mask.slice(0, -1)}_%` : `${mask}_`;
    else if (character === '*') mask = mask.endsWith('%') ? mask : `${mask}%`;
    else literal(character);
  }
  if (mask !== '') literal('');
  return { pieces: [...pieces, piece], masks };
}

/** The value itself when the pattern has no masks. */
export function literalOf(pattern: Pattern): string | undefined {
  return pattern.masks.length === 0 ? pattern.pieces[0] : undefined;
}

/** What a value begins with that matches the pattern, when that is all the pattern says. */
export function beginningOf({ pieces, masks }: Pattern): string | undefined {
  const truncated = masks.length === 1 && masks[0] === '%' && pieces[1] === '';
  return truncated && pieces[0] !== '' ? pieces[0] : undefined;
}

/** A pattern of nothing but stars. */
export function matchesAll(pattern: Pattern): boolean {
  return pattern.masks.length === 1 && pattern.masks[0] === '%' && pattern.pieces.join('') === '';
}

/** The term without the special meaning of its characters, for relations where masks are ordinary. */
export function unescape(term: string): string {
  let text = '';
  for (let at = 0; at < term.length; at += 1) {
    if (term.charAt(at) === '\\' && at + 1 < term.length) at += 1;
    text += term.charAt(at);
  }
  return text;
}

/** LIKE pattern for values that need no folding. */
export function likePattern(pattern: Pattern): string {
  return pattern.pieces
    .map((piece, at) => piece.replace(/[\\%_]/g, '\\$&') + (pattern.masks[at] ?? ''))
    .join('');
}

/** The same match for short values in memory; goes back to the last star only, as in the classic two-pointer walk. */
export function matchesPattern(value: string, pattern: Pattern): boolean {
  const wanted = pattern.pieces.flatMap((piece, at) => [
    ...Array.from(piece, (character) => ({ character })),
    ...Array.from(pattern.masks[at] ?? '', (mask) => ({ mask })),
  ]);
  const given = Array.from(value);
  let at = 0;
  let star = -1;
  let starred = 0;
  for (let position = 0; position < given.length;) {
    const want = wanted[at];
    if (want && 'mask' in want && want.mask === '%') {
      star = at++;
      starred = position;
    } else if (want && ('mask' in want || want.character === given[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      position = ++starred;
    } else return false;
  }
  return wanted.slice(at).every((want) => 'mask' in want && want.mask === '%');
}

const HEX_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LOWEST_UUID = '00000000-0000-0000-0000-000000000000';
const HIGHEST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** First and last UUID that a term stands for; undefined when none can match. */
export type UuidRange = { readonly from: string; readonly to: string } | undefined;

/** A UUID or the beginning of one, in any letter case and of any version. */
export function readUuid(term: string): UuidRange {
  const value = term.toLowerCase();
  const from = value + LOWEST_UUID.slice(value.length);
  return HEX_FORM.test(from) ? { from, to: value + HIGHEST_UUID.slice(value.length) } : undefined;
}

/** Whether the term is one whole UUID. */
export function isUuid(term: string): boolean {
  return HEX_FORM.test(term.toLowerCase());
}

const NUMBER_FORM = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d{1,3})?$/i;
const NUMBER_CHARACTERS_MAX = 400;

/** The term as SQL reads a numeric, undefined when it is none; the same limits as `cql_number`. */
export function readNumber(term: string): string | undefined {
  const text = trimBlanks(term);
  return text.length <= NUMBER_CHARACTERS_MAX && NUMBER_FORM.test(text) ? text : undefined;
}
