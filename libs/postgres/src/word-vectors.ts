import { ArrayWriter, ELEMENT_OID } from './array-writer.js';
import { plainWords, type WordSink } from './plain-words.js';
import type { TextFolding } from './text-folding.js';

/*
 * Vectors of words with positions, in Postgres's binary format (tsvectorrecv in tsvector.c): int4 number of lexemes; of each its
 * bytes, a NUL, int2 number of positions, and the positions. Lexemes come in any order, Postgres sorts them.
 */

/** Positions from here on are all stored as this one, and a lexeme keeps so many of them: what had more is not said here. */
const POSITION_MAX = 16_383;
const POSITIONS_MAX = 255;
/** Rows with more are left to Postgres: hardly any, and the tables below stay in the processor's cache. */
const LEXEMES_MAX = 1_000;
const SLOTS = 4_096;
const CHARACTERS_MAX = 65_536;
const NONE = -1;

/**
 * One vector while it is made. One object makes all vectors, out of flat tables: a string or a list for each word was measured
 * at five times the cost of finding the words.
 */
export class WordVector implements WordSink {
  /** UTF-8 of all lexemes, one after the other, and where each begins; the last one ends where the next would begin. */
  private readonly characters = new Uint8Array(CHARACTERS_MAX);
  private readonly starts = new Int32Array(LEXEMES_MAX + 1);
  /** By lexeme: first and last of its occurrences, and how many. */
  private readonly first = new Int32Array(LEXEMES_MAX);
  private readonly last = new Int32Array(LEXEMES_MAX);
  private readonly counts = new Int32Array(LEXEMES_MAX);
  /** By occurrence: position, and the next one of its lexeme. */
  private readonly entries = new Uint16Array(POSITION_MAX);
  private readonly next = new Int32Array(POSITION_MAX);
  /** Hash table with open addresses: lexeme, valid where the slot was filled for this vector. */
  private readonly slots = new Int32Array(SLOTS);
  private readonly filledFor = new Int32Array(SLOTS);
  private vector = 1;
  private lexemes = 0;
  private occurrences = 0;
  private position = 0;
  private fits = true;
  /** Stands before each lexeme that is added. */
  private prefix = '';

  constructor(private readonly folding: Pick<TextFolding, 'kinds' | 'lower'>) {}

  clear(): void {
    this.vector++;
    this.lexemes = 0;
    this.occurrences = 0;
    this.position = 0;
    this.fits = true;
  }

  /**
   * Adds the words of a text, at the positions behind those before it.
   *
   * @param text as `TextFolding.plain` gives it
   * @param prefix of the field, in ASCII: stands before each word
   * @returns false: only Postgres can tell what the vector is
   */
  add(text: string, prefix: string): boolean {
    this.prefix = prefix;
    const plain = plainWords(text, this.folding.kinds, this);
    this.prefix = '';
    return plain && this.fits && this.position < POSITION_MAX;
  }

  /** Leaves a position free, so that no phrase spans what stands before it and behind it. */
  gap(): void {
    this.position++;
  }

  /** Adds a lexeme as `TextFolding.fold` gives it, without a position. @returns false: there are too many */
  addKey(key: string): boolean {
    const lexeme = this.lexemeOf(key, 0, key.length);
    if (lexeme === NONE) return false;
    if (lexeme === this.lexemes) {
      this.counts[lexeme] = 0;
      this.first[lexeme] = NONE;
      this.lexemes++;
    }
    return true;
  }

  /** Adds a word at the next position. */
  word(text: string, start: number, end: number): void {
    const lexeme = ++this.position < POSITION_MAX ? this.lexemeOf(text, start, end) : NONE;
    if (lexeme === NONE) {
      this.fits = false;
      return;
    }
    const occurrence = this.occurrences++;
    this.entries[occurrence] = this.position;
    this.next[occurrence] = NONE;
    if (lexeme === this.lexemes) {
      this.first[lexeme] = occurrence;
      this.counts[lexeme] = 1;
      this.lexemes++;
    } else {
      this.next[this.last[lexeme]!] = occurrence;
      if (++this.counts[lexeme]! >= POSITIONS_MAX) this.fits = false;
    }
    this.last[lexeme] = occurrence;
  }

  /** At most so many bytes are written by {@link write}. */
  get bytesMax(): number {
    return 4 + this.starts[this.lexemes]! + this.lexemes * 3 + this.occurrences * 2;
  }

  /** @returns offset behind it */
  write(bytes: Uint8Array, from: number): number {
    const { characters, starts, counts, entries, next } = this;
    let at = writeInt4(bytes, from, this.lexemes);
    for (let lexeme = 0; lexeme < this.lexemes; lexeme++) {
      const end = starts[lexeme + 1]!;
      for (let i = starts[lexeme]!; i < end; i++) bytes[at++] = characters[i]!;
      bytes[at++] = 0;
      bytes[at++] = counts[lexeme]! >> 8;
      bytes[at++] = counts[lexeme]!;
      for (let one = this.first[lexeme]!; one !== NONE; one = next[one]!) {
        bytes[at++] = entries[one]! >> 8;
        bytes[at++] = entries[one]!;
      }
    }
    return at;
  }

  /** The lexeme with these characters; one that is new has the number `lexemes`, and nothing but its characters yet. `NONE`: no room. */
  private lexemeOf(text: string, start: number, end: number): number {
    const from = this.starts[this.lexemes]!;
    const bytes = this.prefix.length + (end - start) * UNIT_BYTES_MAX;
    if (this.lexemes === LEXEMES_MAX || from + bytes > CHARACTERS_MAX) {
      return NONE;
    }
    const to = this.spell(text, start, end);
    let hash = 0;
    for (let i = from; i < to; i++) hash = (Math.imul(hash, HASH_FACTOR) + this.characters[i]!) | 0;
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    while (this.filledFor[slot] === this.vector) {
      const lexeme = this.slots[slot]!;
      if (this.equal(lexeme, from, to - from)) return lexeme;
      slot = (slot + 1) & (SLOTS - 1);
    }
    this.filledFor[slot] = this.vector;
    this.slots[slot] = this.lexemes;
    this.starts[this.lexemes + 1] = to;
    return this.lexemes;
  }

  /** Writes the small letters of a word behind the last lexeme. @returns where they end */
  private spell(text: string, start: number, end: number): number {
    const { characters } = this;
    let to = this.starts[this.lexemes]!;
    for (let i = 0; i < this.prefix.length; i++) characters[to++] = this.prefix.charCodeAt(i);
    for (let i = start; i < end; i++) {
      const char = text.charCodeAt(i);
      if (char < 128) {
        characters[to++] = char >= UPPER_A && char <= UPPER_Z ? char | LOWER_BIT : char;
        continue;
      }
      const lower = this.folding.lower[char]!;
      if (lower < 0x800) characters[to++] = 0xc0 | (lower >> 6);
      else {
        characters[to++] = 0xe0 | (lower >> 12);
        characters[to++] = 0x80 | ((lower >> 6) & 0x3f);
      }
      characters[to++] = 0x80 | (lower & 0x3f);
    }
    return to;
  }

  private equal(lexeme: number, from: number, length: number): boolean {
    const start = this.starts[lexeme]!;
    if (this.starts[lexeme + 1]! - start !== length) return false;
    for (let i = 0; i < length; i++)
      if (this.characters[start + i] !== this.characters[from + i]) return false;
    return true;
  }
}

const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const LOWER_BIT = 0x20;
const HASH_FACTOR = 31;
/** UTF-8 of a unit of the first plane. */
const UNIT_BYTES_MAX = 3;

function writeInt4(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** Collects vectors. */
export class VectorWriter extends ArrayWriter {
  constructor() {
    super(ELEMENT_OID.tsvector);
  }

  add(vector: WordVector): void {
    const start = this.open(vector.bytesMax);
    this.at = vector.write(this.bytes, this.at);
    this.close(start);
  }
}
