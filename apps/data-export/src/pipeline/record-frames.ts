/**
 * Reads the answer of `POST /source-storage/stream/source-records` in its byte form (`source-record-storage.md`, section 6):
 *
 *   answer = frame* end
 *   frame  = length:uint32 of the rest · kind:uint8 · index:uint32 of the id in the request [· record, kind 1 | ids, kind 5]
 *   record = flags:uint8 (1 deleted, 2 suppressed) · duplicates:uint16 · matched id:16 · external id:16 · stored bytes
 *   ids    = 16 bytes each: behind a record that shares its external id, the matched ids of all that do, newest first
 *   kind   = 1 found · 2 not found · 3 no parsed content · 4 invalid id · 5 ids · 0 end: the index is the number of ids
 *
 * All numbers big-endian. A frame that lies whole in one chunk is a view of it; only one that crosses a border is copied. An
 * answer that stops before its end frame is incomplete and must not pass for a short one.
 */
export const FRAME = {
  end: 0,
  found: 1,
  notFound: 2,
  noContent: 3,
  invalidId: 4,
  sharedId: 5,
} as const;

/** Length field, kind and index. */
const HEAD_BYTES = 9;
const FOUND_BYTES = 35;
/** A stored record is at most 1 MiB; more cannot be an answer of ours. */
const FRAME_BYTES_MAX = 1_048_576 + 1024;

/** What the reader shows of the frame it stands on. One object for all frames: nothing is made per record. */
export interface RecordFrame {
  kind: number;
  /** Of the id in its request, from 0. */
  index: number;
  deleted: boolean;
  suppressed: boolean;
  /** Further current source records of the same id. */
  duplicates: number;
  /** 16 bytes, a view. */
  matchedId: Buffer;
  /** 16 bytes, a view; zeros when there is none. */
  externalId: Buffer;
  /** Stored bytes, or the ids of kind 5; a view that holds until the next frame. */
  bytes: Buffer;
}

const NONE = Buffer.alloc(0);

export class FrameReader {
  readonly frame: RecordFrame = {
    kind: FRAME.end,
    index: 0,
    deleted: false,
    suppressed: false,
    duplicates: 0,
    matchedId: NONE,
    externalId: NONE,
    bytes: NONE,
  };
  private chunk: Buffer = NONE;
  private at = 0;
  /** Grows to the longest frame that crossed a border. */
  private joined: Buffer = Buffer.allocUnsafe(131_072);
  private joinedBytes = 0;
  private ended = false;

  /** The chunk must stay as it is until the next one is added. */
  add(chunk: Buffer): void {
    this.chunk = chunk;
    this.at = 0;
  }

  /** Steps to the next frame; false when the chunk is used up. @throws IncompleteAnswer for what cannot be a frame */
  next(): boolean {
    if (this.joinedBytes > 0) return this.nextJoined();
    const left = this.chunk.length - this.at;
    const length = left >= 4 ? lengthAt(this.chunk, this.at) : undefined;
    if (length === undefined || left < 4 + length) {
      this.keep(this.chunk.length);
      return false;
    }
    this.show(this.chunk, this.at, 4 + length);
    this.at += 4 + length;
    return true;
  }

  /** @param ids sent in the request @throws IncompleteAnswer when the answer did not come whole */
  finish(ids: number): void {
    if (!this.ended || this.frame.index !== ids || this.joinedBytes > 0) {
      throw new IncompleteAnswer('The answer of source-record-storage ended early.');
    }
  }

  private nextJoined(): boolean {
    if (this.joinedBytes < 4) this.keep(this.at + 4 - this.joinedBytes);
    if (this.joinedBytes < 4) return false;
    const whole = 4 + lengthAt(this.joined, 0);
    this.keep(this.at + whole - this.joinedBytes);
    if (this.joinedBytes < whole) return false;
    this.joinedBytes = 0;
    this.show(this.joined, 0, whole);
    return true;
  }

  /** Moves bytes of the chunk up to `end` behind those that are kept. */
  private keep(end: number): void {
    const stop = Math.min(end, this.chunk.length);
    const bytes = stop - this.at;
    if (bytes <= 0) return;
    if (this.joinedBytes + bytes > this.joined.length) {
      const larger = Buffer.allocUnsafe(2 * (this.joinedBytes + bytes));
      this.joined.copy(larger, 0, 0, this.joinedBytes);
      this.joined = larger;
    }
    this.chunk.copy(this.joined, this.joinedBytes, this.at, stop);
    this.joinedBytes += bytes;
    this.at = stop;
  }

  private show(from: Buffer, start: number, length: number): void {
    if (this.ended) throw new IncompleteAnswer('Something follows the end of the answer.');
    const { frame } = this;
    frame.kind = from[start + 4] ?? 0;
    frame.index = from.readUInt32BE(start + 5);
    if (frame.kind === FRAME.end) this.ended = true;
    const at = start + HEAD_BYTES;
    if (frame.kind === FRAME.sharedId) frame.bytes = from.subarray(at, start + length);
    if (frame.kind !== FRAME.found) return;
    if (length < HEAD_BYTES + FOUND_BYTES) throw new IncompleteAnswer('A frame is too short.');
    const flags = from[at] ?? 0;
    frame.deleted = (flags & 1) !== 0;
    frame.suppressed = (flags & 2) !== 0;
    frame.duplicates = from.readUInt16BE(at + 1);
    frame.matchedId = from.subarray(at + 3, at + 19);
    frame.externalId = from.subarray(at + 19, at + FOUND_BYTES);
    frame.bytes = from.subarray(at + FOUND_BYTES, start + length);
  }
}

/** The answer to ids of which nobody needs to ask: they are not found. */
export async function* noneFound(ids: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.alloc((ids + 1) * HEAD_BYTES);
  for (let index = 0; index <= ids; index += 1) {
    const at = index * HEAD_BYTES;
    bytes.writeUInt32BE(HEAD_BYTES - 4, at);
    bytes[at + 4] = index < ids ? FRAME.notFound : FRAME.end;
    bytes.writeUInt32BE(index, at + 5);
  }
  yield await Promise.resolve(bytes);
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  if (length < 5 || length > FRAME_BYTES_MAX) {
    throw new IncompleteAnswer(`A frame of ${length} bytes is none.`);
  }
  return length;
}

/** The connection was cut, or the other side gave up in the middle: to be asked again. */
export class IncompleteAnswer extends Error {
  override readonly name = 'IncompleteAnswer';
  readonly transient = true;
}
