import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the command line has to know of an embedded instance: kept in its data directory while it runs. */
export interface Instance {
  readonly pid: number;
  readonly url: string;
  readonly tenant: string;
  readonly username: string;
}

const fileOf = (dataDir: string): string => join(dataDir, 'instance.json');

export async function announceInstance(dataDir: string, instance: Instance): Promise<void> {
  await writeFile(fileOf(dataDir), `${JSON.stringify(instance)}\n`);
}

export async function withdrawInstance(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
}

/** The instance that runs on this data directory; undefined when none does, also after a kill. */
export async function readInstance(dataDir: string): Promise<Instance | undefined> {
  try {
    const instance = JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as Instance;
    process.kill(instance.pid, 0);
    return instance;
  } catch {
    return undefined;
  }
}
