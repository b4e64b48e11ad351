import { pipeline, Readable } from 'node:stream';
import { parse } from 'csv-parse';

/** Rows of a CSV table (RFC 4180) while its text arrives. */
export function csvRows(parts: AsyncIterable<string>): AsyncIterable<string[]> {
  // What goes wrong on either side, and an end before the end, reaches whoever reads the rows.
  return pipeline(Readable.from(parts), parse(), () => undefined);
}

/** The text of a cell that was kept from being taken for a formula. */
export const plainCell = (text: string): string => text.replace(/^'(?=[=+\-@\t\r])/, '');
