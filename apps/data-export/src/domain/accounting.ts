import type { ExportAccounting } from '@quire/contracts/export-reports';
import type { ExportJob } from './job-answer.js';
import { failedOf } from './job-execution.js';

/**
 * Where every line of a job went (`data-export.md`, 5.2). Lines by code agree with the report by line: every row of that
 * counts once, under its code.
 *
 * @param outcomes lines that gave no record or a warning, by class and code; without a code: not found
 */
export function accountingOf(
  { counts, blank, sourceDuplicates }: ExportJob,
  outcomes: readonly { readonly class: string; readonly code: string | null; readonly n: number }[],
): ExportAccounting {
  const { total, exported, invalid, duplicated, notFound, faulty } = counts;
  const byCode: Record<string, number> = {};
  const add = (code: string, n: number): void => {
    if (n > 0) byCode[code] = (byCode[code] ?? 0) + n;
  };
  add('error.invalidUuidFormat', invalid);
  add('error.duplicatedIds', duplicated);
  for (const { code, n } of outcomes) add(code ?? 'error.uuidsNotFound', n);
  const warnings = outcomes
    .filter((one) => one.class === 'WARNING')
    .reduce((sum, { n }) => sum + n, 0);
  return {
    total,
    blank,
    exported,
    failed: failedOf(counts),
    ...{ invalid, duplicated, notFound, faulty, warnings },
    recordsWritten: exported,
    sourceRecordDuplicates: sourceDuplicates,
    byCode,
  };
}
