import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf, OTHER_TENANT, TENANT } from './chunk-source.js';
import { RecordWorld } from './record-world.js';
import { authorityBody, RecordClient, RECORDS } from './sent-records.js';

describe('the statistics of the planner', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let admin: DataSource;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await admin.query('alter table source_record_storage.record set (autovacuum_enabled = false)');
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  async function knownTenants(): Promise<readonly string[] | undefined> {
    const [row] = await admin.query<{ tenants: string[] }[]>(
      `select most_common_vals::text::text[] as tenants from pg_stats
       where schemaname = 'source_record_storage' and tablename = 'record' and attname = 'tenant_id'`,
    );
    return row?.tenants.sort();
  }

  async function saveBatch(count: number, tenant: string): Promise<void> {
    const records = Array.from({ length: count }, (_, at) => authorityBody(`${tenant} ${at}`));
    const body = { records, totalRecords: count };
    const answer = await world.ask('POST', '/source-storage/batch/records', { body, tenant });
    expect([answer.status, answer.json.totalRecords]).toEqual([201, count]);
  }

  it('get to know a tenant that clients write a thousand records of', async () => {
    await new RecordClient(world).snapshot();
    await saveBatch(1000, TENANT);
    expect(await knownTenants()).toEqual([TENANT]);
  });

  it('get to know it also when the thousand come in pieces', async () => {
    const body = { jobExecutionId: idOf('snapshot'), status: 'PARSING_IN_PROGRESS' };
    await world.ask('POST', '/source-storage/snapshots', { body, tenant: OTHER_TENANT });
    await saveBatch(999, OTHER_TENANT);
    expect(await knownTenants()).toEqual([TENANT]);
    const last = await world.ask('POST', RECORDS, {
      body: authorityBody('last'),
      tenant: OTHER_TENANT,
    });
    expect(last.status).toBe(201);
    expect(await knownTenants()).toEqual([OTHER_TENANT, TENANT]);
  });
});
