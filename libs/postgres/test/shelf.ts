import type { Scope } from '@quire/contracts/scope';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { houseTables, protect } from '../src/house-tables.js';
import {
  openSource,
  prepareDatabase,
  type MigrationClass,
  type PasswordOf,
  type ServiceSchema,
} from '../src/migrate.js';

/** A made-up service with one table besides those of the house, in a database of its own. */
export const ALMA: Scope = { tenantId: 'alma', actorId: 'a0000000-0000-4000-8000-000000000001' };
export const BERTA: Scope = { tenantId: 'berta', actorId: 'b0000000-0000-4000-8000-000000000002' };

/** Characters that mean something in SQL, in a URL and in a DO block. */
export const passwordOf: PasswordOf = (role) => `${role}: it's @home/100%?$$#`;

/** Roles are the whole server's, so that every spec file has a schema of its own. */
export function shelfSchema(schema: string, ...more: readonly string[]): ServiceSchema {
  return { service: 'data-export', schema, migrations: [shelfMigration(schema, more)] };
}

function shelfMigration(schema: string, more: readonly string[]): MigrationClass {
  return class Shelf1700000000000 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      const statements = [
        ...houseTables(schema),
        `create table book (tenant_id text not null, id int not null, title text, primary key (tenant_id, id))`,
        ...protect(schema, 'book'),
        ...more,
      ];
      for (const statement of statements) await runner.query(statement);
    }

    down(): Promise<void> {
      return Promise.reject(new Error('There is no way back.'));
    }
  };
}

export interface Shelf extends AsyncDisposable {
  /** Superuser. */
  readonly adminUrl: string;
  readonly source: DataSource;
}

/** @param database empty; the shelf closes it */
export async function openShelf(
  database: AsyncDisposable & { readonly url: string },
  schema: string,
  ...more: readonly string[]
): Promise<Shelf> {
  const opened = new AsyncDisposableStack();
  opened.use(database);
  await prepareDatabase(database.url, [shelfSchema(schema, ...more)], passwordOf);
  const source = await openSource(database.url, schema, passwordOf, {
    poolSize: 4,
    waitMs: 20_000,
  });
  opened.defer(() => source.destroy());
  return {
    adminUrl: database.url,
    source,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** SQLSTATE of the error that the work ends with. */
export async function sqlState(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { code?: string } | undefined)?.code ?? `no SQLSTATE: ${String(error)}`;
}
