/**
 * Every way a CQL query can be refused, as one error class with a position.
 *
 * The sentence in `reason` is part of the contract of every list endpoint: clients match on it. Columns count
 * Unicode code points from 1 in the decoded query, so a caret under the column stands under the character a
 * person typed, also behind an emoji. An error at the end of the query points one column past it.
 */
export type CqlErrorCode =
  /** The text does not follow the grammar. */
  | 'syntax'
  /** Valid CQL that Quire leaves out: proximity, prefix assignment, a modifier or relation of another profile. */
  | 'unsupported'
  /** An index that the entity's allow-list does not name. */
  | 'unknown-index'
  /** A term that its index cannot be compared with. */
  | 'bad-term'
  /** Longer, deeper or with more clauses than the caller allows. */
  | 'limit';

export class CqlError extends Error {
  override readonly name = 'CqlError';

  /** @param column counted in code points from 1 · @param query the whole query, for the caret */
  constructor(
    readonly code: CqlErrorCode,
    readonly reason: string,
    readonly column: number,
    readonly query: string,
  ) {
    super(`syntax error at column ${column}: ${reason}`);
  }
}

/**
 * The text of the 400 answer, the one form of all services: one line that is the contract, then the query and a caret under
 * the column.
 *
 * @param collection last path segment of the endpoint, e.g. `job-executions`
 */
export function listFailureText(collection: string, error: CqlError): string {
  const text = `unable to list ${collection} -- malformed parameter 'query', ${error.message}`;
  return `${text}\n${drawCaret(error.query, error.column)}`;
}

/** So many characters of the query are shown on each side of the caret. */
const CARET_CONTEXT = 60;

/**
 * The part of the query around a column and, on the next line, a caret under it. Blanks and control characters of
 * any kind are shown as one space each, so that the caret cannot be moved by what a query contains.
 */
export function drawCaret(query: string, column: number): string {
  const characters = Array.from(query, (character) =>
    /[\s\p{Cc}\p{Cf}]/u.test(character) ? ' ' : character,
  );
  const from = Math.max(0, column - 1 - CARET_CONTEXT);
  const to = Math.min(characters.length, column - 1 + CARET_CONTEXT);
  const head = from > 0 ? '…' : '';
  const tail = to < characters.length ? '…' : '';
  const shown = characters.slice(from, to).join('');
  return `${head}${shown}${tail}\n${' '.repeat(head.length + column - 1 - from)}^`;
}
