import { testDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import {
  boolArray,
  byteaArray,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
  uuidBytesArray,
} from '../src/bulk.js';

const UUIDS = [
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '0f8fad5b-d9cb-469f-a165-70867728950e',
];
const INT8_MAX = Number.MAX_SAFE_INTEGER;

let client: Client;
let database: Awaited<ReturnType<typeof testDatabase>>;

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
});

/** The elements as the database reads them. */
async function unnested(type: string, array: Buffer): Promise<unknown[]> {
  const { rows } = await client.query<{ item: unknown }>(
    `select item from unnest($1::${type}[]) as item`,
    [array],
  );
  return rows.map((row) => row.item);
}

/** Encodes, and what the database must read. */
interface Case {
  readonly type: string;
  readonly array: Buffer;
  readonly items: readonly unknown[];
}

const BYTES = [Buffer.from([0, 1, 0, 255]), Buffer.alloc(0), null, Buffer.alloc(70_000, 7)];
const TEXTS = ['plain', '', null, '{"a","b"},NULL', 'NULL', 'Жизнь 📚 \\ \' "', 'x'.repeat(70_000)];
const INT4S = [0, -1, null, 2_147_483_647, -2_147_483_648];
const INT8S = [0, -1, null, INT8_MAX, -INT8_MAX];
const BOOLS = [true, false, null];
const OBJECTS = [{ a: [1, null, 'ü'] }, null, {}, []];

const CASES: readonly Case[] = [
  { type: 'bytea', array: byteaArray(BYTES), items: BYTES },
  { type: 'text', array: textArray(TEXTS), items: TEXTS },
  { type: 'uuid', array: uuidArray([...UUIDS, null]), items: [...UUIDS, null] },
  { type: 'int4', array: int4Array(INT4S), items: INT4S },
  { type: 'int8', array: int8Array(INT8S), items: INT8S.map((n) => (n === null ? null : `${n}`)) },
  { type: 'bool', array: boolArray(BOOLS), items: BOOLS },
  { type: 'jsonb', array: jsonbArray(OBJECTS), items: OBJECTS },
];

describe('an array in binary form', () => {
  it.each(CASES)('of $type is read as it was written', async ({ type, array, items }) => {
    expect(await unnested(type, array)).toEqual(items);
  });

  it.each([
    ['bytea', byteaArray],
    ['text', textArray],
    ['uuid', uuidArray],
    ['int4', int4Array],
    ['int8', int8Array],
    ['bool', boolArray],
    ['jsonb', jsonbArray],
  ] as const)('of %s may be empty, or nothing but null', async (type, encode) => {
    expect(await unnested(type, encode([]))).toEqual([]);
    expect(await unnested(type, encode([null, null]))).toEqual([null, null]);
  });

  it('of no elements equals the empty array of the database', async () => {
    const { rows } = await client.query<object>(
      `select $1::int4[] = '{}' as same, array_length($1::int4[], 1) as length`,
      [int4Array([])],
    );
    expect(rows).toEqual([{ same: true, length: null }]);
  });

  it('serves in comparisons and has elements from 1', async () => {
    const { rows } = await client.query<object>(
      `select 'b' = any ($1::text[]) as there, ($1::text[])[1] as first, cardinality($1::text[]) as length`,
      [textArray(['a', 'b'])],
    );
    expect(rows).toEqual([{ there: true, first: 'a', length: 2 }]);
  });

  it('takes UUIDs of 16 bytes each', async () => {
    const bytes = UUIDS.map((uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex'));
    expect(await unnested('uuid', uuidBytesArray([...bytes, null]))).toEqual([...UUIDS, null]);
  });

  it('walks beside others, row by row', async () => {
    const { rows } = await client.query<object>(
      `select * from unnest($1::int4[], $2::text[]) as both_of(n, t)`,
      [int4Array([1, 2]), textArray(['one', null])],
    );
    expect(rows).toEqual([
      { n: 1, t: 'one' },
      { n: 2, t: null },
    ]);
  });
});
