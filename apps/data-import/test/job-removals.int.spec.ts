import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { Client } from 'pg';
import { TenantSweeps } from '../src/usecases/sweeps.js';
import { CURRENT, ImportWorld, PROFILE_ID, TENANT, USER_ID, type Drafted } from './import-world.js';

let copies = 0;
const record = (): Buffer => marcRecord({ fields: [['001', `record ${(copies += 1)}`]] });

describe('the removal of a job for good', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const sweep = (): Promise<void> =>
    world.isolated.services
      .get('data-import')!
      .app.get(TenantSweeps)
      .sweep({ tenantId: TENANT, actorId: USER_ID });
  const hide = async (jobId: string): Promise<void> => {
    await world.ask('DELETE', '/change-manager/jobExecutions', { body: { ids: [jobId] } });
    await world.change(
      `update job_execution set deleted_at = now() - interval '3 days' where tenant_id = $1 and id = $2`,
      [jobId],
    );
  };
  const rowsOf = async (table: string, column: string, jobId: string): Promise<number> => {
    const sql = `select from ${table} where tenant_id = $1 and ${column} = $2`;
    return (await world.rows(sql, [jobId])).length;
  };
  /** A job whose only record failed, and whose file nobody but the job has. */
  const failed = async (): Promise<Drafted> => {
    const drafted = await world.start(record());
    await world.rejected((await world.sent.of(drafted.jobId, 1))[0]!, 'STORE');
    return drafted;
  };
  const leaveDefinition = ({ id, fileId }: Drafted): Promise<unknown> =>
    world.ask('DELETE', `${CURRENT}/${id}/files/${fileId}`);

  it('takes its errors in batches, each a transaction', async () => {
    const { jobId } = await failed();
    await world.change(
      `insert into job_error (tenant_id, job_id, record_order, record_id, byte_offset, byte_length, code)
       select $1, $2, n, gen_random_uuid(), 0, 1, 'LEADER' from generate_series(1, 100004) as n`,
      [jobId],
    );
    await hide(jobId);
    const client = new Client(database.url);
    await client.connect();
    await client.query(`create table data_import.gone (transaction xid8, rows int);
      grant insert on data_import.gone to public;
      create function data_import.note() returns trigger language plpgsql as $$ begin
        insert into data_import.gone select pg_current_xact_id(), count(*) from removed having count(*) > 0;
        return null; end $$;
      create trigger note after delete on data_import.job_error
        referencing old table as removed for each statement execute function data_import.note()`);
    await sweep();
    const { rows } = await client.query<{ rows: number }>(
      'select rows from data_import.gone group by transaction, rows order by rows desc',
    );
    await client.query('drop trigger note on data_import.job_error');
    await client.end();
    expect(rows.map((one) => one.rows)).toEqual([100_000, 5]);
    expect(await rowsOf('job_execution', 'id', jobId)).toBe(0);
    expect(await rowsOf('job_chunk', 'job_id', jobId)).toBe(0);
  });

  it('takes the file that it shares with its retry along with the last of the two', async () => {
    const drafted = await failed();
    const { jobId, fileId } = drafted;
    const original = await world.objectOf(fileId);
    await leaveDefinition(drafted);
    const target = `/data-import/jobExecutions/${jobId}/retry`;
    const { json } = await world.ask('POST', target, { body: {} });
    const { id: retryId } = json as { id: string };
    await world.rejected((await world.sent.of(retryId, 1))[0]!, 'STORE');
    await hide(jobId);
    await sweep();
    expect(await rowsOf('job_execution', 'id', jobId)).toBe(0);
    expect(await world.isolated.store.stat(original)).toBeDefined();
    await hide(retryId);
    await sweep();
    expect(await rowsOf('job_execution', 'id', retryId)).toBe(0);
    expect(await world.isolated.store.stat(original)).toBeUndefined();
    await world.expectNoIntents();
  });

  it('takes the file of a dry run along that outlived the import of it', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, record());
    const key = await world.objectOf(drafted.fileId);
    const { json } = await world.ask(
      'POST',
      `/data-import/uploadDefinitions/${drafted.id}/dryRun`,
      { body: { jobProfileInfo: { id: PROFILE_ID } } },
    );
    const { jobExecutionId: dryRun } = json as { jobExecutionId: string };
    await world.process(drafted);
    for (const id of [dryRun, drafted.jobId]) await world.saved((await world.sent.of(id, 1))[0]!);
    await leaveDefinition(drafted);
    await hide(drafted.jobId);
    await sweep();
    expect(await world.isolated.store.stat(key)).toBeDefined();
    await world.change(
      `update job_execution set completed_at = now() - interval '8 days' where tenant_id = $1 and id = $2`,
      [dryRun],
    );
    await sweep();
    expect(await rowsOf('job_execution', 'id', dryRun)).toBe(0);
    expect(await world.isolated.store.stat(key)).toBeUndefined();
  });

  it('has begun when it was deleted: it cannot be retried any more', async () => {
    const { jobId } = await failed();
    await hide(jobId);
    const target = `/data-import/jobExecutions/${jobId}/retry`;
    expect((await world.ask('POST', target, { body: {} })).status).toBe(404);
  });

  it('takes the bytes of a file along that was refused as a whole, and not before', async () => {
    const drafted = await world.draft('records.zip.mrc');
    await world.upload(drafted, Buffer.from('PK\u0003\u0004 and more'));
    await world.process(drafted);
    expect((await world.job(drafted.jobId)).status).toBe('ERROR');
    const key = await world.objectOf(drafted.fileId);
    await leaveDefinition(drafted);
    const target = `/data-import/jobExecutions/${drafted.jobId}/downloadUrl`;
    expect((await world.get(target)).status).toBe(200);
    expect((await world.details(drafted.jobId)).source).toMatchObject({
      bytes: 13,
      sha256: expect.any(String),
    });
    await hide(drafted.jobId);
    await sweep();
    expect(await world.isolated.store.stat(key)).toBeUndefined();
  });
});
