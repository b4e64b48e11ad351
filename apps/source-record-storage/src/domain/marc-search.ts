import { refused } from '@quire/contracts/failure';
import type { MarcRecord } from '@quire/marc/record';
import { readOperand, type MarcTest } from './marc-search-operands.js';

/**
 * The language of `POST /source-storage/stream/marc-record-identifiers` (source-record-storage, 7.2):
 *
 *   expression = term ('or' term)*      term = factor ('and' factor)*      factor = '(' expression ')' | condition
 *   condition  = key operator 'value'
 *
 * Built are positions of the leader and the date of 005, which exports of deleted records need; other keys are refused by
 * name.
 */
export type SearchKind = 'leaderSearchExpression' | 'marcFieldSearchExpression';

export type MarcSearch =
  MarcTest | { readonly kind: 'and' | 'or'; readonly parts: readonly MarcSearch[] };

/** The letter that leader/05 must be for any record to match; undefined when it may be several. */
export function statusOf(search: MarcSearch): string | undefined {
  if (search.kind === 'test') return search.status;
  if (search.kind === 'or') return undefined;
  return search.parts.map(statusOf).find((status) => status !== undefined);
}

export function matches(search: MarcSearch, record: MarcRecord): boolean {
  if (search.kind === 'test') return search.holds(record);
  const holds = (part: MarcSearch): boolean => matches(part, record);
  return search.kind === 'and' ? search.parts.every(holds) : search.parts.some(holds);
}

/** Deeper ones are refused as not parsable. */
const DEPTH_MAX = 50;

/** @throws Failure refused with the text of section 7.2 */
export function parseMarcSearch(text: string, kind: SearchKind): MarcSearch {
  const fail = (reason: string): Error => refused(`${reason} [expression: ${kind}]`, 'marc-search');
  if (text.trim() === '') throw fail('The input expression should not be black or empty');
  const bare = text.replace(/'[^']*'/g, "''");
  if (count(bare, '(') !== count(bare, ')'))
    throw fail('The number of opened brackets should be equal to number of closed brackets');
  if (/''/.test(text)) throw fail('Empty values are not allowed');
  if (bare.replaceAll("''", '').includes("'") || UNQUOTED.test(bare))
    throw fail('Each value in the expression should be surrounded by single quotes');
  return new Parser(text, kind).parse();
}

const count = (text: string, character: string): number => text.split(character).length - 1;

/** An operator that something else than a value in quotes follows. */
const UNQUOTED = /(?:=|\s(?:from|to|in|is)\s)\s*[^\s'=]/;

const CONDITION = /^([^\s'()=^]+)(?:\s+([A-Za-z]+=?|\^?=)|(\^?=))\s*'([^']*)'/;

class Parser {
  private rest: string;
  private depth = 0;

  constructor(
    text: string,
    private readonly kind: SearchKind,
  ) {
    this.rest = text.trim();
  }

  parse(): MarcSearch {
    const search = this.expression();
    if (this.rest !== '') throw this.unparsable();
    return search;
  }

  private expression(): MarcSearch {
    return this.joined('or', () => this.joined('and', () => this.factor()));
  }

  private joined(kind: 'and' | 'or', part: () => MarcSearch): MarcSearch {
    const first = part();
    const parts = [first];
    while (this.takes(kind)) parts.push(part());
    return parts.length === 1 ? first : { kind, parts };
  }

  private factor(): MarcSearch {
    if (!this.rest.startsWith('(')) return this.condition();
    this.depth += 1;
    if (this.depth > DEPTH_MAX) throw this.unparsable();
    this.skip(1);
    const inner = this.expression();
    if (!this.rest.startsWith(')')) throw this.unparsable();
    this.skip(1);
    this.depth -= 1;
    return inner;
  }

  private condition(): MarcSearch {
    const found = CONDITION.exec(this.rest);
    if (!found) throw this.unparsable();
    const [whole, key = '', spaced, joined = '', value = ''] = found;
    this.skip(whole.length);
    return readOperand({ key, operator: spaced ?? joined, value }, this.kind);
  }

  private takes(word: string): boolean {
    if (!new RegExp(`^${word}(?=[\\s(])`, 'i').test(this.rest)) return false;
    this.skip(word.length);
    return true;
  }

  private skip(characters: number): void {
    this.rest = this.rest.slice(characters).trimStart();
  }

  private unparsable(): Error {
    return refused(`The given expression [${this.rest}] is not parsable`, 'marc-search');
  }
}
