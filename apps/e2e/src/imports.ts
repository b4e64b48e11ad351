import { importEnds, startImport, type ImportStart } from './steps.js';
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

/** Imports one file and looks at the job the way its cataloguer would: status, details, log. */
export async function imported(
  person: Person,
  file: Uint8Array,
  start: ImportStart = {},
): Promise<Imported> {
  return outcomeOf(person, await startImport(person, file, start));
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
