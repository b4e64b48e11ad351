import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import type { ImportDetails } from '@quire/contracts/import-work';
import type { QuireClient } from './client.js';
import { csvRows, plainCell } from './csv.js';

/** What came of one import, for whoever started it. */
export interface ImportOutcome {
  readonly jobExecutionId: string;
  readonly hrId?: number;
  readonly fileName: string;
  readonly status: string;
  /** Nothing was saved: the counts say what would have been. */
  readonly dryRun?: boolean;
  readonly details?: ImportDetails;
  readonly seconds: number;
}

/** Failed records that are explained on the screen; the file of `--failed-to` has all of them. */
const EXPLAINED_MAX = 20;
const NO_COUNTS = { total: 0, created: 0, updated: 0, unchanged: 0, failed: 0, warned: 0 };

/** The last line of `--json` is the outcome itself. */
export async function report(
  client: QuireClient,
  outcome: ImportOutcome,
  json: boolean,
): Promise<void> {
  if (json) {
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    return;
  }
  const { messages = [], warnings = {}, counts = NO_COUNTS } = outcome.details ?? {};
  const lines = [
    ...(outcome.dryRun ? dryRunLines(outcome) : importLines(outcome)),
    ...messages.map((message) => `  ${message.text} (${message.code})`),
    ...Object.entries(warnings).map(([code, count]) => `  warning ${code}: ${count}`),
  ];
  if (counts.failed > 0)
    lines.push(...(await explain(client, outcome.jobExecutionId, counts.failed)));
  process.stdout.write(`${lines.join('\n')}\n`);
}

function importLines({ details, seconds, ...outcome }: ImportOutcome): string[] {
  const { total, created, updated, unchanged, failed, warned } = details?.counts ?? NO_COUNTS;
  const rate = seconds > 0 ? Math.round(total / seconds) : 0;
  const saved = created + updated + unchanged;
  const how =
    updated + unchanged > 0
      ? ` (${created} created, ${updated} updated, ${unchanged} unchanged)`
      : '';
  return [
    `${outcome.fileName}: ${outcome.status} (job ${outcome.hrId ?? ''}, ${outcome.jobExecutionId})`,
    `  ${total} records, ${saved} saved${how}, ${failed} failed, ${warned} with warnings; ${seconds.toFixed(1)} s, ${rate} records/s`,
  ];
}

function dryRunLines({ details, seconds, ...outcome }: ImportOutcome): string[] {
  const { total, created, updated, unchanged, failed, warned } = details?.counts ?? NO_COUNTS;
  return [
    `${outcome.fileName}: dry run, nothing was saved (job ${outcome.jobExecutionId})`,
    `  ${total} records: ${created} would be created, ${updated} updated, ${unchanged} skipped as unchanged, ${failed} would fail; ${warned} with warnings; ${seconds.toFixed(1)} s`,
  ];
}

/** One line per failed record, in words, with all that helps to find it. */
async function explain(
  client: QuireClient,
  jobExecutionId: string,
  failed: number,
): Promise<string[]> {
  const table = await client.text(`/data-import/jobExecutions/${jobExecutionId}/failedRecords.csv`);
  const lines: string[] = [];
  let isHead = true;
  // Leaving the loop ends the answer: there may be a million lines.
  for await (const row of csvRows(table)) {
    if (!isHead) lines.push(`  ${wordsOf(row.map(plainCell))}`);
    isHead = false;
    if (lines.length === EXPLAINED_MAX) break;
  }
  if (failed > lines.length)
    lines.push(
      `  … and ${failed - lines.length} more; --failed-to <file> writes all of them as received`,
    );
  return lines;
}

/** @param row order, byte offset, 001, title, code, message */
function wordsOf([
  order = '',
  byte = '',
  hrid = '',
  title = '',
  code = '',
  message = '',
]: string[]): string {
  const place = [
    `record ${Number(order) + 1}`,
    `byte ${byte}`,
    ...(hrid === '' ? [] : [`001 ${hrid}`]),
    ...(title === '' ? [] : [`"${title}"`]),
  ];
  return `${place.join(', ')}: ${message} [${code}]`;
}

/** All failed records, exactly as received, under a temporary name until they are whole. */
export async function saveFailed(
  client: QuireClient,
  { jobExecutionId }: ImportOutcome,
  file: string,
): Promise<void> {
  const temporary = `${file}.part`;
  try {
    await client.download(
      `/data-import/jobExecutions/${jobExecutionId}/failedRecords.mrc`,
      createWriteStream(temporary),
    );
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  process.stderr.write(`The failed records are in ${file}, as received.\n`);
}
