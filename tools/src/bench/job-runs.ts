import { Readable } from 'node:stream';
import { createWriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuireClient } from '@quire/quire/cli/client';
import { exportIds, linesOf, type ExportOutcome } from '@quire/quire/cli/export';
import { findProfile, follow, startImport } from '@quire/quire/cli/import';
import type { ImportOutcome } from '@quire/quire/cli/import-report';
import { Progress } from '@quire/quire/cli/progress';
import { openStored } from '@quire/marc/iso2709/stored';
import { controlField, fieldBytes, writeRecord } from '@quire/marc/iso2709/write';

/** One import and one export through the public API, as a bench or a test of kills runs them. */
const TIMEOUT_MS = 1_800_000;
const quiet = new Progress(false, false);

export async function importFile(client: QuireClient, file: string): Promise<ImportOutcome> {
  const profile = await findProfile(client, undefined);
  const started = await startImport(client, file, { profile }, quiet);
  return follow(client, started, TIMEOUT_MS, quiet);
}

export async function storedIds(client: QuireClient): Promise<{ id: string }[]> {
  const { ids } = await client.get<{ ids: { id: string }[] }>(
    '/instance-bulk/ids?limit=2147483647',
  );
  return ids;
}

export function exportAll(
  client: QuireClient,
  ids: readonly { readonly id: string }[],
  output: string,
): Promise<ExportOutcome> {
  const source = { fileName: 'bench.csv', lines: Readable.from(linesOf(ids)) };
  return exportIds(client, source, {
    profile: undefined,
    output,
    timeout: TIMEOUT_MS,
    progress: quiet,
  });
}

/**
 * Writes `count` records to a file, drawn from `records` in turn, each with a 001 of its own. Gives the path; the caller
 * removes it.
 */
export async function writeRecords(records: readonly Buffer[], count: number): Promise<string> {
  const file = join(tmpdir(), `quire-bench-${process.pid}-${count}.mrc`);
  await pipeline(Readable.from(drawn(records, count)), createWriteStream(file));
  return file;
}

const RECORDS_A_WRITE = 500;

function* drawn(records: readonly Buffer[], count: number): Generator<Buffer> {
  for (let from = 0; from < count; from += RECORDS_A_WRITE) {
    const length = Math.min(RECORDS_A_WRITE, count - from);
    yield Buffer.concat(Array.from({ length }, (_, index) => numbered(records, from + index)));
  }
}

export const removeFile = (file: string): Promise<void> => unlink(file);

/** A record, with a 001 of its own: the same number many times would be one record's generations otherwise. */
function numbered(records: readonly Buffer[], index: number): Buffer {
  const bytes = records[index % records.length];
  if (!bytes) throw new Error('There is no record to draw from.');
  const fields = fieldBytes(openStored(bytes)).filter(({ tag }) => tag !== '001' && tag !== '999');
  const leader = bytes.toString('latin1', 0, 24);
  const id = controlField('001', `b${String(index).padStart(8, '0')}`);
  const written = writeRecord(leader, [id, ...fields]);
  if (written.failed) throw new Error(`A drawn record cannot be written: ${written.code}`);
  return written.bytes;
}
