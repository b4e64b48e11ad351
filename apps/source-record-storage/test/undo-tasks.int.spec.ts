import { withTenant } from '@quire/postgres/tenant';
import { uuidV5 } from '@quire/contracts/ids';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { DataSource } from 'typeorm';
import { UndoTasks, type UndoTask } from '../src/usecases/undo-tasks.js';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld, type Answer } from './record-world.js';

const SNAPSHOTS = '/source-storage/snapshots';
const bib = (number: string, id?: string): Buffer =>
  marcRecord({
    fields: [['001', number], ['245', '10', { a: number }], ...ids(id)],
  });
const ids = (s?: string) => (s === undefined ? [] : ([['999', 'ff', { s }]] as const));
const idIn = (job: string): string => uuidV5(idOf(job), 'file:0');
const scope = { tenantId: TENANT, actorId: USER_ID };

/** Who else is at work while a snapshot is undone (source-record-storage, 9.4). */
describe('the task of an undo', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser of the test server, to hold rows and to let time pass. */
  let admin: DataSource;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const undo = (job: string): Promise<Answer> =>
    world.ask('POST', `${SNAPSHOTS}/${idOf(job)}/undo`);
  const task = (job: string): Promise<Answer> => world.get(`${SNAPSHOTS}/${idOf(job)}/undo`);
  const setStatus = (job: string, status: string): Promise<Answer> =>
    world.ask('PUT', `${SNAPSHOTS}/${idOf(job)}`, {
      body: { jobExecutionId: idOf(job), status },
    });
  async function imported(job: string, ...frames: readonly Buffer[]): Promise<void> {
    await world.send(frames, { job, options: { on999ff: 'accept' } });
    await setStatus(job, 'COMMITTED');
  }
  const states = (matchedId: string): Promise<object[]> =>
    world.rows(
      'select generation, state from record where tenant_id = $1 and matched_id = $2 order by generation',
      [matchedId],
    );
  /** Begins the undo of a job as a worker does that has not come far yet. */
  async function begun(job: string): Promise<UndoTask> {
    const { services, sources } = world.isolated;
    const undo = services.get('source-record-storage')!.app.get(UndoTasks);

    return withTenant(sources.get('source-record-storage')!, scope, async (tx) => {
      await undo.begin(tx, idOf(job));
      return (await undo.claimOf(tx, idOf(job)))!;
    });
  }
  const change = (job: string, set: string): Promise<unknown> =>
    admin.query(`update source_record_storage.snapshot_task set ${set} where snapshot_id = $1`, [
      idOf(job),
    ]);
  /** Until a statement of the service waits for a lock. */
  async function waiting(): Promise<void> {
    for (let looks = 0; looks < 20_000; looks += 1) {
      const rows: unknown[] = await admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (rows.length > 0) return;
    }
    throw new Error('Nobody waits.');
  }

  it('is shown to who asks while somebody works on it', async () => {
    await imported('held', bib('h1'), bib('h2'));
    await begun('held');
    const answer = await undo('held');
    expect(answer).toMatchObject({
      status: 202,
      json: { state: 'RUNNING', total: 2, removed: 0, restored: 0, kept: 0, conflicts: [] },
    });
    expect(answer.headers['location']).toMatch(new RegExp(`${SNAPSHOTS}/${idOf('held')}/undo$`));
    expect((await task('held')).json).toEqual(answer.json);
    await change('held', `lease_until = now() - interval '1 second'`);
    expect(await undo('held')).toMatchObject({ status: 200, json: { removed: 2 } });
    expect((await task('held')).json).toMatchObject({ state: 'DONE', removed: 2 });
  });

  it('of more than 10,000 records goes on without who asked for it', async () => {
    await imported('huge', bib('g1'));
    await begun('huge');
    // As many as it would have had at its beginning.
    await change('huge', `lease_until = null, options = '{"total": 10001}'`);
    expect(await undo('huge')).toMatchObject({ status: 202, json: { total: 10001 } });
    while ((await task('huge')).json.state !== 'DONE');
    expect(await states(idIn('huge'))).toEqual([]);
  });

  it('that was lost to another worker is not gone on with', async () => {
    await imported('lost', bib('o1'));
    const mine = await begun('lost');
    await change('lost', 'lease_epoch = lease_epoch + 1');
    const undo = world.isolated.services.get('source-record-storage')!.app.get(UndoTasks);
    expect(await undo.goOn(scope, mine)).toBe(false);
    expect(await states(idIn('lost'))).toHaveLength(1);
  });

  it('makes a chunk look again that was about to supersede a record it has removed', async () => {
    await imported('ground', bib('c1'));
    await imported('undone', bib('c1', idIn('ground')));
    await world.send([bib('c2')], { job: 'third' });
    const holder = admin.createQueryRunner();
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from source_record_storage.snapshot where id = $1 for update', [
      idOf('third'),
    ]);
    const sent = world.send([bib('c1', idIn('ground'))], {
      job: 'third',
      chunkNo: 1,
      firstOrder: 1,
      options: { on999ff: 'accept' },
    });
    await waiting();
    expect((await undo('undone')).json).toMatchObject({ removed: 1, restored: 1 });
    await holder.query('commit');
    await holder.release();
    const { told } = await sent;
    expect(told).toMatchObject([{ name: 'ChunkSaved', payload: { counts: { updated: 1 } } }]);
    expect(await states(idIn('ground'))).toEqual([
      { generation: 0, state: 'OLD' },
      { generation: 1, state: 'ACTUAL' },
    ]);
  });
});
