import { FrameSplitter, type Frame } from '@quire/marc/iso2709/split';
import { recognise, RECOGNISE_BYTES, type InputFormat } from '@quire/marc/iso2709/recognise';

/**
 * Finds the borders of the records of a file while its bytes pass to the store, and cuts them into chunks (data-import, 8.1):
 * up to 1,000 frames or 4 MiB, whichever comes first; a frame that framing refuses stands alone. Memory does not depend on
 * the size of the file.
 */
export interface UploadChunk {
  readonly chunkNo: number;
  readonly offset: number;
  readonly length: number;
  readonly firstOrder: number;
  readonly count: number;
  /** `[skipped, length]` of each frame, as one flat JSON list. */
  readonly frames: string;
  /** The one frame is too long to be read. */
  readonly refused: boolean;
}

const CHUNK_FRAMES_MAX = 1000;
const CHUNK_BYTES_MAX = 4 * 1024 * 1024;
/** A file none of whose first frames starts with five digits is no MARC file (8.2). */
const PLAUSIBLE_WITHIN = 1000;

export class UploadFraming {
  private readonly splitter = new FrameSplitter();
  private head = Buffer.alloc(0);
  private format: InputFormat | undefined;
  private pairs: number[] = [];
  private offset = 0;
  private length = 0;
  private firstOrder = 0;
  private chunkNo = 0;
  private chunks: UploadChunk[] = [];
  /** Frames found so far. */
  frames = 0;
  private plausible = false;

  /** Takes the next bytes; gives the chunks that became complete. */
  push(bytes: Buffer): UploadChunk[] {
    if (this.format !== undefined) return this.split(bytes);
    // eslint-disable-next-line no-restricted-properties -- at most 512 bytes are joined
    this.head = Buffer.concat(
      [this.head, bytes.subarray(0, RECOGNISE_BYTES)],
      Math.min(this.head.length + bytes.length, 2 * RECOGNISE_BYTES),
    );
    if (this.head.length >= RECOGNISE_BYTES) this.format = recognise(this.head);
    return this.split(bytes);
  }

  end(): UploadChunk[] {
    this.format ??= recognise(this.head);
    if (this.format === 'ISO2709') this.take(this.splitter.end());
    this.close();
    return this.taken();
  }

  /** What is wrong with the file as a whole, after its end. */
  get problem(): 'EMPTY_FILE' | 'COMPRESSED' | 'UNSUPPORTED_FORMAT' | undefined {
    if (this.format === 'COMPRESSED') return 'COMPRESSED';
    if (this.format === 'MARCXML' || this.format === 'MARC_JSON' || this.format === 'EDIFACT')
      return 'UNSUPPORTED_FORMAT';
    return this.plausible ? undefined : 'EMPTY_FILE';
  }

  private split(bytes: Buffer): UploadChunk[] {
    // Until the format is known nothing is lost by looking for frames: another format drops them.
    if (this.format === undefined || this.format === 'ISO2709')
      this.take(this.splitter.push(bytes));
    return this.taken();
  }

  private take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      const bytes = frame.skipped + frame.length;
      const full =
        this.pairs.length >= 2 * CHUNK_FRAMES_MAX || this.length + bytes > CHUNK_BYTES_MAX;
      if (frame.refused || full) this.close();
      if (this.pairs.length === 0) this.begin(frame);
      this.pairs.push(frame.skipped, frame.length);
      this.length += bytes;
      if (this.frames < PLAUSIBLE_WITHIN && frame.numbered) this.plausible = true;
      this.frames += 1;
      if (frame.refused) this.close(true);
    }
  }

  private begin(frame: Frame): void {
    this.offset = frame.offset - frame.skipped;
    this.length = 0;
    this.firstOrder = this.frames;
  }

  private close(refused = false): void {
    if (this.pairs.length === 0) return;
    const { chunkNo, offset, length, firstOrder, pairs } = this;
    this.chunks.push({
      chunkNo,
      offset,
      length,
      firstOrder,
      count: pairs.length / 2,
      frames: JSON.stringify(pairs),
      refused,
    });
    this.chunkNo += 1;
    this.pairs = [];
    this.length = 0;
  }

  private taken(): UploadChunk[] {
    const { chunks } = this;
    if (chunks.length > 0) this.chunks = [];
    return chunks;
  }
}
