import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import {
  CURRENT,
  ImportWorld,
  OTHER_PROFILE_ID,
  OTHER_USER_ID,
  PROFILE_ID,
  SEED,
  USER_ID,
  violationOf,
  type Answer,
} from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
/** The one that is taken when nobody names a profile. */
const DEFAULT_PROFILE_ID = '36a83bc5-9fef-4baa-a36d-7a0f34351dfa';
/** Enough looks for anything that a service does by itself. */
const LOOKS_MAX = 2000;

/** Data-import, section 14, 14: processing starts when the definition becomes loaded. */
describe('processing that starts by itself', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url, { runningJobsMax: 30, sweepMs: 50 });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  afterEach(() => set('AUTO_PROCESS', null));

  const set = async (key: string, value: unknown): Promise<void> => {
    expect(
      (await world.ask('PUT', `/data-import/settings/${key}`, { body: { value } })).status,
    ).toBe(204);
  };
  const create = async (query: string, names = ['a.mrc'], base = SEED): Promise<Answer['json']> => {
    const body = { fileDefinitions: names.map((name) => ({ name })) };
    const { status, json } = await world.ask('POST', `${base}${query}`, { body });
    expect(status).toBe(201);
    return json;
  };
  const upload = async (definition: Answer['json'], index = 0): Promise<Answer['json']> => {
    // Each file its own content: the guard against duplicates has no part here.
    const bytes = marcRecord({ fields: [['001', randomUUID()]] });
    const answer = await world.uploadTo(definition.id, definition.fileDefinitions[index].id, bytes);
    expect(answer.status).toBe(200);
    return answer.json;
  };
  const profileOf = async (definition: Answer['json'], index = 0): Promise<unknown> =>
    (await world.job(definition.fileDefinitions[index].jobExecutionId)).jobProfileInfo?.id;

  it.each([
    [SEED, PROFILE_ID],
    [CURRENT, PROFILE_ID.toUpperCase()],
  ])('is asked for at creation, with a profile: %s', async (base, autostart) => {
    const made = await create(`?autostart=${autostart}`, ['a.mrc', 'b.mrc'], base);
    expect((await upload(made, 0)).status).toBe('IN_PROGRESS');
    expect(await profileOf(made)).toBeUndefined();
    expect((await upload(made, 1)).status).toBe('COMPLETED');
    for (const index of [0, 1]) expect(await profileOf(made, index)).toBe(PROFILE_ID);
    const job = await world.job(made.fileDefinitions[0].jobExecutionId);
    expect(job).toMatchObject({ status: 'PARSING_IN_PROGRESS', userId: USER_ID });
    expect(await world.sent.of(job.id, 1)).toMatchObject([{ count: 1 }]);
  });

  it('takes the default profile for true, or the one that the tenant has set', async () => {
    const first = await create('?AutoStart=TRUE');
    expect((await upload(first)).status).toBe('COMPLETED');
    expect(await profileOf(first)).toBe(DEFAULT_PROFILE_ID);
    await set('AUTO_PROCESS', PROFILE_ID);
    const second = await create('?autostart=true');
    await upload(second);
    expect(await profileOf(second)).toBe(PROFILE_ID);
  });

  it("is the tenant's wish for every definition that does not say otherwise", async () => {
    await set('AUTO_PROCESS', 'on');
    const [plain, own, never] = [
      await create(''),
      await create(`?autostart=${PROFILE_ID}`),
      await create('?autostart=false'),
    ];
    expect((await upload(plain)).status).toBe('COMPLETED');
    expect(await profileOf(plain)).toBe(DEFAULT_PROFILE_ID);
    await upload(own);
    expect(await profileOf(own)).toBe(PROFILE_ID);
    expect((await upload(never)).status).toBe('LOADED');
    expect(await profileOf(never)).toBeUndefined();
  });

  it('does not happen unless somebody wants it', async () => {
    const made = await create('');
    expect((await upload(made)).status).toBe('LOADED');
  });

  it('happens when the last file that was missing is removed, in either family', async () => {
    for (const remove of [
      (id: string, fileId: string) =>
        world.ask('DELETE', `${SEED}/file/${fileId}?uploadDefinitionId=${id}`),
      (id: string, fileId: string) => world.ask('DELETE', `${CURRENT}/${id}/files/${fileId}`),
    ]) {
      const made = await create('?autostart=true', ['a.mrc', 'b.mrc']);
      await upload(made);
      expect((await remove(made.id, made.fileDefinitions[1].id)).status).toBe(204);
      expect((await world.read(made.id)).status).toBe('COMPLETED');
      expect(await profileOf(made)).toBe(DEFAULT_PROFILE_ID);
    }
    const made = await create('?autostart=true', ['a.mrc', 'b.mrc']);
    await upload(made);
    const [{ id, name }] = made.fileDefinitions;
    const put = await world.ask('PUT', `${SEED}/${made.id}`, {
      body: { fileDefinitions: [{ id, name }] },
    });
    expect(put.json.status).toBe('COMPLETED');
  });

  it('is no work of a label: LOADED by hand starts nothing', async () => {
    const made = await create('?autostart=true');
    const put = await world.ask('PUT', `${SEED}/${made.id}`, { body: { status: 'LOADED' } });
    expect(put.json.status).toBe('LOADED');
    expect(await profileOf(made)).toBeUndefined();
  });

  it('is refused for a profile that nobody knows, and for what is no profile', async () => {
    const unknown = randomUUID();
    for (const base of [SEED, CURRENT]) {
      const ask = (value: string): Promise<Answer> =>
        world.ask('POST', `${base}?autostart=${value}`, { body: {} });
      expect(violationOf(await ask(unknown))).toMatchObject({
        message: `JobProfile with id '${unknown}' was not found`,
        parameters: [{ key: 'autostart', value: unknown }],
      });
      expect(await ask('yes')).toMatchObject({
        status: 400,
        text: "'autostart' parameter is incorrect. parameter value {yes} is not valid: must be true, false or the id of a job profile",
      });
    }
  });

  it('is no failure of the upload when it is refused', async () => {
    await set('DUPLICATE_FILE', 'reject');
    const first = await world.start(RECORD);
    for (const chunk of await world.sent.of(first.jobId, 1)) await world.saved(chunk);
    const made = await create('?autostart=true');
    const { status, json } = await world.uploadTo(made.id, made.fileDefinitions[0].id, RECORD);
    expect([status, json.status]).toEqual([200, 'LOADED']);
    await set('DUPLICATE_FILE', null);
    const due = await world.rows(
      'select from upload_definition where tenant_id = $1 and start_due is not null',
    );
    expect(due).toEqual([]);
    expect((await world.process(made)).status).toBe(204);
  });

  it('is made up for by the sweep, for the person who uploaded, when the process died before it', async () => {
    const made = await create('?autostart=false');
    await world.ask(
      'POST',
      `/data-import/upload/file?uploadDefinitionId=${made.id}&fileId=${made.fileDefinitions[0].id}`,
      {
        bytes: marcRecord({ fields: [['001', randomUUID()]] }),
        userId: OTHER_USER_ID,
      },
    );
    await world.change(
      'update upload_definition set start_due = $3 where tenant_id = $1 and id = $2',
      [made.id, OTHER_PROFILE_ID],
    );
    let looks = 0;
    while ((await world.read(made.id)).status !== 'COMPLETED' && looks < LOOKS_MAX) looks += 1;
    expect(await profileOf(made)).toBe(OTHER_PROFILE_ID);
    expect((await world.read(made.id)).metadata).toMatchObject({
      updatedByUserId: OTHER_USER_ID,
      updatedByUsername: 'ann',
    });
  });

  it('waits for its turn while the tenant has as many jobs as it may', async () => {
    await using own = await testDatabase();
    await using busy = await ImportWorld.start(own.url, { runningJobsMax: 1, sweepMs: 50 });
    const first = await busy.start(RECORD);
    const body = { fileDefinitions: [{ name: 'a.mrc' }] };
    const made = (await busy.ask('POST', `${SEED}?autostart=true`, { body })).json;
    const bytes = marcRecord({ fields: [['001', 'later']] });
    const uploaded = await busy.uploadTo(made.id, made.fileDefinitions[0].id, bytes);
    expect([uploaded.status, uploaded.json.status]).toEqual([200, 'LOADED']);
    for (const chunk of await busy.sent.of(first.jobId, 1)) await busy.saved(chunk);
    let looks = 0;
    while ((await busy.read(made.id)).status !== 'COMPLETED' && looks < LOOKS_MAX) looks += 1;
    expect((await busy.read(made.id)).status).toBe('COMPLETED');
  });
});
