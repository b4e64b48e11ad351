import type { FileFault, FoundFrame, Framer } from '@quire/marc/framing';
import { FrameSplitter } from '@quire/marc/iso2709/split';
import { MarcJsonFramer } from '@quire/marc/marc-json-frames';
import { MarcXmlFramer } from '@quire/marc/marcxml-frames';
import { recognise, RECOGNISE_BYTES, type InputFormat } from '@quire/marc/recognise';
import type { FileProblem } from '../domain/file-problem.js';
import {
  CHUNK_BYTES_MAX,
  CHUNK_FRAMES_MAX,
  type FileFormat,
  type UploadChunk,
} from '../domain/upload-chunk.js';

/** A file none of whose first frames starts with five digits is no MARC file (8.2). */
const PLAUSIBLE_WITHIN = 1000;
const FILE_RECORDS_MAX = 10_000_000;
/**
 * Chunks end with what stands around their records, names and namespaces of elements, which is the same in most of a file. What
 * full chunks and refused frames need follows from the size of the file, some 14,000 chunks at 2 GiB; only here it does not.
 */
const CONTEXT_CHANGES_MAX = 10_000;
/** Leader/06 of holdings, whose 004 may name a record earlier in the file (9.2). */
const HOLDINGS: ReadonlySet<number> = new Set(Buffer.from('uvxy'));

const FORMAT_PROBLEM: Readonly<Partial<Record<InputFormat, FileProblem>>> = {
  COMPRESSED: 'COMPRESSED',
  EDIFACT: 'EDIFACT',
};
const FAULT_PROBLEM: Readonly<Record<FileFault, FileProblem>> = {
  DOCTYPE_FORBIDDEN: 'DOCTYPE_FORBIDDEN',
  ENCODING: 'NOT_UTF8',
};

/**
 * Finds the borders of the records of a file while its bytes pass to the store, and cuts them into chunks (data-import, 8.1):
 * up to 1,000 frames or 4 MiB, whichever comes first; a frame that framing refuses stands alone. Memory does not depend on
 * the size of the file.
 *
 * Framing gives up, and the rest of the bytes is only stored, as soon as nothing in the file can be imported: its first bytes
 * name another format, none of its first 1,000 frames begins like a record, it has more records than a file may have, or what
 * stands around them changes too often. Two gigabytes of anything else must not become a million chunk rows.
 */
export class UploadFraming {
  /** Frames found; none of them counts when the file has a problem. */
  frames = 0;
  /** Chunks have to be worked one after the other (9.3). */
  inOrder = false;
  /** Why nothing of the file can be imported. */
  problem: FileProblem | undefined;
  private framer: Framer = new FrameSplitter();
  private format: FileFormat = 'MARC_RAW';
  /** Bytes given to the framer, all of them blanks until the format is known. */
  private framed = 0;
  private head = Buffer.alloc(0);
  private recognised = false;
  private plausible = false;
  private pairs: number[] = [];
  private offset = 0;
  private length = 0;
  private firstOrder = 0;
  /** Elements around the frames of the chunk. */
  private context: string | undefined;
  private contextChanges = 0;
  private chunkNo = 0;
  private chunks: UploadChunk[] = [];

  /** Takes the next bytes; gives the chunks that became complete. */
  push(bytes: Buffer): UploadChunk[] {
    let rest = bytes;
    while (!this.recognised && rest.length > 0) rest = this.lookAt(rest);
    this.split(rest);
    return this.taken();
  }

  end(): UploadChunk[] {
    if (this.head.length > 0) this.recognise();
    if (this.problem === undefined) this.take(this.framer.end());
    if (!this.plausible) this.problem ??= 'EMPTY_FILE';
    if (this.problem === undefined) this.close();
    return this.taken();
  }

  /** Nothing is framed before the format is known. Gives the bytes that it did not need. */
  private lookAt(bytes: Buffer): Buffer {
    const missing = RECOGNISE_BYTES - this.head.length;
    // eslint-disable-next-line no-restricted-properties -- at most 512 bytes are joined
    this.head = Buffer.concat([this.head, bytes.subarray(0, missing)]);
    if (this.head.length === RECOGNISE_BYTES) this.recognise();
    return bytes.subarray(missing);
  }

  /** Behind nothing but blanks the next bytes tell; the blanks themselves are as good as any of ISO 2709. */
  private recognise(): void {
    const format = recognise(this.head);
    this.recognised = format !== 'UNKNOWN';
    this.problem = FORMAT_PROBLEM[format];
    if (format === 'MARCXML') {
      this.format = 'MARC_XML';
      this.framer = new MarcXmlFramer(this.framed);
    } else if (format === 'MARC_JSON') {
      this.format = 'MARC_JSON';
      this.framer = new MarcJsonFramer(this.framed);
    }
    this.split(this.head);
    this.head = Buffer.alloc(0);
  }

  private split(bytes: Buffer): void {
    if (this.problem !== undefined) return;
    this.take(this.framer.push(bytes));
    this.framed += bytes.length;
  }

  private take(frames: readonly FoundFrame[]): void {
    const { fileFault } = this.framer;
    if (fileFault) this.problem ??= FAULT_PROBLEM[fileFault];
    for (const frame of frames) {
      if (this.problem !== undefined) return;
      if (frame.numbered) this.plausible = true;
      if (!frame.refused && HOLDINGS.has(frame.leader06)) this.inOrder = true;
      this.add(frame);
      this.frames += 1;
      if (!this.plausible && this.frames >= PLAUSIBLE_WITHIN) this.problem = 'EMPTY_FILE';
      if (this.frames > FILE_RECORDS_MAX) this.problem = 'TOO_MANY_RECORDS';
    }
  }

  private add(frame: FoundFrame): void {
    const bytes = frame.skipped + frame.length;
    const full = this.pairs.length >= 2 * CHUNK_FRAMES_MAX || this.length + bytes > CHUNK_BYTES_MAX;
    const another = frame.context !== this.context;
    if (another && this.pairs.length > 0) this.contextChanges += 1;
    if (this.contextChanges > CONTEXT_CHANGES_MAX) this.problem = 'TOO_MANY_WRAPPERS';
    if (frame.refused || full || another) this.close();
    const skipped = this.pairs.length === 0 ? this.begin(frame) : frame.skipped;
    this.pairs.push(skipped, frame.length);
    this.length += skipped + frame.length;
    if (frame.refused) this.close(frame.refusal ?? { code: 'TOO_LARGE' });
  }

  /**
   * Gives the skipped bytes that the chunk begins with. There may be any number of them before a record, but a chunk is
   * read into memory: it begins with no more than fit beside the record. Of XML and JSON they mean nothing to the record.
   */
  private begin(frame: FoundFrame): number {
    const room = this.format === 'MARC_RAW' ? Math.max(0, CHUNK_BYTES_MAX - frame.length) : 0;
    const skipped = Math.min(frame.skipped, room);
    this.context = frame.context;
    this.offset = frame.offset - skipped;
    this.length = 0;
    this.firstOrder = this.frames;
    return skipped;
  }

  private close(refusal?: UploadChunk['refusal']): void {
    if (this.pairs.length === 0) return;
    const { chunkNo, offset, length, firstOrder, pairs, format, context } = this;
    this.chunks.push({
      chunkNo,
      offset,
      length,
      firstOrder,
      count: pairs.length / 2,
      frames: JSON.stringify(pairs),
      format,
      ...(context === undefined || refusal ? {} : { xmlContext: context }),
      ...(refusal ? { refusal } : {}),
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
