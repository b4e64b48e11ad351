import { escapeLiteral, type PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';

/**
 * Reads one `bytea` as the server sends it, in pieces. node-postgres reads results as text, whatever it is told, so that bytes
 * would travel as hexadecimal digits and be decoded here; COPY in its binary format has neither. It knows no parameters: they
 * are written into the statement as quoted literals.
 */
export type LiteralParameter = string | number | null | readonly (string | null)[];

/** The first column of the first row of a query that gives one `bytea`; nothing when it is null or there is no row. */
export async function* copyOneValue(
  client: PoolClient,
  sql: string,
  params: readonly LiteralParameter[],
): AsyncGenerator<Buffer> {
  const text = sql.replace(/\$(\d+)/g, (_, number: string) => literal(params[Number(number) - 1]));
  const rows = client.query(copyTo(`copy (${text}) to stdout (format binary)`));
  yield* onlyValue(rows as AsyncIterable<Buffer>);
}

function literal(value: LiteralParameter | undefined): string {
  if (value === undefined) throw new Error('The statement names a parameter that is not there.');
  if (value === null) return 'null';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeLiteral(value);
  const items = value.map((item) => (item === null ? 'null' : JSON.stringify(item)));
  return escapeLiteral(`{${items.join(',')}}`);
}

/** Signature (11 bytes), flags and extension (4 each), then of the row its number of fields (2) and the field's length (4). */
const LENGTH_AT = 21;
const HEAD_BYTES = 25;

/** The grammar is that of PostgreSQL's manual, COPY, "Binary Format". */
async function* onlyValue(copy: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0);
  let left: number | undefined;
  for await (const part of copy) {
    let bytes = part;
    if (left === undefined) {
      // eslint-disable-next-line no-restricted-properties -- 25 bytes, which may come in two pieces
      head = Buffer.concat([head, part]);
      if (head.length < HEAD_BYTES) continue;
      left = Math.max(0, head.readInt32BE(LENGTH_AT));
      bytes = head.subarray(HEAD_BYTES);
    }
    const mine = bytes.subarray(0, left);
    left -= mine.length;
    if (mine.length > 0) yield mine;
  }
}
