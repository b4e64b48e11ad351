import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ExportJobExecution, FileDefinition } from '@quire/contracts/data-export';
import type { ImportJobExecution } from '@quire/contracts/data-import';
import { splitFrames } from '@quire/marc/iso2709/split';
import { openStored } from '@quire/marc/iso2709/stored';
import { controlText } from '@quire/marc/fields';
import { generateMarc } from '@quire/testing/marc';
import type { QuireClient } from '@quire/quire/cli/client';
import { linesOf } from '@quire/quire/cli/export';
import { findProfile, startImport } from '@quire/quire/cli/import';
import { Progress } from '@quire/quire/cli/progress';
import { removeFile, storedIds, writeRecords } from './bench/job-runs.js';
import { QuireProcess } from './bench/quire-process.js';

/*
 * npm run kills [-- --seed <n>] [-- --kills <n>]
 *
 * Kills Quire (SIGKILL) at random moments of an import of 20,000 records and of an export of what it stored, starts it again
 * each time, and looks whether every record is there once and the counts are right. The moments come from the seed.
 */
const RECORDS = 20_000;
const POLL_MS = 50;
/** A kill comes this long after the process is ready, at most. */
const MOMENT_MS = 1200;
const JOB_TIMEOUT_MS = 600_000;

const { values } = parseArgs({ options: { seed: { type: 'string' }, kills: { type: 'string' } } });
const seed = Number(values.seed ?? 1);
const kills = Number(values.kills ?? 20);
const moment = randomMoments(seed);
const quiet = new Progress(false, false);
const problems: string[] = [];

const file = await writeRecords([...generateMarc(seed, 2000)], RECORDS);
const output = join(tmpdir(), `quire-kills-${process.pid}.mrc`);
try {
  await using quire = await QuireProcess.start();
  await killedImport(quire, Math.ceil(kills / 2));
  await killedExport(quire, Math.floor(kills / 2));
} finally {
  await removeFile(file);
  await removeFile(output).catch(() => undefined);
}
for (const problem of problems) say(problem);
say(
  problems.length === 0
    ? 'Every record is there once, and the counts are right.'
    : 'Something was lost or doubled.',
);
process.exitCode = problems.length === 0 ? 0 : 1;

async function killedImport(quire: QuireProcess, count: number): Promise<void> {
  const client = await quire.client();
  const { jobExecutionId } = await startImport(
    client,
    file,
    { profile: await findProfile(client, undefined) },
    quiet,
  );
  client.close();
  const job = await killUntilDone(quire, count, async (one) => {
    const found = await one.get<ImportJobExecution>(
      `/change-manager/jobExecutions/${jobExecutionId}`,
    );
    return found.status === 'COMMITTED' || found.status === 'ERROR' ? found : undefined;
  });
  say(`import: ${job.status}, ${job.progress?.current ?? 0} of ${job.progress?.total ?? 0}`);
  expectSame('import status', job.status, 'COMMITTED');
  expectSame('records handled', job.progress?.current, RECORDS);
  const after = await quire.client();
  expectSame('stored ids', (await storedIds(after)).length, RECORDS);
  after.close();
}

async function killedExport(quire: QuireProcess, count: number): Promise<void> {
  const client = await quire.client();
  const ids = await storedIds(client);
  const profiles = await client.get<{ jobProfiles: { id: string }[] }>('/data-export/job-profiles');
  const { id = '' } = await client.post<FileDefinition>('/data-export/file-definitions', {
    fileName: 'kills.csv',
  });
  const uploaded = await client.upload<FileDefinition>(
    `/data-export/file-definitions/${id}/upload`,
    Readable.from(linesOf(ids)),
  );
  await client.post('/data-export/export', {
    fileDefinitionId: id,
    jobProfileId: profiles.jobProfiles[0]?.id,
  });
  client.close();
  const job = await killUntilDone(quire, count, async (one) => {
    const query = new URLSearchParams({ query: `id=="${uploaded.jobExecutionId ?? ''}"` });
    const found = await one.get<{ jobExecutions: ExportJobExecution[] }>(
      `/data-export/job-executions?${query.toString()}`,
    );
    const [first] = found.jobExecutions;
    return first && first.status !== 'IN_PROGRESS' ? first : undefined;
  });
  say(`export: ${job.status}, ${JSON.stringify(job.progress)}`);
  expectSame('export status', job.status, 'COMPLETED');
  expectSame('records exported', job.progress?.exported, RECORDS);
  await checkFile(quire, job);
}

async function checkFile(quire: QuireProcess, job: ExportJobExecution): Promise<void> {
  const client = await quire.client();
  const path = `/data-export/job-executions/${job.id}/download/${job.exportedFiles?.[0]?.fileId ?? ''}`;
  const { link } = await client.get<{ link: string }>(path);
  await client.download(link, createWriteStream(output));
  client.close();
  const bytes = await readFile(output);
  const numbers = splitFrames(bytes).map(({ offset, length }) =>
    controlText(openStored(bytes.subarray(offset, offset + length)), '001'),
  );
  expectSame('records in the file', numbers.length, RECORDS);
  expectSame('different records in the file', new Set(numbers).size, RECORDS);
}

/** Kills and starts again until the count is reached and the job has ended. */
async function killUntilDone<T>(
  quire: QuireProcess,
  count: number,
  look: (client: QuireClient) => Promise<T | undefined>,
): Promise<T> {
  for (let kill = 1; kill <= count; kill += 1) {
    const ms = moment();
    await delay(ms);
    await quire.end('SIGKILL');
    await quire.run();
    say(`  kill ${kill} of ${count}, ${ms} ms after the start`);
  }
  const deadline = performance.now() + JOB_TIMEOUT_MS;
  const client = await quire.client();
  try {
    for (;;) {
      const found = await look(client);
      if (found) return found;
      if (performance.now() > deadline) throw new Error('The job did not end.');
      await delay(POLL_MS);
    }
  } finally {
    client.close();
  }
}

/** Park and Miller's generator: the same seed, the same moments. */
function randomMoments(start: number): () => number {
  let state = start % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((state / 2_147_483_647) * MOMENT_MS);
  };
}

function expectSame(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) problems.push(`${what}: ${String(found)} instead of ${String(wanted)}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
