/**
 * Tokens → tree, by recursive descent. The grammar, with the reading of each ambiguous place:
 *
 *   query    = expr [ "sortby" sortKey { sortKey } ]
 *   expr     = operand { ("and" | "or" | "not") operand }     equal rank, from the left; not means "and not"
 *   operand  = "(" expr ")" | clause
 *   clause   = index relation { modifier } ( term | "(" expr ")" ) | term
 *   index    = word | string
 *   relation = "=" | "==" | "<>" | "<" | "<=" | ">" | ">=" | "adj" | "all" | "any"
 *   modifier = "/" word [ symbol (word | string) ]
 *   term     = ( word | string | keyword ) { word | string }  a keyword only directly behind a relation
 *   sortKey  = index { modifier }
 *
 * Recursion happens at parentheses alone and is bounded by `depthMax`; the text is measured before it is read. So
 * every input of legal size is answered in milliseconds, and none can exhaust the stack.
 */
import type {
  CqlClause,
  CqlGroup,
  CqlModifier,
  CqlName,
  CqlNode,
  CqlOperator,
  CqlQuery,
  CqlRelation,
  CqlSortKey,
  CqlSymbol,
} from './ast.js';
import { CqlError } from './errors.js';
import type { CqlErrorCode } from './errors.js';
import { describeToken, tokenize } from './lexer.js';
import type { Token } from './lexer.js';

/** Passing one is an error at the column where it is passed. */
export interface CqlLimits {
  /** Unicode code points. */
  readonly charactersMax: number;
  /** Open parentheses. */
  readonly depthMax: number;
  readonly clausesMax: number;
}

/** For the `query` parameter of a URL. Source: conventions, section 16. */
export const URL_LIMITS: CqlLimits = { charactersMax: 8_000, depthMax: 50, clausesMax: 200 };

/** For queries in a body or in an uploaded file. Source: conventions, section 16. */
export const BODY_LIMITS: CqlLimits = { charactersMax: 65_536, depthMax: 50, clausesMax: 2_000 };

/**
 * Reads one query. An empty `query` parameter means "no filter" and is the caller's case; text of nothing but blanks
 * is an error here.
 *
 * @throws CqlError with the column and the reason
 */
export function parseCql(text: string, limits: CqlLimits): CqlQuery {
  if (exceeds(text, limits.charactersMax)) {
    const reason = `query is longer than ${limits.charactersMax} characters`;
    throw new CqlError('limit', reason, limits.charactersMax + 1, text);
  }
  return new Parser(text, limits).query();
}

/** Counts code points only where the count of UTF-16 units leaves a doubt. */
function exceeds(text: string, charactersMax: number): boolean {
  if (text.length <= charactersMax) return false;
  if (text.length > 2 * charactersMax) return true;
  return Array.from(text).length > charactersMax;
}

/** What `index relation (…)` hands to the bare terms inside. */
type Scope = Pick<CqlClause, 'index' | 'relation' | 'relationColumn' | 'modifiers'>;

const WORD_RELATIONS = new Set(['adj', 'all', 'any']);
const UNSUPPORTED_RELATIONS = new Set(['within', 'encloses', 'exact', 'scr']);

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;
  private clauses = 0;

  constructor(
    private readonly text: string,
    private readonly limits: CqlLimits,
  ) {
    this.tokens = tokenize(text);
  }

  query(): CqlQuery {
    const root = this.expression();
    const token = this.peek();
    if (isSymbol(token, ')')) throw this.fail(token, `junk after end: ${describeToken(token)}`);
    const sortKeys = isKeyword(token, 'sortby') ? this.sortKeys() : [];
    return { root, sortKeys, text: this.text };
  }

  /** Ends before `)`, `sortby` or the end; the caller knows which of them it wants. */
  private expression(scope?: Scope): CqlNode {
    const first = this.operand(scope);
    const rest: CqlGroup['rest'][number][] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end' || isSymbol(token, ')') || isKeyword(token, 'sortby')) break;
      rest.push({ operator: this.operator(token), operand: this.operand(scope) });
    }
    return rest.length === 0 ? first : { kind: 'group', first, rest };
  }

  private operator(token: Token): CqlOperator {
    if (token.kind !== 'keyword')
      throw this.fail(token, `expected boolean, got ${describeToken(token)}`);
    if (token.keyword === 'prox') throw this.unsupported(token, 'prox is not supported');
    this.at += 1;
    const next = this.peek();
    if (isSymbol(next, '/')) throw this.unsupported(next, 'boolean modifiers are not supported');
    return token.keyword as CqlOperator; // neither prox nor, by the loop of the caller, sortby
  }

  private operand(scope?: Scope): CqlNode {
    const token = this.peek();
    if (isSymbol(token, '(')) return this.parenthesis(scope);
    if (isSymbol(token, '>')) throw this.unsupported(token, 'prefix assignment is not supported');
    if (token.kind !== 'word' && token.kind !== 'string') {
      throw this.fail(token, `expected index or term, got ${describeToken(token)}`);
    }
    return this.clause(token, scope);
  }

  private parenthesis(scope?: Scope): CqlNode {
    if (++this.depth > this.limits.depthMax) {
      throw this.fail(this.peek(), 'query is nested too deeply', 'limit');
    }
    this.at += 1;
    const inner = this.expression(scope);
    const token = this.peek();
    if (!isSymbol(token, ')')) throw this.fail(token, `expected ')', got ${describeToken(token)}`);
    this.at += 1;
    this.depth -= 1;
    return inner;
  }

  private clause(first: Token & CqlNameToken, scope?: Scope): CqlNode {
    if (this.isRelation(this.at + 1)) {
      this.at += 1;
      return this.comparison({ name: first.value, column: first.column });
    }
    this.countClause(first);
    return {
      kind: 'clause',
      ...(scope ?? { relation: '=', relationColumn: first.column, modifiers: [] }),
      ...this.term(),
    };
  }

  /** Stands at the relation. */
  private comparison(index: CqlName): CqlNode {
    const token = this.peek();
    const relation = this.relation(token);
    const modifiers = this.modifiers();
    const scope: Scope = { index, relation, relationColumn: token.column, modifiers };
    const next = this.peek();
    if (isSymbol(next, '(')) return this.parenthesis(scope);
    if (next.kind !== 'word' && next.kind !== 'string' && next.kind !== 'keyword') {
      throw this.fail(next, `expected index or term, got ${describeToken(next)}`);
    }
    this.countClause(index);
    return { kind: 'clause', ...scope, ...this.term() };
  }

  private relation(token: Token): CqlRelation {
    this.at += 1;
    if (token.kind === 'symbol') return token.symbol as CqlSymbol; // isRelation let no other pass
    const name = token.kind === 'word' ? token.value : '';
    if (!WORD_RELATIONS.has(name.toLowerCase())) {
      throw this.unsupported(token, `relation '${name}' is not supported`);
    }
    return name.toLowerCase() as CqlRelation;
  }

  /** Stands at the first piece, whatever its kind; takes words and strings as long as they come. */
  private term(): Pick<CqlClause, 'term' | 'termColumn'> {
    const termColumn = this.peek().column;
    const pieces: string[] = [];
    for (let token = this.peek(); isTermPiece(token, pieces.length); token = this.peek()) {
      pieces.push(token.value);
      this.at += 1;
    }
    const next = this.peek();
    if (next.kind === 'symbol' && isRelationSymbol(next)) {
      throw this.fail(next, `unexpected relation '${next.symbol}'`);
    }
    return { term: normalize(pieces.join(' ')), termColumn };
  }

  private modifiers(): CqlModifier[] {
    const modifiers: CqlModifier[] = [];
    while (isSymbol(this.peek(), '/')) {
      this.at += 1;
      const token = this.peek();
      if (token.kind !== 'word')
        throw this.fail(token, `expected modifier, got ${describeToken(token)}`);
      this.at += 1;
      const name = { name: token.value, column: token.column };
      const symbol = this.peek();
      if (symbol.kind !== 'symbol' || !isRelationSymbol(symbol)) {
        modifiers.push(name);
        continue;
      }
      this.at += 1;
      const comparison = { symbol: symbol.symbol as CqlSymbol, value: this.modifierValue() };
      modifiers.push({ ...name, comparison });
    }
    return modifiers;
  }

  private modifierValue(): string {
    const token = this.peek();
    if (token.kind !== 'word' && token.kind !== 'string') {
      throw this.fail(token, `expected modifier value, got ${describeToken(token)}`);
    }
    this.at += 1;
    return normalize(token.value);
  }

  /** Stands at `sortby`; reads to the end of the query. */
  private sortKeys(): CqlSortKey[] {
    this.at += 1;
    const keys: CqlSortKey[] = [];
    for (let token = this.peek(); token.kind !== 'end'; token = this.peek()) {
      if (token.kind !== 'word' && token.kind !== 'string') {
        throw this.fail(token, `expected sort index, got ${describeToken(token)}`);
      }
      this.at += 1;
      keys.push({ name: token.value, column: token.column, modifiers: this.modifiers() });
    }
    if (keys.length === 0) throw this.fail(this.peek(), 'no sort keys');
    return keys;
  }

  /**
   * `any` and its like are a relation only when something follows that they could relate to; otherwise `Hall any` is
   * a term of two words. A keyword counts as such a term only where it cannot be the boolean between two operands.
   */
  private isRelation(position: number): boolean {
    const token = this.tokenAt(position);
    if (token.kind === 'symbol') return isRelationSymbol(token);
    if (token.kind !== 'word') return false;
    const name = token.value.toLowerCase();
    if (!WORD_RELATIONS.has(name) && !UNSUPPORTED_RELATIONS.has(name)) return false;
    const next = this.tokenAt(position + 1);
    if (next.kind === 'word' || next.kind === 'string') return true;
    if (next.kind !== 'keyword') return isSymbol(next, '(') || isSymbol(next, '/');
    const behind = this.tokenAt(position + 2);
    return behind.kind === 'end' || behind.kind === 'keyword' || isSymbol(behind, ')');
  }

  private countClause(start: { readonly column: number }): void {
    if (++this.clauses <= this.limits.clausesMax) return;
    throw this.fail(start, `query has more than ${this.limits.clausesMax} clauses`, 'limit');
  }

  private peek(): Token {
    return this.tokenAt(this.at);
  }

  private tokenAt(position: number): Token {
    const token = this.tokens[Math.min(position, this.tokens.length - 1)];
    if (!token) throw new Error('a token list ends with a token of kind end');
    return token;
  }

  private fail(
    where: { readonly column: number },
    reason: string,
    code: CqlErrorCode = 'syntax',
  ): CqlError {
    return new CqlError(code, reason, where.column, this.text);
  }

  private unsupported(where: { readonly column: number }, reason: string): CqlError {
    return this.fail(where, reason, 'unsupported');
  }
}

type CqlNameToken = { readonly kind: 'word' | 'string'; readonly value: string };

function isSymbol(token: Token, symbol: '(' | ')' | '/' | '>'): boolean {
  return token.kind === 'symbol' && token.symbol === symbol;
}

function isKeyword(token: Token, keyword: 'sortby'): boolean {
  return token.kind === 'keyword' && token.keyword === keyword;
}

function isRelationSymbol(token: Token & { kind: 'symbol' }): boolean {
  return token.symbol !== '(' && token.symbol !== ')' && token.symbol !== '/';
}

function isTermPiece(token: Token, position: number): token is Token & { value: string } {
  if (token.kind === 'keyword') return position === 0;
  return token.kind === 'word' || token.kind === 'string';
}

/** Makes a value one that fits between quotes, with the same meaning, so that a tree can be printed. */
function normalize(value: string): string {
  let normalized = '';
  for (let at = 0; at < value.length; at += 1) {
    const character = value.charAt(at);
    if (character === '\\') {
      at += 1;
      normalized += at < value.length ? character + value.charAt(at) : '\\\\';
    } else {
      normalized += character === '"' ? '\\"' : character;
    }
  }
  return normalized;
}
