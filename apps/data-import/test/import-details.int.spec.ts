import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, OTHER_TENANT, type Answer } from './import-world.js';

let copies = 0;
const record = (): Buffer => marcRecord({ fields: [['001', `record ${(copies += 1)}`]] });
/** So many chunks and one record. */
const chunksOf = (count: number): Buffer =>
  Buffer.concat(Array<Buffer>((count - 1) * 1000 + 1).fill(record()));

describe('what is said of an import, and stopping it for a while', () => {
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

  const pause = (id: string): Promise<Answer> =>
    world.ask('POST', `/data-import/jobExecutions/${id}/pause`);
  const resume = (id: string): Promise<Answer> =>
    world.ask('POST', `/data-import/jobExecutions/${id}/resume`);
  const states = async (jobId: string): Promise<string> => {
    const rows = await world.rows<{ state: string }>(
      'select state from job_chunk where tenant_id = $1 and job_id = $2 order by chunk_no',
      [jobId],
    );
    return rows.map(({ state }) => state[0]).join('');
  };

  it('a paused import sends nothing further, counts what comes home, and goes on when it is resumed', async () => {
    const { jobId } = await world.start(chunksOf(6));
    const four = await world.sent.of(jobId, 4);
    expect(await pause(jobId)).toMatchObject({ status: 204, text: '' });
    for (const chunk of four.slice(0, 2)) await world.saved(chunk);
    await world.isolated.settled();
    expect(await states(jobId)).toBe('DDRRWW');
    expect(await world.job(jobId)).toMatchObject({
      status: 'PARSING_IN_PROGRESS',
      progress: { current: 2000, total: 5001 },
    });
    expect(await world.details(jobId)).toMatchObject({
      paused: true,
      waiting: { reason: 'PAUSED', text: expect.stringContaining('paused') },
    });
    expect(await world.details(jobId)).not.toHaveProperty('rate.eta');
    expect((await resume(jobId)).status).toBe(204);
    await world.sent.of(jobId, 6);
    expect(await states(jobId)).toBe('DDRRRR');
    expect((await world.details(jobId)).paused).toBe(false);
    for (const chunk of (await world.sent.of(jobId, 6)).slice(2)) await world.saved(chunk);
    expect((await world.job(jobId)).status).toBe('COMMITTED');
  });

  it('a paused import ends when the last of it comes home', async () => {
    const { jobId } = await world.start(record());
    const [chunk] = await world.sent.of(jobId, 1);
    await pause(jobId);
    await world.saved(chunk!);
    expect((await world.job(jobId)).status).toBe('COMMITTED');
    expect((await world.details(jobId)).paused).toBe(false);
  });

  it('only a running import is paused, only a paused one is resumed', async () => {
    const drafted = await world.draft();
    const text = (what: string): string =>
      `JobExecution ${drafted.jobId} cannot be ${what}: its status is NEW`;
    expect(await pause(drafted.jobId)).toMatchObject({ status: 400, text: text('paused') });
    expect(await resume(drafted.jobId)).toMatchObject({ status: 400, text: text('resumed') });
    const { jobId } = await world.start(chunksOf(2));
    // Nothing is sent of a paused one.
    await world.sent.of(jobId, 2);
    const notPaused = `JobExecution ${jobId} is not paused`;
    expect(await resume(jobId)).toMatchObject({ status: 400, text: notPaused });
    await pause(jobId);
    const paused = `JobExecution ${jobId} is paused already`;
    expect(await pause(jobId)).toMatchObject({ status: 400, text: paused });
    for (const chunk of await world.sent.of(jobId, 2)) await world.saved(chunk);
    const ended = `JobExecution ${jobId} cannot be paused: its status is COMMITTED`;
    expect(await pause(jobId)).toMatchObject({ status: 400, text: ended });
  });

  it('another tenant, or anybody without the permission, cannot pause it', async () => {
    const { jobId } = await world.start(record());
    for (const verb of ['pause', 'resume']) {
      const target = `/data-import/jobExecutions/${jobId}/${verb}`;
      expect(await world.ask('POST', target, { tenant: OTHER_TENANT })).toMatchObject({
        status: 404,
        text: `JobExecution with id '${jobId}' was not found`,
      });
      const permissions = ['change-manager.jobExecutions.item.get'];
      expect((await world.ask('POST', target, { permissions })).status).toBe(403);
      expect((await world.ask('POST', `/data-import/jobExecutions/x/${verb}`)).status).toBe(400);
    }
  });

  it('the details say what is read, how fast, and when it will have ended', async () => {
    const file = chunksOf(3);
    const { jobId } = await world.start(file, 'spring.mrc');
    const [first, second, third] = await world.sent.of(jobId, 3);
    await world.saved(first!);
    const details = await world.details(jobId);
    expect(details).toMatchObject({
      counts: { total: 2001, created: 1000, updated: 0, unchanged: 0, failed: 0, warned: 0 },
      messages: [],
      warnings: {},
      paused: false,
      rate: { recordsPerSecond: expect.any(Number), eta: expect.stringMatching(/^20\d\d-/) },
      source: {
        fileName: 'spring.mrc',
        bytes: file.length,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      options: { on999ff: 'reject', dryRun: false },
    });
    expect(details).not.toHaveProperty('result');
    expect(details).not.toHaveProperty('queue');
    const counts = {
      created: 998,
      updated: 0,
      unchanged: 0,
      failed: 2,
      warned: 3,
      byType: { B: 997, A: 3 },
      warnings: { INDICATOR: 3 },
    };
    await world.saved(second!, { counts });
    await world.saved(third!);
    expect(await world.details(jobId)).toMatchObject({
      result: 'PARTIAL',
      counts: { total: 2001, created: 1999, failed: 2, warned: 3 },
      byType: { MARC_AUTHORITY: 3, MARC_BIB: 997 },
      warnings: { INDICATOR: 3 },
    });
    expect(await world.details(jobId)).not.toHaveProperty('rate.eta');
  });

  it('the details say where an import stands among those that wait, and what it waits for', async () => {
    const large = await world.start(chunksOf(6));
    const small = await world.start(chunksOf(5));
    await world.sent.of(large.jobId, 4);
    await world.sent.of(small.jobId, 4);
    for (const [jobId, position] of [
      [small.jobId, 1],
      [large.jobId, 2],
    ] as const) {
      const { queue, waiting } = await world.details(jobId);
      expect(queue.position).toBe(position);
      const { age, size, tenantUsage, chunkNumber } = queue.parts as Record<string, number>;
      expect(queue.score).toBeCloseTo(age! + size! + tenantUsage! + chunkNumber!, 6);
      expect(waiting).toEqual({
        reason: 'OWN_WINDOW',
        text: expect.stringContaining('as one job may have'),
      });
    }
    for (const { jobId } of [large, small])
      for (const chunk of await world.sent.of(jobId, 4)) await world.saved(chunk);
  });
});
