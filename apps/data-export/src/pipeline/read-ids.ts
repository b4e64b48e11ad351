/**
 * Reads the id file of an upload while its bytes pass (`data-export.md`, 3.2).
 *
 * Lines end with LF, CRLF or CR. Blank ones are skipped. Of the others every character outside `[A-Za-z0-9-]` is dropped
 * and the rest must be a UUID of version 1–5; an undecodable byte makes its line invalid, and only that. A line over 64 KiB
 * is one invalid line of which only the beginning is kept: a file of one 500 MB line costs no memory.
 *
 * Works on bytes and by the batch: the usual line, 36 characters of UUID, is read without making a string.
 */
export const LINE_BYTES_MAX = 65_536;
/** Lines after which a batch is handed on. */
export const BATCH_LINES = 5000;
/** Of an invalid line this much is kept for the error report. */
const SHOWN_CHARACTERS = 256;
const SHOWN_BYTES = SHOWN_CHARACTERS * 4;

/** Ids and bad lines of some successive lines. `lines` are numbers from 1 that count blank lines too. */
export interface IdBatch {
  /** 16 bytes each. */
  readonly ids: Buffer[];
  readonly lines: number[];
  readonly invalid: { readonly line: number; readonly input: string }[];
  blank: number;
}

const LF = 0x0a;
const CR = 0x0d;

export async function* readIds(source: AsyncIterable<Uint8Array>): AsyncGenerator<IdBatch> {
  const reader = new IdReader();
  for await (const chunk of source) {
    reader.add(chunk);
    if (reader.full) yield reader.take();
  }
  reader.end();
  yield reader.take();
}

class IdReader {
  private batch = emptyBatch();
  /** The beginning of a line whose end has not come yet. */
  private readonly rest = Buffer.allocUnsafe(LINE_BYTES_MAX);
  private restBytes = 0;
  private overlong = false;
  private line = 1;
  private first = true;
  private afterCr = false;

  get full(): boolean {
    return this.batch.lines.length + this.batch.invalid.length >= BATCH_LINES;
  }

  take(): IdBatch {
    const { batch } = this;
    this.batch = emptyBatch();
    return batch;
  }

  add(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    // CR and LF of one line end may lie in two chunks.
    if (this.afterCr && bytes[0] === LF) start = 1;
    if (bytes.length > 0) this.afterCr = false;
    let cr = bytes.indexOf(CR, start);
    let lf = bytes.indexOf(LF, start);
    while (cr >= 0 || lf >= 0) {
      const end = cr >= 0 && (lf < 0 || cr < lf) ? cr : lf;
      this.endLine(bytes, start, end);
      start = end + 1;
      if (end === cr && start === bytes.length) this.afterCr = true;
      if (end === cr && bytes[start] === LF) start += 1;
      if (cr >= 0 && cr < start) cr = bytes.indexOf(CR, start);
      if (lf >= 0 && lf < start) lf = bytes.indexOf(LF, start);
    }
    this.keep(bytes, start);
  }

  /** The last line needs no end. */
  end(): void {
    if (this.restBytes > 0 || this.overlong) this.endLine(this.rest, 0, 0);
  }

  private endLine(bytes: Buffer, start: number, end: number): void {
    const length = this.restBytes + end - start;
    if (this.overlong || length > LINE_BYTES_MAX) {
      if (!this.overlong) this.keep(bytes.subarray(0, end), start);
      this.invalid(this.rest.subarray(0, SHOWN_BYTES));
    } else if (this.restBytes > 0) {
      bytes.copy(this.rest, this.restBytes, start, end);
      this.read(this.rest, 0, length);
    } else this.read(bytes, start, end);
    this.restBytes = 0;
    this.overlong = false;
    this.first = false;
    this.line += 1;
  }

  private keep(bytes: Buffer, start: number): void {
    const room = LINE_BYTES_MAX - this.restBytes;
    this.restBytes += bytes.copy(
      this.rest,
      this.restBytes,
      start,
      Math.min(bytes.length, start + room),
    );
    if (bytes.length - start > room) this.overlong = true;
  }

  private read(bytes: Buffer, from: number, end: number): void {
    const start = this.first && hasMark(bytes, from, end) ? from + 3 : from;
    const id = end - start === 36 ? uuidAt(bytes, start) : undefined;
    if (id) this.valid(id);
    // 200 MB of line ends took 52 s when each empty line was decoded first.
    else if (start === end) this.batch.blank += 1;
    else this.readText(bytes.subarray(start, end));
  }

  private readText(bytes: Buffer): void {
    const text = decoded(bytes);
    if (text?.trim() === '') {
      this.batch.blank += 1;
      return;
    }
    const rest = text === undefined ? '' : text.replace(/[^A-Za-z0-9-]/g, '');
    const id = rest.length === 36 ? uuidAt(Buffer.from(rest, 'latin1'), 0) : undefined;
    if (id) this.valid(id);
    else this.invalid(bytes);
  }

  private valid(id: Buffer): void {
    this.batch.ids.push(id);
    this.batch.lines.push(this.line);
  }

  private invalid(bytes: Buffer): void {
    this.batch.invalid.push({ line: this.line, input: shown(bytes) });
  }
}

function emptyBatch(): IdBatch {
  return { ids: [], lines: [], invalid: [], blank: 0 };
}

/** A byte order mark at the start of the file. */
function hasMark(bytes: Buffer, at: number, end: number): boolean {
  return end - at >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Buffer): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Postgres text takes neither U+0000 nor half a character. */
function shown(bytes: Buffer): string {
  const text = bytes.toString('utf8', 0, SHOWN_BYTES).replaceAll('\0', '\ufffd').trim();
  return text.length > SHOWN_CHARACTERS
    ? `${text.slice(0, SHOWN_CHARACTERS).toWellFormed()}…`
    : text;
}

/** Value of a hexadecimal digit by its byte, 255 for anything else. */
const NIBBLE = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit += 1) {
  const text = digit.toString(16);
  NIBBLE[text.charCodeAt(0)] = digit;
  NIBBLE[text.toUpperCase().charCodeAt(0)] = digit;
}
const DASH = 0x2d;
const DASHES = new Set([8, 13, 18, 23]);

/** The 16 bytes of 36 characters of UUID text, if they are a UUID of version 1–5 (conventions, section 10). */
function uuidAt(bytes: Buffer, start: number): Buffer | undefined {
  const id = Buffer.allocUnsafe(16);
  let at = 0;
  for (let offset = 0; offset < 36; offset += 1) {
    if (DASHES.has(offset)) {
      if (bytes[start + offset] !== DASH) return undefined;
      continue;
    }
    const high = NIBBLE[bytes[start + offset] ?? 0] ?? 255;
    const low = NIBBLE[bytes[start + offset + 1] ?? 0] ?? 255;
    if ((high | low) > 15) return undefined;
    id[at] = (high << 4) | low;
    at += 1;
    offset += 1;
  }
  const version = (id[6] ?? 0) >> 4;
  const variant = (id[8] ?? 0) >> 6;
  return version >= 1 && version <= 5 && variant === 2 ? id : undefined;
}
