/**
 * The MARC codec against marcjs, on the same records in the same run.
 *
 * Ratios are what counts: megabytes per second say as much about the machine as about the code. Both sides take turns
 * within a round, so that a busy machine slows both, and the fastest of all rounds counts: everything slower was
 * disturbed by something. The sides are compared where they do the same work; for the rest of the codec's work, which
 * has no counterpart, the speed is told alone.
 */

import { createRequire } from 'node:module';
import { summarise } from '@quire/marc/fields';
import { cutFrames, FrameSplitter } from '@quire/marc/iso2709/split';
import { readRecord } from '@quire/marc/iso2709/read';
import { openStored, suppressFields, with999ff } from '@quire/marc/iso2709/stored';
import { fieldBytes, writeRecord } from '@quire/marc/iso2709/write';
import { marcJsonText } from '@quire/marc/marc-json';
import { visitTexts } from '@quire/marc/record';

/** One line of a bench. */
export interface BenchLine {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** How many times faster than the other side in this run. */
  readonly ratio?: number;
  /** The ratio, or where there is none the value, that is to be reached. */
  readonly goal?: number;
  /** What the figures do not say. */
  readonly note?: string;
}

interface MarcjsRecord {
  readonly leader: string;
  readonly fields: readonly (readonly string[])[];
}
/** The part of marcjs that is used; it brings no types. */
interface Marcjs {
  parse(bytes: Buffer, format: 'iso2709'): MarcjsRecord;
  format(record: MarcjsRecord, format: 'iso2709' | 'mij'): string;
}
const marcjs = (createRequire(import.meta.url)('marcjs') as { Marc: Marcjs }).Marc;

const ROUNDS = 7;
/** A round of one side should last so long that the clock does not matter. */
const ROUND_BYTES = 8_000_000;
const IDS = {
  s: '3f0c6a52-4a4e-4d0b-9d3c-6f1b9a5e0001',
  i: '3f0c6a52-4a4e-4d0b-9d3c-6f1b9a5e0002',
};

/** A side of a comparison: works on one record and returns a number that must not be optimised away. */
type Work = (bytes: Buffer) => number;

/**
 * Measures the codec on records in stored form, a few thousand of them.
 *
 * @throws Error if a record cannot be read: then there is nothing to compare
 */
export function codecBench(records: readonly Buffer[]): BenchLine[] {
  const lines = comparisons.map(({ name, ours, theirs }): BenchLine => {
    const [seconds, otherSeconds] = fastest(records, [ours, theirs]);
    const ratio = otherSeconds! / seconds!;
    return { name, value: rate(records, seconds!), unit: 'MB/s', ratio, goal: 3 };
  });
  const [importSeconds] = fastest(records, [importRecord]);
  const stored = records.map((bytes) => storedForm(bytes));
  const [exportSeconds] = fastest(stored, [exportRecord]);
  return [
    ...lines,
    { name: 'frames of a file', value: splitRate(records), unit: 'MB/s' },
    {
      name: 'read, summary, 999 ff',
      value: rate(records, importSeconds!),
      unit: 'MB/s',
      goal: 300,
    },
    { name: 'stored record without 999 ff', value: rate(stored, exportSeconds!), unit: 'MB/s' },
  ];
}

const comparisons: readonly { name: string; ours: Work; theirs: Work }[] = [
  {
    name: 'parse, with all checks',
    ours: (bytes) => read(bytes).fieldCount,
    theirs: (bytes) => marcjs.parse(bytes, 'iso2709').fields.length,
  },
  {
    name: 'parse and take every subfield as text',
    ours: everyText,
    theirs: (bytes) =>
      marcjs.parse(bytes, 'iso2709').fields.reduce((sum, field) => sum + field.length, 0),
  },
  {
    name: 'round trip',
    ours: (bytes) => {
      const record = read(bytes);
      const written = writeRecord(record.leader, fieldBytes(record));
      return written.failed ? 0 : written.bytes.length;
    },
    theirs: (bytes) => Buffer.from(marcjs.format(marcjs.parse(bytes, 'iso2709'), 'iso2709')).length,
  },
  {
    name: 'MARC-in-JSON',
    ours: (bytes) => marcJsonText(read(bytes)).length,
    theirs: (bytes) => marcjs.format(marcjs.parse(bytes, 'iso2709'), 'mij').length,
  },
];

function read(bytes: Buffer) {
  const record = readRecord(bytes);
  if (record.failed) throw new Error(`A record of the bench cannot be read: ${record.code}`);
  return record;
}

function everyText(bytes: Buffer): number {
  let count = 0;
  visitTexts(read(bytes), (_field, _code, text) => (count += text.length));
  return count;
}

/** What an import does with each record. */
function importRecord(bytes: Buffer): number {
  const record = read(bytes);
  const stored = with999ff(record, IDS);
  return summarise(record).title.length + (stored.failed ? 0 : stored.bytes.length);
}

/** What an export does with each record when 999 ff is suppressed. */
function exportRecord(bytes: Buffer): number {
  const made = suppressFields(openStored(bytes), { ff999: true });
  return made.failed ? 0 : made.bytes.length;
}

function storedForm(bytes: Buffer): Buffer {
  const stored = with999ff(read(bytes), IDS);
  if (stored.failed) throw new Error(`A record of the bench cannot be stored: ${stored.code}`);
  return stored.bytes;
}

/** Frames come in pieces of 64 KiB, as from a socket or a file. */
function splitRate(records: readonly Buffer[]): number {
  const piece = Buffer.allocUnsafe(sizeOf(records));
  let at = 0;
  for (const bytes of records) at += bytes.copy(piece, at);
  const split: Work = (bytes) => {
    const splitter = new FrameSplitter();
    const pairs: number[] = [];
    for (let from = 0; from < bytes.length; from += 65_536) {
      for (const frame of splitter.push(bytes.subarray(from, from + 65_536))) {
        pairs.push(frame.skipped, frame.length);
      }
    }
    let count = splitter.end().length;
    for (const { frame } of cutFrames(bytes, pairs)) count += frame.length;
    return count;
  };
  const [seconds] = fastest([piece], [split]);
  return rate([piece], seconds!);
}

/** Seconds of each side's fastest pass over the records. */
export function fastest(records: readonly Buffer[], sides: readonly Work[]): number[] {
  const passes = Math.max(1, Math.ceil(ROUND_BYTES / sizeOf(records)));
  const best = sides.map(() => Infinity);
  let sum = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, work] of sides.entries()) {
      const start = performance.now();
      for (let pass = 0; pass < passes; pass++) for (const bytes of records) sum += work(bytes);
      best[i] = Math.min(best[i]!, (performance.now() - start) / passes / 1_000);
    }
  }
  if (sum === 0) throw new Error('The bench did no work');
  return best;
}

export function rate(records: readonly Buffer[], seconds: number): number {
  return sizeOf(records) / 1e6 / seconds;
}

export function sizeOf(records: readonly Buffer[]): number {
  return records.reduce((sum, bytes) => sum + bytes.length, 0);
}
