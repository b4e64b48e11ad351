import { ImportCompleted, ImportUndoRequested } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { idOf, OTHER_TENANT, TENANT, USER_ID } from './chunk-source.js';
import type { Told } from './import-stub.js';
import { RecordWorld, type Answer, type Ask } from './record-world.js';

const SNAPSHOTS = '/source-storage/snapshots';
const RECORDS = '/source-storage/records';
const bib = (number: string, title: string, ...more: readonly FieldSketch[]): Buffer =>
  marcRecord({ fields: [['001', number], ['245', '10', { a: title }], ...more] });
const again = (number: string, title: string, id: string): Buffer =>
  bib(number, title, ['999', 'ff', { s: id }]);
const idIn = (job: string, order = 0): string => uuidV5(idOf(job), `file:${order}`);

interface Row {
  readonly id: string;
  readonly generation: number;
  readonly state: string;
  readonly content: Buffer;
}

/** Source-record-storage, 9.4, row by row. */
describe('undoing a snapshot', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const undo = (job: string, query = '', ask: Ask = {}): Promise<Answer> =>
    world.ask('POST', `${SNAPSHOTS}/${idOf(job)}/undo${query}`, ask);
  const task = (job: string): Promise<Answer> => world.get(`${SNAPSHOTS}/${idOf(job)}/undo`);
  const end = (job: string, status: 'COMMITTED' | 'ERROR' = 'COMMITTED'): Promise<void> =>
    world.publish(ImportCompleted, {
      tenantId: TENANT,
      jobExecutionId: idOf(job),
      jobVersion: 9,
      status,
      result: 'SUCCESS',
      counts: { created: 1, updated: 0, unchanged: 0, failed: 0, warned: 0 },
      completedDate: '2026-11-25T06:00:00.000+00:00',
    });
  /** Imports frames that may name stored records, and ends the job. */
  async function imported(job: string, ...frames: readonly Buffer[]): Promise<readonly Told[]> {
    const { told } = await world.send(frames, { job, options: { on999ff: 'accept' } });
    await end(job);
    return told;
  }
  const generations = (matchedId: string): Promise<Row[]> =>
    world.rows<Row>(
      `select r.id, r.generation, r.state, c.content from record r
       left join record_content c on (c.tenant_id, c.record_id) = (r.tenant_id, r.id)
       where r.tenant_id = $1 and r.matched_id = $2 order by r.generation`,
      [matchedId],
    );
  const indexed = async (matchedId: string): Promise<object[]> =>
    world.rows('select title from instance where tenant_id = $1 and matched_id = $2', [matchedId]);
  const result = (job: string, changes: object = {}) => ({
    snapshotId: idOf(job),
    dryRun: false,
    removed: 0,
    restored: 0,
    conflicts: [],
    ...changes,
  });
  const put = async (id: string, title: string): Promise<void> => {
    const { json } = await world.get(`${RECORDS}/${id}`);
    const body = structuredClone(json);
    for (const field of body.parsedRecord.content.fields)
      if (field['245']) field['245'].subfields = [{ a: title }];
    expect((await world.ask('PUT', `${RECORDS}/${id}`, { body })).status).toBe(200);
  };

  const undone = async (job: string): Promise<object[]> =>
    (await world.factsOf(idOf(job))).flatMap(({ name, payload }) =>
      name === 'SnapshotUndone' ? [payload] : [],
    );
  /** Until the worker has done it. */
  async function done(job: string): Promise<void> {
    while ((await task(job)).json?.state !== 'DONE');
  }

  /** A finished snapshot in which a client has written a stored record again. */
  async function written(job: string, id: string, title: string): Promise<void> {
    const snapshot = (status: string) => ({ body: { jobExecutionId: idOf(job), status } });
    await world.ask('POST', SNAPSHOTS, snapshot('PARSING_IN_PROGRESS'));
    const { json } = await world.get(`${RECORDS}/${id}`);
    const body = structuredClone(json);
    body.snapshotId = idOf(job);
    for (const field of body.parsedRecord.content.fields)
      if (field['245']) field['245'].subfields = [{ a: title }];
    expect((await world.ask('POST', RECORDS, { body })).status).toBe(201);
    await world.ask('PUT', `${SNAPSHOTS}/${idOf(job)}`, snapshot('COMMITTED'));
  }

  it('removes records that it made, keeps them in the history and leaves a tombstone', async () => {
    await imported('made', bib('m1', 'One'), bib('m2', 'Two'));
    const id = idIn('made');
    const [before] = await generations(id);
    expect(await indexed(id)).toHaveLength(1);
    expect(await undo('made')).toMatchObject({ status: 200, json: result('made', { removed: 2 }) });
    expect(await generations(id)).toEqual([]);
    expect(await indexed(id)).toEqual([]);
    expect((await world.get(`${RECORDS}/${id}`)).status).toBe(404);
    const list = await world.get(`/source-storage/source-records?snapshotId=${idOf('made')}`);
    expect(list.json.totalRecords).toBe(0);
    const [kept] = await world.rows<{ content: Buffer }>(
      `select content from record_history where tenant_id = $1 and record_id = $2 and cause = 'REMOVE'`,
      [id],
    );
    expect(kept?.content.equals(before!.content)).toBe(true);
    const tombs = await world.rows(
      'select from record_tombstone where tenant_id = $1 and matched_id = $2',
      [id],
    );
    expect(tombs).toHaveLength(1);
    const { json } = await world.get(`${RECORDS}/${id}/history`);
    expect(json.versions).toMatchObject([
      { action: 'CREATED', snapshotId: idOf('made') },
      { action: 'REMOVED', userId: USER_ID, changedTags: ['LDR', '001', '245', '999'] },
    ]);
  });

  it('gives a superseded record its former state and content back', async () => {
    await imported('old', bib('s1', 'Old'), bib('s2', 'Deleted'));
    await world.ask('DELETE', `${RECORDS}/${idIn('old', 1)}`);
    const [kept, deleted] = [await generations(idIn('old')), await generations(idIn('old', 1))];
    await imported('new', again('s1', 'New', idIn('old')), again('s2', 'Back', idIn('old', 1)));
    expect(await generations(idIn('old'))).toMatchObject([{ state: 'OLD' }, { state: 'ACTUAL' }]);
    expect(await undo('new')).toMatchObject({
      status: 200,
      json: result('new', { removed: 2, restored: 2 }),
    });
    expect(await generations(idIn('old'))).toEqual(kept);
    expect(await generations(idIn('old', 1))).toEqual(deleted);
    expect(deleted[0]?.state).toBe('DELETED');
    expect(await indexed(idIn('old'))).toEqual([{ title: 'Old' }]);
    const tombs = await world.rows(
      'select from record_tombstone where tenant_id = $1 and matched_id = $2',
      [idIn('old')],
    );
    expect(tombs).toEqual([]);
  });

  it('restores what it changed in place as a new entry of the history', async () => {
    await imported('base', bib('p1', 'Before'));
    const id = idIn('base');
    const before = await generations(id);
    await written('rest', id, 'After');
    const changed = await generations(id);
    expect(changed).toHaveLength(1);
    expect(changed[0]?.content.toString()).toContain('After');
    const dry = await undo('rest', '?dryRun=true');
    expect(dry.json).toEqual(result('rest', { dryRun: true, restored: 1 }));
    // To the job that had made it, that is a later change.
    expect((await undo('base', '?dryRun=true')).json).toMatchObject({
      removed: 0,
      conflicts: [{ matchedId: id, reason: `changed by snapshot '${idOf('rest')}'` }],
    });
    expect(await generations(id)).toEqual(changed);
    expect((await undo('rest')).json).toEqual(result('rest', { restored: 1 }));
    expect(await generations(id)).toEqual(before);
    expect(await indexed(id)).toEqual([{ title: 'Before' }]);
    const { json } = await world.get(`${RECORDS}/${id}`);
    expect(json).toMatchObject({ snapshotId: idOf('base'), generation: 0 });
    const { versions } = (await world.get(`${RECORDS}/${id}/history`)).json;
    expect(versions).toMatchObject([
      { action: 'CREATED', snapshotId: idOf('base') },
      { action: 'CHANGED', snapshotId: idOf('rest'), changedTags: ['245'] },
      { action: 'RESTORED', snapshotId: idOf('rest'), changedTags: ['245'] },
    ]);
    // A change that was taken back does not count.
    expect((await undo('base')).json).toEqual(result('base', { removed: 1 }));
    expect(await generations(id)).toEqual([]);
  });

  it('leaves what another job or a user has changed since, and says why', async () => {
    await imported('first', bib('c1', 'A'), bib('c2', 'B'), bib('c3', 'C'), bib('c4', 'D'));
    await imported('second', again('c1', 'A2', idIn('first')));
    await put(idIn('first', 1), 'B2');
    await world.ask('DELETE', `${RECORDS}/${idIn('first', 2)}`);
    const before = await Promise.all([0, 1, 2].map((at) => generations(idIn('first', at))));
    const conflicts = [
      [0, `superseded by generation 1 of snapshot '${idOf('second')}'`],
      [1, 'changed by a user'],
      [2, 'deleted by a user'],
    ].map(([at, reason]) => ({ matchedId: idIn('first', Number(at)), reason }));
    const dry = await undo('first', '?dryRun=true');
    expect(dry.json).toEqual(result('first', { dryRun: true, removed: 1, conflicts }));
    expect((await undo('first')).json).toEqual(result('first', { removed: 1, conflicts }));
    expect(await Promise.all([0, 1, 2].map((at) => generations(idIn('first', at))))).toEqual(
      before,
    );
    expect(await generations(idIn('first', 3))).toEqual([]);
    expect((await task('first')).json).toMatchObject({ state: 'DONE', kept: 3, conflicts });
  });

  it('leaves what it changed in place when another generation has become current since', async () => {
    await imported('below', bib('b1', 'Below'));
    const id = idIn('below');
    await written('between', id, 'Between');
    await imported('above', again('b1', 'Above', id));
    const before = await generations(id);
    const reason = `superseded by generation 2 of snapshot '${idOf('above')}'`;
    const conflicts = [{ matchedId: id, reason }];
    const dry = await undo('between', '?dryRun=true');
    expect(dry.json).toEqual(result('between', { dryRun: true, conflicts }));
    expect((await undo('between')).json).toEqual(result('between', { conflicts }));
    expect(await generations(id)).toEqual(before);
  });

  it('does not take for a change what was undone itself', async () => {
    await imported('ground', bib('u1', 'Ground'));
    await imported('storey', again('u1', 'Storey', idIn('ground')));
    await imported('roof', again('u1', 'Roof', idIn('ground')));
    expect((await undo('roof')).json).toMatchObject({ removed: 1, restored: 1, conflicts: [] });
    expect((await undo('storey')).json).toMatchObject({ removed: 1, restored: 1, conflicts: [] });
    expect((await undo('ground')).json).toMatchObject({ removed: 1, restored: 0, conflicts: [] });
    expect(await generations(idIn('ground'))).toEqual([]);
  });

  it('takes back more than fits into one batch, also records that came from no file', async () => {
    const frames = Array.from({ length: 1000 }, (_, at) => bib(`many ${at}`, `Many ${at}`));
    await world.send(frames, { job: 'many' });
    const { json: body } = await world.get(`${RECORDS}/${idIn('many')}`);
    for (const name of ['x', 'y']) {
      const sent = structuredClone(body);
      Reflect.deleteProperty(sent as object, 'order');
      Object.assign(sent as object, { id: idOf(name), matchedId: idOf(name) });
      sent.externalIdsHolder.instanceId = idOf(`instance ${name}`);
      const fields = sent.parsedRecord.content.fields as object[];
      sent.parsedRecord.content.fields = fields.filter((field) => !('999' in field));
      expect((await world.ask('POST', RECORDS, { body: sent })).status).toBe(201);
    }
    await end('many');
    const dry = await undo('many', '?dryRun=true');
    expect(dry.json).toEqual(result('many', { dryRun: true, removed: 1002 }));
    expect((await undo('many')).json).toEqual(result('many', { removed: 1002 }));
    const left = await world.rows('select from record where tenant_id = $1 and snapshot_id = $2', [
      idOf('many'),
    ]);
    expect(left).toEqual([]);
  });

  it('can be tried: it says what it would do, and changes nothing', async () => {
    await imported('tried', bib('t1', 'One'));
    await imported('trial', again('t1', 'Two', idIn('tried')), bib('t2', 'New'));
    const before = await generations(idIn('tried'));
    const dry = result('trial', { dryRun: true, removed: 2, restored: 1 });
    expect(await undo('trial', '?dryRun=true')).toMatchObject({ status: 200, json: dry });
    expect(await generations(idIn('tried'))).toEqual(before);
    const snapshot = await world.get(`${SNAPSHOTS}/${idOf('trial')}`);
    expect(snapshot.json.status).toBe('COMMITTED');
    expect((await task('trial')).status).toBe(404);
    expect((await undo('trial')).json).toEqual({ ...dry, dryRun: false });
    expect((await undo('trial', '?dryRun=true')).json).toEqual(result('trial', { dryRun: true }));
  });

  it('leaves the snapshot discarded; again it answers zeros', async () => {
    await imported('twice', bib('w1', 'One'));
    await undo('twice');
    const snapshot = await world.get(`${SNAPSHOTS}/${idOf('twice')}`);
    expect(snapshot.json).toMatchObject({ status: 'DISCARDED' });
    expect(await undo('twice')).toMatchObject({ status: 200, json: result('twice') });
    expect(await task('twice')).toMatchObject({
      status: 200,
      json: { state: 'DONE', total: 1, removed: 1, restored: 0, kept: 0, userId: USER_ID },
    });
    // Late news of the job change nothing.
    await world.publish(ImportCompleted, {
      tenantId: TENANT,
      jobExecutionId: idOf('twice'),
      jobVersion: 12,
      status: 'COMMITTED',
      result: 'SUCCESS',
      counts: { created: 1, updated: 0, unchanged: 0, failed: 0, warned: 0 },
      completedDate: '2026-11-25T06:00:00.000+00:00',
    });
    const later = await world.get(`${SNAPSHOTS}/${idOf('twice')}`);
    expect(later.json).toEqual(snapshot.json);
  });

  it('tells data-import what was done, once', async () => {
    await imported('told', bib('e1', 'One'));
    await undo('told');
    await undo('told');
    const told = { tenantId: TENANT, snapshotId: idOf('told'), removed: 1, restored: 0, kept: 0 };
    expect(await undone('told')).toEqual([told]);
  });

  it('saves no chunk that comes afterwards', async () => {
    await imported('late', bib('l1', 'One'));
    await undo('late');
    await world.ask('PUT', `${SNAPSHOTS}/${idOf('late')}`, {
      body: { jobExecutionId: idOf('late'), status: 'PARSING_IN_PROGRESS' },
    });
    const { told } = await world.send([bib('l2', 'Two')], {
      job: 'late',
      chunkNo: 1,
      firstOrder: 1,
    });
    expect(told).toMatchObject([{ name: 'ChunkSaved', payload: { skipped: true, errors: [] } }]);
    expect(await generations(idIn('late', 1))).toEqual([]);
  });

  it('is done for data-import, which only asks; of a snapshot that is gone nothing is left', async () => {
    await imported('asked', bib('q1', 'One'));
    const request = (job: string) => ({
      tenantId: TENANT,
      jobExecutionId: idOf(job),
      jobVersion: 9,
      userId: USER_ID,
    });
    await world.publish(ImportUndoRequested, request('asked'));
    await world.publish(ImportUndoRequested, request('never saved'));
    await done('asked');
    expect(await undone('asked')).toMatchObject([{ removed: 1, restored: 0, kept: 0 }]);
    expect(await undone('never saved')).toMatchObject([{ removed: 0, restored: 0, kept: 0 }]);
    expect(await generations(idIn('asked'))).toEqual([]);
    await world.publish(ImportUndoRequested, request('asked'));
    expect(await undone('asked')).toHaveLength(1);
  });

  it('is for snapshots that are finished', async () => {
    await world.send([bib('f1', 'One')], { job: 'runs' });
    const no = { status: 409, text: `Snapshot with id '${idOf('runs')}' is not finished` };
    for (const query of ['', '?dryRun=true']) expect(await undo('runs', query)).toMatchObject(no);
    for (const status of ['NEW', 'DISCARDED', 'PROCESSING_FINISHED']) {
      const body = { jobExecutionId: idOf('runs'), status };
      await world.ask('PUT', `${SNAPSHOTS}/${idOf('runs')}`, { body });
      expect(await undo('runs')).toMatchObject(no);
    }
    for (const [job, status] of [
      ['failed', 'ERROR'],
      ['cancelled', 'CANCELLED'],
    ] as const) {
      await world.send([bib('f2', 'One')], { job });
      const body = { jobExecutionId: idOf(job), status };
      await world.ask('PUT', `${SNAPSHOTS}/${idOf(job)}`, { body });
      expect(await undo(job)).toMatchObject({ status: 200, json: { removed: 1 } });
    }
  });

  it('is 404 for a snapshot that nobody knows or another tenant has, 400 for what is no id or flag', async () => {
    await imported('mine', bib('n1', 'One'));
    const no = (job: string) => ({
      status: 404,
      text: `Snapshot with id '${idOf(job)}' was not found`,
    });
    for (const query of ['', '?dryRun=true']) {
      expect(await undo('nobody', query)).toMatchObject(no('nobody'));
      expect(await undo('mine', query, { tenant: OTHER_TENANT })).toMatchObject(no('mine'));
    }
    expect(await task('nobody')).toMatchObject(no('nobody'));
    expect(await task('mine')).toMatchObject({
      status: 404,
      text: `Snapshot with id '${idOf('mine')}' was not undone`,
    });
    expect((await world.ask('POST', `${SNAPSHOTS}/abc/undo`)).status).toBe(400);
    expect((await undo('mine', '?dryRun=perhaps')).status).toBe(400);
    const permissions = ['source-storage.snapshots.put', 'source-storage.snapshots.item.get'];
    expect((await undo('mine', '', { permissions })).status).toBe(403);
    expect(await generations(idIn('mine'))).toHaveLength(1);
  });
});
