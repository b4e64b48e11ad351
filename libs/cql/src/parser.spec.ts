import type { CqlNode } from './ast.js';
import { CqlError } from './errors.js';
import { BODY_LIMITS, parseCql, URL_LIMITS } from './parser.js';

/** Short form of a tree: `index relation[/modifiers] [term]`, groups in braces. */
function shape(node: CqlNode): string {
  if (node.kind === 'group') {
    const rest = node.rest.map(({ operator, operand }) => ` ${operator} ${shape(operand)}`);
    return `{${shape(node.first)}${rest.join('')}}`;
  }
  const modifiers = node.modifiers.map(({ name, comparison }) =>
    comparison ? `/${name}${comparison.symbol}${comparison.value}` : `/${name}`,
  );
  const index = node.index ? `${node.index.name} ${node.relation}${modifiers.join('')} ` : '';
  return `${index}[${node.term}]`;
}

function read(text: string): string {
  const query = parseCql(text, URL_LIMITS);
  const keys = query.sortKeys.map((key) =>
    [key.name, ...key.modifiers.map((modifier) => modifier.name)].join('/'),
  );
  return shape(query.root) + (keys.length > 0 ? ` by ${keys.join(' ')}` : '');
}

function failure(text: string, limits = URL_LIMITS): [number, string] {
  try {
    parseCql(text, limits);
  } catch (error) {
    if (error instanceof CqlError) return [error.column, error.reason];
    throw error;
  }
  throw new Error(`was read: ${text}`);
}

describe('booleans', () => {
  it.each([
    ['a==1 AND b==2 OR c==3', '{a == [1] and b == [2] or c == [3]}'],
    ['a or b and c', '{[a] or [b] and [c]}'],
    ['a or (b and c)', '{[a] or {[b] and [c]}}'],
    ['(a or b) and c', '{{[a] or [b]} and [c]}'],
    ['((a==1))', 'a == [1]'],
    ['x Not y', '{[x] not [y]}'],
  ])('have one rank and group from the left: %s', (text, tree) => {
    expect(read(text)).toBe(tree);
  });

  it.each([
    ['status==(A or B)', '{status == [A] or status == [B]}'],
    ['stage=(OPEN)', 'stage = [OPEN]'],
    [
      'a any/x (b and (c or d=e not f))',
      '{a any/x [b] and {a any/x [c] or d = [e] not a any/x [f]}}',
    ],
    ['a==(b or c<>(d or e) or f)', '{a == [b] or {c <> [d] or c <> [e]} or a == [f]}'],
  ])('hand index and relation to the bare terms in parentheses: %s', (text, tree) => {
    expect(read(text)).toBe(tree);
  });
});

describe('terms', () => {
  it.each([
    ['Cedar   Hall', '[Cedar Hall]'],
    ['name == John F. Kennedy', 'name == [John F. Kennedy]'],
    ['name == one any two', 'name == [one any two]'],
    ['name=one all', 'name = [one all]'],
    ['title = and', 'title = [and]'],
    ['title = and or x', '{title = [and] or [x]}'],
    ['title any and', 'title any [and]'],
    ['all', '[all]'],
    ['Hall any', '[Hall any]'],
    ['Hall any or Yard', '{[Hall any] or [Yard]}'],
    ['Hall any sortby x', '[Hall any] by x'],
    ['a b any c', '[a b any c]'],
    ['name ALL x', 'name all [x]'],
    ['tags == ["en"]', 'tags == [[\\"en\\"]]'],
    ['e==\\\\\\"', 'e == [\\\\\\"]'],
    ['e==\\', 'e == [\\\\]'],
    ['e=="a\\"b" c', 'e == [a\\"b c]'],
    ['""', '[]'],
    ['title=Жур 😀', 'title = [Жур 😀]'],
  ])('take every word and string that follows: %s', (text, tree) => {
    expect(read(text)).toBe(tree);
  });
});

describe('modifiers and sort keys', () => {
  it.each([
    ['p =/@name/@lang swedish', 'p =/@name/@lang [swedish]'],
    ['p any/@id="x y"/@b<1 c', 'p any/@id=x y/@b<1 [c]'],
    ['* sortBy a/sort.descending b "c d"', '[*] by a/sort.descending b c d'],
    ['name<=/ignoreCase/number 1 SORTBY name', 'name <=/ignoreCase/number [1] by name'],
  ])('are read in order: %s', (text, tree) => {
    expect(read(text)).toBe(tree);
  });
});

describe('an error', () => {
  it.each([
    ['   ', 4, 'expected index or term, got EOF'],
    ['', 1, 'expected index or term, got EOF'],
    ['()', 2, `expected index or term, got ')'`],
    ['name=', 6, 'expected index or term, got EOF'],
    ['name=Amber and', 15, 'expected index or term, got EOF'],
    ['(name=Amber', 12, `expected ')', got EOF`],
    ['(name=Amber sortby x)', 13, `expected ')', got sortby`],
    ['name=Amber)', 11, `junk after end: ')'`],
    ['or name=a', 1, 'expected index or term, got or'],
    ['= a', 1, `expected index or term, got '='`],
    ['>= a', 1, 'expected index or term, got >='],
    ['a===b', 4, `expected index or term, got '='`],
    ['name contact.email=a', 19, `unexpected relation '='`],
    ['name==a==b', 8, `unexpected relation '=='`],
    ['name=Amber (x)', 12, `expected boolean, got '('`],
    ['(a) b', 5, `expected boolean, got word: 'b'`],
    ['(a) "b"', 5, `expected boolean, got string: "b"`],
    ['note = foo/bar/baz', 11, `expected boolean, got '/'`],
    ['* sortBy', 9, 'no sort keys'],
    ['* sortBy and', 10, 'expected sort index, got and'],
    ['* sortBy a )', 12, `expected sort index, got ')'`],
    ['a =/ b=/c', 8, `expected modifier value, got '/'`],
    ['a =// b', 5, `expected modifier, got '/'`],
    ['a =/', 5, 'expected modifier, got EOF'],
    ['name=Amber and and region.name==x', 16, 'expected index or term, got and'],
    ['name=Amber prox/unit=word name=Yard', 12, 'prox is not supported'],
    ['> n = name n=Amber', 1, 'prefix assignment is not supported'],
    ['a and/x b', 6, 'boolean modifiers are not supported'],
    ['address.zip encloses 12', 13, `relation 'encloses' is not supported`],
    ['a SCR (b)', 3, `relation 'SCR' is not supported`],
    ['name="abc', 10, `expected '"', got EOF`],
    ['name="abc\\"', 12, `expected '"', got EOF`],
    ['😀 😀 )', 5, `junk after end: ')'`],
    ['name=a\u0000b', 7, 'character U+0000 is not allowed'],
    ['name="\ud800"', 7, 'character U+D800 is not allowed'],
  ])('points at the character where it was found: %j', (text, column, reason) => {
    expect(failure(text)).toEqual([column, reason]);
  });

  it('says so when text, nesting or number of clauses pass a limit, and not before', () => {
    const deep = (depth: number): string => '('.repeat(depth) + 'a' + ')'.repeat(depth);
    const wide = (clauses: number): string => Array(clauses).fill('a').join(' or ');
    expect(read('a'.repeat(8_000))).toHaveLength(8_002);
    expect(failure('a'.repeat(8_001))).toEqual([8_001, 'query is longer than 8000 characters']);
    expect(read('😀'.repeat(8_000))).toHaveLength(16_002);
    expect(failure('😀'.repeat(8_001))).toEqual([8_001, 'query is longer than 8000 characters']);
    expect(read(deep(50))).toBe('[a]');
    expect(failure(deep(51))).toEqual([51, 'query is nested too deeply']);
    expect(failure('a==' + deep(51))).toEqual([54, 'query is nested too deeply']);
    expect(() => parseCql(wide(200), URL_LIMITS)).not.toThrow();
    expect(failure(wide(201))).toEqual([1001, 'query has more than 200 clauses']);
    expect(() => parseCql(wide(2_000), BODY_LIMITS)).not.toThrow();
    expect(failure(wide(2_001), BODY_LIMITS)[1]).toBe('query has more than 2000 clauses');
  });
});
