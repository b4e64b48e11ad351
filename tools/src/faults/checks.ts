import { setTimeout as delay } from 'node:timers/promises';
import { SERVICES } from '@quire/contracts/scope';
import { Client as StoreClient } from 'minio';
import { Client } from 'pg';
import type { Stage } from './stage.js';

/*
 * What must hold once everything is quiet, read from the tables and the store themselves: no record is missing or there
 * twice (P2), a job has exactly one end (P7), and nothing is left behind (P11).
 */
const QUIET_MS = 90_000;
const LOOK_MS = 500;

const schemaOf = (service: string): string => service.replaceAll('-', '_');

/** Rows that say that something is going on. */
const BUSY: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    SERVICES.map((service) => [
      `events in the outbox of ${service}`,
      `select count(*)::int as n from ${schemaOf(service)}.outbox`,
    ]),
  ),
  'leased slices': `select count(*)::int as n from data_export.slice where lease_until > now()`,
  'uploads of files': `select count(*)::int as n from data_import.file_upload`,
  'events given up': SERVICES.map(
    (service) => `select count(*)::int as n from ${schemaOf(service)}.dead_letter`,
  ).join(' union all '),
};

/** Columns that name objects; `object_intent` keeps the ones that a sweep will remove. */
const NAMED = `select table_schema, table_name, column_name from information_schema.columns
  where table_schema = any ($1) and column_name ~ '(^|_)key$' and data_type = 'text'
    and (column_name ~ '(object|content|origin|oversize|errors)_key' or table_name = 'object_intent')`;

export class Checks implements AsyncDisposable {
  private readonly store: StoreClient;

  private constructor(
    private readonly stage: Stage,
    private readonly database: Client,
  ) {
    const { url, region, accessKeyId: accessKey, secretAccessKey: secretKey } = stage.store;
    const { hostname: endPoint, port } = new URL(url);
    this.store = new StoreClient({
      endPoint,
      port: Number(port),
      useSSL: false,
      region,
      accessKey,
      secretKey,
    });
  }

  static async open(stage: Stage): Promise<Checks> {
    const database = new Client({ connectionString: stage.fleet.databaseUrl });
    await database.connect();
    return new Checks(stage, database);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.database.end();
  }

  /** Waits until nothing is going on. @returns what still is after 90 s */
  async leftOver(): Promise<string[]> {
    const giveUpAt = performance.now() + QUIET_MS;
    for (;;) {
      const busy = await this.busy();
      if (busy.length === 0) return await this.objects();
      if (performance.now() > giveUpAt) return busy;
      await delay(LOOK_MS);
    }
  }

  /** Records of an import: how many are missing of so many, and how many are there more than once. */
  async records(jobId: string, wanted: number): Promise<{ lost: number; duplicated: number }> {
    const { rows } = await this.database.query<{ all: number; orders: number }>(
      `select count(*)::int as all, count(distinct record_order)::int as orders
       from source_record_storage.record where snapshot_id = $1`,
      [jobId],
    );
    const { all = 0, orders = 0 } = rows[0] ?? {};
    return { lost: wanted - orders, duplicated: all - orders };
  }

  /** How often an export has ended. */
  async ends(jobId: string): Promise<number> {
    const { rows } = await this.database.query<{ n: number }>(
      `select count(*)::int as n from data_export.job_transition
       where job_id = $1 and to_status in ('COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAIL')`,
      [jobId],
    );
    return rows[0]?.n ?? 0;
  }

  /** Groups of finance-storage with these codes. */
  async groups(codes: readonly string[]): Promise<{ id: string; code: string }[]> {
    const { rows } = await this.database.query<{ id: string; code: string }>(
      `select id, code from finance_storage.groups where code = any ($1)`,
      [codes],
    );
    return rows;
  }

  /** @param sql asks for one value of the job, export definition, file or group $1 @returns it; undefined: there is none */
  async look(sql: string, id: string): Promise<string | boolean | undefined> {
    const { rows } = await this.database.query<{ seen: string | boolean }>(sql, [id]);
    return rows[0]?.seen;
  }

  private async busy(): Promise<string[]> {
    const found: string[] = [];
    for (const [what, sql] of Object.entries(BUSY)) {
      const { rows } = await this.database.query<{ n: number }>(sql);
      const n = rows.reduce((sum, row) => sum + row.n, 0);
      if (n > 0) found.push(`${n} ${what}`);
    }
    return found;
  }

  /** Objects without a row, rows without an object, and uploads of parts that nobody will end. */
  private async objects(): Promise<string[]> {
    const named = await this.named(false);
    const announced = await this.named(true);
    const stored = await collected(this.store.listObjectsV2(this.stage.fleet.bucket, '', true));
    const parts = await collected(
      this.store.listIncompleteUploads(this.stage.fleet.bucket, '', true),
    );
    const there = new Set(stored);
    return [
      ...stored
        .filter((key) => !named.has(key) && !announced.has(key))
        .map((key) => `object without a row: ${key}`),
      ...[...named].filter((key) => !there.has(key)).map((key) => `row without its object: ${key}`),
      ...parts.filter((key) => !announced.has(key)).map((key) => `unfinished upload: ${key}`),
    ];
  }

  private async named(intents: boolean): Promise<Set<string>> {
    const { rows: columns } = await this.database.query<{
      table_schema: string;
      table_name: string;
      column_name: string;
    }>(NAMED, [SERVICES.map(schemaOf)]);
    const keys = new Set<string>();
    for (const { table_schema, table_name, column_name } of columns) {
      if ((table_name === 'object_intent') !== intents) continue;
      const { rows } = await this.database.query<{ key: string }>(
        `select distinct ${column_name} as key from ${table_schema}.${table_name} where ${column_name} is not null`,
      );
      for (const { key } of rows) keys.add(key);
    }
    return keys;
  }
}

async function collected(items: AsyncIterable<{ name?: string; key?: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, key } of items) names.push(name ?? key ?? '');
  return names;
}
