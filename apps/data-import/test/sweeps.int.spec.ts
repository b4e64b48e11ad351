import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { TenantKey } from '@quire/object-store/tenant-key';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { TenantSweeps } from '../src/usecases/sweeps.js';
import { UploadSteps } from '../src/usecases/upload-steps.js';
import { CURRENT, ImportWorld, TENANT, USER_ID, type Drafted } from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });

/** What the sweeps see is made by turning rows into what a dead process leaves. */
describe('the sweeps of data-import', () => {
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

  const fileOf = async (drafted: Drafted): Promise<{ status: string }> => {
    const { json } = await world.get(`${CURRENT}/${drafted.id}`);
    return (json as { fileDefinitions: [{ status: string }] }).fileDefinitions[0];
  };
  const sweep = (): Promise<void> =>
    world.isolated.services
      .get('data-import')!
      .app.get(TenantSweeps)
      .sweep({ tenantId: TENANT, actorId: USER_ID });
  /** An object whose writer died: bytes, an intent, and for an upload its row. */
  const leftOver = async (): Promise<TenantKey> => {
    const key = TenantKey.of('import', TENANT, randomUUID());
    await world.isolated.store.put(key, Readable.from([RECORD]));
    await world.change('insert into object_intent (tenant_id, key) values ($1, $2)', [
      key.toString(),
    ]);
    return key;
  };
  const upload = async (drafted: Drafted, key: TenantKey, lease: string): Promise<void> => {
    await world.change(
      `insert into file_upload (tenant_id, id, file_id, object_key, lease_until)
       values ($1, $2, $3, $4, clock_timestamp() + $5::interval)`,
      [key.uuid, drafted.fileId, key.toString(), lease],
    );
    await world.change(
      `update upload_file set status = 'UPLOADING' where tenant_id = $1 and id = $2`,
      [drafted.fileId],
    );
  };

  it('make the file of an upload that died an error, and remove what it stored', async () => {
    const drafted = await world.draft();
    const key = await leftOver();
    await upload(drafted, key, '-1 second');
    await sweep();
    expect((await fileOf(drafted)).status).toBe('ERROR');
    expect(await world.isolated.store.stat(key)).toBeUndefined();
    expect((await world.upload(drafted, RECORD)).status).toBe(200);
    expect((await fileOf(drafted)).status).toBe('UPLOADED');
  });

  it('delete drafts that nobody processed in the days that the tenant gives them, with bytes and jobs', async () => {
    const drafts = [await world.draft(), await world.draft(), await world.draft()];
    const [old, young, touched] = drafts as [Drafted, Drafted, Drafted];
    await world.upload(old, RECORD);
    const key = await world.objectOf(old.fileId);
    const begun = await world.start(marcRecord({ fields: [['001', 'begun']] }));
    const setting = { body: { value: 3 } };
    await world.ask('PUT', '/data-import/settings/DRAFT_DAYS', setting);
    const age = (one: Drafted, created: number, updated: number): Promise<number> =>
      world.change(
        `update upload_definition set created_at = now() - make_interval(hours => $3), updated_at = now() - make_interval(hours => $4)
         where tenant_id = $1 and id = $2`,
        [one.id, created, updated],
      );
    await age(young, 71, 71);
    await age(touched, 100, 71);
    await age(begun, 100, 100);
    await age(old, 73, 73);
    const statusOf = async ({ id }: Drafted): Promise<number> =>
      (await world.get(`${CURRENT}/${id}`)).status;
    await sweep();
    expect(await statusOf(old)).toBe(404);
    expect(await world.isolated.store.stat(key)).toBeUndefined();
    expect((await world.job(old.jobId)).status).toBe('DISCARDED');
    for (const kept of [young, touched, begun]) expect(await statusOf(kept)).toBe(200);
    await world.ask('PUT', '/data-import/settings/DRAFT_DAYS', { body: { value: null } });
  });

  it('remove objects that nobody refers to, but never one that is still being uploaded', async () => {
    const [living, forgotten] = [await leftOver(), await leftOver()];
    const drafted = await world.draft();
    await upload(drafted, living, '60 seconds');
    await world.change(
      `update object_intent set at = at - interval '61 minutes' where tenant_id = $1 and key = any ($2)`,
      [[living.toString(), forgotten.toString()]],
    );
    await sweep();
    expect(await world.isolated.store.stat(forgotten)).toBeUndefined();
    expect(await world.isolated.store.stat(living)).toBe(RECORD.length);
    expect((await fileOf(drafted)).status).toBe('UPLOADING');
  });

  it('end a job whose last chunk was counted by a process that died then', async () => {
    const { jobId } = await world.start(RECORD);
    await world.sent.of(jobId, 1);
    await world.change(
      `update job_chunk set state = 'DONE', created = 1 where tenant_id = $1 and job_id = $2`,
      [jobId],
    );
    await sweep();
    expect(await world.job(jobId)).toMatchObject({ status: 'COMMITTED', result: 'SUCCESS' });
  });

  it('send a chunk again whose answer is a minute late', async () => {
    const { jobId } = await world.start(RECORD);
    await world.sent.of(jobId, 1);
    await world.change(
      `update job_chunk set released_at = released_at - interval '61 seconds' where tenant_id = $1 and job_id = $2`,
      [jobId],
    );
    await sweep();
    const [first, again] = await world.sent.of(jobId, 2);
    expect(again).toEqual({ ...first, attempt: 2 });
    await world.saved(again!);
    await world.saved(first!);
    expect(await world.job(jobId)).toMatchObject({
      status: 'COMMITTED',
      progress: { current: 1, total: 1 },
    });
  });

  it('take a job for incomplete when a chunk was answered without being saved', async () => {
    const { jobId } = await world.start(RECORD);
    const [chunk] = await world.sent.of(jobId, 1);
    await world.saved(chunk!, { skipped: true });
    const ended = await world.job(jobId);
    expect(ended).toMatchObject({ status: 'ERROR', result: 'FAILED' });
    await world.saved(chunk!);
    expect(await world.job(jobId)).toEqual(ended);
  });

  it('leave the content of a file alone when the answer to its commit was lost', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, RECORD);
    const [file] = await world.rows<{ object_key: string }>(
      'select object_key from upload_file where tenant_id = $1 and id = $2',
      [drafted.fileId],
    );
    const key = TenantKey.parse(file?.object_key ?? '');
    const steps = world.isolated.services.get('data-import')!.app.get(UploadSteps);
    const { id: definitionId, fileId } = drafted;
    const upload = { id: key.uuid, key: key.toString(), fileId, definitionId };
    await steps.broken({ tenantId: TENANT, actorId: USER_ID }, upload);
    expect(await world.isolated.store.stat(key)).toBe(RECORD.length);
    expect((await fileOf(drafted)).status).toBe('UPLOADED');
  });

  describe('of jobs whose time is over', () => {
    const JOBS = '/change-manager/jobExecutions';
    const online = async (): Promise<string> => {
      const body = { sourceType: 'ONLINE', userId: USER_ID };
      const { json } = await world.ask('POST', JOBS, { body });
      return (json as { parentJobExecutionId: string }).parentJobExecutionId;
    };
    const setBack = (id: string, column: string, interval: string): Promise<number> =>
      world.change(
        `update job_execution set ${column} = now() - $3::interval where tenant_id = $1 and id = $2`,
        [id, interval],
      );

    it('remove deleted logs for good after two days, with their errors and chunks', async () => {
      const drafted = await world.start(RECORD);
      const { jobId } = drafted;
      const [chunk] = await world.sent.of(jobId, 1);
      const none = { created: 0, updated: 0, unchanged: 0, warned: 0, byType: {}, warnings: {} };
      const errors = [{ o: 0, at: 0, len: RECORD.length, c: 'LEADER' }];
      await world.saved(chunk!, { counts: { ...none, failed: 1 }, errors });
      const left = (table: string, column: string): Promise<object[]> =>
        world.rows(`select from ${table} where tenant_id = $1 and ${column} = $2`, [jobId]);
      await world.ask('DELETE', JOBS, { body: { ids: [jobId] } });
      await setBack(jobId, 'deleted_at', '47 hours');
      await sweep();
      expect(await left('job_error', 'job_id')).toHaveLength(1);
      await setBack(jobId, 'deleted_at', '49 hours');
      await sweep();
      expect(await left('job_execution', 'id')).toEqual([]);
      expect(await left('job_error', 'job_id')).toEqual([]);
      expect(await left('job_chunk', 'job_id')).toEqual([]);
      // The definition still has its file.
      expect(await world.isolated.store.stat(await world.objectOf(drafted.fileId))).toBeDefined();
    });

    it('discard a job that nobody used for seven days', async () => {
      const [old, young] = [await online(), await online()];
      await setBack(young, 'created_at', '6 days');
      await setBack(old, 'created_at', '7 days 1 minute');
      await sweep();
      expect((await world.job(old)).status).toBe('DISCARDED');
      expect((await world.job(young)).status).toBe('NEW');
    });

    it('end a job that was set running and never got a record', async () => {
      const id = await online();
      await world.ask('PUT', `${JOBS}/${id}/status`, { body: { status: 'PARSING_IN_PROGRESS' } });
      await setBack(id, 'last_updated', '11 minutes');
      await sweep();
      expect(await world.job(id)).toMatchObject({
        errorStatus: 'FILE_PROCESSING_ERROR',
        result: 'FAILED',
        progress: { current: 0, total: 0 },
      });
      expect((await world.details(id)).messages[0]).toMatchObject({ code: 'EMPTY_FILE' });
    });
  });
});

it('the sweeps of data-import come by themselves', async () => {
  await using database = await testDatabase();
  await using world = await ImportWorld.start(database.url, { sweepMs: 20, resendMs: 1 });
  const { jobId } = await world.start(RECORD);
  const [first, again] = await world.sent.of(jobId, 2);
  expect(again).toEqual({ ...first, attempt: 2 });
});
