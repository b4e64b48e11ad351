import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import { tsqueryArray, tsvectorArray } from '../src/text-search.js';

describe('lexemes in binary', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await testDatabase();
    client = new Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.close();
  });

  const vectors = async (...items: string[][]): Promise<string[]> => {
    const sent = tsvectorArray(items.map((lexemes) => lexemes.map((one) => Buffer.from(one))));
    const { rows } = await client.query<{ text: string }>(
      'select v::text as text from unnest($1::tsvector[]) v',
      [sent],
    );
    return rows.map(({ text }) => text);
  };

  it('become vectors, one for each list', async () => {
    expect(await vectors(['a', 'b c', 'é'], [], [`o'x\\`])).toEqual([
      `'a' 'b c' 'é'`,
      '',
      `'o''x\\\\'`,
    ]);
    expect(await vectors(['x'.repeat(2_046)])).toHaveLength(1);
  });

  it('become queries that one of them satisfies, or its beginning', async () => {
    const holds = async (...lexemes: [string, boolean][]): Promise<unknown> => {
      const wanted = lexemes.map(([lexeme, prefix]) => ({ lexeme, prefix }));
      const vector = tsvectorArray([['a b', 'c', `q'\\:*`].sort().map((one) => Buffer.from(one))]);
      const { rows } = await client.query<{ holds: boolean }>(
        'select v @@ q as holds from unnest($1::tsvector[]) v, unnest($2::tsquery[]) q',
        [vector, tsqueryArray([wanted])],
      );
      return rows[0]?.holds;
    };
    expect(await holds(['a b', false])).toBe(true);
    expect(await holds(['a', false])).toBe(false);
    expect(await holds(['a', true])).toBe(true);
    expect(await holds(['x', false], ['y', true], ['c', false])).toBe(true);
    expect(await holds(['x', false], ['y', true])).toBe(false);
    expect(await holds([`q'\\:*`, false])).toBe(true);
    expect(await holds(['c:*', false], [`c' | 'a b`, true])).toBe(false);
    const many = Array.from({ length: 1_000 }, (_, at): [string, boolean] => [
      `n${at}`,
      at % 2 === 0,
    ]);
    expect(await holds(...many, ['c', false])).toBe(true);
  });
});
