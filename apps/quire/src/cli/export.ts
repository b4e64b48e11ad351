import { createReadStream, createWriteStream } from 'node:fs';
import { rename, stat, unlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  DownloadLink,
  ExportJobExecution,
  ExportJobProfile,
  FileDefinition,
} from '@quire/contracts/data-export';
import type { ExportManifest, ManifestSlice } from '@quire/contracts/export-reports';
import type { QuireClient } from './client.js';
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.js';
import { Progress } from './progress.js';
import { SliceCheck } from './slice-check.js';
import { textFlag, timeoutMs, type CommandLine, type Flags } from './arguments.js';

export const EXPORT_FLAGS = {
  ids: { type: 'string' },
  query: { type: 'string' },
  all: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  profile: { type: 'string' },
  format: { type: 'string' },
} as const;

const POLL_MS = 250;

export interface ExportOutcome {
  readonly jobExecutionId: string;
  readonly hrId: number;
  readonly status: string;
  readonly exported: number;
  readonly failed: number;
  readonly total: number;
  readonly file?: string;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly seconds: number;
}

/** `quire export`: the six steps of seed 004, with a progress bar. */
export async function exportRecords(client: QuireClient, line: CommandLine): Promise<ExitCode> {
  const { flags } = line;
  const sources = ['ids', 'query', 'all'].filter((name) => flags[name] !== undefined);
  if (sources.length !== 1 || line.words.length > 0) {
    throw new CommandFailure(
      EXIT.usage,
      'What to export? Give one of --ids <file>, --query <cql> or --all.',
    );
  }
  const progress = new Progress(flags['json'] === true);
  const outcome = await exportIds(client, await idSource(flags), {
    profile: textFlag(flags, 'profile'),
    outputFormat: outputFormat(textFlag(flags, 'format')),
    output: textFlag(flags, 'output'),
    timeout: timeoutMs(flags),
    progress,
  });
  await report(client, outcome, flags['json'] === true, textFlag(flags, 'output') === '-');
  return exitOf(outcome.status);
}

const OUTPUT_FORMATS: Readonly<Record<string, string>> = {
  mrc: 'MARC',
  xml: 'MARCXML',
  jsonl: 'MARC_JSON',
};

/** Absent: as the profile says. */
function outputFormat(wanted: string | undefined): string | undefined {
  if (wanted === undefined) return undefined;
  const format = OUTPUT_FORMATS[wanted];
  if (format !== undefined) return format;
  const known = Object.keys(OUTPUT_FORMATS).join(', ');
  throw new CommandFailure(EXIT.usage, `There is no format "${wanted}". There are: ${known}.`);
}

export interface ExportOrder {
  readonly profile: string | undefined;
  readonly outputFormat?: string | undefined;
  /** File to write; `-` for stdout; absent: the name that the server gives. */
  readonly output: string | undefined;
  readonly timeout: number;
  readonly progress: Progress;
}

/** The six steps, from the profile to the file. */
export async function exportIds(
  client: QuireClient,
  source: IdSource,
  order: ExportOrder,
): Promise<ExportOutcome> {
  const { output, timeout, progress } = order;
  const at = performance.now();
  const profile = await findProfile(client, order.profile);
  const job = await startExport(client, source, {
    jobProfileId: profile,
    ...(order.outputFormat === undefined ? {} : { outputFormat: order.outputFormat }),
  });
  const ended = await follow(client, job, { at, timeout, progress });
  progress.clear();
  const outcome = await download(client, ended, { at, output, progress });
  progress.clear();
  return outcome;
}

export interface IdSource {
  readonly fileName: string;
  readonly bytes?: number;
  readonly lines: Readable;
}

/** A query goes to the server as it is, which finds the ids itself. */
async function idSource(flags: Flags): Promise<IdSource> {
  const file = textFlag(flags, 'ids');
  if (file !== undefined) return fileOfIds(file);
  const query = Buffer.from(textFlag(flags, 'query') ?? 'cql.allRecords=1');
  return {
    fileName: flags['all'] === true ? 'all.cql' : 'query.cql',
    bytes: query.length,
    lines: Readable.from([query]),
  };
}

async function fileOfIds(file: string): Promise<IdSource> {
  try {
    const { size } = await stat(file);
    // The server takes .csv only; the name is no more than the base of the output's name.
    const fileName = `${basename(file).replace(/\.[^.]*$/, '') || 'export'}.csv`;
    return { fileName, bytes: size, lines: createReadStream(file) };
  } catch (error) {
    throw new CommandFailure(EXIT.notFound, `The file "${file}" cannot be read.`, { cause: error });
  }
}

const IDS_A_PART = 1000;

export function* linesOf(ids: readonly { readonly id: string }[]): Generator<Buffer> {
  for (let at = 0; at < ids.length; at += IDS_A_PART) {
    yield Buffer.from(
      ids
        .slice(at, at + IDS_A_PART)
        .map((one) => `${one.id}\n`)
        .join(''),
    );
  }
}

async function findProfile(client: QuireClient, wanted: string | undefined): Promise<string> {
  const { jobProfiles } = await client.get<{ jobProfiles: ExportJobProfile[] }>(
    '/data-export/job-profiles?limit=1000',
  );
  const found =
    wanted === undefined
      ? jobProfiles[0]
      : jobProfiles.find((one) => one.id === wanted || one.name === wanted);
  if (found?.id !== undefined) return found.id;
  const names = jobProfiles.map((one) => `"${one.name}"`).join(', ');
  throw new CommandFailure(
    EXIT.notFound,
    `There is no export job profile "${wanted ?? ''}". There are: ${names}.`,
  );
}

/** Steps 2 to 4: file definition, upload of the ids, start. */
async function startExport(
  client: QuireClient,
  source: IdSource,
  request: { readonly jobProfileId: string; readonly outputFormat?: string },
): Promise<string> {
  const definition = await client.post<FileDefinition>('/data-export/file-definitions', {
    fileName: source.fileName,
  });
  const id = definition.id ?? '';
  const uploaded = await client.upload<FileDefinition>(
    `/data-export/file-definitions/${id}/upload`,
    source.lines,
    source.bytes,
  );
  await client.post('/data-export/export', { fileDefinitionId: id, ...request });
  return uploaded.jobExecutionId ?? '';
}

interface Following {
  readonly at: number;
  readonly timeout: number;
  readonly progress: Progress;
}

/** Step 5: polls until the job has ended. */
async function follow(
  client: QuireClient,
  jobExecutionId: string,
  { at, timeout, progress }: Following,
): Promise<ExportJobExecution> {
  for (;;) {
    const query = new URLSearchParams({ query: `id=="${jobExecutionId}"` });
    const { jobExecutions } = await client.get<{ jobExecutions: ExportJobExecution[] }>(
      `/data-export/job-executions?${query.toString()}`,
    );
    const job = jobExecutions[0];
    if (!job) throw new CommandFailure(EXIT.notFound, `The job ${jobExecutionId} is gone.`);
    const { exported = 0, failed = 0, total = 0 } = job.progress ?? {};
    progress.show({ stage: 'export', current: exported + failed, total, unit: 'records' });
    if (job.status !== 'IN_PROGRESS' && job.status !== 'NEW') return job;
    if (performance.now() - at > timeout) {
      progress.clear();
      throw new CommandFailure(
        EXIT.timeOut,
        `The export ${jobExecutionId} is still running; it goes on. Look again with: quire job ${jobExecutionId}`,
      );
    }
    await delay(POLL_MS);
  }
}

interface Target {
  readonly at: number;
  readonly output: string | undefined;
  readonly progress: Progress;
}

/** Step 6: the link, and what it gives; under a temporary name until it is whole. */
async function download(
  client: QuireClient,
  job: ExportJobExecution,
  { at, output, progress }: Target,
): Promise<ExportOutcome> {
  const { exported = 0, failed = 0, total = 0 } = job.progress ?? {};
  const result = {
    jobExecutionId: job.id,
    hrId: job.hrId,
    status: job.status,
    exported,
    failed,
    total,
  };
  const seconds = (): number => (performance.now() - at) / 1000;
  const first = job.exportedFiles?.[0];
  if (job.status === 'FAIL' || !first) return { ...result, seconds: seconds() };
  const { link } = await client.get<DownloadLink>(
    `/data-export/job-executions/${job.id}/download/${first.fileId}`,
  );
  const check = new SliceCheck(await slicesOf(client, job.id, first.fileId));
  let received = 0;
  const onPart = (part: Buffer): void => {
    check.take(part);
    received += part.length;
    progress.show({ stage: 'download', current: received, total: 0, unit: 'bytes' });
  };
  if (output === '-') {
    const got = await client.download(link, process.stdout, onPart);
    check.end();
    return { ...result, ...got, seconds: seconds() };
  }
  const file = output ?? first.fileName;
  const temporary = `${file}.part`;
  try {
    const got = await client.download(link, createWriteStream(temporary), onPart);
    check.end();
    await rename(temporary, file);
    return { ...result, file, ...got, seconds: seconds() };
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function slicesOf(
  client: QuireClient,
  jobId: string,
  fileId: string,
): Promise<readonly ManifestSlice[]> {
  const { files } = await client.get<ExportManifest>(
    `/data-export/job-executions/${jobId}/manifest`,
  );
  return files.find((file) => file.fileId === fileId)?.slices ?? [];
}

function exitOf(status: string): ExitCode {
  if (status === 'COMPLETED') return EXIT.done;
  return status === 'COMPLETED_WITH_ERRORS' ? EXIT.someFailed : EXIT.jobFailed;
}

async function report(
  client: QuireClient,
  outcome: ExportOutcome,
  json: boolean,
  dataOnStdout: boolean,
): Promise<void> {
  const out = dataOnStdout ? process.stderr : process.stdout;
  if (json) {
    out.write(`${JSON.stringify(outcome)}\n`);
    return;
  }
  const rate = outcome.seconds > 0 ? Math.round(outcome.exported / outcome.seconds) : 0;
  const lines = [
    `${outcome.status} (job ${outcome.hrId}, ${outcome.jobExecutionId})`,
    `  ${outcome.exported} of ${outcome.total} exported, ${outcome.failed} failed; ${outcome.seconds.toFixed(1)} s, ${rate} records/s`,
    ...(outcome.file === undefined
      ? []
      : [`  ${outcome.file}: ${outcome.bytes ?? 0} bytes, sha256 ${outcome.sha256 ?? ''}`]),
  ];
  if (outcome.status !== 'COMPLETED')
    lines.push(...(await explain(client, outcome.jobExecutionId)));
  out.write(`${lines.join('\n')}\n`);
}

async function explain(client: QuireClient, jobExecutionId: string): Promise<string[]> {
  const query = new URLSearchParams({ query: `jobExecutionId==${jobExecutionId}`, limit: '20' });
  const { errorLogs } = await client.get<{
    errorLogs: { errorMessageCode?: string; errorMessageValues?: string[] }[];
  }>(`/data-export/logs?${query.toString()}`);
  return errorLogs.map(
    (log) =>
      `  ${log.errorMessageCode ?? ''}: ${(log.errorMessageValues ?? []).join('; ').slice(0, 500)}`,
  );
}
