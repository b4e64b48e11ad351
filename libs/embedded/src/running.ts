import { readFile } from 'node:fs/promises';

/** Line of `postmaster.pid` that has the port, counted from 0. */
const PORT_LINE = 3;

/**
 * Address of the PostgreSQL that another process runs in this data folder: superuser, password included, not for logs.
 * Undefined when none runs.
 */
export async function runningPostgresUrl(dataDir: string): Promise<string | undefined> {
  try {
    const lines = (await readFile(`${dataDir}/postmaster.pid`, 'utf8')).split('\n');
    const password = (await readFile(`${dataDir}.password`, 'utf8')).trim();
    const port = lines[PORT_LINE]?.trim() ?? '';
    return port === '' ? undefined : `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
