import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { ObjectStoreUnavailable } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { TenantSweeps } from '../src/usecases/sweeps.js';
import { CURRENT, ImportWorld, TENANT, USER_ID, type Drafted } from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });

/** What cannot be swept comes again with the next sweep; until then it stands in nobody's way. */
describe('a store that never removes some objects', () => {
  let database: TestDatabase;
  let world: ImportWorld;
  const kept = new Set<string>();

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
    const { store } = world.isolated;
    const remove = store.remove.bind(store);
    store.remove = (key) =>
      kept.has(key.toString())
        ? Promise.reject(new ObjectStoreUnavailable('remove an object'))
        : remove(key);
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
  const exists = async (key: string): Promise<boolean> =>
    (await world.isolated.store.stat(TenantKey.parse(key))) !== undefined;
  const overdue = async (minutes: number): Promise<string> => {
    const key = TenantKey.of('import', TENANT, randomUUID());
    await world.isolated.store.put(key, Readable.from([RECORD]));
    await world.change(
      'insert into object_intent (tenant_id, key, at) values ($1, $2, now() - make_interval(mins => $3))',
      [key.toString(), minutes],
    );
    return key.toString();
  };
  /** A job with an object of its own whose logs were deleted long ago. */
  const deleted = async (): Promise<{ jobId: string; key: string }> => {
    const drafted = await world.start(RECORD);
    const { id, fileId, jobId } = drafted;
    const key = (await world.objectOf(fileId)).toString();
    await world.saved((await world.sent.of(jobId, 1))[0]!);
    await world.ask('DELETE', `${CURRENT}/${id}/files/${fileId}`);
    await world.ask('DELETE', '/change-manager/jobExecutions', { body: { ids: [jobId] } });
    await world.change(
      `update job_execution set deleted_at = now() - interval '3 days' where tenant_id = $1 and id = $2`,
      [jobId],
    );
    return { jobId, key };
  };
  const expired = async (): Promise<Drafted & { key: string }> => {
    const drafted = await world.draft();
    await world.upload(drafted, RECORD);
    await world.change(
      `update upload_definition set created_at = now() - interval '99 days', updated_at = now() - interval '99 days'
       where tenant_id = $1 and id = $2`,
      [drafted.id],
    );
    return { ...drafted, key: (await world.objectOf(drafted.fileId)).toString() };
  };
  const jobsLeft = async (ids: readonly string[]): Promise<number> => {
    const sql = 'select from job_execution where tenant_id = $1 and id = any ($2)';
    return (await world.rows(sql, [ids])).length;
  };

  it('holds up no other object, draft or job', async () => {
    const [stuck, free] = [await overdue(90), await overdue(80)];
    const drafts = [await expired(), await expired()];
    const jobs = [await deleted(), await deleted()];
    for (const key of [stuck, drafts[0]!.key, jobs[0]!.key]) kept.add(key);
    await sweep();
    expect(await exists(free)).toBe(false);
    for (const { id } of drafts) expect((await world.get(`${CURRENT}/${id}`)).status).toBe(404);
    expect(await exists(drafts[1]!.key)).toBe(false);
    expect(await jobsLeft(jobs.map(({ jobId }) => jobId))).toBe(0);
    expect(await exists(jobs[1]!.key)).toBe(false);
    // What it kept is written down, and goes when it may.
    const left = [...kept];
    kept.clear();
    await world.change(
      `update object_intent set at = now() - interval '2 hours' where tenant_id = $1 and key = any ($2)`,
      [left],
    );
    await sweep();
    for (const key of left) expect(await exists(key)).toBe(false);
    await world.expectNoIntents();
  });

  it('does not stand before the others for ever, however many it keeps', async () => {
    for (let count = 0; count < 4; count += 1) kept.add(await overdue(90));
    const free = await overdue(80);
    // Three in a row look like a store that is away.
    await sweep();
    expect(await exists(free)).toBe(true);
    await sweep();
    expect(await exists(free)).toBe(false);
  });
});
