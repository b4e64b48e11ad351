import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, OTHER_TENANT, USER_ID, type Answer } from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
const JOBS = '/change-manager/jobExecutions';

/** Data-import, 3.4: the cancel of the current family, which ends a job as that of the change manager does. */
describe('cancelling an import', () => {
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

  const cancel = (id: string, tenant?: string): Promise<Answer> =>
    world.ask(
      'DELETE',
      `/data-import/jobExecutions/${id}/cancel`,
      tenant === undefined ? {} : { tenant },
    );
  const statusOf = async (id: string): Promise<string> => String((await world.job(id)).status);

  it('ends a job that runs, and is no news the second time', async () => {
    const { jobId } = await world.start(RECORD);
    expect(await cancel(jobId)).toMatchObject({ status: 200, json: { ok: true } });
    const cancelled = await world.job(jobId);
    expect(cancelled).toMatchObject({ status: 'CANCELLED', completedDate: expect.any(String) });
    expect(await cancel(jobId)).toMatchObject({ status: 200, json: { ok: true } });
    expect(await world.job(jobId)).toEqual(cancelled);
  });

  it('ends a job that has not begun: its file is taken no more', async () => {
    const drafted = await world.draft();
    expect((await cancel(drafted.jobId)).status).toBe(200);
    expect(await statusOf(drafted.jobId)).toBe('CANCELLED');
    expect((await world.upload(drafted, RECORD)).status).toBe(400);
  });

  it('changes nothing of a job that has ended', async () => {
    const { jobId } = await world.start(marcRecord({ fields: [['001', 'a2']] }));
    for (const chunk of await world.sent.of(jobId, 1)) await world.saved(chunk);
    expect(await statusOf(jobId)).toBe('COMMITTED');
    expect((await cancel(jobId)).status).toBe(200);
    expect(await statusOf(jobId)).toBe('COMMITTED');
  });

  it('takes the child of a composite parent along', async () => {
    const composite = { files: [{ name: 'big.mrc' }], sourceType: 'COMPOSITE', userId: USER_ID };
    const parent = (await world.ask('POST', JOBS, { body: composite })).json.parentJobExecutionId;
    const child = (await world.ask('POST', JOBS, { body: { ...composite, parentJobId: parent } }))
      .json.jobExecutions[0].id;
    expect((await cancel(parent)).status).toBe(200);
    expect([await statusOf(parent), await statusOf(child)]).toEqual(['CANCELLED', 'CANCELLED']);
  });

  it('is 404 for a job that nobody knows or another tenant has, 400 for what is no id', async () => {
    const unknown = randomUUID();
    const { jobId } = await world.draft();
    for (const [answer, id] of [
      [await cancel(unknown), unknown],
      [await cancel(jobId, OTHER_TENANT), jobId],
    ] as const)
      expect(answer).toMatchObject({
        status: 404,
        text: `JobExecution with id '${id}' was not found`,
      });
    expect((await cancel('abc')).status).toBe(400);
    expect(await statusOf(jobId)).toBe('NEW');
  });

  it('needs its permission', async () => {
    const { jobId } = await world.draft();
    const answer = await world.ask('DELETE', `/data-import/jobExecutions/${jobId}/cancel`, {
      permissions: ['change-manager.records.delete'],
    });
    expect(answer.status).toBe(403);
  });
});
