import { readTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { insertRecord } from './record-rows.js';
import { RecordWorld } from './record-world.js';
import { slicesOf } from '../src/db/row-slices.js';

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

const MIB = 1_048_576;

/** @param lengths of the contents of the rows; none: no content */
async function slices(name: string, lengths: readonly (number | undefined)[]): Promise<number[][]> {
  const rows = lengths.map((_, at) => ({ id: idOf(`${name} ${at}`) }));
  for (const [at, length] of lengths.entries()) {
    const content = { form: 'TEXT', bytes: Buffer.alloc(length ?? 0, 'x') } as const;
    await insertRecord(admin, {
      id: rows[at]?.id ?? '',
      ...(length === undefined ? {} : { content }),
    });
  }
  const source = world.isolated.sources.get('source-record-storage');
  if (!source) throw new Error('not started');
  async function* batches(): AsyncGenerator<readonly { id: string }[]> {
    yield await Promise.resolve(rows);
  }
  return readTenant(source, { tenantId: TENANT, actorId: USER_ID }, async (tx) => {
    const cut: number[][] = [];
    for await (const slice of slicesOf(tx, batches()))
      cut.push(slice.map((row) => rows.indexOf(row)));
    return cut;
  });
}

it('cuts a list where its bytes would be too many', async () => {
  expect(await slices('short', [100, undefined, 0, 7])).toEqual([[0, 1, 2, 3]]);
  expect(await slices('long', [MIB, 7 * MIB, 1, undefined, 9 * MIB, 20 * MIB, MIB, MIB])).toEqual([
    [0, 1],
    [2, 3],
    [4],
    [5],
    [6, 7],
  ]);
});

it('cuts a list where its rows would be too many', async () => {
  const cut = await slices('many', new Array<undefined>(450).fill(undefined));
  expect(cut.map((slice) => slice.length)).toEqual([200, 200, 50]);
  expect(cut.flat()).toEqual(Array.from({ length: 450 }, (_, at) => at));
});

it('counts raw parts too', async () => {
  await admin.query(
    `insert into source_record_storage.record_raw (tenant_id, record_id, object_key, sha256, length) values ($1, $2, 'x', '', $3)`,
    [TENANT, idOf('raw 1'), 8 * MIB],
  );
  expect(await slices('raw', [1, 1, 1])).toEqual([[0], [1], [2]]);
});
