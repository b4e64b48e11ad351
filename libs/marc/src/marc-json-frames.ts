/**
 * Finds the records of a file of MARC-in-JSON while it passes by: one array of objects, one object, or one object per
 * line. A frame is an object by its braces; what is in it is for the reader, so a fault inside one costs that one.
 *
 *   file = blank* ( "[" object ("," object)* "]" | object* ) blank*        blank also between all of these
 *
 * A fault outside an object ends the reading: what follows is one refused frame to the end of the file. An object over
 * 1 MiB is refused and skipped. In a file of lines a line end inside a text, which no JSON has, ends the object, so
 * that a quotation mark too few costs one line.
 */

import {
  ByteWindow,
  type FileFault,
  type FoundFrame,
  type Framer,
  type Refusal,
} from './framing.js';
import { RECORD_BYTES_MAX } from './iso2709/grammar.js';

/** Large pieces are taken in steps of this size, so that the window stays near one record. */
const PIECE_BYTES = 262_144;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_END = 0x0a;
const LEADER_KEY = Buffer.from('"leader"');

/** What may come next. `item` stands behind a comma; in `lines` there is no array. */
type State =
  'before' | 'lines' | 'first' | 'item' | 'separator' | 'after' | 'object' | 'faulted' | 'given up';

export class MarcJsonFramer implements Framer {
  fileFault: FileFault | undefined;
  private readonly window: ByteWindow;
  private state: State = 'before';
  private inLines = false;
  /** First byte of the object we are in, and the first that was not looked at; offsets in the window. */
  private head = 0;
  private at = 0;
  private frameAt = 0;
  private depth = 0;
  private inText = false;
  private escaped = false;
  private tooLarge = false;
  private refusal: Refusal | undefined;
  private lastEnd: number;
  private frames: FoundFrame[] = [];

  /** @param origin position of the first byte in its file */
  constructor(origin = 0) {
    this.window = new ByteWindow(origin);
    this.lastEnd = origin;
  }

  push(bytes: Uint8Array): FoundFrame[] {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const moved = this.window.append(bytes.subarray(at, at + PIECE_BYTES), this.head);
      this.head -= moved;
      this.at -= moved;
      this.advance();
    }
    return this.taken();
  }

  end(): FoundFrame[] {
    if (this.state === 'object') this.fail('the file ends inside an object', this.frameAt);
    if (this.state === 'first' || this.state === 'item' || this.state === 'separator')
      this.fail('the list is not closed', this.lastEnd);
    if (this.refusal) {
      const length = this.window.position(this.window.view.length) - this.frameAt;
      this.emit({ length, leader06: -1, refused: true, refusal: this.refusal });
      this.refusal = undefined;
    }
    return this.taken();
  }

  private taken(): FoundFrame[] {
    const { frames } = this;
    this.frames = [];
    return frames;
  }

  private advance(): void {
    const { view } = this.window;
    while (this.at < view.length && this.state !== 'faulted' && this.state !== 'given up') {
      if (this.state === 'object') this.lookInside(view);
      else this.takeOutside(view[this.at]!);
    }
    if (this.state !== 'object') this.head = this.at = view.length;
  }

  private takeOutside(byte: number): void {
    if (this.state === 'before' ? byte !== OPEN_BRACE && byte !== OPEN_BRACKET : isBlank(byte)) {
      // Byte order mark and blanks; that of UTF-16 has bytes that UTF-8 never has.
      if (byte >= 0xfe) this.fileFault = 'ENCODING';
      this.pass(this.fileFault ? 'given up' : this.state);
      return;
    }
    const { state } = this;
    const mayBegin = state !== 'separator' && state !== 'after';
    if (byte === OPEN_BRACE && mayBegin) this.begin();
    else if (byte === OPEN_BRACKET && state === 'before') this.pass('first');
    else if (byte === COMMA && state === 'separator') this.pass('item');
    else if (byte === CLOSE_BRACKET && (state === 'first' || state === 'separator'))
      this.pass('after');
    else this.fail('here should be an object', this.window.position(this.at));
  }

  private pass(state: State): void {
    this.state = state;
    this.at++;
  }

  private begin(): void {
    this.inLines = this.state === 'before' || this.state === 'lines';
    this.state = 'object';
    this.head = this.at;
    this.frameAt = this.window.position(this.at);
    this.depth = 0;
    this.inText = this.escaped = this.tooLarge = false;
  }

  /** To the end of the object, or of the bytes. */
  private lookInside(view: Buffer): void {
    let { at, depth, inText, escaped } = this;
    let ended = false;
    while (at < view.length && !ended) {
      const byte = view[at]!;
      if (byte === LINE_END && inText && this.inLines) {
        ended = true;
        break;
      }
      at++;
      if (escaped) escaped = false;
      else if (inText) {
        if (byte === QUOTE) inText = false;
        else if (byte === BACKSLASH) escaped = true;
      } else if (byte === QUOTE) inText = true;
      else if (byte === OPEN_BRACE) depth++;
      else if (byte === CLOSE_BRACE) ended = --depth === 0;
    }
    this.at = at;
    this.depth = depth;
    this.inText = inText;
    this.escaped = escaped;
    if (at - this.head > RECORD_BYTES_MAX) this.tooLarge = true;
    if (ended) this.leave(view);
    if (this.tooLarge) this.head = at;
  }

  private leave(view: Buffer): void {
    const length = this.window.position(this.at) - this.frameAt;
    const leader06 = this.tooLarge ? -1 : leader06Of(view.subarray(this.head, this.at));
    this.emit({ length, leader06, refused: this.tooLarge });
    this.head = this.at;
    this.state = this.inLines ? 'lines' : 'separator';
  }

  private fail(message: string, frameAt: number): void {
    const place = this.window.position(this.at);
    const detail = `The JSON is not well-formed at byte ${place}: ${message}; the rest of the file cannot be read`;
    this.frameAt = frameAt;
    this.refusal = { code: 'JSON_SYNTAX', detail };
    this.state = 'faulted';
  }

  private emit(frame: {
    length: number;
    leader06: number;
    refused: boolean;
    refusal?: Refusal;
  }): void {
    const offset = this.frameAt;
    this.frames.push({ offset, skipped: offset - this.lastEnd, numbered: true, ...frame });
    this.lastEnd = offset + frame.length;
  }
}

/** Leader/06 by the first leader there is; only a hint of the type of record, so the JSON is not parsed for it. */
function leader06Of(object: Buffer): number {
  const key = object.indexOf(LEADER_KEY);
  if (key < 0) return -1;
  const text = object.toString('latin1', key + LEADER_KEY.length, key + LEADER_KEY.length + 128);
  const leader = /^\s*:\s*"((?:\\u[0-9a-fA-F]{4}|[^"\\])*)"/.exec(text)?.[1] ?? '';
  const read = leader.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  const code = read.length > 6 ? read.charCodeAt(6) : -1;
  return code < 0x80 ? code : -1;
}

const isBlank = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x1a;
