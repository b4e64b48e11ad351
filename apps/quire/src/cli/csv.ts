/** Rows of a CSV table (RFC 4180) while its text arrives. A row is given when its end has come. */
export async function* csvRows(parts: AsyncIterable<string>): AsyncGenerator<string[]> {
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  let before = '';
  for await (const part of parts) {
    for (const char of part) {
      if (char === '"') {
        // Two quotes in a quoted cell are one quote.
        if (!quoted && before === '"') cell += '"';
        quoted = !quoted;
      } else if (quoted) cell += char;
      else if (char === ',') {
        row.push(cell);
        cell = '';
      } else if (char === '\n') {
        yield [...row, cell];
        row = [];
        cell = '';
      } else if (char !== '\r') cell += char;
      before = char;
    }
  }
  if (cell !== '' || row.length > 0) yield [...row, cell];
}

/** The text of a cell that was kept from being taken for a formula. */
export const plainCell = (text: string): string => text.replace(/^'(?=[=+\-@\t\r])/, '');
