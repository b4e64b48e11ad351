import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchLine } from './codec.bench.js';
import { exportAll, importFile, removeFile, storedIds, writeRecords } from './job-runs.js';
import { QuireProcess } from './quire-process.js';

/*
 * Resident memory of the process with all five services while more and more records pass, import and export. Read from the
 * process table of Linux; elsewhere the bench says that it cannot measure.
 */
const COUNTS = [10_000, 100_000, 300_000];
const SAMPLE_MS = 200;
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

/** Samples the resident memory of a process and keeps the largest value. */
class Peak {
  private mib = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.timer = setInterval(() => void this.sample(), SAMPLE_MS);
  }

  async stop(): Promise<number> {
    clearInterval(this.timer);
    await this.sample();
    return this.mib;
  }

  private async sample(): Promise<void> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8').catch(() => '');
    const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    this.mib = Math.max(this.mib, kib / 1024);
  }
}
