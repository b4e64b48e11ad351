import { CqlError, drawCaret, listFailureText } from './errors.js';
import { parseCql, URL_LIMITS } from './parser.js';

function failure(text: string): CqlError {
  try {
    parseCql(text, URL_LIMITS);
  } catch (error) {
    if (error instanceof CqlError) return error;
  }
  throw new Error(`was read: ${text}`);
}

describe('the text of a refusal', () => {
  const query = 'group.name == History and and fund.fundStatus == Active';

  it('names the collection, the column and the reason, and draws a caret under the column', () => {
    expect(listFailureText('group-fund-fiscal-years', failure(query)).split('\n')).toEqual([
      "unable to list group-fund-fiscal-years -- malformed parameter 'query', " +
        'syntax error at column 27: expected index or term, got and',
      query,
      `${' '.repeat(26)}^`,
    ]);
  });
});

describe('the caret', () => {
  it.each([
    ['name=', 6, 'name=', '     ^'],
    ['a\tb\nc )', 7, 'a b c )', '      ^'],
    ['😀 )', 3, '😀 )', '  ^'],
    ['\u202eab', 1, ' ab', '^'],
  ])('stands under the character, whatever stands before it: %j', (text, column, line, caret) => {
    expect(drawCaret(text, column)).toBe(`${line}\n${caret}`);
  });

  it('shows only the surroundings in a long query', () => {
    const [line, caret] = drawCaret('a'.repeat(500) + ')' + 'b'.repeat(500), 501).split('\n');
    expect(line).toBe(`…${'a'.repeat(60)})${'b'.repeat(59)}…`);
    expect(line?.charAt((caret?.length ?? 0) - 1)).toBe(')');
  });
});
