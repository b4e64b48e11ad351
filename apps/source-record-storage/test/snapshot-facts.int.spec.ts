import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT, USER_ID } from './chunk-source.js';
import { DeletionDesk, fileId, SNAPSHOTS, versionOf } from './deletion-desk.js';
import { bib } from './library.js';
import { RecordWorld, type Answer, type Ask } from './record-world.js';

let database: TestDatabase;
let world: RecordWorld;
let desk: DeletionDesk;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  desk = await DeletionDesk.open(world, database.url);
});

afterAll(async () => {
  await desk[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await database.close();
});

const MATCH = { options: { on999ff: 'accept' }, profile: { match: 'create-or-update' } } as const;
const of = (job: string, what: 'stats' | 'history', ask: Ask = {}): Promise<Answer> =>
  world.get(`${SNAPSHOTS}/${idOf(job)}/${what}`, ask);
const put = (job: string, status: string): Promise<Answer> =>
  world.ask('PUT', `${SNAPSHOTS}/${idOf(job)}`, { body: { jobExecutionId: idOf(job), status } });

describe('statistics of a snapshot', () => {
  beforeAll(async () => {
    await desk.import('first', [
      bib('fi1', 'One'),
      bib('fi2', 'Two'),
      bib('fi3', 'Gone', { status: 'd' }),
    ]);
    const versions = [0, 1].map((order) => versionOf(fileId('first', order), `Version ${order}`));
    await desk.import('second', [...versions, bib('se1', 'New')], MATCH);
    await desk.import('third', [versions[0]!], MATCH);
  });

  it('count its records by type and state, and what was made, changed and left alone', async () => {
    const { status, json } = await of('first', 'stats');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      snapshotId: idOf('first'),
      totalRecords: 3,
      records: { MARC_BIB: { OLD: 2, DELETED: 1 } },
      created: 3,
      updated: 0,
      unchanged: 0,
      errorRecords: 0,
      durationMs: 0,
    });
    expect(json).not.toHaveProperty('recordsPerSecond');
    expect(json.firstWriteDate).toBe(json.lastWriteDate);
    expect((await of('second', 'stats')).json).toMatchObject({
      totalRecords: 3,
      records: { MARC_BIB: { ACTUAL: 3 } },
      created: 1,
      updated: 2,
    });
    expect((await of('third', 'stats')).json).toMatchObject({
      totalRecords: 0,
      records: {},
      created: 0,
      updated: 0,
      unchanged: 1,
    });
  });

  it('say how long the writing took and how fast it was', async () => {
    await world.send([bib('fo1', 'Four')], { job: 'fourth', chunkNo: 0 });
    await world.send([bib('fo2', 'Five')], { job: 'fourth', chunkNo: 1, firstOrder: 1 });
    await desk.admin.query(
      `update source_record_storage.record set created_at = '2026-01-01T00:00:00Z' where id = $1`,
      [fileId('fourth', 0)],
    );
    await desk.admin.query(
      `update source_record_storage.record set created_at = '2026-01-01T00:00:00.250Z' where id = $1`,
      [fileId('fourth', 1)],
    );
    expect((await of('fourth', 'stats')).json).toMatchObject({
      firstWriteDate: '2026-01-01T00:00:00.000+00:00',
      lastWriteDate: '2026-01-01T00:00:00.250+00:00',
      durationMs: 250,
      recordsPerSecond: 8,
    });
  });

  it('count records written by REST, and those with an error part', async () => {
    await world.ask('POST', SNAPSHOTS, {
      body: { jobExecutionId: idOf('by hand'), status: 'PARSING_IN_PROGRESS' },
    });
    for (const content of [{ leader: '00000nz  a2200000n  4500', fields: [] }, 'no MARC']) {
      const body = {
        snapshotId: idOf('by hand'),
        matchedId: idOf('whatever'),
        recordType: 'MARC_AUTHORITY',
        rawRecord: { content: 'raw' },
        parsedRecord: { content },
      };
      const { status, text } = await world.ask('POST', '/source-storage/records', { body });
      expect([status, status === 201 ? '' : text]).toEqual([201, '']);
    }
    expect((await of('by hand', 'stats')).json).toMatchObject({
      totalRecords: 2,
      records: { MARC_AUTHORITY: { ACTUAL: 2 } },
      created: 2,
      errorRecords: 1,
    });
  });

  it('of an empty one are zeros', async () => {
    await world.ask('POST', SNAPSHOTS, { body: { jobExecutionId: idOf('empty'), status: 'NEW' } });
    expect((await of('empty', 'stats')).json).toEqual({
      snapshotId: idOf('empty'),
      totalRecords: 0,
      records: {},
      created: 0,
      updated: 0,
      unchanged: 0,
      errorRecords: 0,
    });
  });

  it('come with the list where they are asked for', async () => {
    const { json } = await world.get(`${SNAPSHOTS}?include=stats&limit=100`);
    const listed = json.snapshots as { jobExecutionId: string; stats: object }[];
    expect(listed.length).toBeGreaterThanOrEqual(6);
    for (const { jobExecutionId, stats } of listed) {
      const own = await world.get(`${SNAPSHOTS}/${jobExecutionId}/stats`);
      expect(stats).toEqual(own.json);
    }
    const plain = await world.get(SNAPSHOTS);
    expect((plain.json.snapshots as object[])[0]).not.toHaveProperty('stats');
  });
});

describe('the history of a status', () => {
  it('has every change with its time and user, whoever made it', async () => {
    const job = 'eventful';
    const { json: made } = await world.ask('POST', SNAPSHOTS, {
      body: { jobExecutionId: idOf(job), status: 'NEW' },
    });
    const { json: moved } = await put(job, 'FILE_UPLOADED');
    await put(job, 'FILE_UPLOADED');
    await world.send([bib('ev1', 'Event')], { job });
    await desk.complete(job);
    const { status, json } = await of(job, 'history');
    expect(status).toBe(200);
    expect(json).toEqual([
      { status: 'NEW', at: made.metadata.createdDate, byUserId: USER_ID },
      {
        status: 'FILE_UPLOADED',
        from: 'NEW',
        at: moved.metadata.updatedDate,
        byUserId: USER_ID,
      },
      {
        status: 'COMMITTED',
        from: 'FILE_UPLOADED',
        at: expect.any(String),
        byUserId: expect.any(String),
      },
    ]);
    expect((await world.get(`${SNAPSHOTS}/${idOf(job)}`)).json.metadata.updatedDate).toBe(
      json[2].at,
    );
  });

  it('begins again with a snapshot that is made again', async () => {
    const body = { jobExecutionId: idOf('again'), status: 'ERROR' };
    await world.ask('POST', SNAPSHOTS, { body });
    await desk.remove('again');
    await world.ask('POST', SNAPSHOTS, { body: { ...body, status: 'NEW' } });
    expect((await of('again', 'history')).json).toMatchObject([{ status: 'NEW' }]);
  });
});

it.each(['stats', 'history'] as const)('%s of no snapshot of ours is a 404', async (what) => {
  await desk.import('abroad', [bib('ab1', 'Abroad')], { tenantId: OTHER_TENANT });
  for (const job of ['nobody', 'abroad']) {
    const { status, text } = await of(job, what);
    expect([status, text]).toEqual([404, `Snapshot with id '${idOf(job)}' was not found`]);
  }
  const bad = await world.get(`${SNAPSHOTS}/no-uuid/${what}`);
  expect([bad.status, bad.text]).toEqual([404, "Snapshot with id 'no-uuid' was not found"]);
  const denied = await of('abroad', what, { permissions: [] });
  expect(denied.status).toBe(403);
});
