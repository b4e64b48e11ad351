import { importEnds } from './steps.js';
import type { Person } from './world.js';

/** What became of a file, as its cataloguer can see it. */
export interface Imported {
  readonly id: string;
  readonly status: string;
  readonly errorStatus?: string;
  readonly result?: string;
  readonly created: number;
  readonly failed: number;
  /** Codes of the failed records, in the order of the file. */
  readonly errors: readonly string[];
  /** Number of records with a warning of each code. */
  readonly warnings: Readonly<Record<string, number>>;
  /** Texts of the job's messages. */
  readonly messages: readonly string[];
}

export interface ImportStart {
  readonly profile?: { readonly id: string; readonly name?: string; readonly dataType?: string };
  /** `X-Quire-Import-Options`. */
  readonly options?: string;
  readonly name?: string;
}

const CREATE = { id: '36a83bc5-9fef-4baa-a36d-7a0f34351dfa', dataType: 'MARC' };

/** Imports one file and looks at the job the way its cataloguer would: status, details, log. */
export async function imported(
  person: Person,
  file: Uint8Array,
  { profile = CREATE, options, name = 'story.mrc' }: ImportStart = {},
): Promise<Imported> {
  const definition = await person.post<{
    id: string;
    fileDefinitions: { id: string; jobExecutionId: string }[];
  }>('/data-import/upload/definition', { fileDefinitions: [{ name }] });
  const [one] = definition.fileDefinitions;
  const target = `/data-import/upload/file?uploadDefinitionId=${definition.id}&fileId=${one?.id ?? ''}`;
  await person.upload(target, file);
  const started = await person.send(
    'POST',
    `/data-import/uploadDefinitions/${definition.id}/processFiles`,
    {
      json: { uploadDefinition: { id: definition.id }, jobProfileInfo: profile },
      headers: options === undefined ? {} : { 'x-quire-import-options': options },
    },
  );
  if (started.status !== 204) throw new Error(`processFiles: ${started.status} ${started.text}`);
  return outcomeOf(person, one?.jobExecutionId ?? '');
}

async function outcomeOf(person: Person, id: string): Promise<Imported> {
  const job = await importEnds(person, id);
  const details = await person.get<{
    counts: { created: number; failed: number };
    warnings: Record<string, number>;
    messages: { text: string }[];
  }>(`/data-import/jobExecutions/${id}/details`);
  const { entries } = await person.get<{ entries: { error: string }[] }>(
    `/metadata-provider/jobLogEntries/${id}?errorsOnly=true&limit=1000`,
  );
  return {
    id,
    status: job.status,
    ...(job.errorStatus === undefined ? {} : { errorStatus: job.errorStatus }),
    ...(job.result === undefined ? {} : { result: job.result }),
    created: details.counts.created,
    failed: details.counts.failed,
    errors: entries.map((entry) => codeOf(entry.error)),
    warnings: details.warnings,
    messages: details.messages.map((message) => message.text),
  };
}

/** The code of a parse error; of the checks, whose texts are FOLIO's, the text itself. */
function codeOf(error: string): string {
  try {
    return (JSON.parse(error) as { errors: { name: string }[] }).errors[0]?.name ?? error;
  } catch {
    return error;
  }
}
