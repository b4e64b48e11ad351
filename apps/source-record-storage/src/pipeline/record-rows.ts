import type { MarcRecordType } from '@quire/contracts/source-records';

/**
 * The rows of a chunk as columns, one array per column, because that is how they travel to Postgres: there is no object
 * per record.
 */
export class FrameRows {
  readonly ids: Buffer[] = [];
  readonly matchedIds: Buffer[] = [];
  readonly types: MarcRecordType[] = [];
  readonly externalIds: (Buffer | null)[] = [];
  readonly hrids: (string | null)[] = [];
  readonly orders: number[] = [];
  readonly statuses: string[] = [];
  readonly titles: string[] = [];
  readonly warnings: (object | null)[] = [];
  readonly offsets: number[] = [];
  readonly lengths: number[] = [];
  readonly hashes: Buffer[] = [];

  get count(): number {
    return this.ids.length;
  }
}

/** Records to be made. */
export class RecordRows extends FrameRows {
  readonly generations: number[] = [];
  readonly sources: (string | null)[] = [];
  readonly contents: Buffer[] = [];
  /** Records that stop being current with these rows. */
  readonly supersededIds: string[] = [];
}

/** Frames that say what is stored. */
export class UnchangedRows extends FrameRows {
  /** The records that they repeat. */
  readonly sameAs: string[] = [];
}

/** Cut to a number of UTF-8 bytes, between characters. */
export function cut(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
