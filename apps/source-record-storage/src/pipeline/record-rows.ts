import type { MarcRecordType } from '@quire/contracts/source-records';
import type { MarcRecord } from '@quire/marc/record';

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
  /** 004 of holdings. */
  readonly parentHrids: (string | null)[] = [];
  readonly contents: Buffer[] = [];
  /** As they were read, for what is derived from them. */
  readonly records: MarcRecord[] = [];
  /** A bibliographic record whose external id was made for it: its row of the instance view is most likely new. */
  readonly ownInstance: boolean[] = [];
  /** Records that stop being current with these rows. */
  readonly supersededIds: string[] = [];
}

/** Frames that say what is stored. */
export class UnchangedRows extends FrameRows {
  /** The records that they repeat. */
  readonly sameAs: string[] = [];
}
