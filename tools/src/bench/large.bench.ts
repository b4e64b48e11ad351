import { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuireClient } from '@quire/quire/cli/client';
import { exportIds } from '@quire/quire/cli/export';
import { Progress } from '@quire/quire/cli/progress';
import type { BenchLine } from './codec.bench.js';
import { exportAll, importFile, removeFile, storedIds, writeRecords } from './job-runs.js';
import { Peak } from './peak.js';
import { QuireProcess } from './quire-process.js';

/*
 * The largest inputs that Quire takes (reliability, P9): a file of just under 2 GiB, an export of a million ids of it, and
 * a file of ids that is one line of 500 MB. Resident memory of the process with all five services, one process for all, so
 * that what stays behind from one would show in the next.
 */
const FILE_BYTES = 2 ** 31 - 2 ** 20;
const IDS = 1_000_000;
const LINE_BYTES = 500_000_000 - 1_000_000;
const PIECE = Buffer.alloc(1_000_000, 'x');
const GOAL_MIB = 400;

export async function largeBench(records: readonly Buffer[]): Promise<BenchLine[]> {
  const mean = records.reduce((sum, record) => sum + record.length, 0) / records.length;
  const file = await writeRecords(records, Math.floor(FILE_BYTES / (mean + 10)));
  const output = join(tmpdir(), `quire-bench-${process.pid}-large.mrc`);
  try {
    await using quire = await QuireProcess.start();
    const client = await quire.client();
    const measure = async (name: string, work: () => Promise<unknown>): Promise<BenchLine> => {
      const peak = new Peak(quire.pid);
      await work();
      return { name, value: await peak.stop(), unit: 'MiB', goal: GOAL_MIB };
    };
    const lines = [
      await measure('peak memory, a file of 2 GiB in', () => importFile(client, file)),
      await measure('peak memory, a million ids out', async () =>
        exportAll(client, (await storedIds(client)).slice(0, IDS), output),
      ),
      await measure('peak memory, one line of 500 MB', () => oneLine(client, output)),
    ];
    client.close();
    return lines;
  } finally {
    await removeFile(file);
    await removeFile(output).catch(() => undefined);
  }
}

/** It is one invalid line; the job ends FAIL and says so. */
async function oneLine(client: QuireClient, output: string): Promise<void> {
  const lines = Readable.from(repeat(LINE_BYTES / PIECE.length));
  const options = {
    profile: undefined,
    output,
    timeout: 600_000,
    progress: new Progress(false, false),
  };
  await exportIds(client, { fileName: 'line.csv', lines }, options).catch((error: unknown) => {
    if (!String(error).includes('FAIL')) process.stderr.write(`${String(error)}\n`);
  });
}

function* repeat(times: number): Generator<Buffer> {
  for (let index = 0; index < times; index += 1) yield PIECE;
}
