import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, OTHER_TENANT, type Answer, type Ask } from './import-world.js';

const MATCHING_PROFILE_ID = 'f5480378-9acd-4f7e-8219-6410f4ac9582';

let copies = 0;
/** A record as no other: the same file twice is another matter. */
const record = (): Buffer => marcRecord({ fields: [['001', `record ${(copies += 1)}`]] });
const options = (header: string): Ask => ({ headers: { 'X-Quire-Import-Options': header } });

describe('the options of an import', () => {
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

  const sentOptions = async (jobId: string): Promise<ChunkReadyPayload['options'] | undefined> =>
    (await world.sent.of(jobId, 1))[0]?.options;
  const set = async (key: string, value: unknown): Promise<void> => {
    const answer = await world.ask('PUT', `/data-import/settings/${key}`, { body: { value } });
    expect(answer.status).toBe(204);
  };

  it('are the careful ones when nothing is asked: 999 ff is rejected, repairs are made', async () => {
    const { jobId } = await world.start(record());
    expect(await sentOptions(jobId)).toEqual({
      on999ff: 'reject',
      skipUnchanged: true,
      strict: false,
      assignInstanceIds: true,
      dryRun: false,
    });
  });

  it('are taken from the header of processFiles and kept with the job', async () => {
    const ask = options('on999ff=strip; strict=true; skipUnchanged=false');
    const { jobId } = await world.start(record(), undefined, ask);
    const taken = { on999ff: 'strip', strict: true, skipUnchanged: false };
    expect(await sentOptions(jobId)).toMatchObject(taken);
    expect((await world.details(jobId)).options).toMatchObject(taken);
  });

  it('are taken when a client makes the job itself, and refused there too', async () => {
    const target = '/change-manager/jobExecutions';
    const body = { sourceType: 'ONLINE', userId: '' };
    const ask = { ...options('on999ff=strip; skipUnchanged=false'), body };
    const made = await world.ask('POST', target, ask);
    expect(made.status).toBe(201);
    const { parentJobExecutionId: id } = made.json as { parentJobExecutionId: string };
    expect((await world.details(id)).options).toEqual({ on999ff: 'strip', skipUnchanged: false });
    const refused = await world.ask('POST', target, { ...options('strict=1'), body });
    expect(refused).toMatchObject({
      status: 400,
      text: "X-Quire-Import-Options: 'strict' cannot be '1'. Allowed are: true, false",
    });
  });

  it.each([
    ['strict=yes', "'strict' cannot be 'yes'. Allowed are: true, false"],
    ['lax=true', "'lax' is not an import option. Allowed are: on999ff=reject|accept|strip, "],
  ])('are refused when they are %s, and nothing is started', async (header, text) => {
    const drafted = await world.draft();
    await world.upload(drafted, record());
    const answer = await world.process(drafted, {}, options(header));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(`X-Quire-Import-Options: ${text}`);
    expect((await world.job(drafted.jobId)).status).toBe('FILE_UPLOADED');
    expect(await world.process(drafted)).toMatchObject({ status: 204 });
  });

  it('accept the ids of records for the profile that creates or updates, one chunk after the other', async () => {
    const file = Buffer.concat([record(), ...Array<Buffer>(1000).fill(record())]);
    const { jobId } = await world.start(file, undefined, { info: { id: MATCHING_PROFILE_ID } });
    const [chunk] = await world.sent.of(jobId, 1);
    expect(chunk).toMatchObject({
      profile: { id: MATCHING_PROFILE_ID, match: 'create-or-update' },
      options: { on999ff: 'accept' },
    });
    await expectOneOut(jobId);
  });

  it('let chunks go one after the other when the ids of records are accepted', async () => {
    const file = Buffer.concat([record(), ...Array<Buffer>(1000).fill(record())]);
    const { jobId } = await world.start(file, undefined, options('on999ff=accept'));
    await world.sent.of(jobId, 1);
    await expectOneOut(jobId);
  });

  async function expectOneOut(jobId: string): Promise<void> {
    await world.isolated.settled();
    const states = await world.rows<{ state: string }>(
      'select state from job_chunk where tenant_id = $1 and job_id = $2 order by chunk_no',
      [jobId],
    );
    expect(states.map(({ state }) => state)).toEqual(['RELEASED', 'WAITING']);
  }

  it('give new instances an id unless the tenant has it otherwise; what runs goes on as it began', async () => {
    const file = Buffer.concat(Array<Buffer>(5001).fill(record()));
    const before = await world.start(file);
    await world.sent.of(before.jobId, 4);
    await set('ASSIGN_INSTANCE_IDS', false);
    try {
      const after = await world.start(record());
      expect(await sentOptions(after.jobId)).toMatchObject({ assignInstanceIds: false });
      const [first] = await world.sent.of(before.jobId, 4);
      await world.saved(first!);
      const five = await world.sent.of(before.jobId, 5);
      expect(five[4]!.options.assignInstanceIds).toBe(true);
    } finally {
      await set('ASSIGN_INSTANCE_IDS', null);
    }
  });
});

describe('a file that was imported before', () => {
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

  afterEach(() => set(null));

  const set = async (value: string | null): Promise<void> => {
    const body = { value };
    await world.ask('PUT', '/data-import/settings/DUPLICATE_FILE', { body });
  };
  const imported = async (file: Buffer): Promise<number> => {
    const { jobId } = await world.start(file);
    const [chunk] = await world.sent.of(jobId, 1);
    await world.saved(chunk!);
    const job = await world.job(jobId);
    expect(job.status).toBe('COMMITTED');
    return job.hrId as number;
  };
  const again = async (file: Buffer, ask: Ask = {}): Promise<[string, Answer]> => {
    const drafted = await world.draft('again.mrc', ask);
    await world.upload(drafted, file, ask);
    return [drafted.jobId, await world.process(drafted, {}, ask)];
  };
  const messages = async (jobId: string): Promise<unknown> => (await world.details(jobId)).messages;

  it('is imported again, and the job says which one it was', async () => {
    const file = record();
    const hrId = await imported(file);
    const [jobId, answer] = await again(file);
    expect(answer.status).toBe(204);
    expect(await messages(jobId)).toEqual([
      {
        code: 'DUPLICATE_FILE',
        text: `The same file was imported before by the job with hrId ${hrId}`,
        date: expect.any(String),
      },
    ]);
    await world.sent.of(jobId, 1);
  });

  it('is refused when the tenant wants that, unless the caller wants it all the same', async () => {
    const file = record();
    const hrId = await imported(file);
    await set('reject');
    const [jobId, answer] = await again(file);
    expect(answer).toMatchObject({
      status: 409,
      text: `The file 'again.mrc' was imported before by the job with hrId ${hrId}. Send X-Quire-Allow-Duplicate: true to import it again`,
    });
    expect((await world.job(jobId)).status).toBe('FILE_UPLOADED');
    const [other, allowed] = await again(file, { headers: { 'x-quire-allow-duplicate': 'true' } });
    expect(allowed.status).toBe(204);
    expect(await messages(other)).toMatchObject([{ code: 'DUPLICATE_FILE' }]);
  });

  it('is not looked for when the tenant does not care', async () => {
    const file = record();
    await imported(file);
    await set('off');
    const [jobId] = await again(file);
    expect(await messages(jobId)).toEqual([]);
  });

  it('does not count when it was refused as a whole: nothing of it was imported', async () => {
    const file = record();
    const refused = await world.draft();
    await world.upload(refused, file);
    await world.process(refused, { dataType: 'EDIFACT' });
    expect((await world.job(refused.jobId)).status).toBe('ERROR');
    const [jobId] = await again(file);
    expect(await messages(jobId)).toEqual([]);
  });

  it('counts only once its import has ended, and only for its own tenant', async () => {
    const file = record();
    await set('reject');
    await world.start(file);
    const [, answer] = await again(file);
    expect(answer.status).toBe(204);
    const finished = record();
    await imported(finished);
    const [jobId, other] = await again(finished, { tenant: OTHER_TENANT });
    expect(other.status).toBe(204);
    const details = await world.get(`/data-import/jobExecutions/${jobId}/details`, {
      tenant: OTHER_TENANT,
    });
    expect(details.json.messages).toEqual([]);
  });

  it('may be tried again when nothing of it could be read', async () => {
    await set('reject');
    for (const file of ['dear library', 'dear library']) {
      const [jobId, answer] = await again(Buffer.from(file));
      expect(answer.status).toBe(204);
      expect((await world.job(jobId)).status).toBe('ERROR');
    }
    const refusedByType = record();
    const drafted = await world.draft();
    await world.upload(drafted, refusedByType);
    await world.process(drafted, { dataType: 'EDIFACT' });
    expect((await again(refusedByType))[1].status).toBe(204);
  });
});
