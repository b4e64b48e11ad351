import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import type { ServiceName } from '@quire/contracts/scope';

/**
 * Prepares the schemas of services in one database and opens them: extensions, three roles and a schema per service, then
 * the service's migrations (TypeORM, hand-written SQL) as its owner. Repeatable; an advisory lock keeps two runs apart.
 * In the embedded mode this happens at start, elsewhere in a step of its own.
 */
export type MigrationClass = new () => MigrationInterface;

export interface ServiceSchema {
  readonly service: ServiceName;
  /** `data_export` for data-export. */
  readonly schema: string;
  readonly migrations: readonly MigrationClass[];
  /** Of a service that claims leased rows. */
  readonly claim?: ClaimProbe;
}

/** A try of a claim at start: a claim that sees no rows, because a policy is missing, would leave all work lying. */
export interface ClaimProbe {
  /** Statements that write one row to be claimed, of the tenant {@link PROBE_TENANT}, as the app role. Rolled back. */
  readonly rows: readonly string[];
  /** Gives a row when it claims one. */
  readonly claim: string;
}

export const PROBE_TENANT = 'probe';

/** `owner` and `app` log in; `sys` never does. */
export type PasswordOf = (role: string) => string;

const LOCK = "hashtextextended('quire.migrate', 0)";
const ROLE_TRIES_MAX = 5;
const STATEMENT_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 3000;
const IDLE_IN_TRANSACTION_MS = 30_000;
/** How long work waits for a connection unless it is said otherwise. */
const WAIT_MS = 2000;

/** @param adminUrl of a role that may create roles, schemas and extensions */
export async function prepareDatabase(
  adminUrl: string,
  schemas: readonly ServiceSchema[],
  passwordOf: PasswordOf,
): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  admin.on('error', () => undefined);
  await admin.connect();
  try {
    await admin.query(`select pg_advisory_lock(${LOCK})`);
    await admin.query('create extension if not exists unaccent schema public');
    for (const { schema } of schemas) {
      await createRoles(admin, schema, passwordOf);
      await admin.query(`create schema if not exists ${schema} authorization ${schema}_owner`);
      await admin.query(`grant create, usage on schema ${schema} to ${schema}_sys`);
    }
    for (const schema of schemas) await migrate(adminUrl, schema, passwordOf);
  } finally {
    await admin.end();
  }
}

/** Roles belong to the whole server: another database of it, say of a test beside this one, may be making them too. */
async function createRoles(admin: Client, schema: string, passwordOf: PasswordOf): Promise<void> {
  const [owner, app, sys] = ['owner', 'app', 'sys'].map((kind) => `${schema}_${kind}`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.query(`do $$ begin
        perform pg_advisory_xact_lock(${LOCK});
        if not exists (select from pg_roles where rolname = '${sys}') then
          create role ${sys} nologin nobypassrls;
          create role ${owner} login nobypassrls;
          create role ${app} login nobypassrls;
          grant ${sys} to ${owner};
          -- Who may make roles may not act for them (PostgreSQL 16 and later); a superuser may anyway.
          if not (select rolsuper from pg_roles where rolname = current_user) then
            grant ${owner} to current_user;
          end if;
        end if;
      end $$`);
      for (const role of [owner, app])
        await admin.query(
          `alter role ${role} password ${admin.escapeLiteral(passwordOf(role ?? ''))}`,
        );
      return;
    } catch (error) {
      // Two databases have two advisory locks; the catalogue row they share says "concurrently updated" or "exists".
      if (attempt >= ROLE_TRIES_MAX) throw error;
      await delay(50 * attempt * (1 + Math.random()));
    }
  }
}

async function migrate(
  adminUrl: string,
  { schema, migrations }: ServiceSchema,
  passwordOf: PasswordOf,
): Promise<void> {
  const role = `${schema}_owner`;
  const source = new DataSource({
    type: 'postgres',
    url: withLogin(adminUrl, role, passwordOf(role)),
    schema,
    migrations: [...migrations],
    migrationsTableName: 'migration',
    extra: { Client: SteadyClient, options: `-c search_path=${schema},public`, max: 1 },
  });
  await source.initialize();
  try {
    await source.runMigrations({ transaction: 'each' });
    // A service that starts sees whether its tables are as far as it is.
    await source.query(`grant select on migration to ${schema}_app`);
  } finally {
    await source.destroy();
  }
}

export interface SourceOptions {
  readonly poolSize?: number;
  readonly applicationName?: string;
  /** How long work waits for a connection. */
  readonly waitMs?: number;
  /** Told of errors of idle connections, as when Postgres restarts. */
  readonly onError?: (error: Error) => void;
}

/**
 * A connection whose end is never an uncaught error. Between the hands of the pool and of TypeORM nobody listens, and a server that
 * dies sends its last words right behind the greeting. Who uses the connection then is told by the next query.
 */
class SteadyClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/** Opens the tables of a service as its app role. */
export async function openSource(
  adminUrl: string,
  schema: string,
  passwordOf: PasswordOf,
  options: SourceOptions = {},
): Promise<DataSource> {
  const { poolSize = 10, applicationName = schema, waitMs = WAIT_MS } = options;
  const { onError = () => undefined } = options;
  const role = `${schema}_app`;
  const source = new DataSource({
    type: 'postgres',
    url: withLogin(adminUrl, role, passwordOf(role)),
    schema,
    applicationName,
    poolSize,
    poolErrorHandler: onError,
    connectTimeoutMS: waitMs,
    extra: {
      Client: SteadyClient,
      options: `-c search_path=${schema},public -c statement_timeout=${STATEMENT_TIMEOUT_MS} -c lock_timeout=${LOCK_TIMEOUT_MS} -c idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_MS} -c jit=off -c cursor_tuple_fraction=1`,
    },
  });
  return source.initialize();
}

function withLogin(adminUrl: string, username: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = username;
  url.password = encodeURIComponent(password);
  return url.href;
}

/** Tables without a tenant of their own, or that must be read before there is one. */
const UNPROTECTED = ['tenant', 'job_rule', 'dead_letter', 'migration'];

/**
 * Refuses to run on a schema where a table is not walled in, or a database that folds and splits text otherwise
 * (reliability section 3 rule 9; conventions 17.5).
 *
 * @throws Error with a sentence that names what is wrong
 */
export async function verifySchema(
  source: DataSource,
  schema: string,
  claim?: ClaimProbe,
): Promise<void> {
  const open = await source.query<{ relname: string }[]>(
    `select relname from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p')
       and not (relrowsecurity and relforcerowsecurity) and not (relname = any ($2))`,
    [schema, UNPROTECTED],
  );
  if (open.length > 0) {
    throw new Error(
      `Row-level security is not forced on ${open.map((table) => `${schema}.${table.relname}`).join(', ')}.`,
    );
  }
  const [text] = await source.query<{ fine: boolean }[]>(
    `select lower('Ж') = 'ж' and to_tsvector('simple', '«c»')::text = '''c'':1' as fine`,
  );
  if (!text?.fine)
    throw new Error('The database needs the locale C.UTF-8 or another UTF-8 locale (LC_CTYPE).');
  await probe(source, schema, claim);
}

/** Relay and claim must see rows of every tenant: some are written and read back in a transaction that is rolled back. */
async function probe(source: DataSource, schema: string, claim?: ClaimProbe): Promise<void> {
  const runner = source.createQueryRunner();
  await runner.connect();
  const sees = async (sql: string): Promise<void> => {
    const rows = (await runner.query(sql)) as unknown[];
    if (rows.length === 0)
      throw new Error(`The functions of ${schema}_sys see no rows: its policies are missing.`);
  };
  try {
    await runner.query('begin');
    await runner.query("select set_config('app.tenant', $1, true)", [PROBE_TENANT]);
    await runner.query(
      `insert into outbox (tenant_id, event_id, topic, key, headers, payload)
       values ($1, gen_random_uuid(), 'probe', 'probe', '{}', '{}')`,
      [PROBE_TENANT],
    );
    // One row is there now, ours or an older one: the first is enough, however long the outbox is.
    await sees("select from relay_read(1, '{}')");
    if (!claim) return;
    for (const row of claim.rows) await runner.query(row);
    await sees(claim.claim);
  } finally {
    await runner.query('rollback');
    await runner.release();
  }
}
