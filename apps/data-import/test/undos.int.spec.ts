import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, OTHER_TENANT, OTHER_USER_ID, USER_ID, type Answer } from './import-world.js';

let copies = 0;
const record = (): Buffer => marcRecord({ fields: [['001', `undo ${(copies += 1)}`]] });
const JOBS = '/data-import/jobExecutions';
const CANCEL = 'data-import.jobexecution.cancel';
const DATE = expect.stringMatching(/^20\d\d-.*\+00:00$/) as string;

/** Data-import, 14, 6 and 8: what an import has saved is taken back. */
describe('undoing an import', () => {
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

  const undo = (id: string, ask = {}): Promise<Answer> =>
    world.ask('POST', `${JOBS}/${id}/undo`, ask);
  const cancel = (id: string, query = '?undo=true', ask = {}): Promise<Answer> =>
    world.ask('DELETE', `${JOBS}/${id}/cancel${query}`, ask);
  const requests = (id: string): object[] =>
    [...world.sent.undos.values()].filter(({ jobExecutionId }) => jobExecutionId === id);
  const ended = async (bytes = record()): Promise<string> => {
    const { jobId } = await world.start(bytes);
    for (const chunk of await world.sent.of(jobId, 1)) await world.saved(chunk);
    return jobId;
  };

  it('asks source-record-storage once, keeps its counts, and leaves the status', async () => {
    const jobId = await ended();
    expect(await world.details(jobId)).not.toHaveProperty('undone');
    const answer = await undo(jobId, { userId: OTHER_USER_ID });
    expect(answer).toMatchObject({
      status: 202,
      headers: { location: `/api${JOBS}/${jobId}/details` },
      json: { state: 'RUNNING', requestedDate: DATE },
    });
    await world.isolated.settled();
    expect(requests(jobId)).toEqual([
      { tenantId: 'library', jobExecutionId: jobId, jobVersion: 3, userId: OTHER_USER_ID },
    ]);
    expect(await undo(jobId)).toMatchObject({ status: 202, json: answer.json });
    await world.isolated.settled();
    expect(requests(jobId)).toHaveLength(1);
    await world.undone(jobId, { removed: 5, restored: 3, kept: 1 });
    const done = { state: 'DONE', requestedDate: answer.json.requestedDate, completedDate: DATE };
    const counted = { ...done, removed: 5, restored: 3, kept: 1 };
    expect((await world.details(jobId)).undone).toEqual(counted);
    expect((await world.job(jobId)).status).toBe('COMMITTED');
    await world.undone(jobId, { removed: 0, restored: 0, kept: 0 });
    expect((await undo(jobId)).json).toEqual((await world.details(jobId)).undone);
    expect((await undo(jobId)).json).toEqual(counted);
  });

  it('waits until the last chunk that is out has come back', async () => {
    const { jobId } = await world.start(Buffer.concat(Array<Buffer>(1001).fill(record())));
    const [first, second] = await world.sent.of(jobId, 2);
    expect(await cancel(jobId)).toMatchObject({ status: 200, json: { ok: true } });
    expect(await world.job(jobId)).toMatchObject({ status: 'CANCELLED' });
    expect((await world.details(jobId)).undone).toEqual({ state: 'WAITING', requestedDate: DATE });
    await world.saved(first!);
    expect((await world.details(jobId)).undone.state).toBe('WAITING');
    expect(requests(jobId)).toEqual([]);
    await world.rejected(second!, 'STORE');
    expect((await world.details(jobId)).undone.state).toBe('RUNNING');
    expect(requests(jobId)).toEqual([expect.objectContaining({ userId: USER_ID })]);
  });

  it('is for jobs that have ended', async () => {
    const { jobId } = await world.start(record());
    const text = `JobExecution ${jobId} has not ended`;
    expect(await undo(jobId)).toMatchObject({ status: 400, text });
    for (const chunk of await world.sent.of(jobId, 1)) await world.saved(chunk);
    expect((await undo(jobId)).status).toBe(202);
  });

  it('is not for a dry run, which has saved nothing', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, record());
    const { json } = await world.ask(
      'POST',
      `/data-import/uploadDefinitions/${drafted.id}/dryRun`,
      {
        body: { jobProfileInfo: { id: 'e34d7b92-9b83-11eb-a8b3-0242ac130003' } },
      },
    );
    const text = `JobExecution ${json.jobExecutionId} is a dry run: it has saved nothing`;
    expect(await undo(json.jobExecutionId)).toMatchObject({ status: 400, text });
  });

  it('of a composite parent undoes its children, and shows what they did together', async () => {
    const composite = { files: [{ name: 'big.mrc' }], sourceType: 'COMPOSITE', userId: USER_ID };
    const create = async (more = {}): Promise<Answer['json']> =>
      (
        await world.ask('POST', '/change-manager/jobExecutions', {
          body: { ...composite, ...more },
        })
      ).json;
    const parent = (await create()).parentJobExecutionId as string;
    const children: string[] = [];
    while (children.length < 2)
      children.push((await create({ parentJobId: parent })).jobExecutions[0].id);
    expect((await undo(parent)).status).toBe(400);
    expect((await cancel(parent)).status).toBe(200);
    await world.isolated.settled();
    expect(children.map((id) => requests(id).length)).toEqual([1, 1]);
    expect(requests(parent)).toEqual([]);
    await world.undone(children[0]!, { removed: 1, restored: 2, kept: 3 });
    expect((await world.details(parent)).undone).not.toHaveProperty('removed');
    await world.undone(children[1]!, { removed: 10, restored: 20, kept: 30 });
    expect((await world.details(parent)).undone).toMatchObject({
      state: 'DONE',
      removed: 11,
      restored: 22,
      kept: 33,
    });
  });

  it('shows what was undone without being asked for here', async () => {
    const jobId = await ended();
    await world.undone(jobId, { removed: 1, restored: 0, kept: 0 });
    expect((await world.details(jobId)).undone).toMatchObject({ state: 'DONE', removed: 1 });
    expect((await undo(jobId)).json).toMatchObject({ state: 'DONE', removed: 1 });
    await world.isolated.settled();
    expect(requests(jobId)).toEqual([]);
  });

  it('lets the same file be imported again without being told of it', async () => {
    const bytes = record();
    const jobId = await ended(bytes);
    await undo(jobId);
    const again = await ended(bytes);
    expect((await world.details(again)).messages).toEqual([]);
    expect((await world.details(await ended(bytes))).messages).toMatchObject([
      { text: expect.stringContaining('imported before') },
    ]);
  });

  it('is 404 for a job that nobody knows or another tenant has, 400 for what is no id or no flag', async () => {
    const jobId = await ended();
    const unknown = randomUUID();
    for (const [answer, id] of [
      [await undo(unknown), unknown],
      [await undo(jobId, { tenant: OTHER_TENANT }), jobId],
    ] as const)
      expect(answer).toMatchObject({
        status: 404,
        text: `JobExecution with id '${id}' was not found`,
      });
    expect((await undo('abc')).status).toBe(400);
    expect((await cancel(jobId, '?undo=maybe')).status).toBe(400);
    expect(await world.details(jobId)).not.toHaveProperty('undone');
  });

  it('needs its permission, also of who cancels', async () => {
    const { jobId } = await world.start(record());
    const permissions = [CANCEL];
    expect((await undo(jobId, { permissions })).status).toBe(403);
    expect(await cancel(jobId, '?undo=true', { permissions })).toMatchObject({
      status: 403,
      text: `Access for user 'ann' (${USER_ID}) requires permission: quire.data-import.undo.post`,
    });
    expect((await world.job(jobId)).status).toBe('PARSING_IN_PROGRESS');
    expect((await cancel(jobId, '?undo=false', { permissions })).status).toBe(200);
    expect(await world.details(jobId)).not.toHaveProperty('undone');
  });
});
