import { createHash } from 'node:crypto';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidBytes, uuidText, uuidV5Bytes } from '@quire/contracts/ids';
import type { ChunkCounts, ChunkError, MarcRecordType } from '@quire/contracts/source-records';
import type { RecordWarning } from '@quire/marc/errors';
import { controlText, recordTypeOf, summarise, type RecordSummary } from '@quire/marc/fields';
import { cutFrames, type CutFrame } from '@quire/marc/iso2709/split';
import { readRecord } from '@quire/marc/iso2709/read';
import { find999ff, with999ff } from '@quire/marc/iso2709/stored';
import type { MarcRecord } from '@quire/marc/record';
import {
  check,
  EXTERNAL_NAME,
  TYPE_LETTER,
  type CheckContext,
  type CheckCode,
} from '../domain/record-checks.js';

/**
 * From the bytes of a chunk to the rows of its records, in one pass (data-import, 9). The rows are columns, one array per
 * column, because that is how they travel to Postgres; there is no object per record.
 */
export class RecordRows {
  readonly ids: Buffer[] = [];
  readonly types: MarcRecordType[] = [];
  readonly externalIds: (Buffer | null)[] = [];
  readonly hrids: (string | null)[] = [];
  readonly sources: (string | null)[] = [];
  readonly orders: number[] = [];
  readonly statuses: string[] = [];
  readonly titles: string[] = [];
  readonly warnings: (object | null)[] = [];
  readonly offsets: number[] = [];
  readonly lengths: number[] = [];
  readonly hashes: Buffer[] = [];
  readonly contents: Buffer[] = [];

  get count(): number {
    return this.ids.length;
  }
}

export interface ReadChunk {
  readonly rows: RecordRows;
  readonly errors: ChunkError[];
  readonly counts: Mutable<ChunkCounts>;
}

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends Readonly<Record<string, number>>
    ? Record<string, number>
    : T[K];
};

/** Titles are kept to find a record in a log, not to be read whole. */
const TITLE_BYTES_MAX = 300;
/** Texts inside errors travel in events. */
const ERROR_TEXT_BYTES_MAX = 60;
const ERROR_WARNINGS_MAX = 5;
const HOLDINGS = 'MARC_HOLDING';

/** Numbers in 004 of the holdings of a chunk: those of bibliographic records that must be stored already. */
export function parentHrids(bytes: Buffer, { frames }: ChunkReadyPayload): string[] {
  const numbers = new Set<string>();
  for (const { frame } of cutFrames(bytes, frames)) {
    if (recordTypeOf(frame[6] ?? 0) !== HOLDINGS) continue;
    const record = readRecord(frame);
    const number = record.failed ? undefined : controlText(record, '004');
    if (number !== undefined) numbers.add(number);
  }
  return [...numbers];
}

/** @param bytes exactly the chunk's range of the file */
export function readChunk(
  bytes: Buffer,
  chunk: ChunkReadyPayload,
  bibHrids: ReadonlySet<string>,
): ReadChunk {
  const reader = new ChunkReader(chunk, {
    profile: chunk.profile,
    options: chunk.options,
    bibHrids,
  });
  let order = chunk.firstOrder;
  for (const cut of cutFrames(bytes, chunk.frames)) reader.read(cut, order++);
  return reader.result;
}

class ChunkReader {
  private readonly rows = new RecordRows();
  private readonly errors: ChunkError[] = [];
  private readonly counts = {
    created: 0,
    updated: 0,
    unchanged: 0,
    failed: 0,
    warned: 0,
    byType: {},
    warnings: {},
  } as ReadChunk['counts'];
  private readonly namespace: Buffer;

  constructor(
    private readonly chunk: ChunkReadyPayload,
    private readonly context: CheckContext,
  ) {
    this.namespace = uuidBytes(chunk.jobExecutionId);
  }

  get result(): ReadChunk {
    return { rows: this.rows, errors: this.errors, counts: this.counts };
  }

  read({ frame, skipped, offset }: CutFrame, order: number): void {
    const place: Place = { order, at: this.chunk.offset + offset, frame };
    const record = readRecord(frame, { skipped, strict: this.context.options.strict });
    if (record.failed) {
      this.fail(place, { code: record.code, field: record.tag, detail: record.detail });
      return;
    }
    const summary = summarise(record);
    const ids = find999ff(record);
    const checked = check(summary, ids, this.context);
    if (checked.code !== undefined) this.fail(place, checked, { record, summary });
    else
      this.keep(place, {
        record,
        summary,
        recordType: checked.recordType,
        stripped: checked.stripped,
      });
  }

  private keep(place: Place, { record, summary, recordType, stripped }: Kept): void {
    const id = uuidV5Bytes(this.namespace, `file:${place.order}`);
    const externalId = this.externalId(id, recordType);
    const stored = with999ff(record, {
      s: uuidText(id),
      i: externalId ? uuidText(externalId) : undefined,
    });
    if (stored.failed) {
      this.fail(place, { code: stored.code }, { record, summary });
      return;
    }
    const warnings = stored.oversize ? [...record.warnings, OVERSIZE] : record.warnings;
    this.add(place, {
      id,
      externalId,
      recordType,
      summary,
      bytes: stored.bytes,
      warnings: stripped ? [...warnings, STRIPPED] : warnings,
    });
  }

  private add({ order, at, frame }: Place, row: Row): void {
    const { rows, counts } = this;
    rows.ids.push(row.id);
    rows.types.push(row.recordType);
    rows.externalIds.push(row.externalId ?? null);
    rows.hrids.push(row.summary.hrid ?? null);
    rows.sources.push(row.summary.controlNumberSource ?? null);
    rows.orders.push(order);
    rows.statuses.push(row.summary.status);
    rows.titles.push(cut(row.summary.title, TITLE_BYTES_MAX));
    rows.warnings.push(row.warnings.length > 0 ? row.warnings.map(shortWarning) : null);
    rows.offsets.push(at);
    rows.lengths.push(frame.length);
    rows.hashes.push(createHash('sha256').update(frame).digest());
    rows.contents.push(row.bytes);
    counts.created += 1;
    this.countType(row.recordType);
    this.countWarnings(row.warnings);
  }

  private fail(
    { order, at, frame }: Place,
    why: Why,
    known?: { record: MarcRecord; summary: RecordSummary },
  ): void {
    const { counts } = this;
    counts.failed += 1;
    const recordType = known?.summary.recordType;
    if (recordType) this.countType(recordType);
    const warnings = known?.record.warnings ?? [];
    this.countWarnings(warnings);
    this.errors.push({
      o: order,
      at,
      len: frame.length,
      c: why.code,
      ...(recordType ? { t: TYPE_LETTER[recordType] } : {}),
      ...(why.field === undefined ? {} : { field: why.field }),
      ...(why.detail === undefined ? {} : { detail: cut(why.detail, ERROR_TEXT_BYTES_MAX) }),
      ...(known ? { n: cut(known.summary.title, ERROR_TEXT_BYTES_MAX) } : {}),
      ...(known?.summary.hrid ? { h: cut(known.summary.hrid, ERROR_TEXT_BYTES_MAX) } : {}),
      ...(warnings.length > 0
        ? { w: warnings.slice(0, ERROR_WARNINGS_MAX).map((one) => one.code) }
        : {}),
    });
  }

  /** The bib's id makes an imported file exportable by instance id at once (data-import, 9.5). */
  private externalId(matchedId: Buffer, recordType: MarcRecordType): Buffer | undefined {
    if (!this.context.options.assignInstanceIds && recordType === 'MARC_BIB') return undefined;
    return uuidV5Bytes(matchedId, EXTERNAL_NAME[recordType]);
  }

  private countType(recordType: MarcRecordType): void {
    const { byType } = this.counts;
    const letter = TYPE_LETTER[recordType];
    byType[letter] = (byType[letter] ?? 0) + 1;
  }

  private countWarnings(warnings: readonly RecordWarning[]): void {
    if (warnings.length === 0) return;
    this.counts.warned += 1;
    const { warnings: byCode } = this.counts;
    for (const code of new Set(warnings.map((warning) => warning.code)))
      byCode[code] = (byCode[code] ?? 0) + 1;
  }
}

interface Place {
  readonly order: number;
  /** Byte offset of the frame in its file. */
  readonly at: number;
  readonly frame: Buffer;
}

interface Kept {
  readonly record: MarcRecord;
  readonly summary: RecordSummary;
  readonly recordType: MarcRecordType;
  readonly stripped: boolean;
}

interface Row {
  readonly id: Buffer;
  readonly externalId: Buffer | undefined;
  readonly recordType: MarcRecordType;
  readonly summary: RecordSummary;
  readonly bytes: Buffer;
  readonly warnings: readonly RecordWarning[];
}

interface Why {
  readonly code: CheckCode | string;
  readonly field?: string | undefined;
  readonly detail?: string | undefined;
}

const OVERSIZE: RecordWarning = { code: 'OVERSIZE_LEADER', offset: 0, count: 1 };
const STRIPPED: RecordWarning = { code: '999FF_STRIPPED', offset: 0, tag: '999', count: 1 };

const shortWarning = ({ code, tag, count, offset }: RecordWarning): object => ({
  code,
  tag,
  count,
  offset,
});

/** Cut to a number of UTF-8 bytes, between characters. */
export function cut(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
