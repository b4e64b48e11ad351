import type { IdType } from '@quire/contracts/data-export';
import { uuidText } from '@quire/contracts/ids';
import { controlText, titleOf } from '@quire/marc/fields';
import { MARCXML_CLOSE, MARCXML_OPEN } from '@quire/marc/marcxml-write';
import type { MarcRecord } from '@quire/marc/record';
import {
  Collected,
  logRows,
  ONLY_SET_FOR_DELETION,
  SET_TO_DELETION,
  type AffectedRecord,
  type LogRow,
} from '../domain/error-codes.js';
import type { RecordPlan } from '../domain/record-plan.js';
import { FRAME, FrameReader, type RecordFrame } from './record-frames.js';
import { RecordWriter, unconvertible, type Written } from './write-record.js';

/**
 * The records of one slice, from the answers of source-record-storage to the bytes of the output: in the order of the
 * lines, one after the other, nothing between them. A profile that leaves nothing out passes the stored bytes on as they
 * are. A line of which no record can be made is a value with its reason, never an exception.
 *
 * Nothing is made per record: a frame is looked at where it lies and copied once, into a buffer of which the store is
 * handed a quarter of a megabyte at a time.
 */

/** Up to 1,000 ids of a slice, and what was answered to them. */
export interface AnsweredBatch {
  readonly batch: IdsBatch;
  readonly body: AsyncIterable<Buffer>;
}

export interface IdsBatch {
  /** A JSON array of ids. */
  readonly ids: string;
  /** The lines on which they stand. */
  readonly ordinals: readonly number[];
}

export interface LineOutcome {
  readonly ordinal: number;
  readonly class: 'NOT_FOUND' | 'FAULTY' | 'WARNING';
  /** Absent for what is collected in one row of the job. */
  readonly row?: LogRow;
}

/** What became of the lines of one slice. */
export class SliceTally {
  exported = 0;
  notFound = 0;
  faulty = 0;
  /** Of the exported ones, those that went into the file beside the output. */
  oversize = 0;
  /** Further source records found for exported ids. */
  sourceDuplicates = 0;
  readonly outcomes: LineOutcome[] = [];
}

const FLUSH_BYTES = 262_144;
const UUID_BYTES = 16;

/** Where a slice stands in its output, and where it puts what does not fit into it. */
export interface SlicePlace {
  /** What opens and closes a file of its format stands in its first and in its last slice. */
  readonly first: boolean;
  readonly last: boolean;
  /** Takes MARCXML for the file beside the output; resolves when there is room for more. */
  readonly addOversize: (bytes: Buffer) => Promise<void>;
}

/** Yields one buffer again and again: it must be used up before the next one is asked for. */
export async function* exportSlice(
  answers: AsyncIterable<AnsweredBatch>,
  plan: RecordPlan,
  tally: SliceTally,
  place: SlicePlace,
): AsyncGenerator<Buffer> {
  const writer = new RecordWriter(plan);
  const out = Buffer.allocUnsafe(FLUSH_BYTES);
  let used = place.first && plan.format === 'MARCXML' ? out.write(MARCXML_OPEN) : 0;
  for await (const { batch, body } of answers) {
    const reader = new FrameReader();
    const lines = new BatchLines(batch, { plan, writer }, tally);
    for await (const chunk of body) {
      reader.add(chunk);
      while (reader.next()) {
        const bytes = lines.take(reader.frame);
        if (lines.oversize) await place.addOversize(lines.takeOversize());
        if (!bytes) continue;
        if (used + bytes.length > FLUSH_BYTES) {
          yield out.subarray(0, used);
          used = 0;
        }
        if (bytes.length > FLUSH_BYTES) yield bytes;
        else used += bytes.copy(out, used);
      }
    }
    reader.finish(batch.ordinals.length);
    lines.finish();
  }
  if (used > 0) yield out.subarray(0, used);
  if (place.last && plan.format === 'MARCXML') yield Buffer.from(MARCXML_CLOSE);
}

const RECORD_TYPE: Readonly<Record<IdType, string>> = {
  instance: 'INSTANCE',
  holding: 'HOLDINGS',
  authority: 'AUTHORITY',
};

/** Judges the frames of one answer. */
class BatchLines {
  /** What the last frame has for the file beside the output. */
  oversize: Buffer | undefined;
  private readonly plan: RecordPlan;
  private readonly writer: RecordWriter;
  private seen = 0;
  /** Further source records of the line that was exported last. */
  private duplicates = 0;
  private ids: readonly string[] | undefined;

  constructor(
    private readonly batch: IdsBatch,
    { plan, writer }: { readonly plan: RecordPlan; readonly writer: RecordWriter },
    private readonly tally: SliceTally,
  ) {
    this.plan = plan;
    this.writer = writer;
  }

  /** The bytes to write; undefined when this line gives no record to the output. */
  take(frame: RecordFrame): Buffer | undefined {
    if (frame.kind === FRAME.end) return undefined;
    if (frame.kind === FRAME.sharedId) return this.warnOfDuplicates(frame);
    this.duplicates = 0;
    if (frame.index !== this.seen) throw new Error(`Id ${frame.index} was answered out of order.`);
    this.seen += 1;
    if (frame.kind !== FRAME.found) {
      this.missing(frame);
      return undefined;
    }
    const refusal = this.plan.wanted === 'any' ? undefined : this.refusalByState(frame);
    if (refusal) return this.fail(frame.index, refusal);
    if (this.writer.passes(frame.bytes)) {
      this.exported(frame);
      return frame.bytes;
    }
    return this.written(frame, this.writer.write(frame.bytes));
  }

  takeOversize(): Buffer {
    const bytes = this.oversize ?? Buffer.alloc(0);
    this.oversize = undefined;
    return bytes;
  }

  /** @throws when a line was left out: its job would never add up */
  finish(): void {
    if (this.seen !== this.batch.ordinals.length)
      throw new Error(`${this.seen} of ${this.batch.ordinals.length} ids were answered.`);
  }

  private exported(frame: RecordFrame): void {
    this.tally.exported += 1;
    this.duplicates = frame.duplicates;
    this.tally.sourceDuplicates += frame.duplicates;
  }

  private written(frame: RecordFrame, written: Written): Buffer | undefined {
    const { index } = frame;
    if (written.kind === 'faulty') {
      const { problem, record } = written;
      const affected = record
        ? this.affected(index, record)
        : { id: this.id(index), ...UNKNOWN_RECORD };
      return this.fail(index, { ...logRows.message(problem), affected });
    }
    this.exported(frame);
    const { warning, record, bytes } = written;
    if (warning !== undefined) {
      const affected = this.affected(index, record);
      this.warn(index, { ...logRows.message(warning), level: 'WARNING', affected });
    }
    if (written.kind === 'written') return bytes;
    this.tally.oversize += 1;
    this.oversize = bytes;
    return undefined;
  }

  private missing({ kind, index }: RecordFrame): void {
    if (kind === FRAME.noContent) {
      this.fail(index, logRows.message(unconvertible('the record has no content')));
      return;
    }
    this.tally.notFound += 1;
    this.tally.outcomes.push({ ordinal: this.ordinal(index), class: 'NOT_FOUND' });
  }

  private refusalByState({ deleted, index }: RecordFrame): LogRow | undefined {
    const { wanted } = this.plan;
    if (wanted === 'live' && deleted) {
      const text = `Authority record ${this.id(index)} is set for deletion and cannot be exported using this profile`;
      return { level: 'ERROR', code: SET_TO_DELETION, values: [text] };
    }
    if (wanted === 'deleted' && !deleted)
      return {
        level: 'ERROR',
        code: 'error.onlyForSetToDeletion',
        values: [ONLY_SET_FOR_DELETION],
      };
    return undefined;
  }

  /** Of a line that is not exported there is nothing more to say than why. */
  private warnOfDuplicates({ index, bytes }: RecordFrame): undefined {
    if (index !== this.seen - 1) throw new Error(`Ids of line ${index} came out of order.`);
    if (this.duplicates === 0) return undefined;
    const ids: string[] = [];
    for (let at = 0; at + UUID_BYTES <= bytes.length; at += UUID_BYTES)
      ids.push(uuidText(bytes.subarray(at, at + UUID_BYTES)));
    const shown = new Collected(ids, this.duplicates + 1);
    this.warn(index, logRows.duplicateSource(this.id(index), shown));
    return undefined;
  }

  /** A line has one warning at most among its outcomes, and a row for each. */
  private warn(index: number, row: LogRow): void {
    this.tally.outcomes.push({ ordinal: this.ordinal(index), class: 'WARNING', row });
  }

  private fail(index: number, row: LogRow): undefined {
    this.tally.faulty += 1;
    const affected = row.affected ?? { id: this.id(index), recordType: this.recordType };
    this.tally.outcomes.push({
      ordinal: this.ordinal(index),
      class: 'FAULTY',
      row: { ...row, affected },
    });
    return undefined;
  }

  private affected(index: number, record: MarcRecord): AffectedRecord {
    const hrid = controlText(record, '001');
    return {
      id: this.id(index),
      ...(hrid === undefined ? {} : { hrid }),
      title: titleOf(record),
      recordType: this.recordType,
    };
  }

  private get recordType(): string {
    return RECORD_TYPE[this.plan.idType];
  }

  private ordinal(index: number): number {
    return this.batch.ordinals[index] ?? 0;
  }

  /** Only lines with a problem need their id as text. */
  private id(index: number): string {
    this.ids ??= JSON.parse(this.batch.ids) as string[];
    return this.ids[index] ?? '';
  }
}

/** A damaged record does not tell who it is; the line tells its id all the same. */
const UNKNOWN_RECORD: AffectedRecord = {
  hrid: 'HRID cannot be determined because record is invalid: UUID not found',
  title: 'Title cannot be determined because record is invalid: UUID not found',
};
