import { hash } from 'node:crypto';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidBytes, uuidText, uuidV5Bytes } from '@quire/contracts/ids';
import type { ChunkCounts, ChunkError, MarcRecordType } from '@quire/contracts/source-records';
import type { RecordWarning } from '@quire/marc/errors';
import { summarise, type RecordSummary } from '@quire/marc/fields';
import { cutFrames, type CutFrame } from '@quire/marc/iso2709/split';
import { find999ff, with999ff, type Ids999ff } from '@quire/marc/iso2709/stored';
import type { MarcRecord } from '@quire/marc/record';
import { acceptedIds, identify, NOTHING_STORED, type StoredIds } from '../domain/identity.js';
import { check, EXTERNAL_NAME, TYPE_LETTER, type CheckContext } from '../domain/record-checks.js';
import { readFrame } from './read-frame.js';
import { cut, RecordRows } from './record-rows.js';

/**
 * From the bytes of a chunk to the rows of its records, in one pass (data-import, 9). What is wrong with a frame is an entry
 * in its errors and stops nothing.
 */
export interface ReadChunk {
  readonly rows: RecordRows;
  /** In the order of the frames. */
  readonly errors: ChunkError[];
  readonly counts: Mutable<ChunkCounts>;
}

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends Readonly<Record<string, number>>
    ? Record<string, number>
    : T[K];
};

/** What a chunk is read with besides its bytes. */
export interface Around {
  readonly stored?: StoredIds;
  /** Orders of frames that the database has refused before. */
  readonly refused?: ReadonlySet<number>;
}

/** Titles are kept to find a record in a log, not to be read whole. */
const TITLE_BYTES_MAX = 300;
/** Texts inside errors travel in events. */
const ERROR_TEXT_BYTES_MAX = 60;
const ERROR_WARNINGS_MAX = 5;

/** @param bytes exactly the chunk's range of the file */
export function readChunk(bytes: Buffer, chunk: ChunkReadyPayload, around: Around = {}): ReadChunk {
  const reader = new ChunkReader(chunk, around);
  let order = chunk.firstOrder;
  for (const cutFrame of cutFrames(bytes, chunk.frames)) reader.read(cutFrame, order++);
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
  private readonly stored: StoredIds;
  private readonly context: CheckContext;
  /** Numbers of the bibliographic records read so far: holdings may follow their record in one file. */
  private readonly bibHrids = new Set<string>();
  /** Where 999 ff is accepted: matched ids of this chunk so far. */
  private readonly matchedIds = new Set<string>();

  constructor(
    private readonly chunk: ChunkReadyPayload,
    private readonly around: Around,
  ) {
    const { jobExecutionId, profile, options } = chunk;
    this.namespace = uuidBytes(jobExecutionId);
    this.stored = around.stored ?? NOTHING_STORED;
    this.context = {
      profile,
      options,
      isBib: (hrid) => this.bibHrids.has(hrid) || this.stored.bibHrids.has(hrid),
    };
  }

  get result(): ReadChunk {
    return { rows: this.rows, errors: this.errors, counts: this.counts };
  }

  read(cutFrame: CutFrame, order: number): void {
    const { frame, offset } = cutFrame;
    const place: Place = { order, at: this.chunk.offset + offset, frame };
    const record = readFrame(cutFrame, this.chunk);
    if (record.failed) {
      this.fail(place, { code: record.code, field: record.tag, detail: record.detail });
      return;
    }
    const known = { record, summary: summarise(record) };
    const ids = find999ff(record);
    const checked = check(known.summary, ids, this.context);
    if (checked.code !== undefined) {
      this.fail(place, checked, known);
      return;
    }
    const { recordType, stripped } = checked;
    const failed = this.keep(place, { ...known, ids, recordType, stripped });
    if (failed !== undefined) this.fail(place, { code: failed }, known);
  }

  /** Adds the row; gives the code of what is wrong with it instead. */
  private keep(place: Place, kept: Kept): string | undefined {
    const { record, summary, recordType, stripped } = kept;
    if (this.around.refused?.has(place.order)) return 'STORE';
    const identity = this.identityOf(uuidV5Bytes(this.namespace, `file:${place.order}`), kept);
    if (!identity) return 'DUPLICATE';
    const { matchedId, externalId } = identity;
    const stored = with999ff(record, {
      s: uuidText(matchedId),
      i: externalId ? uuidText(externalId) : undefined,
    });
    if (stored.failed) return stored.code;
    if (recordType === 'MARC_BIB' && summary.hrid !== undefined) this.bibHrids.add(summary.hrid);
    const warnings = stored.oversize ? [...record.warnings, OVERSIZE] : record.warnings;
    this.add(place, {
      ...identity,
      recordType,
      summary,
      bytes: stored.bytes,
      warnings: stripped ? [...warnings, STRIPPED] : warnings,
    });
    return undefined;
  }

  /** Undefined: this job has made a generation of that record already. */
  private identityOf(id: Buffer, { ids, recordType }: Kept): RowIdentity | undefined {
    if (this.context.options.on999ff !== 'accept' || (ids.s ?? ids.i) === undefined) {
      return { id, matchedId: id, externalId: this.derived(id, recordType), generation: 0 };
    }
    const found = identify(uuidText(id), acceptedIds(ids), recordType, this.stored);
    if (found.duplicate || this.matchedIds.has(found.matchedId)) return undefined;
    this.matchedIds.add(found.matchedId);
    const matchedId = uuidBytes(found.matchedId);
    const externalId =
      found.externalId === undefined
        ? this.derived(matchedId, recordType)
        : uuidBytes(found.externalId);
    const { generation, supersededId } = found;
    return { id, matchedId, externalId, generation, supersededId };
  }

  private add({ order, at, frame }: Place, row: Row): void {
    const { rows, counts } = this;
    rows.ids.push(row.id);
    rows.matchedIds.push(row.matchedId);
    rows.generations.push(row.generation);
    if (row.supersededId !== undefined) rows.supersededIds.push(row.supersededId);
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
    rows.hashes.push(hash('sha256', frame, 'buffer'));
    rows.contents.push(row.bytes);
    if (row.generation === 0) counts.created += 1;
    else counts.updated += 1;
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
  private derived(matchedId: Buffer, recordType: MarcRecordType): Buffer | undefined {
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
  readonly ids: Ids999ff;
  readonly recordType: MarcRecordType;
  readonly stripped: boolean;
}

interface RowIdentity {
  readonly id: Buffer;
  readonly matchedId: Buffer;
  readonly externalId: Buffer | undefined;
  readonly generation: number;
  readonly supersededId?: string | undefined;
}

interface Row extends RowIdentity {
  readonly recordType: MarcRecordType;
  readonly summary: RecordSummary;
  readonly bytes: Buffer;
  readonly warnings: readonly RecordWarning[];
}

interface Why {
  /** Of data-import 8.7 or 9.2. */
  readonly code: string;
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
