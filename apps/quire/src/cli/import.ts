import { createReadStream, createWriteStream } from 'node:fs';
import { rename, stat, unlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  ImportJobExecution,
  JobProfileInfo,
  UploadDefinition,
} from '@quire/contracts/data-import';
import type { QuireClient } from './client.js';
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.js';
import { Progress } from './progress.js';
import { textFlag, timeoutMs, type CommandLine } from './arguments.js';

export const IMPORT_FLAGS = {
  profile: { type: 'string' },
  'no-wait': { type: 'boolean' },
  'failed-to': { type: 'string' },
} as const;

/** What `GET /data-import/jobExecutions/{id}/details` says of an import. */
interface ImportDetails {
  readonly result?: string;
  readonly counts: {
    readonly total: number;
    readonly created: number;
    readonly updated: number;
    readonly unchanged: number;
    readonly failed: number;
    readonly warned: number;
  };
  readonly messages: readonly { readonly code: string; readonly text: string }[];
  readonly warnings: Readonly<Record<string, number>>;
}

export interface ImportOutcome {
  readonly jobExecutionId: string;
  readonly hrId?: number;
  readonly fileName: string;
  readonly status: string;
  readonly details?: ImportDetails;
  readonly seconds: number;
}

const ENDED = new Set(['COMMITTED', 'ERROR', 'CANCELLED', 'DISCARDED']);
const POLL_MS = 250;
/** Failed records that are explained on the screen; the file of `--failed-to` has all of them. */
const EXPLAINED_MAX = 20;

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
  const profile = await findProfile(client, textFlag(line.flags, 'profile'));
  let worst: ExitCode = EXIT.done;
  for (const file of line.words) {
    const started = await startImport(client, file, profile, progress);
    if (line.flags['no-wait'] === true) {
      process.stdout.write(`${started.jobExecutionId}\n`);
      continue;
    }
    const outcome = await follow(client, started, timeoutMs(line.flags), progress);
    progress.clear();
    await report(client, outcome, line.flags['json'] === true);
    if (failedTo !== undefined && (outcome.details?.counts.failed ?? 0) > 0)
      await saveFailed(client, outcome, failedTo);
    worst = Math.max(worst, exitOf(outcome)) as ExitCode;
  }
  return worst;
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
}

/** Uploads one file and starts its job. */
export async function startImport(
  client: QuireClient,
  file: string,
  profile: JobProfileInfo,
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
  await client.post(`${path}/processFiles`, {
    uploadDefinition: { id: definition.id },
    jobProfileInfo: { id: profile.id, name: profile.name, dataType: 'MARC' },
  });
  return { jobExecutionId: fileDefinition.jobExecutionId, fileName: basename(file), at };
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
  const { jobExecutionId, fileName, at } = started;
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

async function report(client: QuireClient, outcome: ImportOutcome, json: boolean): Promise<void> {
  if (json) {
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    return;
  }
  const { counts, messages = [], warnings = {} } = outcome.details ?? {};
  const rate = counts && outcome.seconds > 0 ? Math.round(counts.total / outcome.seconds) : 0;
  const saved = (counts?.created ?? 0) + (counts?.updated ?? 0) + (counts?.unchanged ?? 0);
  const lines = [
    `${outcome.fileName}: ${outcome.status} (job ${outcome.hrId ?? ''}, ${outcome.jobExecutionId})`,
    `  ${counts?.total ?? 0} records, ${saved} saved, ${counts?.failed ?? 0} failed, ${counts?.warned ?? 0} with warnings; ${outcome.seconds.toFixed(1)} s, ${rate} records/s`,
    ...messages.map((message) => `  ${message.text} (${message.code})`),
    ...Object.entries(warnings).map(([code, count]) => `  warning ${code}: ${count}`),
  ];
  if ((counts?.failed ?? 0) > 0)
    lines.push(...(await explain(client, outcome.jobExecutionId, counts?.failed ?? 0)));
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** One line per failed record, in words. */
async function explain(
  client: QuireClient,
  jobExecutionId: string,
  failed: number,
): Promise<string[]> {
  const { entries } = await client.get<{
    entries: { sourceRecordOrder: string; error: string; sourceRecordTitle?: string }[];
  }>(`/metadata-provider/jobLogEntries/${jobExecutionId}?errorsOnly=true&limit=${EXPLAINED_MAX}`);
  const lines = entries.map(
    (entry) => `  record ${Number(entry.sourceRecordOrder) + 1}: ${wordsOf(entry.error)}`,
  );
  if (failed > entries.length)
    lines.push(
      `  … and ${failed - entries.length} more; --failed-to <file> writes all of them as received`,
    );
  return lines;
}

/** The errors come as the JSON text that FOLIO clients parse (data-import, 11.3). */
function wordsOf(error: string): string {
  try {
    const parsed = JSON.parse(error) as {
      errors?: { name: string; message: string }[];
      message?: string;
      error?: string;
    };
    const first = parsed.errors?.[0];
    return first ? `${first.message} [${first.name}]` : (parsed.message ?? parsed.error ?? error);
  } catch {
    return error;
  }
}

async function saveFailed(
  client: QuireClient,
  outcome: ImportOutcome,
  file: string,
): Promise<void> {
  const temporary = `${file}.part`;
  try {
    await client.download(
      `/data-import/jobExecutions/${outcome.jobExecutionId}/failedRecords.mrc`,
      createWriteStream(temporary),
    );
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  process.stderr.write(`The failed records are in ${file}, as received.\n`);
}
