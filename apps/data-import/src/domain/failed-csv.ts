import { csvCell } from '@quire/contracts/csv';
import { errorWords } from './error-text.js';

/** Failed records as a table for a spreadsheet (data-import, 14, 4): RFC 4180, UTF-8. */
interface FailedFacts {
  readonly record_order: string;
  readonly byte_offset: string;
  readonly record_type: string | null;
  readonly code: string;
  readonly field: string | null;
  readonly detail: string | null;
  readonly title: string | null;
  readonly hrid: string | null;
  readonly warnings: readonly string[] | null;
}

const LINE_END = '\r\n';
export const CSV_HEAD = `order,byteOffset,001,title,code,message,warnings${LINE_END}`;

export function csvRow(
  row: FailedFacts,
  about: { readonly jobId: string; readonly profileName: string },
): string {
  const message = errorWords({
    ...about,
    order: Number(row.record_order),
    at: Number(row.byte_offset),
    code: row.code,
    field: row.field ?? undefined,
    detail: row.detail ?? undefined,
    type: row.record_type ?? undefined,
  });
  const texts = [
    row.hrid ?? '',
    row.title ?? '',
    row.code,
    message,
    row.warnings?.join('; ') ?? '',
  ];
  return [row.record_order, row.byte_offset, ...texts.map(csvCell)].join(',') + LINE_END;
}
