/**
 * CQL text → tokens.
 *
 *   blank   = space | tab | CR | LF                     separates tokens, means nothing else
 *   single  = ( ) / < > =      double = == <= >= <>     the longest wins
 *   string  = a `"` at the start of a token, up to the next `"` behind an even number of backslashes
 *   word    = any other run up to a blank or one of ( ) / < > =      a `"` inside a word belongs to it
 *   keyword = the words and, or, not, prox, sortby in any letter case
 *
 * Backslashes stay in the value; what they mean depends on the index and is read there. One pass, no regular
 * expression over the whole text, so any input costs time linear in its length.
 */
import { CqlError } from './errors.js';

const KEYWORDS = ['and', 'or', 'not', 'prox', 'sortby'] as const;
export type Keyword = (typeof KEYWORDS)[number];
export type Symbolic = '(' | ')' | '/' | '=' | '==' | '<>' | '<' | '<=' | '>' | '>=';

export type Token = { readonly column: number } & (
  | { readonly kind: 'end' }
  | { readonly kind: 'symbol'; readonly symbol: Symbolic }
  /** `value` is the word as typed: after a relation a keyword may be a term. */
  | { readonly kind: 'keyword'; readonly keyword: Keyword; readonly value: string }
  | { readonly kind: 'word'; readonly value: string }
  | { readonly kind: 'string'; readonly value: string }
);

const BLANKS = new Set([' ', '\t', '\r', '\n']);
const SINGLES = new Set(['(', ')', '/', '<', '>', '=']);
const DOUBLES = new Set(['==', '<=', '>=', '<>']);

/** All tokens of the text, the last one of kind `end`. @throws CqlError on an unclosed string or a character that no store can hold */
export function tokenize(text: string): Token[] {
  const scanner = new Scanner(text);
  const tokens: Token[] = [];
  for (;;) {
    const token = scanner.next();
    tokens.push(token);
    if (token.kind === 'end') return tokens;
  }
}

/** How a token is named in a reason. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'EOF';
    case 'symbol':
      return token.symbol.length === 1 ? `'${token.symbol}'` : token.symbol;
    case 'keyword':
      return token.keyword;
    case 'word':
      return `word: '${token.value}'`;
    case 'string':
      return `string: "${token.value}"`;
  }
}

class Scanner {
  private at = 0;
  private column = 1;

  constructor(private readonly text: string) {}

  next(): Token {
    while (BLANKS.has(this.peek())) this.step();
    const column = this.column;
    const character = this.peek();
    if (character === '') return { kind: 'end', column };
    if (character === '"') return { kind: 'string', value: this.string(), column };
    if (SINGLES.has(character)) return { kind: 'symbol', symbol: this.symbol(), column };
    const value = this.word();
    const keyword = KEYWORDS.find((known) => known === value.toLowerCase());
    return keyword ? { kind: 'keyword', keyword, value, column } : { kind: 'word', value, column };
  }

  private symbol(): Symbolic {
    const pair = this.text.slice(this.at, this.at + 2);
    const symbol = DOUBLES.has(pair) ? pair : pair.slice(0, 1);
    this.at += symbol.length;
    this.column += symbol.length;
    return symbol as Symbolic; // both sets above hold nothing else
  }

  private string(): string {
    this.step();
    const from = this.at;
    let escaped = false;
    for (;;) {
      const character = this.peek();
      if (character === '') throw this.failure(`expected '"', got EOF`);
      if (character === '"' && !escaped) break;
      escaped = character === '\\' && !escaped;
      this.step();
    }
    const value = this.text.slice(from, this.at);
    this.step();
    return value;
  }

  private word(): string {
    const from = this.at;
    for (;;) {
      const character = this.peek();
      if (character === '' || BLANKS.has(character) || SINGLES.has(character)) break;
      this.step();
    }
    return this.text.slice(from, this.at);
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  /** One code point further. NUL and lone surrogates are in no value a store can hold, and a driver would fail on them. */
  private step(): void {
    const code = this.text.codePointAt(this.at) ?? 0;
    if (code === 0 || (code >= 0xd800 && code <= 0xdfff)) {
      const name = code.toString(16).toUpperCase().padStart(4, '0');
      throw this.failure(`character U+${name} is not allowed`);
    }
    this.at += code > 0xffff ? 2 : 1;
    this.column += 1;
  }

  private failure(reason: string): CqlError {
    return new CqlError('syntax', reason, this.column, this.text);
  }
}
