import { ImportJobChanged } from '@quire/contracts/data-import';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT, TENANT, USER_ID } from './chunk-source.js';
import { DeletionDesk, fileId, fileInstance, SNAPSHOTS, versionOf } from './deletion-desk.js';
import { bib, ids999ff, TWIN_INSTANCE } from './library.js';
import { RecordWorld } from './record-world.js';

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

const ACCEPT = { options: { on999ff: 'accept' } } as const;
const MATCH = { ...ACCEPT, profile: { match: 'create-or-update' } } as const;
const instanceIds = async (): Promise<string[]> => {
  const { json } = await world.get('/instance-bulk/ids?query=cql.allRecords%3D1&limit=100000');
  return (json.ids as { id: string }[]).map(({ id }) => id);
};
const factsOf = async (job: string, name: string): Promise<Readonly<Record<string, unknown>>[]> =>
  (await world.factsOf(idOf(job))).filter((one) => one.name === name).map((one) => one.payload);

describe('DELETE of a snapshot', () => {
  const job = 'to be deleted';

  beforeAll(async () => {
    await desk.import('that stays', [bib('st1', 'Stays')]);
    await desk.import(job, [
      bib('de1', 'One'),
      bib('de2', 'Two'),
      bib('de3', 'Gone', { status: 'd' }),
    ]);
  });

  it('takes its records along, and nobody sees anything of it any more', async () => {
    const ids = [0, 1, 2].map((order) => fileId(job, order));
    const read = async (id: string): Promise<number> =>
      (await world.get(`/source-storage/records/${id}`)).status;
    for (const id of ids) expect(await read(id)).toBe(200);

    const { status, text } = await desk.remove(job);
    expect([status, text]).toEqual([204, '']);

    const gone = await desk.read(job);
    expect([gone.status, gone.text]).toEqual([
      404,
      `Snapshot with id '${idOf(job)}' was not found`,
    ]);
    for (const id of ids) {
      const { status: found, text: said } = await world.get(`/source-storage/records/${id}`);
      expect([found, said]).toEqual([404, `Record with id '${id}' was not found`]);
      expect(await desk.current(id)).toEqual([]);
    }
    const listed = await world.get(
      `/source-storage/source-records?snapshotId=${idOf(job)}&deleted=true`,
    );
    expect(listed.json).toEqual({ sourceRecords: [], totalRecords: 0 });
    const entries = await world.get(`/internal/snapshots/${idOf(job)}/entries`, {
      issuer: 'data-import',
    });
    expect(entries.json).toMatchObject({ entries: [], total: 0 });
    const instances = await instanceIds();
    expect(instances).toContain(fileInstance('that stays', 0));
    expect(instances).not.toContain(fileInstance(job, 0));
    expect(await desk.left(job)).toEqual({});
    expect(await desk.left('that stays')).toMatchObject({ record: 1, snapshot: 1 });
  });

  it('tells everybody which current records went, and then that the snapshot did', async () => {
    const [deleted] = await factsOf(job, 'SourceRecordsDeleted');
    expect(deleted).toMatchObject({ snapshotId: idOf(job), userId: USER_ID });
    expect(deleted?.['records']).toMatchObject([
      { recordId: fileId(job, 0), action: 'DELETED', state: 'ACTUAL' },
      { recordId: fileId(job, 1), action: 'DELETED', state: 'ACTUAL' },
      { recordId: fileId(job, 2), action: 'DELETED', state: 'DELETED' },
    ]);
    expect(await factsOf(job, 'SnapshotDeleted')).toEqual([
      { tenantId: TENANT, snapshotId: idOf(job), removed: 3, restored: 0 },
    ]);
  });

  it('leaves a tombstone of each current record, for streams of deletions', async () => {
    const rows = await world.rows(
      `select record_id, matched_id, record_type, external_id, external_hrid, removed_by
       from record_tombstone where tenant_id = $1 and snapshot_id = $2 order by external_hrid`,
      [idOf(job)],
    );
    expect(rows).toMatchObject(
      [0, 1, 2].map((order) => ({
        record_id: fileId(job, order),
        matched_id: fileId(job, order),
        record_type: 'MARC_BIB',
        external_id: fileInstance(job, order),
        external_hrid: `de${order + 1}`,
        removed_by: USER_ID,
      })),
    );
  });

  it('keeps what they said in the history', async () => {
    const rows = await world.rows(
      `select cause, replaced_in from record_history where tenant_id = $1 and record_id = $2`,
      [fileId(job, 0)],
    );
    expect(rows).toEqual([{ cause: 'REMOVE', replaced_in: idOf(job) }]);
  });

  it('is not done twice', async () => {
    const { status, text } = await desk.remove(job);
    expect([status, text]).toEqual([404, `Snapshot with id '${idOf(job)}' was not found`]);
    expect(await factsOf(job, 'SnapshotDeleted')).toHaveLength(1);
  });

  it('makes everything come too late that its job still says or sends', async () => {
    await world.publish(ImportJobChanged, {
      tenantId: TENANT,
      jobExecutionId: idOf(job),
      jobVersion: 99,
      status: 'PARSING_IN_PROGRESS',
      uiStatus: 'RUNNING',
    });
    const { told } = await world.send([bib('la1', 'Late')], { job, chunkNo: 7 });
    expect(told).toMatchObject([{ name: 'ChunkSaved', payload: { skipped: true } }]);
    expect((await desk.read(job)).status).toBe(404);
    expect(await desk.left(job)).toEqual({});
  });

  it('lets a client use the id again, but not the job', async () => {
    const body = { jobExecutionId: idOf(job), status: 'PARSING_IN_PROGRESS' };
    const { status } = await world.ask('POST', SNAPSHOTS, { body });
    expect(status).toBe(201);
    const { told } = await world.send([bib('la2', 'Later')], { job, chunkNo: 8 });
    expect(told).toMatchObject([{ payload: { skipped: true } }]);
    expect((await desk.remove(job)).status).toBe(204);
    expect(await desk.left(job)).toEqual({});
  });
});

describe('DELETE', () => {
  it('of an unknown id is a 404, of none a 400', async () => {
    const unknown = await desk.remove('nobody');
    expect([unknown.status, unknown.text]).toEqual([
      404,
      `Snapshot with id '${idOf('nobody')}' was not found`,
    ]);
    const bad = await world.ask('DELETE', `${SNAPSHOTS}/no-uuid`);
    expect([bad.status, bad.text]).toEqual([
      400,
      'Invalid UUID format of id, should be xxxxxxxx-xxxx-Mxxx-Nxxx-xxxxxxxxxxxx where M is 1-5 and N is 8, 9, a, b, A or B ' +
        'and x is 0-9, a-f or A-F.',
    ]);
  });

  it("of another tenant's snapshot is a 404, which touches nothing", async () => {
    await desk.import('abroad', [bib('ab1', 'Abroad')], { tenantId: OTHER_TENANT });
    expect((await desk.remove('abroad')).status).toBe(404);
    expect((await desk.read('abroad', { tenant: OTHER_TENANT })).status).toBe(200);
    expect(await desk.left('abroad')).toMatchObject({ record: 1, snapshot: 1 });
  });

  it('needs its permission, and true or false', async () => {
    const denied = await desk.remove('nobody', '', { permissions: [] });
    expect([denied.status, denied.text]).toEqual([
      403,
      `Access for user 'ann' (${USER_ID}) requires permission: source-storage.snapshots.delete`,
    ]);
    const { status, text } = await desk.remove('nobody', '?restorePrevious=perhaps');
    expect([status, text]).toEqual([
      400,
      "'restorePrevious' parameter is incorrect. parameter value {perhaps} is not valid: must be true or false",
    ]);
  });

  it('is refused while the import job runs, whatever status a client has written', async () => {
    const job = 'running';
    await world.send([bib('ru1', 'Running')], { job });
    const refused = [400, 'unable to delete snapshot -- import job is still running'];
    const first = await desk.remove(job);
    expect([first.status, first.text]).toEqual(refused);
    const body = { jobExecutionId: idOf(job), status: 'COMMITTED' };
    await world.ask('PUT', `${SNAPSHOTS}/${idOf(job)}`, { body });
    const second = await desk.remove(job);
    expect([second.status, second.text]).toEqual(refused);
    expect(await desk.left(job)).toMatchObject({ record: 1 });
    await desk.complete(job);
    expect((await desk.remove(job)).status).toBe(204);
  });

  it('is not held up by a status that a client writes after the job has ended', async () => {
    const job = 'ended';
    await desk.import(job, [bib('en1', 'Ended')]);
    const body = { jobExecutionId: idOf(job), status: 'PARSING_IN_PROGRESS' };
    await world.ask('PUT', `${SNAPSHOTS}/${idOf(job)}`, { body });
    expect((await desk.remove(job)).status).toBe(204);
    expect(await desk.left(job)).toEqual({});
  });

  it('of a snapshot that a client has made, and left empty, in any status', async () => {
    for (const status of ['NEW', 'PARSING_IN_PROGRESS', 'COMMITTED']) {
      const body = { jobExecutionId: idOf('empty'), status };
      await world.ask('POST', SNAPSHOTS, { body });
      expect((await desk.remove('empty')).status).toBe(204);
      expect(await desk.left('empty')).toEqual({});
    }
    const gone = { tenantId: TENANT, snapshotId: idOf('empty'), removed: 0, restored: 0 };
    expect(await factsOf('empty', 'SnapshotDeleted')).toEqual([gone, gone, gone]);
  });

  it('ends an undo that is under way, and tells who waits for it', async () => {
    const job = 'half undone';
    await desk.import(job, [bib('ha1', 'Half')]);
    await desk.admin.query(
      `insert into source_record_storage.snapshot_task (tenant_id, snapshot_id, kind, options, counts, created_by, lease_until)
       values ($1, $2, 'UNDO', '{"total": 3}', '{"removed": 2}', $3, now() + interval '1 minute')`,
      [TENANT, idOf(job), USER_ID],
    );
    expect((await desk.remove(job)).status).toBe(204);
    expect(await factsOf(job, 'SnapshotUndone')).toEqual([
      { tenantId: TENANT, snapshotId: idOf(job), removed: 2, restored: 0, kept: 0 },
    ]);
    expect(await desk.left(job)).toEqual({});
  });

  it('takes along the entries of frames that changed nothing', async () => {
    await desk.import('said before', [bib('sb1', 'Same')]);
    const repeated = versionOf(fileId('said before', 0), 'Same');
    await desk.import('once', [repeated], MATCH);
    await desk.import('repeats', [repeated], MATCH);
    expect(await desk.left('repeats')).toMatchObject({ unchanged_frame: 1 });
    expect((await desk.remove('repeats')).status).toBe(204);
    expect(await desk.left('repeats')).toEqual({});
    expect(await desk.states(fileId('said before', 0))).toEqual([
      [0, 'OLD'],
      [1, 'ACTUAL'],
    ]);
  });
});

describe('what a deleted snapshot had superseded', () => {
  it('stays as it is', async () => {
    const id = fileId('first', 0);
    await desk.import('first', [bib('fi1', 'First')]);
    await desk.import('second', [versionOf(id, 'Second')], ACCEPT);
    expect((await desk.remove('second')).status).toBe(204);
    expect(await desk.states(id)).toEqual([[0, 'OLD']]);
    expect(await desk.current(id)).toEqual([]);
    expect(await desk.count('record_tombstone where matched_id = $1', [id])).toBe(1);
  });

  it('becomes current again with restorePrevious=true, in the state it had', async () => {
    await desk.import('base', [
      bib('ba1', 'Living'),
      bib('ba2', 'Deleted', { status: 'd' }),
      bib('ba3', 'Kept'),
    ]);
    const [living, deleted] = [fileId('base', 0), fileId('base', 1)];
    await desk.import(
      'over',
      [versionOf(living, 'New'), versionOf(deleted, 'Back'), bib('ov1', 'Own')],
      ACCEPT,
    );
    const { json: before } = await world.get(`/source-storage/records/${living}`);

    expect((await desk.remove('over', '?restorePrevious=true')).status).toBe(204);

    expect(await desk.states(living)).toEqual([[0, 'ACTUAL']]);
    expect(await desk.states(deleted)).toEqual([[0, 'DELETED']]);
    expect(await desk.current(living)).toMatchObject([{ generation: 0, deleted: false }]);
    expect(await desk.current(deleted)).toMatchObject([{ generation: 0, deleted: true }]);
    expect(await desk.current(fileId('over', 2))).toEqual([]);
    expect(await instanceIds()).toContain(fileInstance('base', 0));
    const { json: after } = await world.get(`/source-storage/records/${living}`);
    expect(after.metadata.updatedDate > before.metadata.updatedDate).toBe(true);
    expect(after.metadata).toMatchObject({ updatedByUserId: USER_ID, updatedByUsername: 'ann' });
    expect(
      await desk.count('record_tombstone where matched_id = any ($1)', [[living, deleted]]),
    ).toBe(0);
    expect(await factsOf('over', 'SnapshotDeleted')).toMatchObject([{ removed: 3, restored: 2 }]);
    const saved = (await factsOf('base', 'SourceRecordsSaved')).at(-1);
    expect(saved).toMatchObject({ counts: { created: 0, updated: 2 } });
    expect(
      (saved?.['records'] as { recordId: string }[]).map((one) => one.recordId).sort(),
    ).toEqual([living, deleted].sort());
  });

  it('is left alone where a later snapshot has superseded it again', async () => {
    const id = fileId('one', 0);
    await desk.import('one', [bib('on1', 'One')]);
    await desk.import('two', [versionOf(id, 'Two')], ACCEPT);
    await desk.import('three', [versionOf(id, 'Three')], ACCEPT);
    expect((await desk.remove('two', '?restorePrevious=true')).status).toBe(204);
    expect(await desk.states(id)).toEqual([
      [0, 'OLD'],
      [2, 'ACTUAL'],
    ]);
    expect((await desk.remove('three', '?restorePrevious=true')).status).toBe(204);
    expect(await desk.states(id)).toEqual([[0, 'ACTUAL']]);
  });
});

it('another record with the same instance id takes the place of the one that went', async () => {
  const twin = (hrid: string, name: string): Buffer =>
    bib(hrid, name, { more: [ids999ff(name, TWIN_INSTANCE)] });
  await desk.import('older twin', [twin('tw1', 'older')], ACCEPT);
  await desk.import('newer twin', [twin('tw2', 'newer')], ACCEPT);
  expect((await desk.remove('newer twin')).status).toBe(204);
  expect((await instanceIds()).filter((id) => id === TWIN_INSTANCE)).toEqual([TWIN_INSTANCE]);
  const { json } = await world.get(`/source-storage/source-records?instanceId=${TWIN_INSTANCE}`);
  expect(json.sourceRecords).toMatchObject([{ externalIdsHolder: { instanceHrid: 'tw1' } }]);
});
