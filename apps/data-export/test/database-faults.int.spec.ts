import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { PostgresProxy } from '@quire/testing/postgres-proxy';
import { ExportWorld, idOf } from './export-world.js';

/** Faults of the way to the database (reliability, F20). */
describe('an upload of ids whose connection to the database is cut after its COMMIT', () => {
  let database: TestDatabase;
  let proxy: PostgresProxy;
  let world: ExportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    proxy = await PostgresProxy.open(database.url);
    world = await ExportWorld.start(proxy.url);
    world.has([idOf(0), idOf(1)]);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await database.close();
  });

  it('is a success all the same, and its export has every record', async () => {
    const cut = proxy.cutAfterCommitOf('insert into job_execution');
    const job = await world.exported(`${idOf(0)}\n${idOf(1)}`);
    await cut;
    expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 2, total: 2 } });
  });
});
