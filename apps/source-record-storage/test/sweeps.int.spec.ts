import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { ObjectStoreUnavailable } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { Sweeps } from '../src/usecases/sweeps.js';
import { TENANT } from './chunk-source.js';
import { RecordWorld } from './record-world.js';

describe('the sweep', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser of the test server, who can make things old. */
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

  const sweep = async (): Promise<void> => {
    await world.isolated.services.get('source-record-storage')?.app.get(Sweeps).sweep();
  };
  const age = (table: string, by: string): Promise<unknown> =>
    admin.query(`update source_record_storage.${table} set at = at - interval '${by}'`);
  const inboxRows = (): Promise<object[]> =>
    world.rows(`select from inbox where tenant_id = $1 and consumer = 'chunks.save'`);

  it('takes an answer and its list of errors away after 14 days, and not sooner', async () => {
    const bad = Array.from({ length: 101 }, (_, at) => Buffer.from(`bad ${at}\u001d`));
    const { told } = await world.send(bad, { job: 'listed' });
    const [answer] = told;
    if (answer?.name !== 'ChunkSaved') throw new Error('not saved');
    const key = TenantKey.parse(answer.payload.errorsKey ?? '');
    await age('inbox', '13 days');
    await sweep();
    expect(await inboxRows()).toHaveLength(1);
    await age('inbox', '1 day');
    await sweep();
    expect(await inboxRows()).toHaveLength(0);
    // The list goes an hour later, as one that nobody refers to.
    expect(await world.isolated.store.stat(key)).toBeGreaterThan(0);
    await age('object_intent', '2 hours');
    await sweep();
    expect(await world.isolated.store.stat(key)).toBeUndefined();
    expect(await world.rows('select from object_intent where tenant_id = $1')).toEqual([]);
  });

  it('removes the other lists although the store never removes some', async () => {
    const { store } = world.isolated;
    const lists = Array.from({ length: 5 }, () => TenantKey.of('records', TENANT, randomUUID()));
    for (const [index, key] of lists.entries()) {
      await store.put(key, Readable.from([Buffer.from('{}\n')]));
      await admin.query(
        `insert into source_record_storage.object_intent (tenant_id, key, at) values ($1, $2, now() - make_interval(mins => $3))`,
        [TENANT, key.toString(), 90 - index],
      );
    }
    const kept = new Set(lists.slice(0, 4).map(String));
    const remove = store.remove.bind(store);
    store.remove = (key) =>
      kept.has(String(key))
        ? Promise.reject(new ObjectStoreUnavailable('remove an object'))
        : remove(key);
    // Three that are refused may be a store that is away.
    await sweep();
    await sweep();
    expect(await store.stat(lists[4]!)).toBeUndefined();
    store.remove = remove;
    await age('object_intent', '2 hours');
    await sweep();
    for (const key of lists) expect(await store.stat(key)).toBeUndefined();
    expect(await world.rows('select from object_intent where tenant_id = $1')).toEqual([]);
  });
});
