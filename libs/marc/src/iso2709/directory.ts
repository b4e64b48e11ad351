/**
 * Finds the fields of a frame, by its directory where that is true and by the end marks where it is not.
 *
 * Only frames that are not in stored form come here, so this may take its time to say exactly what is wrong. A field
 * is three numbers in a flat table: packed tag, start, end (offset of its end mark).
 */

import { invalidTag, recordError, type RecordError, type WarningList } from '../errors.js';
import { TABLE_STRIDE } from '../record.js';
import { FIELD_TERMINATOR, isTagByte, LEADER_BYTES, readDigits } from './grammar.js';

/** Where things are in a frame, once its leader is understood. */
export interface Layout {
  readonly bytes: Buffer;
  readonly lengthDigits: number;
  readonly startDigits: number;
  readonly entryBytes: number;
  /** Offset of the first field. */
  readonly base: number;
  /** Offset behind the last field: of the record's end mark, or of where it is missing. */
  readonly end: number;
}

/** The fields of the frame in directory order; errors `DIRECTORY`, `FIELD_TERMINATOR`, `TAG`, `NO_FIELDS`. */
export function readDirectory(layout: Layout, warnings: WarningList): Uint32Array | RecordError {
  const directoryBytes = layout.base - 1 - LEADER_BYTES;
  if (directoryBytes % layout.entryBytes !== 0) {
    return recordError('DIRECTORY', LEADER_BYTES, {
      detail: `The length of the directory is no multiple of ${layout.entryBytes}`,
    });
  }
  const entries = readEntries(layout, directoryBytes / layout.entryBytes);
  const fault = firstFault(layout, entries);
  if (fault) {
    const ends = fieldEnds(layout);
    if (ends.length !== entries.length / TABLE_STRIDE) return fault;
    if (!isSaturated(layout, entries, ends)) warnings.add('DIRECTORY_REBUILT', fault.offset);
    rebuild(layout, entries, ends);
  }
  const bad = badTag(layout);
  if (bad) return bad;
  if (entries.length === 0) return recordError('NO_FIELDS', LEADER_BYTES);
  noteTrailing(layout, entries, warnings);
  return Uint32Array.from(entries);
}

/** Entries as the directory has them; -1 stands for what is no number, and offsets may lie anywhere. */
function readEntries(layout: Layout, count: number): Float64Array {
  const { bytes, lengthDigits, startDigits, entryBytes, base } = layout;
  const entries = new Float64Array(count * TABLE_STRIDE);
  for (let k = 0; k < count; k++) {
    const at = LEADER_BYTES + k * entryBytes;
    const length = readDigits(bytes, at + 3, lengthDigits);
    const start = readDigits(bytes, at + 3 + lengthDigits, startDigits);
    const numeric = length >= 0 && start >= 0;
    entries[k * TABLE_STRIDE] = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    entries[k * TABLE_STRIDE + 1] = numeric ? base + start : -1;
    entries[k * TABLE_STRIDE + 2] = numeric ? base + start + length - 1 : -1;
  }
  return entries;
}

/** The worst that is wrong with the entries: not a number, out of range or overlapping before a missing end mark. */
function firstFault(layout: Layout, entries: Float64Array): RecordError | undefined {
  const { bytes, base, end } = layout;
  let unended: RecordError | undefined;
  let previous = base - 1;
  let ordered = true;
  for (let k = 0; k < entries.length; k += TABLE_STRIDE) {
    const start = entries[k + 1]!;
    const last = entries[k + 2]!;
    const at = LEADER_BYTES + (k / TABLE_STRIDE) * layout.entryBytes;
    if (start < 0 || last < start || last >= end) {
      return recordError('DIRECTORY', at, { tag: tagAt(bytes, at) });
    }
    if (bytes[last] !== FIELD_TERMINATOR) {
      unended ??= recordError('FIELD_TERMINATOR', last, { tag: tagAt(bytes, at) });
    }
    ordered &&= start > previous;
    previous = last;
  }
  if (!ordered && overlaps(entries)) return recordError('DIRECTORY', LEADER_BYTES);
  return unended;
}

function overlaps(entries: Float64Array): boolean {
  const order = byStart(entries);
  for (let i = 1; i < order.length; i++) {
    if (entries[order[i]! + 1]! <= entries[order[i - 1]! + 2]!) return true;
  }
  return false;
}

/** More entries than a frame of 1 MiB can have. */
const ENTRIES_MAX = 2 ** 18;

/** Table positions of the entries, sorted by where the fields start. */
function byStart(entries: Float64Array): Float64Array {
  // Start and position in one number each: sorting numbers is five times faster than sorting with a comparison.
  const order = new Float64Array(entries.length / TABLE_STRIDE);
  for (let i = 0; i < order.length; i++)
    order[i] = entries[i * TABLE_STRIDE + 1]! * ENTRIES_MAX + i;
  order.sort();
  for (let i = 0; i < order.length; i++) order[i] = (order[i]! % ENTRIES_MAX) * TABLE_STRIDE;
  return order;
}

/** Offsets of all end marks in the data. */
function fieldEnds({ bytes, base, end }: Layout): number[] {
  const ends: number[] = [];
  for (let i = base; i < end; i++) if (bytes[i] === FIELD_TERMINATOR) ends.push(i);
  return ends;
}

/** Are the entries what they must be, but for all nines where a number does not fit? Then nothing was wrong. */
function isSaturated(layout: Layout, entries: Float64Array, ends: readonly number[]): boolean {
  const lengthMax = 10 ** layout.lengthDigits - 1;
  const startMax = 10 ** layout.startDigits - 1;
  let start = layout.base;
  for (const [i, end] of ends.entries()) {
    const saidStart = entries[i * TABLE_STRIDE + 1]!;
    const saidLength = entries[i * TABLE_STRIDE + 2]! + 1 - saidStart;
    if (saidStart - layout.base !== Math.min(start - layout.base, startMax)) return false;
    if (saidLength !== Math.min(end + 1 - start, lengthMax)) return false;
    start = end + 1;
  }
  return true;
}

/**
 * Takes the borders from the end marks. If every entry begins where a field begins, only lengths were wrong and each
 * keeps its own start, in any order; otherwise the fields belong to the entries one after the other.
 */
function rebuild(layout: Layout, entries: Float64Array, ends: readonly number[]): void {
  const endOfStart = new Map<number, number>();
  let start = layout.base;
  for (const end of ends) {
    endOfStart.set(start, end);
    start = end + 1;
  }
  const starts = [...endOfStart.keys()];
  const said = new Set<number>();
  for (let i = 0; i < ends.length; i++) said.add(entries[i * TABLE_STRIDE + 1]!);
  const startsHold = starts.every((one) => said.has(one));
  for (let i = 0; i < ends.length; i++) {
    if (!startsHold) entries[i * TABLE_STRIDE + 1] = starts[i]!;
    entries[i * TABLE_STRIDE + 2] = endOfStart.get(entries[i * TABLE_STRIDE + 1]!)!;
  }
}

function badTag({ bytes, base, entryBytes }: Layout): RecordError | undefined {
  for (let at = LEADER_BYTES; at < base - 1; at += entryBytes) {
    if (isTagByte(bytes[at]) && isTagByte(bytes[at + 1]) && isTagByte(bytes[at + 2])) continue;
    return invalidTag(tagAt(bytes, at), at);
  }
  return undefined;
}

/** The tag as it can be shown. */
function tagAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + 3).replace(/[^\x20-\x7e]/g, '?');
}

/** Bytes between or behind the fields that no entry covers are not kept. */
function noteTrailing(layout: Layout, entries: Float64Array, warnings: WarningList): void {
  let covered = 0;
  for (let k = 0; k < entries.length; k += TABLE_STRIDE) {
    covered += entries[k + 2]! + 1 - entries[k + 1]!;
  }
  const count = layout.end - layout.base - covered;
  if (count <= 0) return;
  let at = layout.base;
  for (const k of byStart(entries)) {
    if (entries[k + 1]! !== at) break;
    at = entries[k + 2]! + 1;
  }
  warnings.add('TRAILING_DATA', at, { count });
}
