import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { MigrationClass, ServiceSchema } from './migrate.js';

/**
 * Tables that somebody else makes (`quire migrate`): a service that starts before them, or before the database itself, waits
 * and comes up by itself. It never makes them: with several replicas and versions at work that is a step of its own.
 */
const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 5000;

export interface Waiting {
  /** Ends the waiting with the signal's reason. */
  readonly signal: AbortSignal;
  /** Told why, each time that the reason is another one. */
  readonly onWait: (reason: string) => void;
}

/** @param open of the service's app role; called again after it failed, for whatever reason */
export async function openPrepared(
  open: () => Promise<DataSource>,
  schema: ServiceSchema,
  { signal, onWait }: Waiting,
): Promise<DataSource> {
  let last = '';
  for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
    signal.throwIfAborted();
    const found = await attempt(open, schema);
    if (typeof found !== 'string') return found;
    if (found !== last) onWait(found);
    last = found;
    await delay(pauseMs, undefined, { signal });
  }
}

/** The open tables, or why there are none. */
async function attempt(
  open: () => Promise<DataSource>,
  { schema, migrations }: ServiceSchema,
): Promise<DataSource | string> {
  let source: DataSource | undefined;
  try {
    source = await open();
    const rows = await source.query<{ name: string }[]>(`select name from ${schema}.migration`);
    const done = new Set(rows.map((row) => row.name));
    const missing = migrations.map(nameOf).filter((name) => !done.has(name));
    if (missing.length === 0) return source;
    await source.destroy();
    return `the migrations of ${schema} (${missing.join(', ')}): run quire migrate`;
  } catch (error) {
    await source?.destroy();
    return `the database: ${reasonOf(error)}`;
  }
}

/** As TypeORM writes it down: of those that are made by a function only an instance knows it. */
const nameOf = (Migration: MigrationClass): string => new Migration().name ?? Migration.name;

/** Several addresses of a host that refuse come as one error without a message. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message === undefined || message === '' ? (code ?? String(error)) : message;
}
