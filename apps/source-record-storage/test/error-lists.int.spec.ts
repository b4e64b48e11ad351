import { ImportCancelled } from '@quire/contracts/data-import';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import type { Told } from './import-stub.js';
import { RecordWorld } from './record-world.js';

/** An object that neither an answer nor an intent names would lie in the store for ever. */
describe('an object with the errors of a chunk', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const bad = Array.from({ length: 101 }, (_, at) => Buffer.from(`bad ${at}\x1d`));

  const stored = async (): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of world.isolated.store.list('records', TENANT))
      keys.push(key.toString());
    return keys.sort();
  };
  const announced = async (): Promise<string[]> => {
    const rows = await world.rows<{ key: string }>(
      'select key from object_intent where tenant_id = $1',
    );
    return rows.map((row) => row.key).sort();
  };
  const named = (told: readonly Told[]): (string | undefined)[] =>
    told.map((one) => (one.name === 'ChunkSaved' ? one.payload.errorsKey : undefined));

  it('belongs to the answer that names it', async () => {
    const { told } = await world.send(bad, { job: 'kept' });
    expect(await stored()).toEqual(named(told));
    expect(await announced()).toEqual([]);
  });

  it('stays announced, to be swept, when the chunk is answered as before', async () => {
    const { chunk, told } = await world.send(bad, { job: 'again' });
    const before = await stored();
    const again = await world.offer(chunk);
    expect(named(again)).toEqual([...named(told), ...named(told)]);
    const made = (await stored()).filter((key) => !before.includes(key));
    expect(made).toHaveLength(1);
    expect(await announced()).toEqual(made);
  });

  it('stays announced when the chunk is skipped', async () => {
    const before = { stored: await stored(), announced: await announced() };
    const job = { tenantId: TENANT, jobExecutionId: idOf('stopped'), jobVersion: 9 };
    await world.publish(ImportCancelled, { ...job, status: 'CANCELLED', userId: USER_ID });
    const { told } = await world.send(bad, { job: 'stopped' });
    expect(told).toMatchObject([{ payload: { skipped: true } }]);
    expect(named(told)).toEqual([undefined]);
    const made = (await stored()).filter((key) => !before.stored.includes(key));
    expect(made).toHaveLength(1);
    expect(await announced()).toEqual([...before.announced, ...made].sort());
  });
});
