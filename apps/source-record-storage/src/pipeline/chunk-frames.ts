import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { MarcRecordType } from '@quire/contracts/source-records';
import { recordTypeOf } from '@quire/marc/fields';
import { cutFrames, type CutFrame } from '@quire/marc/iso2709/split';
import { readFrame, type ReadResult } from './read-frame.js';

const LEADER_TYPE = 6;

/**
 * The frames of a chunk. What refers to the store is looked at twice, for its claims and for its row, and read once: such
 * records are kept, at most those of one chunk.
 */
export class ChunkFrames {
  readonly cuts: readonly CutFrame[];
  private readonly kept = new Map<number, ReadResult>();

  /** @param bytes exactly the chunk's range of the file */
  constructor(
    bytes: Buffer,
    private readonly chunk: ChunkReadyPayload,
  ) {
    this.cuts = [...cutFrames(bytes, chunk.frames)];
  }

  read(index: number): ReadResult {
    return this.kept.get(index) ?? readFrame(this.cut(index), this.chunk);
  }

  /** Reads, and keeps what was read. */
  keep(index: number): ReadResult {
    const result = this.read(index);
    this.kept.set(index, result);
    return result;
  }

  /** Without reading a frame of ISO 2709, whose leader stands first. */
  typeOf(index: number): MarcRecordType | undefined {
    if (this.chunk.format === 'MARC_RAW')
      return recordTypeOf(this.cut(index).frame[LEADER_TYPE] ?? 0);
    const result = this.keep(index);
    return result.failed ? undefined : recordTypeOf(result.bytes[LEADER_TYPE] ?? 0);
  }

  private cut(index: number): CutFrame {
    const cut = this.cuts[index];
    if (!cut) throw new Error(`The chunk has no frame ${index}.`);
    return cut;
  }
}
