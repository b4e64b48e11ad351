import { Readable } from 'node:stream';
import type { ExportJobExecution, FileDefinition, ErrorLog } from '@quire/contracts/data-export';
import { DEFAULT_EXPORT_PROFILE, exportEnds } from './steps.js';
import { fetchOnce, type Answer, type Person, type World } from './world.js';

/** Bytes of a file: as they are, or made while they are sent. */
export type FileBytes = string | Uint8Array | Iterable<string | Uint8Array>;

/** What people hand to an export, and what becomes of it: the steps of the rows of reliability 18.5. */
export class ExportInputs {
  constructor(
    private readonly world: World,
    private readonly person: Person,
  ) {}

  define(definition: object): Promise<Answer> {
    return this.person.send('POST', '/data-export/file-definitions', { json: definition });
  }

  async defined(definition: object = {}): Promise<string> {
    const made = await this.define({ fileName: 'ids.csv', ...definition });
    return (made.json as FileDefinition).id ?? '';
  }

  async status(id: string): Promise<string | undefined> {
    const path = `/data-export/file-definitions/${id}`;
    return (await this.person.get<FileDefinition>(path)).status;
  }

  /** Chunked, so that nobody knows the length before the end. */
  async upload(id: string, bytes: FileBytes): Promise<{ status: number; text: string }> {
    const whole = typeof bytes === 'string' || bytes instanceof Uint8Array;
    const body = Readable.toWeb(Readable.from(whole ? [Buffer.from(bytes)] : bytes));
    const init = {
      method: 'POST',
      headers: { ...this.person.headers, 'content-type': 'application/octet-stream' },
      body,
      duplex: 'half',
    };
    const target = `${this.world.url}/data-export/file-definitions/${id}/upload`;
    const response = await fetchOnce(target, init as unknown as RequestInit);
    return { status: response.status, text: await response.text() };
  }

  start(fileDefinitionId: string, more: object = {}): Promise<Answer> {
    const json = { fileDefinitionId, jobProfileId: DEFAULT_EXPORT_PROFILE, ...more };
    return this.person.send('POST', '/data-export/export', { json });
  }

  /** Definition, upload, export and its end. */
  async exported(bytes: FileBytes, definition: object = {}): Promise<ExportJobExecution> {
    const id = await this.defined(definition);
    const sent = await this.upload(id, bytes);
    if (sent.status !== 200) throw new Error(`${sent.status} ${sent.text}`);
    const started = await this.start(id);
    if (started.status !== 204) throw new Error(`${started.status} ${started.text}`);
    return exportEnds(this.person, started.headers.get('x-job-execution-id') ?? '');
  }

  quick(json: object): Promise<Answer> {
    return this.person.send('POST', '/data-export/quick-export', { json });
  }

  /** Codes of a job's log rows with their values. */
  async logs(jobId: string): Promise<Map<string, readonly string[]>> {
    const path = `/data-export/logs?query=jobExecutionId==${jobId}&limit=10000`;
    const { errorLogs } = await this.person.get<{ errorLogs: ErrorLog[] }>(path);
    return new Map(
      errorLogs.map((log) => [log.errorMessageCode ?? '', log.errorMessageValues ?? []]),
    );
  }

  link(job: ExportJobExecution, fileId = job.exportedFiles?.[0]?.fileId): Promise<Answer> {
    const path = `/data-export/job-executions/${job.id}/download/${fileId ?? ''}`;
    return this.person.send('GET', path);
  }
}

/** Rows of a CSV file (RFC 4180) without its header. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [cell, quoted, bare = '', end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g,
  )) {
    if (cell === '' && row.length === 0) break;
    row.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows.slice(1);
}
