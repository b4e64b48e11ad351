/** How the records of a file are written; what `ChunkReady` says of it. */
export type FileFormat = 'MARC_RAW' | 'MARC_XML' | 'MARC_JSON';

/** Of one chunk, whichever comes first; a frame that is longer is refused and stands alone. */
export const CHUNK_FRAMES_MAX = 1000;
export const CHUNK_BYTES_MAX = 4 * 1024 * 1024;

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
  readonly format: FileFormat;
  /** MARCXML: start tags of the elements around the frames, with their namespaces. */
  readonly xmlContext?: string;
  /** Why framing refused the one frame (8.7). */
  readonly refusal?: { readonly code: string; readonly detail?: string };
  /** Of a retry: where each frame begins in the original file, as a JSON list. */
  readonly origins?: string | undefined;
}
