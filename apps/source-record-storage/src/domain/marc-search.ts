import { refused, type Failure } from '@quire/contracts/failure';
import { readOperand } from './marc-search-operands.js';
import { joined, type MarcSearch } from './marc-search-tree.js';

/**
 * The language of `POST /source-storage/stream/marc-record-identifiers` (source-record-storage, 7.2):
 *
 *   expression = term ('or' term)*      term = factor ('and' factor)*      factor = '(' expression ')' | condition
 *   condition  = key operator 'value'
 *
 * Brackets may be as deep as they like: open ones are a stack and no recursion.
 */
export type SearchKind = 'leaderSearchExpression' | 'marcFieldSearchExpression';

/** @throws Failure refused with the text of section 7.2 */
export function parseMarcSearch(text: string, kind: SearchKind): MarcSearch {
  checkWhole(text, kind);
  return new Parser(text, kind).parse();
}

/** What is said of the expression as a whole, before any of it is read. Text in quotes is only text. */
function checkWhole(text: string, kind: SearchKind): void {
  const fail = (reason: string): Failure =>
    refused(`${reason} [expression: ${kind}]`, 'marc-search');
  if (text.trim() === '') throw fail('The input expression should not be black or empty');
  const bare = text.replace(/'[^']*'/g, "''");
  if (count(bare, '(') !== count(bare, ')'))
    throw fail('The number of opened brackets should be equal to number of closed brackets');
  if (count(text, "'") % 2 === 1 || UNQUOTED.test(bare))
    throw fail('Each value in the expression should be surrounded by single quotes');
  if (text.split("'").some((part, at) => at % 2 === 1 && part === ''))
    throw fail('Empty values are not allowed');
}

const count = (text: string, character: string): number => text.split(character).length - 1;

/** An operator that something else than a value in quotes follows. */
const UNQUOTED = /(?:=|\s(?:from|to|in|is)\s)\s*[^\s'=]/;

const CONDITION = /([^\s'()=^]+)(?:\s+([A-Za-z]+=?|\^?=)|(\^?=))\s*'([^']*)'/y;
const JOINER = /(and|or)(?=[\s(])/iy;
const BLANKS = /\s*/y;

/** What a key looks like at least; which keys there are, is told by name. */
const KEY = /^(?:[0-9]{3}\.|p_)/;

/** A bracket that is open: terms joined by "or", each of factors joined by "and". */
type Open = MarcSearch[][];

class Parser {
  private at = 0;
  private readonly open: Open[] = [[[]]];

  constructor(
    private readonly text: string,
    private readonly kind: SearchKind,
  ) {
    this.text = text.trimEnd();
    this.skip(0);
  }

  parse(): MarcSearch {
    for (;;) {
      this.factor();
      while (this.text[this.at] === ')') this.close();
      if (this.at === this.text.length) break;
      if (this.joiner() === 'or') this.open.at(-1)?.push([]);
    }
    const [whole] = this.open;
    if (!whole || this.open.length > 1) throw this.unparsable();
    return closed(whole);
  }

  private factor(): void {
    while (this.text[this.at] === '(') {
      this.open.push([[]]);
      this.skip(1);
    }
    const [whole, key = '', spaced, joint = '', value = ''] = this.match(CONDITION) ?? [];
    if (whole === undefined || !KEY.test(key)) throw this.unparsable();
    this.add(readOperand({ key, operator: spaced ?? joint, value }, this.kind));
    this.skip(whole.length);
  }

  private close(): void {
    const inner = this.open.pop();
    if (!inner || this.open.length === 0) throw this.unparsable();
    this.add(closed(inner));
    this.skip(1);
  }

  private add(search: MarcSearch): void {
    this.open.at(-1)?.at(-1)?.push(search);
  }

  private joiner(): string {
    const [word] = this.match(JOINER) ?? [];
    if (word === undefined) throw this.unparsable();
    this.skip(word.length);
    return word.toLowerCase();
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }

  private skip(characters: number): void {
    BLANKS.lastIndex = this.at + characters;
    this.at += characters + (BLANKS.exec(this.text)?.[0].length ?? 0);
  }

  private unparsable(): Failure {
    return refused(
      `The given expression [${this.text.slice(this.at)}] is not parsable`,
      'marc-search',
    );
  }
}

const closed = (terms: Open): MarcSearch =>
  joined(
    'or',
    terms.map((factors) => joined('and', factors)),
  );
