import { BIB_LEADER, marcRecord } from '@quire/testing/marc';
import { PostgresProxy } from '@quire/testing/postgres-proxy';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf } from './chunk-source.js';
import { RecordWorld } from './record-world.js';

const TITLE = 'Committed but unheard';

/** F5 and F20 of the fault matrix (reliability, section 17). */
describe('a chunk whose connection to the database is cut', () => {
  let database: TestDatabase;
  let proxy: PostgresProxy;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    proxy = await PostgresProxy.open(database.url);
    world = await RecordWorld.start(proxy.url);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await database.close();
  });

  const frames = (count: number, title: string): Buffer[] =>
    Array.from({ length: count }, (_, at) =>
      marcRecord({
        leader: BIB_LEADER,
        fields: [
          ['001', `${title} ${at}`],
          ['245', '10', { a: `${title} ${at}` }],
        ],
      }),
    );
  const stored = (job: string): Promise<{ record_order: number; generation: number }[]> =>
    world.rows(
      'select record_order, generation from record where tenant_id = $1 and snapshot_id = $2 order by 1',
      [idOf(job)],
    );

  it('after its COMMIT is stored once, and answered when it is delivered again', async () => {
    const cut = proxy.cutAfterCommitOf(TITLE);
    const { told } = await world.send(frames(50, TITLE), { job: 'unheard' });
    await cut;
    expect(await stored('unheard')).toEqual(
      Array.from({ length: 50 }, (_, at) => ({ record_order: at, generation: 0 })),
    );
    // Its own answer, and the one of the second delivery.
    expect(told).toEqual([told[0], told[0]]);
    expect(told[0]?.payload).toMatchObject({ counts: { created: 50 } });
  });

  it('before its COMMIT leaves nothing, and is stored when it is delivered again', async () => {
    const title = 'Never committed';
    const cut = proxy.cutBeforeCommitOf(title);
    const sent = world.send(frames(50, title), { job: 'again' });
    await cut;
    const { told } = await sent;
    expect(await stored('again')).toHaveLength(50);
    // One answer: of the first delivery there is none.
    expect(told.map(({ payload }) => payload)).toMatchObject([{ counts: { created: 50 } }]);
  });
});
