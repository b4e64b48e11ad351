/**
 * Finds the borders of records in a stream of bytes, without reading the records.
 *
 * Framing runs while a file is uploaded, so it must cost next to nothing, hold no more than one record, and survive
 * every file: a picture, two gigabytes without an end mark, a record whose text holds an end mark. The answer depends
 * on the bytes alone, never on how they arrived.
 *
 *   file  = (skip* frame)* skip*        skip = CR | LF | blank | NUL | 0x1A | BOM | RT with nothing before it
 *   frame = bytes up to the next RT, with one exception: the length declared in its first five digits ends at a later
 *           RT, and behind that comes, after at most 64 skipped bytes, a digit five times or the end of the file.
 *           Then RT was part of the text.
 *
 * States: between → inside → (between | refused) → between. A frame that shows no RT within 1 MiB is refused; it goes
 * on to the next RT that is followed by five digits, or to the end, and none of it is kept. Bytes at the end of the
 * file without RT are a frame only if they start with five digits.
 */

import { readDigits, RECORD_BYTES_MAX, RECORD_TERMINATOR } from './grammar.js';

export interface Frame {
  /** Position of its first byte in the stream. */
  readonly offset: number;
  /** Bytes since the end of the frame before. */
  readonly skipped: number;
  readonly length: number;
  /** Does it start with five digits, as records do? */
  readonly numbered: boolean;
  /** The byte at leader/06, the type of record; -1 when the frame is shorter. */
  readonly leader06: number;
  /** Longer than 1 MiB without an end mark: record error `TOO_LARGE`, not to be read. */
  readonly refused: boolean;
}

/** Bytes that may stand between a declared end and the next record. */
const SKIP_AHEAD_MAX = 64;
/** Large pieces are taken in steps of this size, so that the store stays near one record. */
const PIECE_BYTES = 262_144;
const BOM = [0xef, 0xbb, 0xbf] as const;

/** Feed it with `push`, close it with `end`; both return the frames that became certain. */
export class FrameSplitter {
  private store = Buffer.allocUnsafe(65_536);
  /** The bytes of the store in use. */
  private view = this.store.subarray(0, 0);
  /** First byte of the store that belongs to no finished frame. */
  private head = 0;
  /** Position of store[0] in the stream. */
  private origin = 0;
  private state: 'between' | 'inside' | 'refused' = 'between';
  /** Bytes behind `head` that were searched for RT in vain. */
  private searched = 0;
  /** End of the frame before, and start of the frame we are in, as stream positions. */
  private lastEnd = 0;
  private frameOffset = 0;
  private refusedHead = { numbered: false, leader06: -1 };
  private frames: Frame[] = [];

  /** Takes the next bytes; they are copied, the buffer may be reused. */
  push(bytes: Uint8Array): Frame[] {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.append(bytes.subarray(at, at + PIECE_BYTES));
      this.advance(false);
    }
    return this.taken();
  }

  /** The stream is over. */
  end(): Frame[] {
    this.advance(true);
    return this.taken();
  }

  /** Bytes behind the last frame: after `end`, those that belong to no record. */
  get trailing(): number {
    return this.origin + this.view.length - this.lastEnd;
  }

  private taken(): Frame[] {
    const frames = this.frames;
    this.frames = [];
    return frames;
  }

  private append(bytes: Uint8Array): void {
    const held = this.view.length - this.head;
    if (this.view.length + bytes.length > this.store.length) {
      const size = held + bytes.length;
      const target =
        size * 2 <= this.store.length ? this.store : Buffer.allocUnsafe(Math.max(size * 2, 65_536));
      this.store.copy(target, 0, this.head, this.view.length);
      this.store = target;
      this.origin += this.head;
      this.head = 0;
      this.view = this.store.subarray(0, held);
    }
    this.store.set(bytes, this.view.length);
    this.view = this.store.subarray(0, this.view.length + bytes.length);
  }

  private advance(final: boolean): void {
    let moved = true;
    while (moved) {
      if (this.state === 'between') moved = this.skip(final);
      else if (this.state === 'inside') moved = this.findEnd(final);
      else moved = this.findResumption(final);
    }
  }

  private skip(final: boolean): boolean {
    while (this.head < this.view.length) {
      const size = this.skippable(this.head, final);
      if (size === 'wait') return false;
      if (size === 0 && this.view[this.head] !== RECORD_TERMINATOR) {
        this.frameOffset = this.origin + this.head;
        this.state = 'inside';
        this.searched = 0;
        return true;
      }
      this.head += size || 1;
    }
    return false;
  }

  private findEnd(final: boolean): boolean {
    const held = this.view.length - this.head;
    const at = this.view.indexOf(RECORD_TERMINATOR, this.head + this.searched);
    const length = at < 0 ? held : at - this.head;
    if (length >= RECORD_BYTES_MAX) {
      this.refusedHead = this.describe(RECORD_BYTES_MAX);
      this.state = 'refused';
      this.searched = RECORD_BYTES_MAX;
      return true;
    }
    this.searched = length;
    if (at < 0) {
      if (final && held > 0 && this.describe(held).numbered) {
        this.emit(held, this.describe(held), false);
      } else if (final) {
        this.head = this.view.length;
        this.state = 'between';
      }
      return false;
    }
    const end = this.declaredEnd(at, final);
    if (end === 'wait') return false;
    this.emit(end + 1 - this.head, this.describe(end + 1 - this.head), false);
    return true;
  }

  /** Where a frame with its first RT at `at` ends. */
  private declaredEnd(at: number, final: boolean): number | 'wait' {
    const declared = at - this.head < 5 ? -1 : readDigits(this.view, this.head, 5);
    const end = this.head + declared - 1;
    if (end <= at) return at;
    if (end >= this.view.length) return final ? at : 'wait';
    if (this.view[end] !== RECORD_TERMINATOR) return at;
    const next = this.whatFollows(end + 1, final);
    if (next === 'wait') return 'wait';
    return next === 'other' ? at : end;
  }

  private findResumption(final: boolean): boolean {
    for (;;) {
      const at = this.view.indexOf(RECORD_TERMINATOR, this.head + this.searched);
      if (at < 0) break;
      const next = this.whatFollows(at + 1, final);
      if (next === 'digits') {
        this.emitRefused(at + 1);
        return true;
      }
      this.head = at;
      if (next === 'wait') {
        this.searched = 0;
        return false;
      }
      this.searched = 1;
    }
    if (final) {
      const ended = this.view[this.view.length - 1] === RECORD_TERMINATOR;
      if (ended || this.refusedHead.numbered) this.emitRefused(this.view.length);
      this.head = this.view.length;
      this.state = 'between';
      return false;
    }
    this.head = Math.max(this.head, this.view.length - 1);
    this.searched = this.view.length - this.head;
    return false;
  }

  private whatFollows(from: number, final: boolean): 'digits' | 'end' | 'other' | 'wait' {
    let at = from;
    for (;;) {
      const size = this.skippable(at, final);
      if (size === 'wait') return 'wait';
      if (size === 0) break;
      if (at + size - from > SKIP_AHEAD_MAX) return 'other';
      at += size;
    }
    if (at === this.view.length) return final ? 'end' : 'wait';
    for (let i = at; i < at + 5; i++) {
      const byte = this.view[i];
      if (byte === undefined) return final ? 'other' : 'wait';
      if (byte < 0x30 || byte > 0x39) return 'other';
    }
    return 'digits';
  }

  /** How many bytes may be skipped here: 0, 1, or 3 for a byte order mark that may still be arriving. */
  private skippable(at: number, final: boolean): number | 'wait' {
    const byte = this.view[at];
    if (byte === 0x0a || byte === 0x0d || byte === 0x20 || byte === 0x00 || byte === 0x1a) return 1;
    if (byte !== BOM[0]) return 0;
    for (let i = 1; i < BOM.length; i++) {
      const next = this.view[at + i];
      if (next === undefined) return final ? 0 : 'wait';
      if (next !== BOM[i]) return 0;
    }
    return BOM.length;
  }

  private describe(length: number): { numbered: boolean; leader06: number } {
    return {
      numbered: length >= 5 && readDigits(this.view, this.head, 5) >= 0,
      leader06: length > 6 ? this.view[this.head + 6]! : -1,
    };
  }

  private emitRefused(end: number): void {
    this.emit(this.origin + end - this.frameOffset, this.refusedHead, true);
  }

  private emit(
    length: number,
    about: { numbered: boolean; leader06: number },
    refused: boolean,
  ): void {
    const offset = this.frameOffset;
    const skipped = offset - this.lastEnd;
    this.frames.push({ offset, skipped, length, ...about, refused });
    this.lastEnd = offset + length;
    this.head = this.lastEnd - this.origin;
    this.state = 'between';
  }
}

/** All frames of bytes that are in memory anyway, such as a chunk or a small file. */
export function splitFrames(bytes: Uint8Array): Frame[] {
  const splitter = new FrameSplitter();
  return [...splitter.push(bytes), ...splitter.end()];
}

/** One record of a chunk: views of its bytes and of those skipped before it. */
export interface CutFrame {
  readonly frame: Buffer;
  readonly skipped: Buffer;
  /** Position of the frame in the chunk. */
  readonly offset: number;
}

/**
 * Cuts a chunk by its flat list `[skipped, length, skipped, length, …]`, as chunk rows and `ChunkReady` hold it.
 * A list that reaches beyond the chunk gives short frames, which the reader then refuses.
 */
export function* cutFrames(chunk: Buffer, pairs: readonly number[]): Generator<CutFrame> {
  let at = 0;
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const offset = at + pairs[i]!;
    const end = offset + pairs[i + 1]!;
    yield { frame: chunk.subarray(offset, end), skipped: chunk.subarray(at, offset), offset };
    at = end;
  }
}
