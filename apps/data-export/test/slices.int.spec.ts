import { readTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  DEFAULT_PROFILE,
  ExportWorld,
  gate,
  idOf,
  idsOf,
  recordOf,
  TENANT,
  until,
  USER,
} from './export-world.js';

const OTHER = 'archive';

describe('the slices of an export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  const open = async (settings: object = {}): Promise<void> => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url, settings);
  };
  const slices = <R extends object>(sql: string, tenantId = TENANT): Promise<R[]> => {
    const source = world.isolated.sources.get('data-export');
    if (!source) throw new Error('no source');
    return readTenant(source, { tenantId, actorId: USER }, (tx) => tx.query<R>(sql));
  };
  const objects = async (): Promise<number> => {
    const keys = new Set<string>();
    for await (const { key } of world.isolated.store.list('export', TENANT)) keys.add(key.uuid);
    return keys.size;
  };
  const start = async (fileDefinitionId: string, tenant = TENANT): Promise<string> => {
    const answer = await world.ask('POST', '/data-export/export', {
      tenant,
      body: { fileDefinitionId, jobProfileId: DEFAULT_PROFILE },
    });
    return answer.headers.get('x-job-execution-id') ?? '';
  };

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('have 10,000 ids at most and make one file in the order of the lines', async () => {
    await open();
    const ids = idsOf(25_000);
    world.has(ids);
    const job = await world.exported(ids.join('\n'));
    expect(job).toMatchObject({
      status: 'COMPLETED',
      progress: { exported: 25_000, failed: 0, total: 25_000 },
    });
    const rows = await slices('select ids, from_ordinal, to_ordinal from slice order by slice_no');
    expect(rows).toEqual([
      { ids: 10_000, from_ordinal: 1, to_ordinal: 10_000 },
      { ids: 10_000, from_ordinal: 10_001, to_ordinal: 20_000 },
      { ids: 5000, from_ordinal: 20_001, to_ordinal: 25_000 },
    ]);
    expect(world.sources.requests.every((one) => one.count <= 1000)).toBe(true);
    const whole = await world.file(job);
    const expected = ids.map((id) => recordOf(id).toString()).join('');
    expect(whole.toString() === expected).toBe(true);
    // A range over the border of two slices.
    const border = recordOf(idOf(0)).length * 10_000;
    const fileId = job.exportedFiles?.[0]?.fileId ?? '';
    const link = await world.ask('GET', `/data-export/job-executions/${job.id}/download/${fileId}`);
    const part = await world.follow(link.json.link, {
      headers: { range: `bytes=${border - 10}-${border + 9}` },
    });
    expect(await part.text()).toBe(expected.slice(border - 10, border + 10));
  });

  it('of a worker that is thought dead are done again, and count once', async () => {
    // Never renewed, and never over by itself: the row says who is dead.
    await open({ leaseMs: 3_600_000, leaseRenewMs: 600_000 });
    const ids = idsOf(50);
    world.has(ids);
    const gates = [gate(), gate()];
    let calls = 0;
    world.sources.before = async () => {
      calls += 1;
      await gates[calls - 1]?.opened;
      return 'fine';
    };
    const { id } = await world.uploaded(ids.join('\n'));
    const jobId = await start(id);
    const row = async () =>
      (await slices('select lease_epoch, attempts, state, object_key from slice'))[0];
    const attempts = () => slices('select from object_intent');
    await until(() => calls === 1);
    await world.change(`update slice set lease_until = now() - interval '1 s'`);
    await until(() => calls === 2);
    expect(await attempts()).toHaveLength(2);
    // The first one comes back while the second is at work, finishes, and can change nothing.
    gates[0]?.open();
    await until(async () => (await attempts()).length === 1);
    expect(await row()).toEqual({
      lease_epoch: '2',
      attempts: 2,
      state: 'RELEASED',
      object_key: null,
    });
    expect((await world.job(jobId)).progress).toEqual({ exported: 0, failed: 0, total: 50 });
    gates[1]?.open();
    const job = await world.ended(jobId);
    expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 50, total: 50 } });
    expect(calls).toBe(2);
    expect(await row()).toMatchObject({ lease_epoch: '2', attempts: 2, state: 'DONE' });
    const expected = ids.map((one) => recordOf(one).toString()).join('');
    expect((await world.file(job)).toString()).toBe(expected);
    // The upload and one slice: the object of the lost attempt is gone.
    expect(await objects()).toBe(2);
  });

  it('wait for source-record-storage while it is away or breaks off, which is no attempt', async () => {
    await open();
    const ids = idsOf(20);
    world.has(ids);
    const moods = ['busy', 'cut', 'busy', 'fine'] as const;
    let calls = 0;
    world.sources.before = () => Promise.resolve(moods[Math.min(calls++, 3)] ?? 'fine');
    const job = await world.exported(ids.join('\n'));
    expect(job.status).toBe('COMPLETED');
    expect(calls).toBe(4);
    expect(await slices('select attempts, waits from slice')).toEqual([{ attempts: 1, waits: 3 }]);
    expect((await world.file(job)).toString()).toBe(
      ids.map((id) => recordOf(id).toString()).join(''),
    );
  });

  it('end the job with a reason when one of them fails five times', async () => {
    await open();
    world.has([idOf(0)]);
    // A bug of the other side, which no waiting helps.
    world.sources.before = () => Promise.resolve('out of order');
    const job = await world.exported(idOf(0));
    expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 0, total: 1 } });
    expect((await world.logs(job.id)).map((log) => log.code)).toEqual(['error.genericError']);
    expect(await slices('select attempts, state from slice')).toEqual([
      { attempts: 5, state: 'DROPPED' },
    ]);
  });

  it('are let out four at a time', async () => {
    await open({ exportWorkers: 20 });
    const ids = idsOf(60_000);
    world.has(ids.slice(0, 1));
    const held = gate();
    let asked = 0;
    world.sources.before = async () => {
      asked += 1;
      await held.opened;
      return 'fine';
    };
    const { id } = await world.uploaded(ids.join('\n'));
    const jobId = await start(id);
    let most = 0;
    const out = async (): Promise<number> => {
      const released = (await slices(`select from slice where state = 'RELEASED'`)).length;
      most = Math.max(most, released);
      return released;
    };
    await until(async () => (await out()) >= 4);
    await until(() => asked >= 4);
    expect(await out()).toBe(4);
    held.open();
    const running = `select from job_execution where status = 'IN_PROGRESS'`;
    while ((await slices(running)).length > 0) await out();
    expect(most).toBe(4);
    expect(await world.ended(jobId)).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      progress: { exported: 1, failed: 59_999, total: 60_000 },
    });
    const [row] = (await world.logs(jobId)).filter((log) => log.code === 'error.uuidsNotFound');
    expect(row?.values[0]).toMatch(/… \(\+59899 more\)$/);
  });

  it('of one tenant do not exist for another', async () => {
    await open();
    await world.isolated.enable(OTHER);
    world.has([idOf(0)]);
    const job = await world.exported(idOf(0));
    const other = { tenant: OTHER };
    expect((await world.ask('GET', '/data-export/job-executions', other)).json.totalRecords).toBe(
      0,
    );
    expect((await world.ask('GET', '/data-export/logs', other)).json.totalRecords).toBe(0);
    expect((await world.ask('GET', `/data-export/job-executions/${job.id}`, other)).status).toBe(
      404,
    );
    const fileId = job.exportedFiles?.[0]?.fileId ?? '';
    const path = `/data-export/job-executions/${job.id}/download/${fileId}`;
    expect((await world.ask('GET', path, other)).status).toBe(404);
    // The same id in the other tenant is another record, and there is none.
    const { id } = await world.uploaded(idOf(0), other);
    const mine = await world.ask('POST', '/data-export/export', {
      body: { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE },
    });
    expect(mine.text).toBe(`File definition not found with id ${id}`);
    const theirs = await world.ended(await start(id, OTHER), other);
    expect(theirs).toMatchObject({ hrId: 1, status: 'FAIL', progress: { failed: 1, total: 1 } });
    expect(await slices('select from slice')).toHaveLength(1);
    expect(await slices('select from slice', OTHER)).toHaveLength(1);
  });
});
