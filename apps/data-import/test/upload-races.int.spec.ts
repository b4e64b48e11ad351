import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { Client } from 'pg';
import { ImportWorld } from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
/** Looks until what must come counts as never. */
const LOOKS_MAX = 20_000;

describe('an upload whose job somebody else changes', () => {
  let database: TestDatabase;
  let world: ImportWorld;
  let admin: Client;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
    admin = new Client(database.url);
    await admin.connect();
  });

  afterAll(async () => {
    await admin.end();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const waiting = async (count: number): Promise<void> => {
    const sql = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    for (let looks = 0; looks < LOOKS_MAX; looks += 1)
      if ((await admin.query(sql)).rows.length >= count) return;
    throw new Error('Nobody waits.');
  };

  it('is refused when the job is cancelled just before its end, and leaves nothing', async () => {
    const drafted = await world.draft();
    expect((await world.upload(drafted, RECORD)).status).toBe(200);
    const before = await world.objectOf(drafted.fileId);
    const holder = new Client(database.url);
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from data_import.job_execution where id = $1 for update', [
      drafted.jobId,
    ]);
    const target = `/data-import/jobExecutions/${drafted.jobId}/cancel`;
    const cancelled = world.ask('DELETE', target);
    await waiting(1);
    const uploaded = world.upload(drafted, Buffer.concat([RECORD, RECORD]));
    await waiting(2);
    await holder.query('commit');
    await holder.end();
    expect((await cancelled).status).toBe(200);
    expect(await uploaded).toMatchObject({
      status: 400,
      text: `Cannot upload file ${drafted.fileId} - it is already being processed`,
    });
    expect((await world.job(drafted.jobId)).status).toBe('CANCELLED');
    const open = `select from job_chunk where tenant_id = $1 and job_id = $2 and state = 'WAITING'`;
    expect(await world.rows(open, [drafted.jobId])).toEqual([]);
    expect(await world.objectOf(drafted.fileId)).toEqual(before);
    await world.expectNoIntents();
  });
});
