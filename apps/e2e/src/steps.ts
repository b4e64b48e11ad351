import { setTimeout as delay } from 'node:timers/promises';
import type {
  ExportJobExecution,
  FileDefinition,
  DownloadLink,
} from '@quire/contracts/data-export';
import type { ImportJobExecution, SeedUploadDefinition } from '@quire/contracts/data-import';
import type { SourceRecords } from '@quire/contracts/source-records';
import { fetchOnce, type Person } from './world.js';

/** Steps that several stories take. A poll is what a client does; nothing here waits for a fixed time. */
const POLL_MS = 20;
const PATIENCE_MS = 50_000;
export const DEFAULT_PROFILE = {
  id: '36a83bc5-9fef-4baa-a36d-7a0f34351dfa',
  name: 'Quire - Create MARC records',
  dataType: 'MARC',
};
export const DEFAULT_EXPORT_PROFILE = '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a';

export interface ImportStart {
  readonly name?: string;
  readonly profile?: object;
  /** `X-Quire-Import-Options`. */
  readonly options?: string;
}

/** Definition, upload and processFiles, through the seed family; gives the id of the job. */
export async function startImport(
  person: Person,
  file: Uint8Array,
  { name = 'story.mrc', profile = DEFAULT_PROFILE, options }: ImportStart = {},
): Promise<string> {
  const definition = await person.post<SeedUploadDefinition>('/data-import/upload/definition', {
    fileDefinitions: [{ name }],
  });
  const id = definition.id ?? '';
  const one = definition.fileDefinitions?.[0];
  await person.upload(
    `/data-import/upload/file?uploadDefinitionId=${id}&fileId=${one?.id ?? ''}`,
    file,
  );
  const started = await person.send('POST', `/data-import/uploadDefinitions/${id}/processFiles`, {
    json: { uploadDefinition: { id }, jobProfileInfo: profile },
    headers: options === undefined ? {} : { 'x-quire-import-options': options },
  });
  if (started.status !== 204) throw new Error(`processFiles: ${started.status} ${started.text}`);
  return one?.jobExecutionId ?? '';
}

export async function importEnds(person: Person, id: string): Promise<ImportJobExecution> {
  return until(
    () => person.get<ImportJobExecution>(`/change-manager/jobExecutions/${id}`),
    (job) => job.status === 'COMMITTED' || job.status === 'ERROR',
  );
}

/** Instance ids of what an import stored, in the order of its file. */
export async function instanceIds(person: Person, snapshotId: string): Promise<string[]> {
  const path = `/source-storage/source-records?snapshotId=${snapshotId}&orderBy=order&limit=2147483647`;
  const { sourceRecords } = await person.get<SourceRecords>(path);
  return sourceRecords.map((record) => record.externalIdsHolder?.instanceId ?? '');
}

/** Steps 2 to 5 of seed 004. */
export async function runExport(
  person: Person,
  lines: string,
  jobProfileId = DEFAULT_EXPORT_PROFILE,
): Promise<ExportJobExecution> {
  return exportEnds(person, await startExport(person, lines, jobProfileId));
}

/** Definition, upload and start; gives the id of the job. */
export async function startExport(
  person: Person,
  lines: string,
  jobProfileId = DEFAULT_EXPORT_PROFILE,
): Promise<string> {
  const definition = await person.post<FileDefinition>('/data-export/file-definitions', {
    fileName: 'story.csv',
  });
  const id = definition.id ?? '';
  const uploaded = await person.upload<FileDefinition>(
    `/data-export/file-definitions/${id}/upload`,
    lines,
  );
  await person.post('/data-export/export', { fileDefinitionId: id, jobProfileId }, 204);
  return uploaded.jobExecutionId ?? '';
}

export async function exportEnds(person: Person, id: string): Promise<ExportJobExecution> {
  const path = `/data-export/job-executions?query=id=="${id}"`;
  const { jobExecutions } = await until(
    () => person.get<{ jobExecutions: ExportJobExecution[] }>(path),
    (found) => !['NEW', 'IN_PROGRESS'].includes(found.jobExecutions[0]?.status ?? 'NEW'),
  );
  const [job] = jobExecutions;
  if (!job) throw new Error(`There is no job ${id}.`);
  return job;
}

/** Step 6: the link and its bytes. */
export async function download(person: Person, job: ExportJobExecution): Promise<Buffer> {
  const fileId = job.exportedFiles?.[0]?.fileId ?? '';
  const { link } = await person.get<DownloadLink>(
    `/data-export/job-executions/${job.id}/download/${fileId}`,
  );
  const response = await fetchOnce(link);
  if (response.status !== 200) throw new Error(`The link answered ${response.status}.`);
  return Buffer.from(await response.arrayBuffer());
}

export async function until<T>(look: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (done(value)) return value;
    if (performance.now() > deadline) throw new Error(`It did not end: ${JSON.stringify(value)}`);
    await delay(POLL_MS);
  }
}
