import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { generateMarc } from '@quire/testing/marc';
import { storedIds } from '../bench/job-runs.js';
import { PatientClient } from './patient-client.js';
import { ProcessLog } from './process-log.js';
import type { Stage } from './stage.js';
import { importFile } from './workload.js';

export type Ids = readonly { readonly id: string }[];

/** The folder of what some runs import, and of what their processes write. It stays when anything was wrong. */
export class RunFiles {
  readonly log: ProcessLog;

  private constructor(
    readonly folder: string,
    /** Records of a file at most. */
    private readonly most: number,
  ) {
    this.log = new ProcessLog(join(folder, 'processes.log'));
  }

  static async make(name: string, most: number): Promise<RunFiles> {
    return new RunFiles(await mkdtemp(join(tmpdir(), `quire-${name}-`)), most);
  }

  /** Records that no file of another number has. Whoever asked for it removes it. */
  async newFile(number: number, count = this.most): Promise<string> {
    const file = join(this.folder, `${number}.mrc`);
    const records = generateMarc(number + 1, count, number * this.most);
    await pipeline(Readable.from(records), createWriteStream(file));
    return file;
  }

  /** Imports file 0. @returns the ids of its records, for exports */
  async importFirst({ fleet }: Stage): Promise<Ids> {
    const file = await this.newFile(0);
    const client = PatientClient.of(fleet.urls, fleet.password);
    try {
      const { status, done } = await importFile(client, file);
      if (status !== 'COMMITTED' || done !== this.most)
        throw new Error(`The first import ended ${status} with ${done} records.`);
      return await client.ask(storedIds);
    } finally {
      client.close();
      await rm(file);
    }
  }

  /** Removes the folder, or says where it is. */
  async end(isGood: boolean): Promise<void> {
    if (isGood) await rm(this.folder, { recursive: true, force: true });
    else say(`What the processes wrote: ${this.folder}`);
  }
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
