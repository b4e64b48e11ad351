/**
 * Rows of a CSV table (RFC 4180), with the place of each cell, so that whoever finds fault with one can say where it is. Lines
 * end with LF, CRLF or CR; those without a character are none. Written by hand, because the libraries tell the line of a
 * fault at best.
 *
 *   row = cell *(delimiter cell);  cell = quoted / plain;  quoted = DQUOTE *(any / 2DQUOTE) DQUOTE;  plain = no DQUOTE
 */
export interface CsvCell {
  readonly text: string;
  readonly line: number;
  /** In characters (code points), from 1. */
  readonly column: number;
}

export class MalformedCsv extends Error {
  override readonly name = 'MalformedCsv';

  constructor(
    readonly line: number,
    readonly column: number,
  ) {
    super(`malformed CSV at ${line}:${column}`);
  }
}

/** Wider tables are refused: each row costs as much memory as it has cells. */
const ROW_CELLS_MAX = 10_000;

/** @throws MalformedCsv at the first bytes that are no UTF-8, or U+0000 */
export function csvText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw endOf(validPrefix(bytes));
  }
  const nul = text.indexOf('\0');
  if (nul >= 0) throw endOf(text.slice(0, nul));
  return text;
}

/** A lenient round trip changes exactly the bytes that are no UTF-8. */
function validPrefix(bytes: Uint8Array): string {
  const lenient = new TextEncoder().encode(
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  );
  let at = 0;
  while (at < bytes.length && bytes[at] === lenient[at]) at += 1;
  return new TextDecoder('utf-8').decode(bytes.subarray(0, at));
}

function endOf(text: string): MalformedCsv {
  const lines = text.split(/\r\n|\r|\n/);
  return new MalformedCsv(lines.length, [...(lines.at(-1) ?? '')].length + 1);
}

/** @throws MalformedCsv */
export function* csvRows(text: string, delimiter: string): Generator<readonly CsvCell[]> {
  const scan = new Scan(text, delimiter);
  for (;;) {
    scan.blankLines();
    if (scan.isAtEnd) return;
    const cells = scan.row();
    if (cells.length > 1 || cells[0]?.text !== '') yield cells;
  }
}

class Scan {
  private at = 0;
  private line = 1;
  private lineStart = 0;
  private counted = { at: 0, column: 1 };

  constructor(
    private readonly text: string,
    private readonly delimiter: string,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** A body may consist of millions of them. */
  blankLines(): void {
    while (isLineEnd(this.text[this.at] ?? '')) this.lineEnd();
  }

  row(): CsvCell[] {
    const cells: CsvCell[] = [];
    for (;;) {
      if (cells.length === ROW_CELLS_MAX) throw this.fault();
      const place = { line: this.line, column: this.column() };
      cells.push({ text: this.cell(), ...place });
      const next = this.text[this.at];
      if (next === this.delimiter) {
        this.at += 1;
        continue;
      }
      if (next !== undefined && !isLineEnd(next)) throw this.fault();
      this.lineEnd();
      return cells;
    }
  }

  private cell(): string {
    return this.text[this.at] === '"' ? this.quoted() : this.plain();
  }

  private plain(): string {
    const start = this.at;
    for (; this.at < this.text.length; this.at += 1) {
      const char = this.text[this.at] ?? '';
      if (char === this.delimiter || isLineEnd(char)) break;
      if (char === '"') throw this.fault();
    }
    return this.text.slice(start, this.at);
  }

  private quoted(): string {
    const parts: string[] = [];
    for (;;) {
      const start = this.at + 1;
      const end = this.text.indexOf('"', start);
      this.countLines(start, end < 0 ? this.text.length : end);
      this.at = end < 0 ? this.text.length : end + 1;
      if (end < 0) throw this.fault();
      parts.push(this.text.slice(start, end));
      if (this.text[this.at] !== '"') return parts.join('"');
    }
  }

  /** Lines may end within quotes. */
  private countLines(start: number, end: number): void {
    for (let at = start; at < end; at += 1) {
      const char = this.text[at];
      if (char !== '\n' && (char !== '\r' || this.text[at + 1] === '\n')) continue;
      this.line += 1;
      this.lineStart = at + 1;
    }
  }

  private lineEnd(): void {
    if (this.text[this.at] === '\r') this.at += 1;
    if (this.text[this.at] === '\n') this.at += 1;
    this.line += 1;
    this.lineStart = this.at;
  }

  /** Of the place reached: counted on from the last one that was asked for, so that long lines cost no more than short ones. */
  private column(): number {
    const from =
      this.counted.at >= this.lineStart ? this.counted : { at: this.lineStart, column: 1 };
    let { at, column } = from;
    for (; at < this.at; at += 1) if (!isLowSurrogate(this.text.charCodeAt(at))) column += 1;
    this.counted = { at, column };
    return column;
  }

  private fault(): MalformedCsv {
    return new MalformedCsv(this.line, this.column());
  }
}

const isLineEnd = (char: string): boolean => char === '\n' || char === '\r';
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
