import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { BATCH_RECORDS, type RemovalTask } from '../src/usecases/snapshot-deletion.js';
import { idOf, OTHER_TENANT, TENANT, USER_ID } from './chunk-source.js';
import { DeletionDesk, fileId, fileInstance, SNAPSHOTS, versionOf } from './deletion-desk.js';
import { bib } from './library.js';
import { RecordWorld } from './record-world.js';

const scope = { tenantId: TENANT, actorId: USER_ID };
const ACCEPT = { options: { on999ff: 'accept' } } as const;
const RECORDS = 2 * BATCH_RECORDS + 300;

let database: TestDatabase;
let world: RecordWorld;
let desk: DeletionDesk;

/** Nobody goes on with a removal but the specs, by hand. */
beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  desk = await DeletionDesk.open(world, database.url);
  await desk.worker.beforeApplicationShutdown();
});

afterAll(async () => {
  await desk[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await database.close();
});

const frames = (name: string, count = RECORDS): Buffer[] =>
  Array.from({ length: count }, (_, at) => bib(`${name}${at}`, `Title ${at}`));
const post = (job: string) =>
  world.ask('POST', SNAPSHOTS, { body: { jobExecutionId: idOf(job), status: 'NEW' } });
const claim = async (): Promise<RemovalTask> => {
  const task = await desk.deletion.claim(scope);
  if (!task) throw new Error('Nothing can be claimed.');
  return task;
};
const finish = (): Promise<void> => desk.otherWorker().turn();
const totals = async (job: string): Promise<unknown> => {
  const lists = ['source-records', 'records'].map(async (list) => {
    const target = `/source-storage/${list}?snapshotId=${idOf(job)}&limit=1&totalRecords=exact`;
    return (await world.get(target)).json.totalRecords as unknown;
  });
  const entries = await world.get(`/internal/snapshots/${idOf(job)}/entries`, {
    issuer: 'data-import',
  });
  const ids = await world.get(`/instance-bulk/ids?limit=0&query=snapshotId%3D%3D${idOf(job)}`);
  return [...(await Promise.all(lists)), entries.json.total, ids.json.totalRecords];
};

describe('a snapshot of more records than one transaction removes', () => {
  const job = 'large';

  beforeAll(async () => {
    await desk.import(job, frames('la'));
    expect(await totals(job)).toEqual([RECORDS, RECORDS, RECORDS, RECORDS]);
    expect((await desk.remove(job)).status).toBe(204);
  });

  it('is seen nowhere after DELETE, although all of it is still there', async () => {
    expect((await desk.read(job)).status).toBe(404);
    expect(await totals(job)).toEqual([0, 0, 0, 0]);
    expect(await desk.left(job)).toEqual({
      record: RECORDS,
      original: 1,
      snapshot_task: 1,
      snapshot_removal: 1,
    });
    for (const order of [0, BATCH_RECORDS, RECORDS - 1]) {
      const id = fileId(job, order);
      const found = await Promise.all([
        world.get(`/source-storage/records/${id}`),
        world.get(`/source-storage/source-records/${id}`),
        world.get(`/source-storage/records/${id}/formatted`),
        world.get(`/source-storage/instances/${fileInstance(job, order)}`),
        world.get(`/internal/entries/${id}`, { issuer: 'data-import' }),
        world.get(`/internal/records/${id}/content`, { issuer: 'data-import' }),
        world.ask('DELETE', `/source-storage/records/${id}`),
        world.ask('PUT', `/source-storage/records/${id}/suppress-from-discovery`),
      ]);
      expect(found.map(({ status }) => status)).toEqual(found.map(() => 404));
    }
    const stream = await world.get(
      `/source-storage/stream/source-records?snapshotId=${idOf(job)}&limit=2147483647`,
    );
    expect(stream.text).toBe('');
    const searched = await world.ask('POST', '/source-storage/stream/marc-record-identifiers', {
      body: { fieldsSearchExpression: `001.value = 'la${RECORDS - 1}'` },
    });
    expect(searched.json).toEqual({ records: [], totalCount: 0 });
  });

  it('cannot be made anew before all of it is gone', async () => {
    const { status, text } = await post(job);
    expect([status, text]).toEqual([
      400,
      `unable to add snapshot -- snapshot '${idOf(job)}' is still being deleted`,
    ]);
    expect((await desk.read(job)).status).toBe(404);
  });

  it('hinders no import whose records were in it', async () => {
    const order = RECORDS - 1;
    const matchedId = fileId(job, order);
    await desk.import('comes back', [versionOf(matchedId, 'Back again')], ACCEPT);
    expect(await desk.states(matchedId)).toEqual([[0, 'ACTUAL']]);
    expect(await desk.current(matchedId)).toMatchObject([
      { snapshotId: idOf('comes back'), generation: 0 },
    ]);
    expect(await desk.left(job)).toMatchObject({ record: RECORDS - 1 });
  });

  it('hinders nobody who saves one of its records by REST', async () => {
    const matchedId = fileId(job, RECORDS - 2);
    const snapshotId = idOf('by hand');
    await world.ask('POST', SNAPSHOTS, {
      body: { jobExecutionId: snapshotId, status: 'PARSING_IN_PROGRESS' },
    });
    const body = {
      id: matchedId,
      snapshotId,
      matchedId,
      recordType: 'MARC_BIB',
      rawRecord: { content: 'by hand' },
      parsedRecord: {
        content: {
          leader: '00000cam a2200000 i 4500',
          fields: [
            { '001': 'hand' },
            { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'By hand' }] } },
          ],
        },
      },
      externalIdsHolder: { instanceId: fileInstance(job, RECORDS - 2), instanceHrid: 'hand' },
    };
    const { status, text } = await world.ask('POST', '/source-storage/records', { body });
    expect([status, status === 201 ? '' : text]).toEqual([201, '']);
    expect(await desk.current(matchedId)).toMatchObject([{ snapshotId, generation: 0 }]);
  });

  it('goes on where it stopped when the process that removed it was killed', async () => {
    const killed = await claim();
    expect(await desk.deletion.goOn(scope, killed)).toBe(true);
    expect(await desk.left(job)).toMatchObject({ record: RECORDS - 2 - BATCH_RECORDS });
    // Its lease still stands: nobody else begins.
    await finish();
    expect(await desk.left(job)).toMatchObject({ record: RECORDS - 2 - BATCH_RECORDS });
    await desk.admin.query(
      `update source_record_storage.snapshot_task set lease_until = now() - interval '1 second'`,
    );
    await finish();
    expect(await desk.left(job)).toEqual({});
    // What was thought dead wakes up again.
    expect(await desk.deletion.goOn(scope, killed)).toBe(false);
  });

  it('is told once, with all that went, and record by record', async () => {
    const facts = await world.factsOf(idOf(job));
    expect(
      facts.filter(({ name }) => name === 'SnapshotDeleted').map((one) => one.payload),
    ).toEqual([{ tenantId: TENANT, snapshotId: idOf(job), removed: RECORDS, restored: 0 }]);
    const ids = facts
      .filter(({ name }) => name === 'SourceRecordsDeleted')
      .flatMap(({ payload }) => payload['records'] as { recordId: string }[])
      .map(({ recordId }) => recordId);
    expect(ids).toHaveLength(RECORDS);
    expect(new Set(ids).size).toBe(RECORDS);
    expect(facts.at(-1)?.name).toBe('SnapshotDeleted');
    expect(await desk.count('record_tombstone where snapshot_id = $1', [idOf(job)])).toBe(RECORDS);
  });

  it('can be made anew then', async () => {
    expect((await post(job)).status).toBe(201);
    expect((await desk.remove(job)).status).toBe(204);
  });
});

it('two snapshots that go at once hide nothing but themselves, and both end', async () => {
  await desk.import('left', frames('le', BATCH_RECORDS + 1));
  await desk.import('right', frames('ri', BATCH_RECORDS + 1));
  await desk.import('bystander', frames('by', 3));
  expect(await Promise.all([desk.remove('left'), desk.remove('right')])).toMatchObject([
    { status: 204 },
    { status: 204 },
  ]);
  expect(await totals('bystander')).toEqual([3, 3, 3, 3]);
  expect(await totals('left')).toEqual([0, 0, 0, 0]);
  await Promise.all([finish(), finish()]);
  for (const job of ['left', 'right']) {
    expect(await desk.left(job)).toEqual({});
    const told = await world.factsOf(idOf(job));
    expect(told.at(-1)).toMatchObject({
      name: 'SnapshotDeleted',
      payload: { removed: BATCH_RECORDS + 1, restored: 0 },
    });
  }
});

it('an import beside a removal saves everything, also what was in it', async () => {
  await desk.import('goes', frames('go', BATCH_RECORDS + 200));
  expect((await desk.remove('goes')).status).toBe(204);
  const again = Array.from({ length: 200 }, (_, at) =>
    versionOf(fileId('goes', BATCH_RECORDS + at), `Again ${at}`),
  );
  await Promise.all([
    finish(),
    desk.import('beside', frames('be', 1500)),
    desk.import('again', again, ACCEPT),
  ]);
  await finish();
  expect(await desk.left('goes')).toEqual({});
  expect(await totals('beside')).toEqual([1500, 1500, 1500, 1500]);
  expect(await totals('again')).toEqual([200, 200, 200, 200]);
});

it('what it had superseded becomes current again in all batches', async () => {
  const count = BATCH_RECORDS + 5;
  await desk.import('below', frames('bo', count));
  const over = Array.from({ length: count }, (_, at) =>
    versionOf(fileId('below', at), `New ${at}`),
  );
  await desk.import('above', over, ACCEPT);
  expect((await desk.remove('above', '?restorePrevious=true')).status).toBe(204);
  await finish();
  expect(await totals('below')).toEqual([count, count, count, count]);
  expect(
    await desk.count(`record where snapshot_id = $1 and state = 'ACTUAL'`, [idOf('below')]),
  ).toBe(count);
  expect((await world.factsOf(idOf('above'))).at(-1)?.payload).toMatchObject({
    removed: count,
    restored: count,
  });
});

/** The contract says 1 s (9.1); a machine that runs all specs at once gets thirty. The bench has the figure. */
const ANSWER_MS_MAX = 30_000;

it('is answered at once for 100,000 records of a tenant that the planner does not know', async () => {
  const table = 'source_record_storage.record';
  await desk.admin.query(`alter table ${table} set (autovacuum_enabled = false)`);
  await desk.admin.query(`analyze ${table}`);
  const newcomer = { tenant: OTHER_TENANT };
  const body = { jobExecutionId: idOf('huge'), status: 'NEW' };
  await world.ask('POST', SNAPSHOTS, { body, ...newcomer });
  await desk.admin.query(
    `insert into ${table} (tenant_id, id, snapshot_id, matched_id, record_type, record_order, external_id, title)
     select $1, i.id, $2, i.id, 'MARC_BIB', i.n, i.id, 'Title'
     from (select n, gen_random_uuid() as id from generate_series(1, 100000) as n) as i`,
    [OTHER_TENANT, idOf('huge')],
  );
  const count = async (): Promise<unknown> => {
    const target = `/source-storage/source-records?snapshotId=${idOf('huge')}&limit=0`;
    return (await world.get(target, newcomer)).json.totalRecords as unknown;
  };
  expect(await count()).toBe(100_000);
  const began = performance.now();
  expect((await desk.remove('huge', '', newcomer)).status).toBe(204);
  expect(performance.now() - began).toBeLessThan(ANSWER_MS_MAX);
  expect(await count()).toBe(0);
});
