import { readFile } from 'node:fs/promises';

const SAMPLE_MS = 200;

/** Samples the resident memory of a process, from the process table of Linux, and keeps the largest value. */
export class Peak {
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
