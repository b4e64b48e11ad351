import type { ChunkCounts, ChunkError } from '@quire/contracts/source-record-events';
import type { MarcRecordType } from '@quire/contracts/source-records';
import { storable } from '@quire/contracts/storable';
import type { RecordWarning } from '@quire/marc/errors';
import type { RecordSummary } from '@quire/marc/fields';
import type { MarcRecord } from '@quire/marc/record';
import { TYPE_LETTER } from '../domain/record-checks.js';
import { cut } from '../domain/title.js';

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends Readonly<Record<string, number>>
    ? Record<string, number>
    : T[K];
};

/** Where a frame stands. */
export interface Place {
  readonly order: number;
  /** Byte offset of the frame in its file. */
  readonly at: number;
  readonly frame: Buffer;
}

export interface Why {
  /** Of data-import 8.7 or 9.2. */
  readonly code: string;
  readonly field?: string | undefined;
  readonly detail?: string | undefined;
}

/** Texts inside errors travel in events. */
const ERROR_TEXT_BYTES_MAX = 60;
const ERROR_WARNINGS_MAX = 5;

/** They repeat what a bad record brings, and the answer is kept as jsonb. */
const shown = (text: string): string => cut(storable(text), ERROR_TEXT_BYTES_MAX);

/** What `ChunkSaved` says of the frames of a chunk (data-import, 10.3). */
export class ChunkTally {
  /** In the order of the frames. */
  readonly errors: ChunkError[] = [];
  readonly counts: Mutable<ChunkCounts> = {
    created: 0,
    updated: 0,
    unchanged: 0,
    failed: 0,
    warned: 0,
    byType: {},
    warnings: {},
  };

  add(
    result: 'created' | 'updated' | 'unchanged',
    recordType: MarcRecordType,
    warnings: readonly RecordWarning[],
  ): void {
    this.counts[result] += 1;
    this.countType(recordType);
    this.countWarnings(warnings);
  }

  fail(
    { order, at, frame }: Place,
    why: Why,
    known?: { record: MarcRecord; summary: RecordSummary },
  ): void {
    this.counts.failed += 1;
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
      ...(why.field === undefined ? {} : { field: shown(why.field) }),
      ...(why.detail === undefined ? {} : { detail: shown(why.detail) }),
      ...(known ? { n: shown(known.summary.title) } : {}),
      ...(known?.summary.hrid ? { h: shown(known.summary.hrid) } : {}),
      ...(warnings.length > 0
        ? { w: warnings.slice(0, ERROR_WARNINGS_MAX).map((one) => one.code) }
        : {}),
    });
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
