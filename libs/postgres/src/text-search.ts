import { ArrayWriter } from './array-writer.js';
import { binaryArray } from './bulk.js';

/**
 * Vectors and queries of text search in Postgres's binary format (tsvectorrecv in tsvector.c, tsqueryrecv in tsquery.c), for
 * lexemes that are made here and no words of a language. Nothing parses them on the way, so no quote, backslash or `:*` in a
 * lexeme means anything.
 *
 * A lexeme is UTF-8 of 1 to 2,046 bytes without NUL; those of one vector together are less than 1 MiB.
 */
const OID = { tsvector: 3614, tsquery: 3615 } as const;

/** Vectors without positions. @param items lexemes of each, distinct and in the order of their bytes */
export function tsvectorArray(items: readonly (readonly Uint8Array[])[]): Buffer {
  const writer = new LexemesWriter();
  for (const lexemes of items) writer.add(lexemes);
  return writer.finish();
}

/** int4 number of lexemes; of each its bytes, a NUL, and int2 number of positions. */
export class LexemesWriter extends ArrayWriter {
  constructor() {
    super(OID.tsvector);
  }

  /** @param lexemes distinct and in the order of their bytes */
  add(lexemes: readonly Uint8Array[]): void {
    let size = 4;
    for (const lexeme of lexemes) size += lexeme.length + 3;
    const start = this.open(size);
    this.bytes.fill(0, start, start + size);
    this.at = this.bytes.writeInt32BE(lexemes.length, start);
    for (const lexeme of lexemes) {
      this.bytes.set(lexeme, this.at);
      this.at += lexeme.length + 3;
    }
    this.close(start);
  }
}

export interface QueryLexeme {
  readonly lexeme: string;
  /** Any lexeme that begins with it. */
  readonly prefix: boolean;
}

/** Queries that are satisfied by one of their lexemes, each at least one. */
export const tsqueryArray = (items: readonly (readonly QueryLexeme[])[]): Buffer =>
  binaryArray(OID.tsquery, items.map(tsquery));

const VALUE = 1;
const OPERATOR = 2;
const OR = 3;

/** int4 number of items in prefix notation: `or a or b c`. */
function tsquery(lexemes: readonly QueryLexeme[]): Buffer {
  const texts = lexemes.map(({ lexeme }) => Buffer.from(lexeme));
  const operators = lexemes.length - 1;
  const out = Buffer.alloc(
    4 + operators * 2 + texts.reduce((sum, text) => sum + text.length + 4, 0),
  );
  let at = out.writeInt32BE(lexemes.length + operators, 0);
  for (const [index, text] of texts.entries()) {
    if (index < operators) {
      out[at] = OPERATOR;
      out[at + 1] = OR;
      at += 2;
    }
    // Type, weights (0: any), prefix.
    out[at] = VALUE;
    out[at + 2] = lexemes[index]!.prefix ? 1 : 0;
    out.set(text, at + 3);
    at += text.length + 4;
  }
  return out;
}
