import type { ChunkError } from '@quire/contracts/source-record-events';

/** Where the frames of a chunk stand, from its row (data-import, 8.1). */
interface FramedChunk {
  readonly byte_offset: string;
  readonly first_order: string;
  /** `[skipped, length]` of each frame in one flat JSON list. */
  readonly frames: string;
  readonly origins: string | null;
}

export interface FramePlace {
  readonly o: number;
  readonly at: number;
  readonly len: number;
}

/** Order, offset and length of each frame; of a retry, the offset in the original file. */
export function framesOf(chunk: FramedChunk): FramePlace[] {
  const pairs = JSON.parse(chunk.frames) as number[];
  const origins = originsOf(chunk);
  let at = Number(chunk.byte_offset);
  return Array.from({ length: pairs.length / 2 }, (_, index) => {
    const [skipped = 0, len = 0] = pairs.slice(2 * index, 2 * index + 2);
    const o = Number(chunk.first_order) + index;
    const place = { o, at: origins?.[index] ?? at + skipped, len };
    at += skipped + len;
    return place;
  });
}

/** Errors of a retry speak of the original file: that is the one that people have. */
export function inOriginal(errors: readonly ChunkError[], chunk: FramedChunk): ChunkError[] {
  const origins = originsOf(chunk);
  const first = Number(chunk.first_order);
  return errors.map((error) => ({ ...error, at: origins?.[error.o - first] ?? error.at }));
}

const originsOf = ({ origins }: FramedChunk): number[] | undefined =>
  origins === null ? undefined : (JSON.parse(origins) as number[]);
