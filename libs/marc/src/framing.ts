/** What all framers have in common, whatever the format: they find the borders of records in a stream of bytes. */

import type { RecordErrorCode } from './errors.js';
import type { Frame } from './iso2709/split.js';

/** Why framing itself refuses a frame. Frames are refused without a reason where they are merely `TOO_LARGE`. */
export interface Refusal {
  readonly code: Extract<
    RecordErrorCode,
    'TOO_LARGE' | 'XML_SYNTAX' | 'JSON_SYNTAX' | 'DOCTYPE_FORBIDDEN'
  >;
  /** Sentence with the place in the file. */
  readonly detail?: string;
}

export interface FoundFrame extends Frame {
  readonly refusal?: Refusal;
  /**
   * MARCXML: start tags of the elements in which the frame stands, with their namespaces and nothing else, at most
   * 4 KiB. A frame is read with them before it.
   */
  readonly context?: string;
}

/** Why nothing of a file can be read: DOCTYPE before its first record; XML in another encoding than UTF-8. */
export type FileFault = 'DOCTYPE_FORBIDDEN' | 'ENCODING';

/** Fed with `push`, closed with `end`; both return the frames that became certain. Holds no more than one record. */
export interface Framer {
  push(bytes: Uint8Array): FoundFrame[];
  end(): FoundFrame[];
  readonly fileFault?: FileFault | undefined;
}

/** The bytes of a stream that still matter, in one piece. */
export class ByteWindow {
  private store = Buffer.allocUnsafe(65_536);
  /** Grows at its end, and loses what lies before the head when there is no room. */
  view = this.store.subarray(0, 0);

  /** @param origin position of the first byte in the stream */
  constructor(private origin = 0) {}

  /** Position of `view[at]` in the stream. */
  position(at: number): number {
    return this.origin + at;
  }

  /**
   * Takes the next bytes; they are copied.
   *
   * @param head bytes before it may go
   * @returns by how much offsets in the view have become smaller
   */
  append(bytes: Uint8Array, head: number): number {
    let moved = 0;
    if (this.view.length + bytes.length > this.store.length) {
      const held = this.view.length - head;
      const size = held + bytes.length;
      const fits = size * 2 <= this.store.length;
      const target = fits ? this.store : Buffer.allocUnsafe(Math.max(size * 2, 65_536));
      this.store.copy(target, 0, head, this.view.length);
      this.store = target;
      this.origin += head;
      this.view = this.store.subarray(0, held);
      moved = head;
    }
    this.store.set(bytes, this.view.length);
    this.view = this.store.subarray(0, this.view.length + bytes.length);
    return moved;
  }
}
