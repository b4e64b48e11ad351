import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { houseTables, protect } from '@quire/postgres/house-tables';
import { openSource, prepareDatabase } from '@quire/postgres/migrate';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { transitionTables, type Transitions } from '../src/transitions.js';

/** A made-up service with jobs, in a database of its own. */
export const ALMA: Scope = { tenantId: 'alma', actorId: 'a0000000-0000-4000-8000-000000000001' };
export const BERTA: Scope = { tenantId: 'berta', actorId: 'b0000000-0000-4000-8000-000000000002' };

export type Status = 'NEW' | 'RUNNING' | 'DONE' | 'FAILED';
export const TRANSITIONS: Transitions<Status> = {
  NEW: ['RUNNING', 'FAILED'],
  RUNNING: ['DONE', 'FAILED'],
  DONE: [],
  FAILED: [],
};

export interface Desk extends AsyncDisposable {
  readonly source: DataSource;
  /** One more replica, with a pool of its own. */
  open(poolSize: number, applicationName?: string): Promise<DataSource>;
}

/**
 * @param database empty; the desk closes it
 * @param schema one per spec file, because roles are the whole server's
 */
export async function openDesk(
  database: AsyncDisposable & { readonly url: string },
  schema: string,
): Promise<Desk> {
  class Desk1700000000000 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      const statements = [
        ...houseTables(schema),
        `create table job_execution (tenant_id text not null, id uuid not null, status text not null default 'NEW',
           version bigint not null default 0, note text, primary key (tenant_id, id))`,
        ...protect(schema, 'job_execution'),
        ...transitionTables(schema, TRANSITIONS),
      ];
      for (const statement of statements) await runner.query(statement);
    }

    down(): Promise<void> {
      return Promise.reject(new Error('There is no way back.'));
    }
  }
  const passwordOf = (role: string) => `${role}-secret`;
  const opened = new AsyncDisposableStack();
  opened.use(database);
  await prepareDatabase(
    database.url,
    [{ service: 'data-export', schema, migrations: [Desk1700000000000] }],
    passwordOf,
  );
  const open = async (poolSize: number, applicationName = schema) => {
    const source = await openSource(database.url, schema, passwordOf, {
      waitMs: 20_000,
      poolSize,
      applicationName,
    });
    opened.defer(() => source.destroy());
    return source;
  };
  return {
    source: await open(4),
    open,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export const SILENT: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const PATIENCE_MS = 50_000;
const LOOK_MS = 5;

/** Asks the database until it says so. */
export async function until(source: DataSource, condition: string): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const [row] = await source.query<{ so: boolean }[]>(`select (${condition}) as so`);
    if (row?.so) return;
    if (performance.now() - startedMs > PATIENCE_MS)
      throw new Error(`It did not come: ${condition}`);
    await delay(LOOK_MS);
  }
}
