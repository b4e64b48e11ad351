import { FOREIGN } from './text-folding.js';

/**
 * Words of text as PostgreSQL's parser gives them, with the configuration `simple`, where that can be told without asking it:
 * `to_tsvector` is half of what a row with words costs (conventions 17.5).
 *
 * The parser is a machine of many states that looks ahead: a full stop may make a host or a file of two words, a hyphen a
 * compound or a sign, `1e5` is one number and `1e5d` two words. So text is cut at characters that are part of no word
 * whatever stands around them, and a piece between two of them is read only if it has one of the forms below, each of which
 * was compared with the parser (`plain-words.int.spec.ts` does so with random text). Of anything else it says: not plain.
 */
const PURE = 1;
const LETTER = 2;
const DIGIT = 3;
/** May end a plain word: it then only ends it. */
const CLOSING = 4;
const OTHER = 0;

const KINDS = new Uint8Array(128).fill(PURE);
for (let char = 0; char < KINDS.length; char++) {
  const text = String.fromCharCode(char);
  if (/[a-z]/i.test(text)) KINDS[char] = LETTER;
  else if (/[0-9]/.test(text)) KINDS[char] = DIGIT;
  else if (/[-.:/+]/.test(text)) KINDS[char] = CLOSING;
  else if (/[@_~<>\0]/.test(text)) KINDS[char] = OTHER;
}

/** Longer ones the parser drops with a notice at some point; no catalogue has them. */
const WORD_LENGTH_MAX = 400;

/** Takes words, each as a part of some text, in any letter case: a string of its own would cost more than finding the word. */
export interface WordSink {
  word(text: string, start: number, end: number): void;
}

/**
 * Shows the words of a text in their order; `&` and `'` separate words. The configuration makes them lower case.
 *
 * @param kinds of `TextFolding`
 * @returns false: the text is not plain, and what was shown so far means nothing
 */
export function plainWords(text: string, kinds: Uint8Array, sink: WordSink): boolean {
  const end = text.length;
  let at = 0;
  while (at < end) {
    const char = text.charCodeAt(at);
    const first = char > 127 ? FOREIGN_KINDS[kinds[char]!]! : KINDS[char]!;
    if (first === PURE) {
      at++;
      continue;
    }
    let stop = at + 1;
    let simple = first === LETTER || first === DIGIT;
    let closed = false;
    for (; stop < end; stop++) {
      const next = text.charCodeAt(stop);
      const kind = next > 127 ? behind(kinds[next]!) : KINDS[next]!;
      if (kind === PURE) break;
      if (closed || kind === OTHER || (kind !== CLOSING && kind !== first)) simple = false;
      else if (kind === CLOSING) closed = true;
    }
    if (stop - at > WORD_LENGTH_MAX) return false;
    if (simple) sink.word(text, at, closed ? stop - 1 : stop);
    else if (!showPiece(text.slice(at, stop), sink)) return false;
    at = stop;
  }
  return true;
}

/** A mark begins no word, and belongs to the one it stands behind. */
const FOREIGN_KINDS: readonly number[] = [OTHER, LETTER, OTHER];
const behind = (kind: number): number => (kind === FOREIGN.OTHER ? OTHER : LETTER);

/** A number with an exponent ends where the exponent does, two full stops are a path. */
const TREACHEROUS = /[0-9]e[0-9]|\.\./i;

/** What stands between two separators: something before that means nothing, one of the cores, something behind. */
const PIECE = /^([-.]*)([a-z0-9](?:[-a-z0-9_:./+]*[a-z0-9])?)([-.:/+]*)$/i;
const NOTHING = /^(?:[-:+]+|[./])$/;

function showPiece(piece: string, sink: WordSink): boolean {
  if (TREACHEROUS.test(piece)) return false;
  if (NOTHING.test(piece)) return true;
  const [, lead = '', core = '', trail = ''] = PIECE.exec(piece) ?? [];
  if (core === '' || !/^(?:[.:/+]?|[-:]+)$/.test(trail)) return false;
  const startsWithDigit = core.charCodeAt(0) <= 0x39;
  if (startsWithDigit && lead !== '') {
    // A hyphen before a number is its sign.
    if (lead !== '-' || !/^[0-9]+$/.test(core)) return false;
    sink.word(piece, 0, 1 + core.length);
    return true;
  }
  const words = wordsOf(core, trail);
  for (const word of words ?? []) sink.word(word, 0, word.length);
  return words !== undefined;
}

const WORD = /^[a-z0-9]+$/i;
const NUMBERS = /^[0-9]+(?:-[0-9]+)+$/;
const COMPOUND = /^(?:[a-z]+(?:-[a-z]+)+|[a-z][a-z0-9]*-[a-z][a-z0-9]*)$/i;
const WORD_NUMBER = /^([a-z]+)(-[0-9]+)$/i;
const NUMBER_WORD = /^([0-9]+)-([a-z]+)$/i;
const NUMBER_CHECK = /^([0-9]+)(-[0-9]+)([a-z]+)$/i;
const APART = /^[a-z0-9]+(?:[:_][a-z0-9]+)+$/i;
/** Numbers with full stops, initials, a volume, a host or a path of two parts: one word as it stands. */
const WHOLE =
  /^(?:[0-9]+(?:\.[0-9]+)+|[a-z](?:\.[a-z])+|[a-z]+\.(?:[a-z]+|[0-9]+)|[a-z]+\/[a-z]+)$/i;

function wordsOf(core: string, trail: string): readonly string[] | undefined {
  if (WORD.test(core)) return [core];
  if (NUMBERS.test(core)) return core.split(/(?=-)/);
  if (COMPOUND.test(core)) return [core, ...core.split('-')];
  if (APART.test(core)) return core.split(/[:_]/);
  const parts = WORD_NUMBER.exec(core) ?? NUMBER_WORD.exec(core) ?? NUMBER_CHECK.exec(core);
  if (parts) return parts.slice(1);
  return WHOLE.test(core) && /^[.:]?$/.test(trail) ? [core] : undefined;
}
