/**
 * Reads MARCXML records of the plain form, which is the form that nearly all programs write, in one pass over the bytes:
 *
 *   plain   = start-tag blank* (leader | control | data | blank)* end-tag       exactly one leader, at least one field
 *   leader  = <leader> 24 printable characters </leader>
 *   control = <controlfield tag="00x"> text </controlfield>
 *   data    = <datafield tag="…" ind1="…" ind2="…"> (subfield | blank)+ </datafield>      attributes in any order
 *   subfield = <subfield code="c"> text </subfield>
 *   text    = UTF-8 without CR, with no markup but &amp; &lt; &gt; &quot; &apos;
 *
 * All names have the prefix of the record. What is not of this form is not judged here: a real XML reader decides (see
 * `marcxml-read.ts`). What is, has by construction the same meaning there, which the specs prove on damaged records.
 */

import { isUtf8 } from 'node:buffer';
import { type RecordError, WarningList } from './errors.js';
import {
  FIELD_TERMINATOR,
  isControlTag,
  isTagByte,
  LEADER_BYTES,
  SUBFIELD_DELIMITER,
} from './iso2709/grammar.js';
import { writeStored } from './iso2709/write.js';
import type { MarcRecord } from './record.js';

const LESS = 0x3c;
const GREATER = 0x3e;
const AMPERSAND = 0x26;
const BRACKET = 0x5d;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;

/** Attributes as flags. */
const TAG = 1;
const IND1 = 2;
const IND2 = 4;
const CODE = 8;

const ENTITIES: readonly (readonly [Buffer, number])[] = [
  [Buffer.from('amp;'), AMPERSAND],
  [Buffer.from('lt;'), LESS],
  [Buffer.from('gt;'), GREATER],
  [Buffer.from('quot;'), QUOTE],
  [Buffer.from('apos;'), APOSTROPHE],
];

/** The tags of the elements, with the prefix of a record. */
interface Names {
  readonly prefix: string;
  readonly leader: Buffer;
  readonly leaderEnd: Buffer;
  readonly control: Buffer;
  readonly controlEnd: Buffer;
  readonly data: Buffer;
  readonly dataEnd: Buffer;
  readonly subfield: Buffer;
  readonly subfieldEnd: Buffer;
}

function namesOf(prefix: string): Names {
  const open = (name: string): Buffer => Buffer.from(`<${prefix}${name}`);
  const end = (name: string): Buffer => Buffer.from(`</${prefix}${name}>`);
  return {
    prefix,
    leader: Buffer.from(`<${prefix}leader>`),
    leaderEnd: end('leader'),
    control: open('controlfield'),
    controlEnd: end('controlfield'),
    data: open('datafield'),
    dataEnd: end('datafield'),
    subfield: open('subfield'),
    subfieldEnd: end('subfield'),
  };
}

/** Keeps its buffers from record to record. */
export class PlainMarcXml {
  private names = namesOf('');
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private target = Buffer.allocUnsafe(65_536);
  private length = 0;
  private readonly tags: number[] = [];
  private readonly ends: number[] = [];
  private leaderAt = -1;
  /** Values of the attributes read last. */
  private tag = 0;
  private ind1 = 0;
  private ind2 = 0;
  private code = 0;

  /**
   * Reads the content of a record element.
   *
   * @param bytes hold it from `start`, behind its start tag, to `end`, where its end tag begins
   * @param prefix of its name, with the colon
   * @returns false if it is not plain
   */
  read(bytes: Buffer, start: number, end: number, prefix: string): boolean {
    if (this.names.prefix !== prefix) this.names = namesOf(prefix);
    // No field takes more bytes than its elements did.
    if (this.target.length < end - start) this.target = Buffer.allocUnsafe(2 * (end - start));
    this.bytes = bytes;
    this.at = start;
    this.length = 0;
    this.tags.length = 0;
    this.ends.length = 0;
    this.leaderAt = -1;
    while (this.blanks() < end) if (!this.element()) return false;
    const whole = this.at === end && this.leaderAt >= 0 && this.tags.length > 0;
    return whole && isUtf8(bytes.subarray(start, end));
  }

  /** Of the record read last: the byte at leader/06. */
  get leader06(): number {
    return this.bytes[this.leaderAt + 6]!;
  }

  /** The record read last. Error `TOO_LARGE` is the only one possible. */
  record(): MarcRecord | RecordError {
    const pieces = {
      leader: this.bytes.subarray(this.leaderAt, this.leaderAt + LEADER_BYTES),
      tags: Uint32Array.from(this.tags),
      ends: Uint32Array.from(this.ends),
      data: this.target.subarray(0, this.length),
    };
    return writeStored(pieces, new WarningList());
  }

  private blanks(): number {
    const { bytes } = this;
    let { at } = this;
    for (let byte = bytes[at]!; isBlank(byte); byte = bytes[at]!) at++;
    this.at = at;
    return at;
  }

  private element(): boolean {
    const { names } = this;
    if (this.takes(names.data)) return this.dataField();
    if (this.takes(names.control)) return this.controlField();
    return this.takes(names.leader) && this.leader();
  }

  private leader(): boolean {
    if (this.leaderAt >= 0) return false;
    this.leaderAt = this.at;
    for (const end = this.at + LEADER_BYTES; this.at < end; this.at++) {
      const byte = this.bytes[this.at]!;
      if (byte < 0x20 || byte > 0x7e || byte === LESS || byte === AMPERSAND || byte === GREATER)
        return false;
    }
    return this.takes(this.names.leaderEnd);
  }

  private controlField(): boolean {
    if (this.attributes() !== TAG || !isControlTag(this.tag)) return false;
    if (!this.text() || !this.takes(this.names.controlEnd)) return false;
    this.endField();
    return true;
  }

  private dataField(): boolean {
    if (this.attributes() !== (TAG | IND1 | IND2) || isControlTag(this.tag)) return false;
    const { names } = this;
    this.target[this.length++] = this.ind1;
    this.target[this.length++] = this.ind2;
    const start = this.length;
    for (;;) {
      this.blanks();
      if (this.takes(names.subfield)) {
        if (this.attributes() !== CODE) return false;
        this.target[this.length++] = SUBFIELD_DELIMITER;
        this.target[this.length++] = this.code;
        if (!this.text() || !this.takes(names.subfieldEnd)) return false;
      } else {
        if (this.length === start || !this.takes(names.dataEnd)) return false;
        this.endField();
        return true;
      }
    }
  }

  private endField(): void {
    this.target[this.length++] = FIELD_TERMINATOR;
    this.tags.push(this.tag);
    this.ends.push(this.length);
  }

  /** Attributes up to the end of the tag; gives which there were, 0 for any that is unknown, odd or there twice. */
  private attributes(): number {
    const { bytes } = this;
    let found = 0;
    for (;;) {
      const before = this.at;
      if (bytes[this.blanks()] === GREATER) {
        this.at++;
        return found;
      }
      const flag = this.at > before ? this.attributeName() : 0;
      if (flag === 0 || (found & flag) !== 0) return 0;
      found |= flag;
      const quote = bytes[this.at++]!;
      if (quote !== QUOTE && quote !== APOSTROPHE) return 0;
      if (!this.attributeValue(flag, quote) || bytes[this.at++] !== quote) return 0;
    }
  }

  private attributeName(): number {
    const { bytes, at } = this;
    const named = (text: string): boolean => {
      for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
      if (bytes[at + text.length] !== EQUALS) return false;
      this.at = at + text.length + 1;
      return true;
    };
    if (named('tag')) return TAG;
    if (named('code')) return CODE;
    if (named('ind1')) return IND1;
    return named('ind2') ? IND2 : 0;
  }

  private attributeValue(flag: number, quote: number): boolean {
    const { bytes, at } = this;
    if (flag === TAG) {
      const [first, second, third] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
      if (!isTagByte(first) || !isTagByte(second) || !isTagByte(third)) return false;
      this.tag = (first << 16) | (second << 8) | third;
      this.at = at + 3;
      return true;
    }
    const byte = bytes[at]!;
    if (byte < 0x20 || byte > 0x7e) return false;
    if (byte === quote || byte === LESS || byte === AMPERSAND) return false;
    if (flag === CODE) this.code = byte;
    else if (flag === IND1) this.ind1 = byte;
    else this.ind2 = byte;
    this.at = at + 1;
    return true;
  }

  /** Copies text up to the next tag. */
  private text(): boolean {
    const { bytes, target } = this;
    let { at, length } = this;
    for (;;) {
      let byte = bytes[at];
      if (byte === undefined) return false;
      if (byte === LESS) break;
      at++;
      if (byte < 0x20 ? byte !== 0x09 && byte !== 0x0a : byte === GREATER) {
        if (byte < 0x20 || (bytes[at - 2] === BRACKET && bytes[at - 3] === BRACKET)) return false;
      } else if (byte === AMPERSAND) {
        const entity = ENTITIES.find(([name]) => holds(bytes, at, name));
        if (!entity) return false;
        at += entity[0].length;
        byte = entity[1];
      } else if (byte === 0xef && bytes[at] === 0xbf && bytes[at + 1]! >= 0xbe) {
        return false;
      }
      target[length++] = byte;
    }
    this.at = at;
    this.length = length;
    return true;
  }

  /** Goes behind a tag, or the beginning of one, if it stands here. */
  private takes(wanted: Buffer): boolean {
    if (!holds(this.bytes, this.at, wanted)) return false;
    this.at += wanted.length;
    return true;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d;
}

/** For a few bytes a loop is faster than a comparison of buffers. */
function holds(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
