import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExportJobExecution, FileDefinition } from '@quire/contracts/data-export';
import type { ImportJobExecution, UploadDefinition } from '@quire/contracts/data-import';
import type { ImportDetails } from '@quire/contracts/import-work';
import { controlText } from '@quire/marc/fields';
import { splitFrames } from '@quire/marc/iso2709/split';
import { openStored } from '@quire/marc/iso2709/stored';
import type { QuireClient } from '@quire/quire/cli/client';
import { CommandFailure } from '@quire/quire/cli/exit-codes';
import { linesOf } from '@quire/quire/cli/export';
import { findProfile } from '@quire/quire/cli/import';
import { ENDED } from '@quire/quire/cli/jobs';
import { Gate } from './gate.js';
import type { PatientClient } from './patient-client.js';

/*
 * Imports, exports and groups of finance-storage through the public API while processes die. Each step is repeated until it
 * is answered, and the counts of a job are watched on the way: they never fall and never exceed the total (P6), and an end is
 * an end (P7). A gate stops the work where it is told to.
 */
export interface Ended {
  readonly jobId: string;
  readonly status: string;
  /** Import: records handled; export: records exported. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** What was seen on the way and may not be. */
  readonly faults: readonly string[];
}

export interface ExportedFile extends Ended {
  /** 001 of each record of the file, in its order. */
  readonly numbers: readonly string[];
  readonly sha256: string;
}

/** A group that was asked for under one `Idempotency-Key`. */
export interface MadeGroup {
  readonly id: string;
  readonly code: string;
  /** One or more. */
  readonly answers: readonly unknown[];
}

/** A job that did not end in time. */
export class Hung extends Error {
  override readonly name = 'Hung';
}

const POLL_MS = 300;
/** A UUID and the end of its line. */
const LINE_BYTES = 37;
/** From its start: the outages of a run, and 90 s after them (P1), and the work itself. */
const JOB_MS = 240_000;

export async function importFile(
  client: PatientClient,
  file: string,
  gate = new Gate(),
): Promise<Ended> {
  const key = { 'idempotency-key': randomUUID() };
  const body = { fileDefinitions: [{ name: `${randomUUID()}.mrc` }] };
  const definition = await client.ask((one) =>
    one.post<UploadDefinition>('/data-import/uploadDefinitions', body, key),
  );
  const [{ id: fileId = '', jobExecutionId: jobId = '' } = {}] = definition.fileDefinitions ?? [];
  await gate.pass('defined', jobId);
  const path = `/data-import/uploadDefinitions/${definition.id ?? ''}`;
  const { size } = await stat(file);
  await client.ask((one) =>
    one.upload(
      `${path}/files/${fileId}`,
      Readable.from(
        inHalves(createReadStream(file), size, () => gate.pass('half uploaded', fileId)),
      ),
      size,
    ),
  );
  await gate.pass('uploaded', jobId);
  const { id, name } = await client.ask((one) => findProfile(one, undefined));
  const start = {
    uploadDefinition: { id: definition.id },
    jobProfileInfo: { id, name, dataType: 'MARC' },
  };
  await client.ask((one) => one.post(`${path}/processFiles`, start, key));
  await gate.pass('started', jobId);
  const ended = await followed(client, jobId, async (one) => {
    const job = await one.get<ImportJobExecution>(`/change-manager/jobExecutions/${jobId}`);
    const { current: done = 0, total = 0 } = job.progress ?? {};
    return { status: job.status, done, failed: 0, total };
  });
  await gate.pass('ended', jobId);
  return ended;
}

/** What an import that has ended tells of its records. */
export async function importCounts(
  client: PatientClient,
  jobId: string,
): Promise<ImportDetails['counts']> {
  const path = `/data-import/jobExecutions/${jobId}/details`;
  return (await client.ask((one) => one.get<ImportDetails>(path))).counts;
}

/** The records of an import that failed, as they were received. */
export function failedRecords(
  client: PatientClient,
  jobId: string,
  gate = new Gate(),
): Promise<Buffer> {
  const path = `/data-import/jobExecutions/${jobId}/failedRecords.mrc`;
  return downloaded(client, () => Promise.resolve(path), gate);
}

export async function exportFile(
  client: PatientClient,
  ids: readonly { readonly id: string }[],
  gate = new Gate(),
): Promise<ExportedFile> {
  const key = { 'idempotency-key': randomUUID() };
  const { id = '' } = await client.ask((one) =>
    one.post<FileDefinition>('/data-export/file-definitions', { fileName: 'faults.csv' }, key),
  );
  await gate.pass('defined', id);
  const jobId = await uploadIds(client, id, ids, gate);
  await gate.pass('uploaded', jobId);
  const { jobProfiles } = await client.ask((one) =>
    one.get<{ jobProfiles: { id: string }[] }>('/data-export/job-profiles'),
  );
  const start = { fileDefinitionId: id, jobProfileId: jobProfiles[0]?.id };
  await client.ask((one) => one.post('/data-export/export', start));
  await gate.pass('started', jobId);
  const job = await followed(client, jobId, async (one) => {
    const { status, progress } = await exportJob(one, jobId);
    const { exported: done = 0, failed = 0, total = 0 } = progress ?? {};
    return { status, done, failed, total };
  });
  await gate.pass('ended', jobId);
  const bytes = job.done > 0 ? await exported(client, jobId, gate) : Buffer.alloc(0);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...job, numbers: numbersOf(bytes), sha256 };
}

/** A group of finance-storage. @param times how often it is asked for, under one key */
export async function makeGroup(
  client: PatientClient,
  times = 1,
  gate = new Gate(),
): Promise<MadeGroup> {
  const id = randomUUID();
  const group = { id, code: id, name: id, status: 'Active' };
  const key = { 'idempotency-key': randomUUID() };
  const answers: unknown[] = [];
  await gate.pass('posting', id);
  for (let time = 0; time < times; time += 1) {
    answers.push(await client.ask((one) => one.post('/finance-storage/groups', group, key)));
    await gate.pass('posted', id);
  }
  return { id, code: id, answers };
}

/** @returns id of the job execution */
async function uploadIds(
  client: PatientClient,
  definitionId: string,
  ids: readonly { readonly id: string }[],
  gate: Gate,
): Promise<string> {
  const path = `/data-export/file-definitions/${definitionId}`;
  const giveUpAt = performance.now() + JOB_MS;
  for (;;) {
    try {
      const uploaded = await client.ask((one) =>
        one.upload<FileDefinition>(
          `${path}/upload`,
          Readable.from(
            inHalves(linesOf(ids), ids.length * LINE_BYTES, () =>
              gate.pass('half uploaded', definitionId),
            ),
          ),
        ),
      );
      return uploaded.jobExecutionId ?? '';
    } catch (error) {
      // The upload before is in the way: it ended and its answer was lost, or its worker died and its lease has not ended.
      if (!(error instanceof CommandFailure) || performance.now() > giveUpAt) throw error;
      const { status, jobExecutionId = '' } = await client.ask((one) =>
        one.get<FileDefinition>(path),
      );
      if (status === 'COMPLETED') return jobExecutionId;
      await delay(POLL_MS);
    }
  }
}

async function exportJob(client: QuireClient, jobId: string): Promise<ExportJobExecution> {
  const query = new URLSearchParams({ query: `id=="${jobId}"` }).toString();
  const found = await client.get<{ jobExecutions: ExportJobExecution[] }>(
    `/data-export/job-executions?${query}`,
  );
  const [job] = found.jobExecutions;
  if (!job) throw new Error(`The export ${jobId} is gone.`);
  return job;
}

async function exported(client: PatientClient, jobId: string, gate: Gate): Promise<Buffer> {
  const job = await client.ask((one) => exportJob(one, jobId));
  const path = `/data-export/job-executions/${jobId}/download/${job.exportedFiles?.[0]?.fileId ?? ''}`;
  return downloaded(client, async (one) => (await one.get<{ link: string }>(path)).link, gate);
}

/** @param urlOf is asked anew for each try */
async function downloaded(
  client: PatientClient,
  urlOf: (client: QuireClient) => Promise<string>,
  gate: Gate,
): Promise<Buffer> {
  return client.ask(async (one) => {
    const parts: Buffer[] = [];
    const sink = new Writable({
      write: (part: Buffer, _encoding, done) => {
        parts.push(part);
        // Who reads no further lets the bytes behind it wait in every process on their way.
        void gate.pass('half downloaded').then(() => done());
      },
    });
    await one.download(await urlOf(one), sink);
    return Buffer.concat(parts);
  });
}

function numbersOf(bytes: Buffer): string[] {
  return splitFrames(bytes).map(
    ({ offset, length }) =>
      controlText(openStored(bytes.subarray(offset, offset + length)), '001') ?? '',
  );
}

/** Passes parts on, and waits once, when half of the bytes have gone. */
async function* inHalves(
  parts: AsyncIterable<Buffer> | Iterable<Buffer>,
  size: number,
  atHalf: () => Promise<void>,
): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const part of parts) {
    const before = sent;
    sent += part.length;
    yield part;
    if (before < size / 2 && sent >= size / 2) await atHalf();
  }
}

type Look = Pick<Ended, 'status' | 'done' | 'failed' | 'total'>;

/** Polls until the job has ended. @throws Hung */
async function followed(
  client: PatientClient,
  jobId: string,
  look: (client: QuireClient) => Promise<Look>,
): Promise<Ended> {
  const giveUpAt = performance.now() + JOB_MS + client.outageMs;
  const faults: string[] = [];
  let most = 0;
  for (;;) {
    const seen = await client.ask(look);
    const { status, done, failed, total } = seen;
    if (done + failed < most) faults.push(`${jobId}: ${done + failed} records after ${most}`);
    if (total > 0 && done + failed > total)
      faults.push(`${jobId}: ${done + failed} of ${total} records`);
    most = Math.max(most, done + failed);
    if (ENDED.has(status)) return { jobId, ...seen, faults };
    if (performance.now() > giveUpAt)
      throw new Hung(`${jobId} is ${status} with ${done + failed} of ${total}`);
    await delay(POLL_MS);
  }
}
