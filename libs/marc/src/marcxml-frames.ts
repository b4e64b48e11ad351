/**
 * Finds the records of a MARCXML file while it passes by, and proves it well-formed.
 *
 * A frame is a `record` element in the namespace of MARC 21, or in none if it has a child `leader`; whatever elements
 * lie around are walked through. saxes sees everything but what is known to be good without it: blanks, records of the
 * plain form (see `marcxml-plain.ts`), and start tags of records that are the same as the one before.
 *
 *   outside ─ start tag of a record ▸ plain ─ end tag ▸ outside          plain: its end tag is searched
 *      │                                │ not plain ▸ inside ─ end tag ▸ outside        over 1 MiB: refused, and skipped
 *      └─ fault ▸ faulted ◂─ fault ─────┴───────────────┘
 *
 * A fault ends the reading: what follows is one refused frame to the end of the file. DOCTYPE is such a fault at its
 * first byte. Holds one record, or one tag, of at most 1 MiB.
 */

import { isUtf8 } from 'node:buffer';
import {
  ByteWindow,
  type FileFault,
  type FoundFrame,
  type Framer,
  type Refusal,
} from './framing.js';
import { RECORD_BYTES_MAX } from './iso2709/grammar.js';
import { OuterElements, type RecordTag, TOO_DEEP, XML_DEPTH_MAX } from './marcxml-outer.js';
import { firstNotUtf8, XmlFault } from './marcxml-parser.js';
import { PlainMarcXml } from './marcxml-plain.js';
import { type TokenKind, XmlTokens } from './marcxml-tokens.js';

/** Large pieces are taken in steps of this size, so that the window stays near one record. */
const PIECE_BYTES = 262_144;
/** Elements below a record of the plain form. */
const PLAIN_DEPTH = 2;
const TOKEN_BYTES_MAX = 1_048_576;
const CONTEXT_BYTES_MAX = 4096;
/** Bytes of `<!DOCTYPE` that are read. */
const DOCTYPE_SEEN = 3;

type State = 'before' | 'outside' | 'plain' | 'inside' | 'faulted' | 'given up';

export class MarcXmlFramer implements Framer {
  fileFault: FileFault | undefined;
  private readonly window: ByteWindow;
  private readonly tokens = new XmlTokens();
  private readonly plain = new PlainMarcXml();
  private readonly outer = new OuterElements();
  private state: State = 'before';
  /** First byte of the token or record we are in, and the first that was not looked at; offsets in the window. */
  private head = 0;
  private at = 0;
  private textBytes = 0;
  /** Of the record we are in. */
  private tag: RecordTag | undefined;
  private recordAt = 0;
  private depth = 0;
  private hasLeader = false;
  private tooLarge = false;
  /** Has saxes seen its start tag? */
  private told = false;
  /** Start tag that would be a record again if it came again. */
  private lastTag: RecordTag | undefined;
  private refusal: Refusal | undefined;
  private lastEnd: number;
  private found = 0;
  private frames: FoundFrame[] = [];

  /** @param origin position of the first byte in its file */
  constructor(origin = 0) {
    this.window = new ByteWindow(origin);
    this.lastEnd = origin;
  }

  push(bytes: Uint8Array): FoundFrame[] {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      const moved = this.window.append(piece, this.head);
      this.head -= moved;
      this.at -= moved;
      this.advance(false);
    }
    return this.taken();
  }

  end(): FoundFrame[] {
    this.advance(true);
    return this.taken();
  }

  private taken(): FoundFrame[] {
    const { frames } = this;
    this.frames = [];
    return frames;
  }

  private advance(final: boolean): void {
    try {
      while (this.step(final));
      if (final) this.finish();
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      this.fail(error);
    }
    if (this.state === 'faulted' || this.state === 'given up') {
      this.head = this.at = this.window.view.length;
    }
    if (final && this.refusal) this.emitRest(this.refusal);
  }

  /** @returns false when more bytes are needed */
  private step(final: boolean): boolean {
    switch (this.state) {
      case 'before':
        return this.begin(final);
      case 'outside':
        return this.walk(final);
      case 'plain':
        return this.findEnd(final);
      case 'inside':
        return this.lookInside();
      case 'faulted':
      case 'given up':
        return false;
    }
  }

  /** Byte order mark and blanks; UTF-16 is told by them, or by what it makes of the first `<`. */
  private begin(final: boolean): boolean {
    const { view } = this.window;
    while (this.at < view.length && view[this.at] !== 0x3c) {
      if (view[this.at]! >= 0xfe) return this.giveUp('ENCODING');
      this.head = ++this.at;
    }
    if (view.length - this.at < 2 && !final) return false;
    if (view[this.at + 1] === 0) return this.giveUp('ENCODING');
    this.state = 'outside';
    return true;
  }

  private walk(final: boolean): boolean {
    const { view } = this.window;
    if (this.at === view.length) return false;
    let end = this.tokens.scan(view, this.at);
    this.at = end < 0 ? view.length : end;
    const { kind } = this.tokens;
    if (end >= 0 && kind === 'text') {
      if (end === view.length && !final) end = wholeCharacters(view, this.head);
      const more = end > this.head;
      if (more) this.takeText(view.subarray(this.head, end));
      this.head = this.at = end;
      return more;
    }
    this.textBytes = 0;
    this.recordAt = this.window.position(this.head);
    if (this.at - this.head > TOKEN_BYTES_MAX)
      throw new XmlFault('a tag or comment is longer than 1 MiB', this.recordAt);
    if (end < 0) return false;
    if (kind === 'doctype') return this.refuseDoctype();
    if (kind === 'bad') this.failHere('this is no markup');
    if (kind === 'start' && this.beginsLikeLast(end)) return true;
    this.takeMarkup(view.subarray(this.head, end), kind);
    if (this.state === 'outside') this.head = end;
    return true;
  }

  /** A piece of text; what it says does not depend on how it was cut. */
  private takeText(text: Buffer): void {
    let from = 0;
    if (this.textBytes === 0) {
      from = text.findIndex((byte) => !isBlank(byte));
      if (from < 0) return;
      this.recordAt = this.window.position(this.head + from);
      if (this.outer.depth === 0) throw new XmlFault('text outside of all elements', this.recordAt);
    }
    this.textBytes += text.length - from;
    this.lastTag = undefined;
    if (this.textBytes > TOKEN_BYTES_MAX)
      throw new XmlFault('a text is longer than 1 MiB', this.recordAt);
    this.tell(text, this.head);
  }

  private takeMarkup(bytes: Buffer, kind: TokenKind): void {
    const depth = this.outer.depth + (kind === 'start' ? 1 : kind === 'end' ? -1 : 0);
    this.tell(bytes, this.head);
    this.checkDepth(depth);
    if (this.outer.wrongEncoding) {
      this.giveUp('ENCODING');
      return;
    }
    this.lastTag = undefined;
    const tag = this.outer.recordTag(bytes);
    if (!tag) return;
    if (Buffer.byteLength(tag.context) > CONTEXT_BYTES_MAX)
      this.failHere('the names of the elements around the records are longer than 4 KiB');
    if (kind === 'start') this.enter(tag, true);
    // An empty element: a record without a leader, if it is one.
    else if (!tag.needsLeader)
      this.emit({ length: bytes.length, leader06: -1, context: tag.context });
  }

  private beginsLikeLast(end: number): boolean {
    const { lastTag: tag, head } = this;
    const { view } = this.window;
    if (!tag || tag.bytes.compare(view, head, end) !== 0) return false;
    this.enter(tag, false);
    return true;
  }

  private enter(tag: RecordTag, told: boolean): void {
    this.state = 'plain';
    this.tag = tag;
    this.told = told;
    this.recordAt = this.window.position(this.head);
    this.tooLarge = false;
    this.hasLeader = false;
    this.depth = 1;
  }

  /** The record up to its first end tag, if it is plain. */
  private findEnd(final: boolean): boolean {
    const { view } = this.window;
    const { bytes, endTag, prefix } = this.tag!;
    const start = this.head + bytes.length;
    const from = Math.max(start, this.at - endTag.length + 1);
    const at = view.indexOf(endTag, from);
    const end = at < 0 ? view.length : at + endTag.length;
    const fits = end - this.head <= RECORD_BYTES_MAX;
    if (at < 0 && fits && !final) {
      this.at = view.length;
      return false;
    }
    const shallow = this.outer.depth + (this.told ? 0 : 1) + PLAIN_DEPTH <= XML_DEPTH_MAX;
    if (at >= 0 && fits && shallow && this.plain.read(view, start, at, prefix)) {
      if (this.told) this.outer.parser.write(endTag.toString());
      this.leave(end, this.plain.leader06);
    } else {
      this.state = 'inside';
      this.at = start;
    }
    return true;
  }

  private lookInside(): boolean {
    const { view } = this.window;
    const { tag } = this;
    while (this.at < view.length) {
      const end = this.tokens.scan(view, this.at);
      this.at = end < 0 ? view.length : end;
      if (!this.tooLarge && this.at - this.head > RECORD_BYTES_MAX) {
        if (tag!.needsLeader && !this.hasLeader) return this.walkThrough();
        this.tooLarge = true;
      }
      if (this.tooLarge) this.head = this.at;
      if (end < 0) return false;
      const { kind } = this.tokens;
      if (kind === 'doctype') return this.refuseDoctype();
      if (kind === 'bad') this.failHere('this is no markup');
      if (kind === 'end') this.depth -= 1;
      else if (kind === 'start' || kind === 'empty') {
        if (this.depth === 1 && this.tokens.localName === 'leader') this.hasLeader = true;
        const within = tag!.needsLeader && !this.hasLeader && this.tokens.localName === 'record';
        if (within) return this.walkThrough();
        if (kind === 'start') this.depth += 1;
        if (this.outer.depth + this.depth - (this.told ? 1 : 0) > XML_DEPTH_MAX)
          this.failHere(TOO_DEEP);
      }
      if (this.depth === 0) return this.close();
    }
    return false;
  }

  /** The end tag of a record that saxes has to see. */
  private close(): boolean {
    const { tag, at } = this;
    if (tag!.needsLeader && !this.hasLeader) return this.walkThrough();
    if (this.tooLarge) {
      if (this.told) this.outer.parser.write(tag!.endTag.toString());
      this.leave(at, -1);
      return true;
    }
    this.tellStart();
    const depth = this.outer.depth - 1;
    const start = this.head + tag!.bytes.length;
    const leader06 = this.outer.inside(() => {
      this.tell(this.window.view.subarray(start, at), start);
    });
    this.checkDepth(depth);
    this.leave(at, leader06);
    return true;
  }

  private leave(end: number, leader06: number): void {
    const length = this.window.position(end) - this.recordAt;
    this.emit({ length, leader06, context: this.tag!.context, refused: this.tooLarge });
    this.lastTag = this.tag;
    this.head = this.at = end;
    this.state = 'outside';
  }

  /** What looked like a record is an element around others. */
  private walkThrough(): boolean {
    this.tellStart();
    this.lastTag = undefined;
    this.head = this.at = this.head + this.tag!.bytes.length;
    this.tokens.reset();
    this.state = 'outside';
    return true;
  }

  private tellStart(): void {
    if (!this.told) this.outer.parser.write(this.tag!.bytes.toString());
    this.told = true;
  }

  /** Shows bytes to saxes; `start` is their offset in the window. */
  private tell(bytes: Buffer, start: number): void {
    try {
      if (!isUtf8(bytes)) throw new XmlFault('these bytes are not UTF-8', firstNotUtf8(bytes));
      this.outer.parser.write(bytes.toString());
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      throw new XmlFault(error.message, this.window.position(start + error.offset));
    }
  }

  /** Behind an `&` saxes looks for a `;` even through tags. */
  private checkDepth(expected: number): void {
    if (this.outer.depth !== expected) this.failHere('an & that begins no character');
  }

  private finish(): void {
    if (this.state === 'faulted' || this.state === 'given up' || this.state === 'before') return;
    if (this.state !== 'outside') this.failHere('the file ends inside a record');
    if (this.at > this.head) this.failHere('the file ends inside a tag or comment');
    try {
      this.outer.parser.close();
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      this.recordAt = this.lastEnd;
      throw new XmlFault(error.message, this.window.position(this.at));
    }
  }

  private refuseDoctype(): boolean {
    if (this.found === 0 && this.state === 'outside') return this.giveUp('DOCTYPE_FORBIDDEN');
    const place = this.window.position(this.at) - DOCTYPE_SEEN;
    const detail = `A document type declaration (DOCTYPE) is not allowed, as at byte ${place}; the rest of the file was not read`;
    return this.stop({ code: 'DOCTYPE_FORBIDDEN', detail });
  }

  /** @throws XmlFault at the byte looked at last */
  private failHere(message: string): never {
    throw new XmlFault(message, this.window.position(this.at));
  }

  private fail({ message, offset }: XmlFault): void {
    const detail = `The XML is not well-formed at byte ${offset}: ${message.replace(/\.$/, '')}; the rest of the file cannot be read`;
    this.stop({ code: 'XML_SYNTAX', detail });
  }

  private stop(refusal: Refusal): boolean {
    this.refusal = refusal;
    this.state = 'faulted';
    return false;
  }

  private giveUp(fault: FileFault): boolean {
    this.fileFault = fault;
    this.state = 'given up';
    return false;
  }

  /** All that follows a fault, from the record or tag that has it. */
  private emitRest(refusal: Refusal): void {
    const length = this.window.position(this.window.view.length) - this.recordAt;
    this.emit({ length, leader06: -1, context: '', refused: true, refusal });
    this.refusal = undefined;
  }

  private emit(frame: {
    length: number;
    leader06: number;
    context: string;
    refused?: boolean;
    refusal?: Refusal;
  }): void {
    const offset = this.recordAt;
    const skipped = offset - this.lastEnd;
    this.frames.push({ offset, skipped, numbered: true, refused: false, ...frame });
    this.lastEnd = offset + frame.length;
    this.found += 1;
  }
}

const isBlank = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Where the last character begins that may go on in the next piece; the length when there is none. */
function wholeCharacters(bytes: Buffer, from: number): number {
  for (let back = 1; back <= 3 && bytes.length - back >= from; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return size > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
