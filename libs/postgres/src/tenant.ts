import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { PoolClient } from 'pg';
import type { Scope } from '@quire/contracts/scope';
import { copyOneValue, type LiteralParameter } from './copy-out.js';

/**
 * The one place where a tenant is set. Every access to a service's tables goes through a transaction opened here: it sets
 * tenant and actor for its own length, so nothing stays on a pooled connection, and the policies of row-level security
 * turn a query without tenant into an error. Stores take a {@link TenantRead} to read and a {@link TenantTx} to write and
 * nothing else; neither can be made elsewhere.
 *
 * `withTenant` retries its work on serialization failures and deadlocks, so the work has no effect outside its transaction.
 */
type Row = Record<string, unknown>;

/** Serialization failure, deadlock: the whole transaction is run again. */
const RETRIED = new Set(['40001', '40P01']);
const ATTEMPTS_MAX = 5;

/** A pool client is held by the transaction; only this file makes these. */
const MAKE = Symbol('made in tenant.ts');

export class TenantRead {
  readonly #client: PoolClient;
  #cursors = 0;

  constructor(
    made: typeof MAKE,
    readonly scope: Scope,
    client: PoolClient,
  ) {
    if (made !== MAKE) throw new Error('A tenant transaction is made by withTenant or readTenant.');
    this.#client = client;
  }

  get tenantId(): string {
    return this.scope.tenantId;
  }

  async query<R extends object = Row>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
    const result = await this.#client.query<R>(sql, params as unknown[]);
    return result.rows;
  }

  async one<R extends object = Row>(
    sql: string,
    params: readonly unknown[] = [],
  ): Promise<R | undefined> {
    return (await this.query<R>(sql, params))[0];
  }

  /** The one `bytea` of the first row, as the server sends it, in pieces; see `copy-out.ts`. */
  bytes(sql: string, params: readonly LiteralParameter[]): AsyncGenerator<Buffer> {
    return copyOneValue(this.#client, sql, params);
  }

  /**
   * Rows in batches, read as they are asked for: memory does not follow the length of the answer. Other statements may run
   * between two batches.
   *
   * NOTE: a cursor of SQL, not the suspended portal of pg-cursor: the time limit for statements goes on counting while
   * a portal is suspended, so that no answer could take longer than 60 s (tried). Here each batch has its own.
   */
  async *cursor<R extends object = Row>(
    sql: string,
    params: readonly unknown[],
    batchRows: number,
  ): AsyncGenerator<R[]> {
    this.#cursors += 1;
    const name = `cursor_${this.#cursors}`;
    await this.#client.query(`declare ${name} no scroll cursor for ${sql}`, params as unknown[]);
    try {
      for (;;) {
        const rows = await this.query<R>(`fetch forward ${batchRows} from ${name}`);
        if (rows.length > 0) yield rows;
        if (rows.length < batchRows) return;
      }
    } finally {
      // After an error the transaction is lost, and the cursor with it.
      await this.#client.query(`close ${name}`).catch(() => undefined);
    }
  }

  protected async run(sql: string, params: readonly unknown[]): Promise<number> {
    const result = await this.#client.query(sql, params as unknown[]);
    return result.rowCount ?? 0;
  }
}

export class TenantTx extends TenantRead {
  /** Only a writing transaction has it: a store's write that is handed a `TenantRead` does not compile. */
  readonly writes = true;

  /** Number of rows that the statement changed. */
  execute(sql: string, params: readonly unknown[] = []): Promise<number> {
    return this.run(sql, params);
  }

  /** What `work` wrote is undone when it throws; the transaction goes on. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    await this.run('savepoint inner_work', []);
    try {
      const result = await work();
      await this.run('release savepoint inner_work', []);
      return result;
    } catch (error) {
      await this.run('rollback to savepoint inner_work', []);
      throw error;
    }
  }
}

/** Runs `work` in one writing transaction of the tenant. */
export async function withTenant<T>(
  source: DataSource,
  scope: Scope,
  work: (tx: TenantTx) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(source, 'begin', scope, (client) =>
        work(new TenantTx(MAKE, scope, client)),
      );
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !RETRIED.has(codeOf(error))) throw error;
      await delay(Math.random() * 20 * 2 ** attempt);
    }
  }
}

/** Runs `work` in one read-only transaction over one snapshot of the database. */
export function readTenant<T>(
  source: DataSource,
  scope: Scope,
  work: (tx: TenantRead) => Promise<T>,
): Promise<T> {
  return inTransaction(source, READ_ONLY, scope, (client) =>
    work(new TenantRead(MAKE, scope, client)),
  );
}

const READ_ONLY = 'begin isolation level repeatable read read only';

/** As `readTenant`; the transaction stays open until the stream has ended or is given up. */
export async function* streamTenant<T>(
  source: DataSource,
  scope: Scope,
  work: (tx: TenantRead) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const connection = await Connection.open(source);
  try {
    await connection.begin(READ_ONLY, scope);
    yield* work(new TenantRead(MAKE, scope, connection.client));
    await connection.commit();
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

/** For the `security definer` functions that look across tenants (claims, release, relay); tables are out of reach. */
export interface SystemCalls {
  call<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<R[]>;
}

export async function asSystem<T>(
  source: DataSource,
  work: (system: SystemCalls) => Promise<T>,
): Promise<T> {
  const connection = await Connection.open(source);
  const { client } = connection;
  try {
    return await work({
      call: async <R extends object>(sql: string, params: readonly unknown[] = []) =>
        (await client.query<R>(sql, params as unknown[])).rows,
    });
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

async function inTransaction<T>(
  source: DataSource,
  begin: string,
  scope: Scope,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const connection = await Connection.open(source);
  try {
    await connection.begin(begin, scope);
    const result = await work(connection.client);
    await connection.commit();
    return result;
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

/** One pooled connection, and the promise that no open transaction goes back to the pool. */
class Connection implements AsyncDisposable {
  private open = false;

  private constructor(
    readonly client: PoolClient,
    private readonly release: () => Promise<void>,
  ) {}

  static async open(source: DataSource): Promise<Connection> {
    const runner = source.createQueryRunner();
    const client = (await runner.connect()) as PoolClient;
    return new Connection(client, () => runner.release());
  }

  /** One round trip: `begin` and the settings of the transaction are one message. */
  async begin(begin: string, { tenantId, actorId }: Scope): Promise<void> {
    const { client } = this;
    this.open = true;
    await client.query(
      `${begin}; select set_config('app.tenant', ${client.escapeLiteral(tenantId)}, true),
         set_config('app.actor', ${client.escapeLiteral(actorId)}, true)`,
    );
  }

  /**
   * @throws Error when the transaction was lost before: Postgres answers COMMIT after a failed statement with ROLLBACK and
   * calls it a success, so work that caught the error of a statement would believe that it had written
   */
  async commit(): Promise<void> {
    const { command } = await this.client.query('commit');
    this.open = false;
    if (command !== 'COMMIT')
      throw new Error('A statement failed, so nothing was written; use a savepoint to go on.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.open) await this.client.query('rollback').catch(() => undefined);
    } finally {
      await this.release();
    }
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
