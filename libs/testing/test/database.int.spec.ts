import { Client } from 'pg';
import { testDatabase } from '../src/database.js';

async function ask<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

describe('a test database', () => {
  it('is empty, in UTF-8, and knows letters of every script', async () => {
    await using database = await testDatabase();
    expect(
      await ask(
        database.url,
        `select count(*)::int as tables from pg_tables where schemaname = 'public'`,
      ),
    ).toEqual([{ tables: 0 }]);
    expect(
      await ask(
        database.url,
        `select pg_encoding_to_char(encoding) as encoding, lower('ЖУРНАЛ') as word from pg_database where datname = current_database()`,
      ),
    ).toEqual([{ encoding: 'UTF8', word: 'журнал' }]);
  });

  it('is one of its own each time', async () => {
    await using one = await testDatabase();
    await using other = await testDatabase();
    await ask(one.url, 'create table mine (id int)');
    expect(await ask(other.url, `select to_regclass('mine') as found`)).toEqual([{ found: null }]);
  });

  it('starts from a template where one is named', async () => {
    await using template = await testDatabase();
    await ask(template.url, 'create table kept as select 7 as id');
    await using clone = await testDatabase(new URL(template.url).pathname.slice(1));
    expect(await ask(clone.url, 'select id from kept')).toEqual([{ id: 7 }]);
  });

  it('is gone after close, with connections still open to it', async () => {
    const database = await testDatabase();
    const client = new Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();

    await database.close();

    await expect(ask(database.url, 'select 1')).rejects.toThrow('does not exist');
    await client.end().catch(() => undefined);
  });
});
