import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  ImportJobExecution,
  JobProfileInfo,
  UploadDefinition,
} from '@quire/contracts/data-import';
import { ON_999FF } from '@quire/contracts/data-import';
import type { DryRunStarted, ImportDetails, ImportJobOptions } from '@quire/contracts/import-work';
import type { QuireClient } from './client.js';
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.js';
import { report, saveFailed, type ImportOutcome } from './import-report.js';
import { Progress } from './progress.js';
import { textFlag, timeoutMs, type CommandLine, type Flags } from './arguments.js';

export const IMPORT_FLAGS = {
  profile: { type: 'string' },
  'no-wait': { type: 'boolean' },
  'failed-to': { type: 'string' },
  'on-999ff': { type: 'string' },
  strict: { type: 'boolean' },
  'update-unchanged': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'allow-duplicate': { type: 'boolean' },
} as const;

const ENDED = new Set(['COMMITTED', 'ERROR', 'CANCELLED', 'DISCARDED']);
const POLL_MS = 250;
/** `quire import <file…>`: definition, upload, processFiles, and the job to its end. */
export async function importFiles(client: QuireClient, line: CommandLine): Promise<ExitCode> {
  if (line.words.length === 0)
    throw new CommandFailure(EXIT.usage, 'Which file? quire import <file…>');
  const progress = new Progress(line.flags['json'] === true);
  const failedTo = textFlag(line.flags, 'failed-to');
  if (failedTo !== undefined && line.words.length > 1) {
    throw new CommandFailure(
      EXIT.usage,
      '--failed-to takes the failed records of one file; import the files one by one.',
    );
  }
  if (line.flags['dry-run'] === true && line.flags['no-wait'] === true)
    throw new CommandFailure(
      EXIT.usage,
      'A dry run is there to be waited for: leave --no-wait out.',
    );
  const order = {
    ...orderOf(line.flags),
    profile: await findProfile(client, textFlag(line.flags, 'profile')),
  };
  let worst: ExitCode = EXIT.done;
  for (const file of line.words) {
    const started = await startImport(client, file, order, progress);
    if (line.flags['no-wait'] === true) {
      process.stdout.write(`${started.jobExecutionId}\n`);
      continue;
    }
    try {
      const outcome = await follow(client, started, timeoutMs(line.flags), progress);
      progress.clear();
      await report(client, outcome, line.flags['json'] === true);
      if (failedTo !== undefined && (outcome.details?.counts.failed ?? 0) > 0)
        await saveFailed(client, outcome, failedTo);
      worst = Math.max(worst, exitOf(outcome)) as ExitCode;
    } finally {
      // Nobody will process what was uploaded only to be tried.
      if (order.dryRun) await client.delete(started.definition);
    }
  }
  return worst;
}

/** How a file is to be imported. */
export interface ImportOrder {
  readonly profile: JobProfileInfo;
  readonly options?: ImportJobOptions;
  readonly dryRun?: boolean;
  readonly allowDuplicate?: boolean;
}

function orderOf(flags: Flags): Omit<ImportOrder, 'profile'> {
  const on999ff = ON_999FF.find((one) => one === textFlag(flags, 'on-999ff'));
  if (flags['on-999ff'] !== undefined && on999ff === undefined)
    throw new CommandFailure(EXIT.usage, `--on-999ff wants one of: ${ON_999FF.join(', ')}.`);
  return {
    options: {
      ...(on999ff === undefined ? {} : { on999ff }),
      ...(flags['strict'] === true ? { strict: true } : {}),
      ...(flags['update-unchanged'] === true ? { skipUnchanged: false } : {}),
    },
    dryRun: flags['dry-run'] === true,
    allowDuplicate: flags['allow-duplicate'] === true,
  };
}

export async function findProfile(
  client: QuireClient,
  wanted: string | undefined,
): Promise<JobProfileInfo> {
  const { jobProfiles } = await client.get<{ jobProfiles: JobProfileInfo[] }>(
    '/data-import-profiles/jobProfiles?limit=1000',
  );
  const isDefault = (one: JobProfileInfo): boolean => one.name === 'Quire - Create MARC records';
  const isWanted = (one: JobProfileInfo): boolean => one.id === wanted || one.name === wanted;
  const found = jobProfiles.find(wanted === undefined ? isDefault : isWanted);
  if (found) return found;
  const names = jobProfiles.map((one) => `"${one.name ?? one.id}"`).join(', ');
  throw new CommandFailure(
    EXIT.notFound,
    `There is no import job profile "${wanted ?? ''}". There are: ${names}.`,
  );
}

interface Started {
  readonly jobExecutionId: string;
  readonly fileName: string;
  readonly at: number;
  /** Path of the upload definition. */
  readonly definition: string;
  readonly dryRun: boolean;
}

/** Uploads one file and starts its job. */
export async function startImport(
  client: QuireClient,
  file: string,
  order: ImportOrder,
  progress: Progress,
): Promise<Started> {
  const bytes = await sizeOf(file);
  const at = performance.now();
  const definition = await client.post<UploadDefinition>('/data-import/uploadDefinitions', {
    fileDefinitions: [{ name: basename(file), size: Math.ceil(bytes / 1024) }],
  });
  const fileDefinition = definition.fileDefinitions?.[0];
  if (!fileDefinition?.jobExecutionId || !definition.id)
    throw new CommandFailure(EXIT.unexpected, 'The server made no job for the file.');
  const source = createReadStream(file, { highWaterMark: 1024 * 1024 });
  let sent = 0;
  source.on('data', (part) => {
    sent += part.length;
    progress.show({ stage: 'upload', current: sent, total: bytes, unit: 'bytes' });
  });
  const path = `/data-import/uploadDefinitions/${definition.id}`;
  await client.upload(`${path}/files/${fileDefinition.id ?? ''}`, source, bytes);
  const jobProfileInfo = { id: order.profile.id, name: order.profile.name, dataType: 'MARC' };
  const started = { fileName: basename(file), at, definition: path, dryRun: order.dryRun === true };
  if (order.dryRun) {
    const body = { jobProfileInfo, options: order.options ?? {} };
    const { jobExecutionId } = await client.post<DryRunStarted>(`${path}/dryRun`, body);
    return { ...started, jobExecutionId };
  }
  const body = { uploadDefinition: { id: definition.id }, jobProfileInfo };
  await client.post(`${path}/processFiles`, body, headersOf(order));
  return { ...started, jobExecutionId: fileDefinition.jobExecutionId };
}

function headersOf({ options = {}, allowDuplicate }: ImportOrder): Record<string, string> {
  const asked = Object.entries(options).map(([name, value]) => `${name}=${String(value)}`);
  return {
    ...(asked.length > 0 ? { 'x-quire-import-options': asked.join('; ') } : {}),
    ...(allowDuplicate ? { 'x-quire-allow-duplicate': 'true' } : {}),
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    throw new CommandFailure(EXIT.notFound, `The file "${file}" cannot be read.`, { cause: error });
  }
}

export async function follow(
  client: QuireClient,
  started: Started,
  timeout: number,
  progress: Progress,
): Promise<ImportOutcome> {
  const { jobExecutionId, fileName, at, dryRun } = started;
  for (;;) {
    const job = await client.get<ImportJobExecution>(
      `/change-manager/jobExecutions/${jobExecutionId}`,
    );
    progress.show({
      stage: 'import',
      current: job.progress?.current ?? 0,
      total: job.progress?.total ?? 0,
      unit: 'records',
    });
    if (ENDED.has(job.status)) {
      const details = await client.get<ImportDetails>(
        `/data-import/jobExecutions/${jobExecutionId}/details`,
      );
      const seconds = (performance.now() - at) / 1000;
      return {
        jobExecutionId,
        fileName,
        status: job.status,
        details,
        seconds,
        dryRun,
        ...(job.hrId === undefined ? {} : { hrId: job.hrId }),
      };
    }
    if (performance.now() - at > timeout) {
      progress.clear();
      throw new CommandFailure(
        EXIT.timeOut,
        `The import ${jobExecutionId} is still running; it goes on. Look again with: quire job ${jobExecutionId}`,
      );
    }
    await delay(POLL_MS);
  }
}

function exitOf({ status, details }: ImportOutcome): ExitCode {
  if (status === 'COMMITTED') return EXIT.done;
  return status === 'ERROR' && details?.result === 'PARTIAL' ? EXIT.someFailed : EXIT.jobFailed;
}
