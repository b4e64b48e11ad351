import type { IdType } from '@quire/contracts/data-export';
import { uuidText } from '@quire/contracts/ids';
import { controlText, titleOf } from '@quire/marc/fields';
import { RECORD_NUMBER_MAX, RECORD_TERMINATOR, readDigits } from '@quire/marc/iso2709/grammar';
import { openStored, suppressFields } from '@quire/marc/iso2709/stored';
import { exportLimit, type ExportLimit } from '@quire/marc/iso2709/write';
import { errorSentence } from '@quire/marc/errors';
import type { MarcRecord } from '@quire/marc/record';
import {
  logRows,
  ONLY_SET_FOR_DELETION,
  type AffectedRecord,
  type LogRow,
} from '../domain/error-codes.js';
import type { RecordPlan } from '../domain/mapping-profile.js';
import { FRAME, FrameReader, type RecordFrame } from './record-frames.js';

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
  /** Further source records found for exported ids. */
  sourceDuplicates = 0;
  readonly outcomes: LineOutcome[] = [];
}

const FLUSH_BYTES = 262_144;

export interface SlicePlan extends RecordPlan {
  readonly idType: IdType;
}

/** Yields one buffer again and again: it must be used up before the next one is asked for. */
export async function* exportSlice(
  answers: AsyncIterable<AnsweredBatch>,
  plan: SlicePlan,
  tally: SliceTally,
): AsyncGenerator<Buffer> {
  const out = Buffer.allocUnsafe(FLUSH_BYTES + RECORD_NUMBER_MAX);
  let used = 0;
  for await (const { batch, body } of answers) {
    const reader = new FrameReader();
    const lines = new BatchLines(batch, plan, tally);
    for await (const chunk of body) {
      reader.add(chunk);
      while (reader.next()) {
        const bytes = lines.take(reader.frame);
        if (!bytes) continue;
        used += bytes.copy(out, used);
        if (used < FLUSH_BYTES) continue;
        yield out.subarray(0, used);
        used = 0;
      }
    }
    reader.finish(batch.ordinals.length);
    lines.finish();
  }
  if (used > 0) yield out.subarray(0, used);
}

/** Judges the frames of one answer. */
class BatchLines {
  private readonly passes: boolean;
  private readonly tags: ReadonlySet<string>;
  private seen = 0;
  private ids: readonly string[] | undefined;

  constructor(
    private readonly batch: IdsBatch,
    private readonly plan: SlicePlan,
    private readonly tally: SliceTally,
  ) {
    this.tags = new Set(plan.suppressTags);
    this.passes = this.tags.size === 0 && !plan.suppress999ff && plan.wanted === 'any';
  }

  /** The bytes to write; undefined when this line gives no record. */
  take(frame: RecordFrame): Buffer | undefined {
    if (frame.kind === FRAME.end) return undefined;
    if (frame.index !== this.seen) throw new Error(`Id ${frame.index} was answered out of order.`);
    this.seen += 1;
    if (frame.kind !== FRAME.found) {
      this.missing(frame);
      return undefined;
    }
    // 9,999 bytes cannot hold a field that is too long, and the numbers of a longer record must be looked at.
    const bytes = this.passes && isPlain(frame.bytes) ? frame.bytes : this.checked(frame);
    if (!bytes) return undefined;
    this.tally.exported += 1;
    if (frame.duplicates > 0) this.warnOfDuplicates(frame);
    return bytes;
  }

  /** @throws when a line was left out: its job would never add up */
  finish(): void {
    if (this.seen !== this.batch.ordinals.length)
      throw new Error(`${this.seen} of ${this.batch.ordinals.length} ids were answered.`);
  }

  private missing({ kind, index }: RecordFrame): void {
    if (kind === FRAME.noContent) {
      this.fail(index, logRows.message(unconvertible('the record has no content')));
      return;
    }
    this.tally.notFound += 1;
    this.tally.outcomes.push({ ordinal: this.ordinal(index), class: 'NOT_FOUND' });
  }

  private checked(frame: RecordFrame): Buffer | undefined {
    const { index } = frame;
    const refusal = this.refusalByState(frame);
    if (refusal) return this.fail(index, refusal);
    let record: MarcRecord;
    try {
      record = openStored(frame.bytes);
    } catch (error) {
      const row = logRows.message(unconvertible((error as Error).message));
      return this.fail(index, { ...row, affected: { id: this.id(index), ...UNKNOWN_RECORD } });
    }
    const kept = this.withoutSuppressed(record);
    if ('problem' in kept)
      return this.fail(index, {
        ...logRows.message(kept.problem),
        affected: this.affected(index, record),
      });
    return kept.bytes;
  }

  private withoutSuppressed(record: MarcRecord): { bytes: Buffer } | { problem: string } {
    const { suppress999ff } = this.plan;
    if (this.tags.size === 0 && !suppress999ff) return withinLimits(record);
    const edited = suppressFields(record, { tags: this.tags, ff999: suppress999ff });
    if (edited.failed) return { problem: unconvertible(errorSentence(edited)) };
    return edited.oversize ? withinLimits(openStored(edited.bytes)) : { bytes: edited.bytes };
  }

  private refusalByState({ deleted, index }: RecordFrame): LogRow | undefined {
    const { wanted } = this.plan;
    if (wanted === 'live' && deleted) {
      const text = `Authority record ${this.id(index)} is set for deletion and cannot be exported using this profile`;
      return { level: 'ERROR', code: 'error.setToDeletion', values: [text] };
    }
    if (wanted === 'deleted' && !deleted)
      return {
        level: 'ERROR',
        code: 'error.onlyForSetToDeletion',
        values: [ONLY_SET_FOR_DELETION],
      };
    return undefined;
  }

  private warnOfDuplicates({ index, duplicates, matchedId }: RecordFrame): void {
    this.tally.sourceDuplicates += duplicates;
    const values = [this.id(index), `${uuidText(matchedId)} (+${duplicates} more)`];
    const row: LogRow = { level: 'WARNING', code: 'error.duplicateSRS', values };
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
    return { instance: 'INSTANCE', holding: 'HOLDINGS', authority: 'AUTHORITY' }[this.plan.idType];
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

const PLAIN_BYTES_MAX = 9_999;

/** Surely well formed for binary output: true length, end mark, and too short for a field that is too long. */
function isPlain(bytes: Buffer): boolean {
  const { length } = bytes;
  return (
    length <= PLAIN_BYTES_MAX &&
    bytes[length - 1] === RECORD_TERMINATOR &&
    readDigits(bytes, 0, 5) === length
  );
}

function withinLimits(record: MarcRecord): { bytes: Buffer } | { problem: string } {
  const limit = exportLimit(record);
  return limit ? { problem: limitText(limit) } : { bytes: record.bytes };
}

/** FOLIO's sentences, with its spelling ("thatn"): clients know them. */
function limitText(limit: ExportLimit): string {
  return limit.limit === 'record'
    ? `Record is too long to be a valid MARC binary record, it's length would be ${limit.length} which is more thatn 99999 bytes`
    : 'Record has field that is too long to be a valid MARC binary record. The maximum length for a field counting all of the sub-fields is 9999 bytes.';
}

const unconvertible = (cause: string): string =>
  `Json record cannot be converted to marc format, cause: ${cause}`;

/** A damaged record does not tell who it is; the line tells its id all the same. */
const UNKNOWN_RECORD: AffectedRecord = {
  hrid: 'HRID cannot be determined because record is invalid: UUID not found',
  title: 'Title cannot be determined because record is invalid: UUID not found',
};
