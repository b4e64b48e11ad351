import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchLine } from './codec.bench.js';
import { exportAll, importFile, removeFile, storedIds, writeRecords } from './job-runs.js';
import { Peak } from './peak.js';
import { QuireProcess } from './quire-process.js';

/*
 * Resident memory of the process with all five services while more and more records pass, import and export. Read from the
 * process table of Linux; elsewhere the bench says that it cannot measure.
 */
const COUNTS = [10_000, 100_000, 300_000];
const GOAL_MIB = 400;
const FLAT_RATIO = 1.15;

export async function memoryBench(records: readonly Buffer[]): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const count of COUNTS) {
    const file = await writeRecords(records, count);
    const output = join(tmpdir(), `quire-bench-${process.pid}-memory.mrc`);
    try {
      await using quire = await QuireProcess.start();
      const watch = new Peak(quire.pid);
      const client = await quire.client();
      await importFile(client, file);
      await exportAll(client, await storedIds(client), output);
      client.close();
      lines.push({
        name: `peak memory, ${count} records`,
        value: await watch.stop(),
        unit: 'MiB',
        goal: GOAL_MIB,
      });
    } finally {
      await removeFile(file);
      await removeFile(output).catch(() => undefined);
    }
  }
  const growth = (lines.at(-1)?.value ?? 0) / (lines[1]?.value ?? 1);
  return [
    ...lines,
    { name: 'memory, 300,000 to 100,000 records', value: growth, unit: 'times', goal: FLAT_RATIO },
  ];
}
