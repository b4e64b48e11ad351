import {
  CHUNK_BYTES_MAX,
  CHUNK_FRAMES_MAX,
  type FileFormat,
  type UploadChunk,
} from '../domain/upload-chunk.js';

/**
 * Chunks of a file into which failed records are copied one after the other (data-import, 14, 5). Their borders are known, so
 * nothing is searched: a broken record would be cut otherwise here than where it came from.
 */
export class RetryChunks {
  frames = 0;
  /** Bytes of the new file so far. */
  private position = 0;
  private chunkNo = 0;
  private begin = 0;
  private pairs: number[] = [];
  private origins: number[] = [];
  private format: FileFormat = 'MARC_RAW';
  private xmlContext: string | undefined;

  /**
   * @param origin offset in the original file
   * @param skipped bytes written since the record before
   * @returns the chunk that became complete before this record
   */
  add({ origin, length, skipped, format = 'MARC_RAW', xmlContext }: Copied): UploadChunk[] {
    const isFull =
      this.origins.length >= CHUNK_FRAMES_MAX ||
      this.position + skipped + length - this.begin > CHUNK_BYTES_MAX ||
      xmlContext !== this.xmlContext ||
      format !== this.format;
    const complete = isFull ? this.end() : [];
    const isFirst = this.origins.length === 0;
    if (isFirst) this.begin = this.position + skipped;
    this.format = format;
    this.xmlContext = xmlContext;
    this.pairs.push(isFirst ? 0 : skipped, length);
    this.origins.push(origin);
    this.position += skipped + length;
    this.frames += 1;
    return complete;
  }

  end(): UploadChunk[] {
    const { pairs, origins } = this;
    const count = origins.length;
    if (count === 0) return [];
    this.pairs = [];
    this.origins = [];
    const chunk = {
      chunkNo: this.chunkNo,
      offset: this.begin,
      length: this.position - this.begin,
      firstOrder: this.frames - count,
      count,
      frames: JSON.stringify(pairs),
      format: this.format,
      ...(this.xmlContext === undefined ? {} : { xmlContext: this.xmlContext }),
      origins: JSON.stringify(origins),
    };
    this.chunkNo += 1;
    return [chunk];
  }
}

/** A record of MARCXML is copied alone: its chunk says in which elements it stood. */
interface Copied {
  readonly origin: number;
  readonly length: number;
  readonly skipped: number;
  readonly format?: FileFormat;
  readonly xmlContext?: string | undefined;
}
