import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { PoolClient } from 'pg';
import type { Scope } from '@quire/contracts/scope';
import { copyOneValue, type LiteralParameter } from './copy-out.js';
import { Transaction, type TransactionOptions } from './transaction.js';

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

/** Only this file makes these. */
const MAKE = Symbol('made in tenant.ts');

export class TenantRead {
  readonly #transaction: Transaction;
  #cursors = 0;

  constructor(
    made: typeof MAKE,
    readonly scope: Scope,
    transaction: Transaction,
  ) {
    if (made !== MAKE) throw new Error('A tenant transaction is made by withTenant or readTenant.');
    this.#transaction = transaction;
  }

  get tenantId(): string {
    return this.scope.tenantId;
  }

  async query<R extends object = Row>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
    const result = await this.#transaction.query<R>(sql, params);
    return result.rows;
  }

  async one<R extends object = Row>(
    sql: string,
    params: readonly unknown[] = [],
  ): Promise<R | undefined> {
    return (await this.query<R>(sql, params))[0];
  }

  /** The one `bytea` of the first row, as the server sends it, in pieces; see `copy-out.ts`. */
  async *bytes(sql: string, params: readonly LiteralParameter[]): AsyncGenerator<Buffer> {
    yield* copyOneValue(await this.#transaction.begun(), sql, params);
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
    await this.query(`declare ${name} no scroll cursor for ${sql}`, params);
    try {
      for (;;) {
        const rows = await this.query<R>(`fetch forward ${batchRows} from ${name}`);
        if (rows.length > 0) yield rows;
        if (rows.length < batchRows) return;
      }
    } finally {
      // After an error the transaction is lost, and the cursor with it.
      await this.query(`close ${name}`).catch(() => undefined);
    }
  }

  protected async run(sql: string, params: readonly unknown[]): Promise<number> {
    const result = await this.#transaction.query(sql, params);
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

/** Whether a transaction is its own, committed when `withTenant` resolves, whatever is around it. */
export interface TransactionPlace {
  readonly apart: boolean;
}

/** For what must be seen or must stay before the request has ended: a lease, the announcement of an object. */
export const APART: TransactionPlace = { apart: true };

/** Runs `work` in one writing transaction of the tenant: its own, or a part of the one around it ({@link asOneTransaction}). */
export async function withTenant<T>(
  source: DataSource,
  scope: Scope,
  work: (tx: TenantTx) => Promise<T>,
  { apart }: TransactionPlace = { apart: false },
): Promise<T> {
  const around = apart ? undefined : transactionAround(source, scope);
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (around) return await around.part(work);
      return await inTransaction(source, { mode: 'write', scope }, (transaction) =>
        work(new TenantTx(MAKE, scope, transaction)),
      );
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !RETRIED.has(codeOf(error))) throw error;
      await delay(Math.random() * 20 * 2 ** attempt);
    }
  }
}

/** Runs `work` in one read-only transaction over one snapshot of the database; inside a writing one it sees what that wrote. */
export function readTenant<T>(
  source: DataSource,
  scope: Scope,
  work: (tx: TenantRead) => Promise<T>,
): Promise<T> {
  const around = transactionAround(source, scope);
  if (around?.begun) return around.part(work);
  return inTransaction(source, { mode: 'read', scope }, (transaction) =>
    work(new TenantRead(MAKE, scope, transaction)),
  );
}

/**
 * As `readTenant`, for work that asks one statement: it goes out together with its transaction, in one round trip, and the
 * connection keeps its plan. So its text must be one of a few, not one made from a query of a client, and must name its
 * columns: a plan for `*` fails when a migration has added one.
 *
 * @throws Error when the work asks for a second
 */
export async function readOnce<T>(
  source: DataSource,
  scope: Scope,
  work: (tx: TenantRead) => Promise<T>,
): Promise<T> {
  const around = transactionAround(source, scope);
  if (around?.begun) return around.part(work);
  await using transaction = await Transaction.on(source, { mode: 'read', scope, once: true });
  return await work(new TenantRead(MAKE, scope, transaction));
}

/** What is written with the work of {@link asOneTransaction}, before and after it. */
export interface TransactionFrame<T> {
  /** The first statements of the transaction. */
  begin(tx: TenantTx): Promise<void>;
  /** Its last ones. */
  finish(tx: TenantTx, result: T): Promise<void>;
}

/**
 * Makes one transaction of all that `work` writes for the tenant: each `withTenant` within becomes a savepoint of it, and it is
 * committed when `work` and `finish` have succeeded. Begins with the first write; without one neither part of the frame
 * runs. What another connection must see before the end is written {@link APART}.
 */
export async function asOneTransaction<T>(
  source: DataSource,
  scope: Scope,
  work: () => Promise<T>,
  frame: TransactionFrame<T>,
): Promise<T> {
  const whole = new WholeTransaction(source, scope, (tx) => frame.begin(tx));
  try {
    const result = await AROUND.run({ whole, nested: false }, work);
    await whole.commit((tx) => frame.finish(tx, result));
    return result;
  } finally {
    await whole[Symbol.asyncDispose]();
  }
}

const AROUND = new AsyncLocalStorage<{ whole: WholeTransaction; nested: boolean }>();

function transactionAround(source: DataSource, scope: Scope): WholeTransaction | undefined {
  const whole = AROUND.getStore()?.whole;
  return whole?.serves(source, scope) ? whole : undefined;
}

/** The transaction of {@link asOneTransaction}: opened by its first part. */
class WholeTransaction implements AsyncDisposable {
  private transaction: Transaction | undefined;
  private ended = false;
  /** Parts that are asked for at the same time come one after the other: savepoints nest. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly source: DataSource,
    private readonly scope: Scope,
    private readonly first: (tx: TenantTx) => Promise<void>,
  ) {}

  get begun(): boolean {
    return this.transaction !== undefined;
  }

  /** Not what goes on after its end, nor what is done for another tenant or in another name. */
  serves(source: DataSource, { tenantId, actorId }: Scope): boolean {
    const { scope } = this;
    return (
      !this.ended &&
      source === this.source &&
      tenantId === scope.tenantId &&
      actorId === scope.actorId
    );
  }

  part<T>(work: (tx: TenantTx) => Promise<T>): Promise<T> {
    // A part within a part must not wait for the one around it.
    if (AROUND.getStore()?.nested) return this.run(work);
    const turn = this.last.then(() => this.run(work));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  async commit(finish: (tx: TenantTx) => Promise<void>): Promise<void> {
    await this.last;
    this.ended = true;
    if (!this.transaction) return;
    await finish(new TenantTx(MAKE, this.scope, this.transaction));
    await this.transaction.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended = true;
    await this.last;
    await this.transaction?.[Symbol.asyncDispose]();
  }

  private async run<T>(work: (tx: TenantTx) => Promise<T>): Promise<T> {
    this.transaction ??= await this.open();
    const tx = new TenantTx(MAKE, this.scope, this.transaction);
    return tx.savepoint(() => AROUND.run({ whole: this, nested: true }, () => work(tx)));
  }

  private async open(): Promise<Transaction> {
    const { scope } = this;
    const transaction = await Transaction.on(this.source, { mode: 'write', scope });
    try {
      await this.first(new TenantTx(MAKE, scope, transaction));
      return transaction;
    } catch (error) {
      await transaction[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** As `readTenant`; the transaction stays open until the stream has ended or is given up. */
export async function* streamTenant<T>(
  source: DataSource,
  scope: Scope,
  work: (tx: TenantRead) => AsyncIterable<T>,
): AsyncGenerator<T> {
  await using transaction = await Transaction.on(source, { mode: 'read', scope });
  yield* work(new TenantRead(MAKE, scope, transaction));
  await transaction.commit();
}

/** For the `security definer` functions that look across tenants (claims, release, relay); tables are out of reach. */
export interface SystemCalls {
  call<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<R[]>;
}

export async function asSystem<T>(
  source: DataSource,
  work: (system: SystemCalls) => Promise<T>,
): Promise<T> {
  const runner = source.createQueryRunner();
  const client = (await runner.connect()) as PoolClient;
  try {
    return await work({
      call: async <R extends object>(sql: string, params: readonly unknown[] = []) =>
        (await client.query<R>(sql, params as unknown[])).rows,
    });
  } finally {
    await runner.release();
  }
}

async function inTransaction<T>(
  source: DataSource,
  options: TransactionOptions,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  await using transaction = await Transaction.on(source, options);
  const result = await work(transaction);
  await transaction.commit();
  return result;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
