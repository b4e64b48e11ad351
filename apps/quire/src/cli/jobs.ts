import { setTimeout as delay } from 'node:timers/promises';
import type { ExportJobExecution } from '@quire/contracts/data-export';
import type { ImportJobExecution } from '@quire/contracts/data-import';
import { isAnyUuid } from '@quire/contracts/ids';
import { textFlag, type CommandLine } from './arguments.js';
import type { QuireClient } from './client.js';
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.js';

export const JOBS_FLAGS = {
  kind: { type: 'string' },
  watch: { type: 'boolean' },
  limit: { type: 'string' },
} as const;

const WATCH_MS = 2000;

/** One line of the list, of either kind. */
interface JobRow {
  readonly kind: 'import' | 'export';
  readonly hrId: number;
  readonly id: string;
  readonly status: string;
  readonly done: number;
  readonly total: number;
  readonly name: string;
  readonly started: string;
}

/** `quire jobs`: newest first. */
export async function listJobs(client: QuireClient, line: CommandLine): Promise<ExitCode> {
  const kind = textFlag(line.flags, 'kind');
  if (kind !== undefined && kind !== 'import' && kind !== 'export') {
    throw new CommandFailure(EXIT.usage, `--kind is import or export, not "${kind}".`);
  }
  const limit = textFlag(line.flags, 'limit') ?? '25';
  for (;;) {
    const rows = [
      ...(kind === 'export' ? [] : await importRows(client, limit)),
      ...(kind === 'import' ? [] : await exportRows(client, limit)),
    ].sort((a, b) => b.started.localeCompare(a.started));
    print(rows, line.flags['json'] === true);
    const running = rows.some(
      (row) => !ENDED.has(row.status) && row.status !== 'NEW' && row.status !== 'FILE_UPLOADED',
    );
    if (line.flags['watch'] !== true || !running) return EXIT.done;
    await delay(WATCH_MS);
  }
}

/** Statuses of imports and exports after which nothing comes. */
export const ENDED: ReadonlySet<string> = new Set([
  'COMMITTED',
  'ERROR',
  'CANCELLED',
  'DISCARDED',
  'COMPLETED',
  'COMPLETED_WITH_ERRORS',
  'FAIL',
]);

async function importRows(client: QuireClient, limit: string): Promise<JobRow[]> {
  const { jobExecutions } = await client.get<{ jobExecutions: ImportJobExecution[] }>(
    `/metadata-provider/jobExecutions?limit=${limit}`,
  );
  return jobExecutions.map((job) => ({
    kind: 'import',
    hrId: job.hrId ?? 0,
    id: job.id,
    status: job.result === 'PARTIAL' ? 'ERROR (partial)' : job.status,
    done: job.progress?.current ?? 0,
    total: job.progress?.total ?? 0,
    name: job.fileName ?? '',
    started: job.startedDate ?? '',
  }));
}

async function exportRows(client: QuireClient, limit: string): Promise<JobRow[]> {
  const { jobExecutions } = await client.get<{ jobExecutions: ExportJobExecution[] }>(
    `/data-export/job-executions?limit=${limit}`,
  );
  return jobExecutions.map((job) => ({
    kind: 'export',
    hrId: job.hrId,
    id: job.id,
    status: job.status,
    done: (job.progress?.exported ?? 0) + (job.progress?.failed ?? 0),
    total: job.progress?.total ?? 0,
    name: job.exportedFiles?.[0]?.fileName ?? '',
    started: job.startedDate ?? '',
  }));
}

function print(rows: readonly JobRow[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  const lines = rows.map((row) =>
    [
      row.kind.padEnd(6),
      String(row.hrId).padStart(5),
      row.id,
      row.status.padEnd(21),
      `${row.done}/${row.total}`.padStart(15),
      row.started.slice(0, 19),
      row.name,
    ].join('  '),
  );
  process.stdout.write(lines.length > 0 ? `${lines.join('\n')}\n` : 'No jobs.\n');
}

/** `quire job <id or hrId>`: one job whole. A number may name an import and an export; both are shown. */
export async function showJob(client: QuireClient, line: CommandLine): Promise<ExitCode> {
  const wanted = line.words[0];
  if (wanted === undefined || line.words.length > 1)
    throw new CommandFailure(EXIT.usage, 'Which job? quire job <id or hrId>');
  const found = isAnyUuid(wanted) ? await byId(client, wanted) : await byHrId(client, wanted);
  if (found.length === 0) throw new CommandFailure(EXIT.notFound, `There is no job ${wanted}.`);
  for (const job of found)
    process.stdout.write(
      `${JSON.stringify(job, null, line.flags['json'] === true ? undefined : 2)}\n`,
    );
  return EXIT.done;
}

async function byId(client: QuireClient, id: string): Promise<object[]> {
  const query = new URLSearchParams({ query: `id==${id}` });
  const { jobExecutions } = await client.get<{ jobExecutions: ExportJobExecution[] }>(
    `/data-export/job-executions?${query.toString()}`,
  );
  if (jobExecutions.length > 0) return jobExecutions;
  try {
    return [await importDetails(client, id)];
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === EXIT.notFound) return [];
    throw error;
  }
}

async function importDetails(client: QuireClient, id: string): Promise<object> {
  const job = await client.get<ImportJobExecution>(`/change-manager/jobExecutions/${id}`);
  const details = await client.get<object>(`/data-import/jobExecutions/${id}/details`);
  return { ...job, details };
}

async function byHrId(client: QuireClient, hrId: string): Promise<object[]> {
  if (!/^\d+$/.test(hrId))
    throw new CommandFailure(EXIT.usage, `"${hrId}" is neither an id nor a number.`);
  const query = new URLSearchParams({ query: `hrId==${hrId}` });
  const exports = await client.get<{ jobExecutions: ExportJobExecution[] }>(
    `/data-export/job-executions?${query.toString()}`,
  );
  const imports = await client.get<{ jobExecutions: ImportJobExecution[] }>(
    `/metadata-provider/jobExecutions?hrId=${hrId}`,
  );
  return [
    ...exports.jobExecutions,
    ...(await Promise.all(imports.jobExecutions.map((job) => importDetails(client, job.id)))),
  ];
}
