import { hash } from 'node:crypto';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidBytes, uuidText, uuidV5Bytes } from '@quire/contracts/ids';
import type { MarcRecordType } from '@quire/contracts/source-records';
import type { RecordWarning } from '@quire/marc/errors';
import { summarise, type RecordSummary } from '@quire/marc/fields';
import {
  find999ff,
  openStored,
  sameContent,
  with999ff,
  type Ids999ff,
} from '@quire/marc/iso2709/stored';
import type { MarcRecord } from '@quire/marc/record';
import {
  acceptedIds,
  identify,
  NOTHING_STORED,
  type CurrentRecord,
  type StoredIds,
} from '../domain/identity.js';
import { Matching } from '../domain/matching.js';
import { check, EXTERNAL_NAME, type CheckContext } from '../domain/record-checks.js';
import { cut, TITLE_BYTES_MAX } from '../domain/title.js';
import { ChunkFrames } from './chunk-frames.js';
import { ChunkTally, type Place } from './chunk-tally.js';
import type { ReadResult } from './read-frame.js';
import { RecordRows, UnchangedRows, type FrameRows } from './record-rows.js';

/**
 * From the bytes of a chunk to the rows of its records, in one pass (data-import, 9). What is wrong with a frame is an entry
 * in its errors and stops nothing.
 */
export interface ReadChunk extends Pick<ChunkTally, 'errors' | 'counts'> {
  readonly rows: RecordRows;
  readonly unchanged: UnchangedRows;
}

/** What a chunk is read with besides its bytes. */
export interface Around {
  readonly stored?: StoredIds;
  /** Orders of frames that the database has refused before. */
  readonly refused?: ReadonlySet<number>;
}

/** @param bytes exactly the chunk's range of the file */
export const readChunk = (bytes: Buffer, chunk: ChunkReadyPayload, around?: Around): ReadChunk =>
  readFrames(new ChunkFrames(bytes, chunk), chunk, around);

export function readFrames(
  frames: ChunkFrames,
  chunk: ChunkReadyPayload,
  around: Around = {},
): ReadChunk {
  const reader = new ChunkReader(chunk, around);
  for (const [index, { frame, offset }] of frames.cuts.entries()) {
    // A retry reads a copy; its records remember the file that was uploaded.
    const at = chunk.origins?.[index] ?? chunk.offset + offset;
    const place = { order: chunk.firstOrder + index, at, frame };
    reader.read(place, frames.read(index));
  }
  return reader.result;
}

class ChunkReader {
  private readonly rows = new RecordRows();
  private readonly unchanged = new UnchangedRows();
  private readonly tally = new ChunkTally();
  private readonly namespace: Buffer;
  private readonly stored: StoredIds;
  private readonly context: CheckContext;
  /** Present: the profile creates or updates. */
  private readonly matching: Matching | undefined;
  /** Numbers of the bibliographic records read so far: holdings may follow their record in one file. */
  private readonly bibHrids = new Set<string>();
  /** Where a record may be one that is stored: matched ids of this chunk so far. */
  private readonly matchedIds = new Set<string>();

  constructor(
    { jobExecutionId, profile, options }: ChunkReadyPayload,
    private readonly around: Around,
  ) {
    this.namespace = uuidBytes(jobExecutionId);
    this.stored = around.stored ?? NOTHING_STORED;
    this.matching = profile.match === 'none' ? undefined : new Matching(this.stored);
    this.context = {
      profile,
      options,
      isBib: (hrid) => this.bibHrids.has(hrid) || this.stored.bibHrids.has(hrid),
    };
  }

  get result(): ReadChunk {
    const { rows, unchanged, tally } = this;
    return { rows, unchanged, errors: tally.errors, counts: tally.counts };
  }

  read(place: Place, record: ReadResult): void {
    if (record.failed) {
      this.tally.fail(place, { code: record.code, field: record.tag, detail: record.detail });
      return;
    }
    const known = { record, summary: summarise(record) };
    const ids = find999ff(record);
    const checked = check(known.summary, ids, this.context);
    if (checked.code !== undefined) {
      this.tally.fail(place, checked, known);
      return;
    }
    const { recordType, stripped } = checked;
    const failed = this.keep(place, { ...known, ids, recordType, stripped });
    if (failed !== undefined) this.tally.fail(place, { code: failed }, known);
  }

  /** Adds the row; gives the code of what is wrong with it instead. */
  private keep(place: Place, kept: Kept): string | undefined {
    const { record, summary, recordType, stripped } = kept;
    if (this.around.refused?.has(place.order)) return 'STORE';
    const identity = this.identityOf(uuidV5Bytes(this.namespace, `file:${place.order}`), kept);
    if (!identity) return 'DUPLICATE';
    const { matchedId, externalId, repeats } = identity;
    const warnings = stripped ? [...record.warnings, STRIPPED] : record.warnings;
    if (repeats !== undefined) {
      this.addUnchanged(place, { ...identity, recordType, summary, warnings }, repeats);
      return undefined;
    }
    const stored = with999ff(record, {
      s: uuidText(matchedId),
      i: externalId ? uuidText(externalId) : undefined,
    });
    if (stored.failed) return stored.code;
    const all = stored.oversize ? [...warnings, OVERSIZE] : warnings;
    this.add(place, { ...identity, recordType, summary, warnings: all }, stored.bytes);
    this.rows.records.push(record);
    this.rows.ownInstance.push(recordType === 'MARC_BIB' && identity.ownsExternalId === true);
    return undefined;
  }

  /** Undefined: this job has made a generation of that record already, or several records are meant. */
  private identityOf(id: Buffer, kept: Kept): Identified | undefined {
    const { ids, recordType, record } = kept;
    const own = this.context.options.on999ff === 'accept' ? acceptedIds(ids) : {};
    if (!this.matching && (own.s ?? own.i) === undefined) {
      const externalId = this.derived(id, recordType);
      return {
        id,
        matchedId: id,
        externalId,
        generation: 0,
        ownsExternalId: externalId !== undefined,
      };
    }
    const match = this.matching?.find({ type: recordType, s: own.s, ...numberOf(kept) }) ?? 'none';
    if (match === 'several') return undefined;
    const asked = match === 'none' ? own : { ...own, s: match.matchedId };
    const found = identify(uuidText(id), asked, recordType, this.stored);
    if (found.duplicate || this.matchedIds.has(found.matchedId)) return undefined;
    const matchedId = uuidBytes(found.matchedId);
    const externalId =
      found.externalId === undefined
        ? this.derived(matchedId, recordType)
        : uuidBytes(found.externalId);
    const { generation, supersededId } = found;
    const ownsExternalId =
      externalId !== undefined && found.externalId === undefined && generation === 0;
    const identity = { id, matchedId, externalId, generation, supersededId, ownsExternalId };
    const current = this.stored.generations.get(found.matchedId)?.current;
    return match !== 'none' && this.isSame(record, current)
      ? { ...identity, repeats: current }
      : identity;
  }

  /** Nothing but 005 and 999 ff differs from what is stored, and that is not deleted. */
  private isSame(record: MarcRecord, current: CurrentRecord | undefined): current is CurrentRecord {
    if (!this.context.options.skipUnchanged || !current || current.deleted) return false;
    const content = this.stored.contents.get(current.id);
    return content !== undefined && sameContent(record, openStored(content));
  }

  private add(place: Place, row: Row, content: Buffer): void {
    const { rows, tally } = this;
    addFacts(rows, place, row);
    rows.generations.push(row.generation);
    if (row.supersededId !== undefined) rows.supersededIds.push(row.supersededId);
    rows.sources.push(row.summary.controlNumberSource ?? null);
    rows.parentHrids.push(row.summary.parentHrid ?? null);
    rows.contents.push(content);
    tally.add(row.generation === 0 ? 'created' : 'updated', row.recordType, row.warnings);
    this.remember(row);
  }

  private addUnchanged(place: Place, row: Row, { id }: CurrentRecord): void {
    addFacts(this.unchanged, place, row);
    this.unchanged.sameAs.push(id);
    this.tally.add('unchanged', row.recordType, row.warnings);
  }

  /** What the following frames may refer to. */
  private remember({ summary, recordType, matchedId }: Row): void {
    const { hrid } = summary;
    if (recordType === 'MARC_BIB' && hrid !== undefined) this.bibHrids.add(hrid);
    if (!this.matching && this.context.options.on999ff !== 'accept') return;
    const text = uuidText(matchedId);
    this.matchedIds.add(text);
    this.matching?.add(text, { type: recordType, ...numberOf({ summary }) });
  }

  /** The bib's id makes an imported file exportable by instance id at once (data-import, 9.5). */
  private derived(matchedId: Buffer, recordType: MarcRecordType): Buffer | undefined {
    if (!this.context.options.assignInstanceIds && recordType === 'MARC_BIB') return undefined;
    return uuidV5Bytes(matchedId, EXTERNAL_NAME[recordType]);
  }
}

function addFacts(rows: FrameRows, { order, at, frame }: Place, row: Row): void {
  rows.ids.push(row.id);
  rows.matchedIds.push(row.matchedId);
  rows.types.push(row.recordType);
  rows.externalIds.push(row.externalId ?? null);
  rows.hrids.push(row.summary.hrid ?? null);
  rows.orders.push(order);
  rows.statuses.push(row.summary.status);
  rows.titles.push(cut(row.summary.title, TITLE_BYTES_MAX));
  rows.warnings.push(row.warnings.length > 0 ? row.warnings.map(shortWarning) : null);
  rows.offsets.push(at);
  rows.lengths.push(frame.length);
  rows.hashes.push(hash('sha256', frame, 'buffer'));
}

const numberOf = ({ summary }: Pick<Kept, 'summary'>) => ({
  hrid: summary.hrid,
  source: summary.controlNumberSource,
});

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
  /** Nobody else can have the external id: it was made for this record. */
  readonly ownsExternalId?: boolean;
}

interface Identified extends RowIdentity {
  /** The record that says the same: nothing is to be made. */
  readonly repeats?: CurrentRecord;
}

interface Row extends RowIdentity {
  readonly recordType: MarcRecordType;
  readonly summary: RecordSummary;
  readonly warnings: readonly RecordWarning[];
}

const OVERSIZE: RecordWarning = { code: 'OVERSIZE_LEADER', offset: 0, count: 1 };
const STRIPPED: RecordWarning = { code: '999FF_STRIPPED', offset: 0, tag: '999', count: 1 };

const shortWarning = ({ code, tag, count, offset }: RecordWarning): object => ({
  code,
  tag,
  count,
  offset,
});
