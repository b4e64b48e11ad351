import { CqlError } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { Client } from 'pg';
import type { CqlEntity } from '../src/cql-entity.js';
import { CQL_FUNCTIONS_SQL } from '../src/cql-functions.js';
import { compileCql } from '../src/cql-where.js';
import { branch, BRANCH_TABLES, region } from './cql-branch.js';

/** Branches and regions in a database, by sample, for the vectors of conventions 17.11. */
export const REGION = 'aaaaaaaa-0000-4000-8000-00000000000';

let client: Client;
let database: Database;

interface Database {
  readonly url: string;
  close(): Promise<void>;
}

export type Row = Readonly<Record<string, unknown>> & { label: string };

export async function insert(table: string, rows: readonly object[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row);
    const values = Object.values(row) as unknown[];
    const marks = values.map((_, at) => `$${at + 1}`);
    await client.query(`insert into ${table} (${columns.join()}) values (${marks.join()})`, values);
  }
}

/** Rows of one sample. */
export async function branches(sample: string, rows: readonly Row[]): Promise<void> {
  await insert(
    'branch',
    rows.map((row) => ({ sample, name: `Branch ${row.label}`, ...row })),
  );
}

/** Rows of a statement. */
export async function rowsOf<T extends object>(
  sql: string,
  params: readonly unknown[],
): Promise<T[]> {
  return (await client.query<T>(sql, [...params])).rows;
}

/** Labels of the branches of one sample that a query finds, in its order. */
export async function find(sample: string, text: string): Promise<string[]> {
  const { where, orderBy, params } = compileCql(parseCql(text, URL_LIMITS), branch, {
    params: [sample],
  });
  const found = await client.query<{ label: string }>(
    `select branch.label from branch where branch.sample = $1 and ${where} order by ${orderBy}`,
    params,
  );
  return found.rows.map((row) => row.label);
}

/** Names of the regions that a query finds. */
export async function regions(text: string): Promise<string[]> {
  const { where, params } = compileCql(parseCql(text, URL_LIMITS), region);
  const sql = `select region.name from region where ${where} order by region.name`;
  return (await client.query<{ name: string }>(sql, params)).rows.map((row) => row.name);
}

/** Column and reason of a query that is refused. */
export function failure(text: string, entity: CqlEntity = branch): [number, string] {
  try {
    compileCql(parseCql(text, URL_LIMITS), entity);
  } catch (error) {
    if (error instanceof CqlError) return [error.column, error.reason];
    throw error;
  }
  throw new Error(`was compiled: ${text}`);
}

/** `A B: one query · another` → cases for it.each; `–` is no match. */
export function table(lines: string): [string, string][] {
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => {
      const [labels = '', queries = ''] = line.trim().split(' ⊢ ');
      return queries
        .split(' · ')
        .map((query): [string, string] => [query, labels.replace('–', '')]);
    });
}

/** In every spec of the vectors, before its sets. @param open gives an empty database */
export function useSamples(open: () => Promise<Database>): void {
  beforeAll(async () => {
    database = await open();
    client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('create extension unaccent schema public');
    await client.query('create schema sample; set search_path = sample');
    await client.query(CQL_FUNCTIONS_SQL);
    await client.query(BRANCH_TABLES);
    await insert('country', [{ id: 'cccccccc-0000-4000-8000-000000000001', name: 'Norden' }]);
    await insert('region', [
      {
        id: `${REGION}1`,
        name: 'East Bank',
        code: 'E',
        country_id: 'cccccccc-0000-4000-8000-000000000001',
      },
      { id: `${REGION}2`, name: 'West Bank', code: 'W' },
      { id: `${REGION}3`, name: 'Nowhere', code: 'N' },
    ]);
  });

  afterAll(async () => {
    await client.end();
    await database.close();
  });
}
