/** A run of frames of a file, the unit of work of an import (data-import, 8.1). */
export interface UploadChunk {
  readonly chunkNo: number;
  readonly offset: number;
  /** At most 4 MiB, unless the one frame is refused. */
  readonly length: number;
  readonly firstOrder: number;
  readonly count: number;
  /** `[skipped, length]` of each frame, as one flat JSON list. */
  readonly frames: string;
  /** The one frame is too long to be read. */
  readonly refused: boolean;
  /** Of a retry: where each frame begins in the original file, as a JSON list. */
  readonly origins?: string | undefined;
}
