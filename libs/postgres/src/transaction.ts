import { createHash } from 'node:crypto';
import type { Scope } from '@quire/contracts/scope';
import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import { oneTrip } from './one-trip.js';

/**
 * One transaction of one tenant on a pooled connection, in as few round trips as it can be: the first statement travels
 * together with `begin` and the setting of tenant and actor. A reading statement that is the only one needs no `begin` and `commit`:
 * what goes out behind one Sync is a transaction by itself, and the setting makes it read-only.
 * `one-trip.ts` says why none can run outside the transaction or before the tenant is set.
 */
export interface TransactionOptions {
  readonly mode: 'read' | 'write';
  readonly scope: Scope;
  /** It reads, with one statement, whose text is one of a few: the connection prepares it and keeps its plan. */
  readonly once?: boolean;
}

/** Prepared by each connection when it is asked for the first time; one by one then, later in one trip. */
interface Named extends QueryConfig {
  readonly name: string;
  readonly values: string[];
}

const BEGIN: Readonly<Record<TransactionOptions['mode'], Named>> = {
  read: {
    name: 'begin_read',
    text: 'begin isolation level repeatable read read only',
    values: [],
  },
  write: { name: 'begin_write', text: 'begin', values: [] },
};
const SET_SCOPE = {
  name: 'set_scope',
  text: `select set_config('app.tenant', $1, true), set_config('app.actor', $2, true)`,
};
const SET_SCOPE_TO_READ = {
  name: 'set_scope_to_read',
  text: `select set_config('app.tenant', $1, true), set_config('app.actor', $2, true), set_config('transaction_read_only', 'on', true)`,
};
const COMMIT: Named = { name: 'commit', text: 'commit', values: [] };

/** Names of what each connection has prepared. */
const prepared = new WeakMap<PoolClient, Set<string>>();

export class Transaction implements AsyncDisposable {
  private state: 'new' | 'open' | 'over' = 'new';
  private readonly setting: Named;
  private readonly opening: readonly Named[];
  private readonly known: Set<string>;
  private readonly once: boolean;
  /** What statements that are asked for meanwhile wait for. */
  private opened: Promise<void> | undefined;

  private constructor(
    private readonly connection: PoolClient,
    private readonly release: () => Promise<void>,
    { mode, scope, once = false }: TransactionOptions,
  ) {
    this.once = once;
    const values = [scope.tenantId, scope.actorId];
    this.setting = { ...(once ? SET_SCOPE_TO_READ : SET_SCOPE), values };
    this.opening = [BEGIN[mode], this.setting];
    this.known = prepared.get(connection) ?? new Set();
    prepared.set(connection, this.known);
  }

  static async on(source: DataSource, options: TransactionOptions): Promise<Transaction> {
    const runner = source.createQueryRunner();
    const connection = (await runner.connect()) as PoolClient;
    return new Transaction(connection, () => runner.release(), options);
  }

  /** @throws Error when the transaction was opened for one statement and has had it */
  async query<R extends object>(text: string, params: readonly unknown[]): Promise<QueryResult<R>> {
    if (this.once) return this.only<R>(text, params);
    const statement = { text, values: [...params] };
    if (this.state === 'new' && this.knows(this.opening)) {
      this.state = 'open';
      return oneTrip<R>(this.connection, { before: this.opening, statement });
    }
    const connection = await this.begun();
    return connection.query<R>(statement);
  }

  /** The connection, with the transaction begun: for COPY, which is no statement with parameters. */
  async begun(): Promise<PoolClient> {
    if (this.state === 'new') {
      this.state = 'open';
      this.opened = this.open();
    }
    await this.opened;
    return this.connection;
  }

  /**
   * @throws Error when the transaction was lost before: Postgres answers COMMIT after a failed statement with ROLLBACK and
   * calls it a success, so work that caught the error of a statement would believe that it had written
   */
  async commit(): Promise<void> {
    if (this.state !== 'open') return;
    const { command } = await this.prepare(COMMIT);
    this.state = 'over';
    if (command !== 'COMMIT')
      throw new Error('A statement failed, so nothing was written; use a savepoint to go on.');
  }

  /** No open transaction goes back to the pool. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.state === 'open') await this.connection.query('rollback').catch(() => undefined);
    } finally {
      await this.release();
    }
  }

  private async only<R extends object>(
    text: string,
    params: readonly unknown[],
  ): Promise<QueryResult<R>> {
    if (this.state !== 'new') throw new Error('The transaction was opened for one statement.');
    const statement = { name: nameOf(text), text, values: [...params] };
    if (!this.knows([this.setting, statement])) {
      await this.begun();
      const result = await this.prepare<R>(statement);
      await this.commit();
      return result;
    }
    this.state = 'over';
    return oneTrip<R>(this.connection, { before: [this.setting], statement });
  }

  private async open(): Promise<void> {
    for (const step of this.opening) await this.prepare(step);
  }

  private knows(statements: readonly { readonly name: string }[]): boolean {
    return statements.every(({ name }) => this.known.has(name));
  }

  private async prepare<R extends object>(
    statement: QueryConfig & { readonly name: string },
  ): Promise<QueryResult<R>> {
    const result = await this.connection.query<R>(statement);
    this.known.add(statement.name);
    return result;
  }
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? createHash('sha256').update(text).digest('base64url');
  names.set(text, name);
  return name;
}
