import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { Retention } from '../src/usecases/retention.js';
import { SnapshotDeletion } from '../src/usecases/snapshot-deletion.js';
import { idOf, OTHER_TENANT, TENANT, USER_ID } from './chunk-source.js';
import { bib, ids999ff } from './library.js';
import { RecordWorld, type Answer } from './record-world.js';

const SETTINGS = {
  deletedRetentionDays: 30,
  oldGenerationsKeep: 2,
  snapshotRetentionDays: 10,
  tombstoneDays: 100,
  historyDays: 200,
};
const NOTHING = { deletedRecords: 0, oldGenerations: 0, snapshots: 0, tombstones: 0, history: 0 };

/** Source-record-storage, 9.2. */
describe('retention', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser of the test server, who can make things old. */
  let admin: DataSource;

  beforeEach(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url, SETTINGS);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  });

  afterEach(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const ask = (target: string): Promise<Answer> => world.ask('POST', target);
  const report = async (dryRun: boolean): Promise<object> => {
    const { status, json } = await ask(`/source-storage/retention?dryRun=${dryRun}`);
    expect(status).toBe(200);
    return json as object;
  };
  /** A dry run tells what a run does, and after it there is nothing left to do. */
  const goes = async (expected: Partial<typeof NOTHING>): Promise<void> => {
    const counts = { ...NOTHING, ...expected };
    expect(await report(true)).toEqual({ dryRun: true, ...counts });
    expect(await report(false)).toEqual({ dryRun: false, ...counts });
    expect(await report(true)).toEqual({ dryRun: true, ...NOTHING });
  };
  const make = (sql: string): Promise<unknown> =>
    admin.query(
      `set search_path = source_record_storage; ${sql.replaceAll('$tenant', `'${TENANT}'`)}`,
    );
  const aged = (table: string, column: string, days: number, where = 'true'): Promise<unknown> =>
    make(
      `update ${table} set ${column} = now() - interval '${days} days' where tenant_id = $tenant and ${where}`,
    );
  const ids = async (sql: string): Promise<string[]> =>
    (await world.rows<{ id: string }>(`${sql}`)).map(({ id }) => id);
  const importOf = (job: string, ...frames: readonly Buffer[]): Promise<unknown> =>
    world.send(frames, { job, options: { on999ff: 'accept' } });
  const record = (name: string, title = name): Buffer =>
    bib(name, title, { more: [ids999ff(name, idOf(`instance of ${name}`))] });
  const snapshot = async (name: string, status: string): Promise<void> => {
    const body = { jobExecutionId: idOf(name), status };
    expect((await world.ask('POST', '/source-storage/snapshots', { body })).status).toBe(201);
  };

  it('removes records that were deleted long enough ago', async () => {
    await importOf('job', record('a'), record('b'), record('c'));
    for (const name of ['a', 'b'])
      await world.ask('DELETE', `/source-storage/records/${idOf(name)}?idType=RECORD`);
    const [a] = await ids(`select id from record where tenant_id = $1 and external_hrid = 'a'`);
    await aged('record', 'updated_at', 29, `external_hrid = 'a'`);
    await goes({});
    await aged('record', 'updated_at', 31, `external_hrid in ('a', 'c')`);
    await goes({ deletedRecords: 1 });
    expect((await world.get(`/source-storage/records/${a}`)).status).toBe(404);
    const hrids = `select external_hrid as id from record where tenant_id = $1 order by 1`;
    expect(await ids(hrids)).toEqual(['b', 'c']);
    expect(
      await ids(`select record_id as id from record_content where tenant_id = $1`),
    ).toHaveLength(2);
    // For streams of deletions, and for who asks what became of it.
    expect(await ids('select matched_id as id from record_tombstone where tenant_id = $1')).toEqual(
      [idOf('a')],
    );
    const history = await world.get(`/source-storage/records/${idOf('a')}/history`);
    const { versions } = history.json as { versions: { action: string; userName?: string }[] };
    expect(versions.at(-1)).toMatchObject({ action: 'REMOVED', userName: 'retention' });
    const facts = await world.factsOf(idOf('job'));
    const deleted = facts.filter(({ name }) => name === 'SourceRecordsDeleted').at(-1);
    expect(deleted?.payload['records']).toMatchObject([{ matchedId: idOf('a') }]);
  });

  it('removes the oldest generations beyond the number that is kept; later numbers stay', async () => {
    for (const job of ['one', 'two', 'three', 'four', 'five'])
      await importOf(job, record('g', job), record(`only ${job}`));
    await goes({ oldGenerations: 2 });
    const generations = await world.rows<{ generation: number; state: string }>(
      'select generation, state from record where tenant_id = $1 and matched_id = $2 order by 1',
      [idOf('g')],
    );
    expect(generations.map(({ generation, state }) => [generation, state])).toEqual([
      [2, 'OLD'],
      [3, 'OLD'],
      [4, 'ACTUAL'],
    ]);
    const contents = await ids('select record_id as id from record_content where tenant_id = $1');
    expect(contents).toHaveLength(3 + 5);
    await importOf('six', record('g', 'six'));
    const [newest] = await world.rows<{ generation: number }>(
      'select max(generation) as generation from record where tenant_id = $1 and matched_id = $2',
      [idOf('g')],
    );
    expect(newest?.generation).toBe(5);
  });

  it('removes finished snapshots without records', async () => {
    for (const status of ['COMMITTED', 'ERROR', 'CANCELLED', 'PARSING_IN_PROGRESS', 'NEW'])
      await snapshot(status, status);
    await snapshot('young', 'COMMITTED');
    await importOf('with records', record('a'));
    await world.ask('PUT', `/source-storage/snapshots/${idOf('with records')}`, {
      body: { jobExecutionId: idOf('with records'), status: 'COMMITTED' },
    });
    await aged('snapshot', 'updated_at', 11, `id <> '${idOf('young')}'`);
    await goes({ snapshots: 3 });
    const left = ['PARSING_IN_PROGRESS', 'NEW', 'young', 'with records'].map(idOf).sort();
    expect(await ids('select id from snapshot where tenant_id = $1 order by id')).toEqual(left);
    expect((await world.factsOf(idOf('ERROR'))).at(-1)?.name).toBe('SnapshotDeleted');
  });

  it('keeps a snapshot that was filled after it was found empty', async () => {
    await importOf('filled', record('a'));
    await make(`update snapshot set job_status = 'COMMITTED' where tenant_id = $tenant`);
    const deletion = world.isolated.services
      .get('source-record-storage')
      ?.app.get(SnapshotDeletion);
    const scope = { tenantId: TENANT, actorId: USER_ID };
    expect(await deletion?.deleteEmpty(scope, idOf('filled'), 'retention')).toBe(false);
    expect(await deletion?.deleteEmpty(scope, idOf('unknown'), 'retention')).toBe(false);
    expect(await ids('select id from snapshot where tenant_id = $1')).toEqual([idOf('filled')]);
    expect(await ids('select id from record where tenant_id = $1')).toHaveLength(1);
  });

  it('keeps a snapshot that holds frames which changed nothing', async () => {
    const frame = bib('same', 'Same');
    const profile = { match: 'create-or-update' } as const;
    await world.send([frame], { job: 'made', profile });
    await world.send([frame], { job: 'same', profile });
    expect(await ids('select snapshot_id as id from unchanged_frame where tenant_id = $1')).toEqual(
      [idOf('same')],
    );
    await make(
      `update snapshot set status = 'COMMITTED', job_status = 'COMMITTED' where tenant_id = $tenant`,
    );
    await aged('snapshot', 'updated_at', 11);
    await goes({});
  });

  it('forgets removed records and replaced contents after their time', async () => {
    await importOf('job', record('a'), record('b'));
    for (const name of ['a', 'b'])
      await world.ask('DELETE', `/source-storage/records/${idOf(name)}?idType=RECORD`);
    await aged('record', 'updated_at', 31);
    await goes({ deletedRecords: 2 });
    await aged('record_tombstone', 'removed_at', 101, `external_hrid = 'a'`);
    await goes({ tombstones: 1 });
    expect(
      await ids('select external_hrid as id from record_tombstone where tenant_id = $1'),
    ).toEqual(['b']);
    const kept = 'select record_id as id from record_history where tenant_id = $1';
    expect(await ids(kept)).toHaveLength(4);
    await aged('record_history', 'replaced_at', 201, `matched_id = '${idOf('b')}'`);
    await goes({ history: 2 });
    expect(await ids(kept)).toHaveLength(2);
  });

  it('works in batches, until all is gone', async () => {
    await make(
      `insert into record_history (tenant_id, record_id, matched_id, cause, row, replaced_at)
       select $tenant, gen_random_uuid(), gen_random_uuid(), 'UPDATE', '{}', now() - interval '201 days'
       from generate_series(1, 2500);
       insert into record_tombstone (tenant_id, record_id, matched_id, generation, snapshot_id, record_type, created_at,
         updated_at, removed_at)
       select $tenant, gen_random_uuid(), gen_random_uuid(), 0, gen_random_uuid(), 'MARC_BIB', now(), now(),
         now() - interval '101 days' from generate_series(1, 1000);
       insert into snapshot (tenant_id, id, status, updated_at)
       select $tenant, gen_random_uuid(), 'COMMITTED', now() - interval '11 days' from generate_series(1, 150)`,
    );
    const frames = Array.from({ length: 700 }, (_, at) => record(`many ${at}`));
    for (const job of ['one', 'two', 'three', 'four', 'five']) await importOf(job, ...frames);
    await goes({ history: 2500, tombstones: 1000, oldGenerations: 1400, snapshots: 150 });
  });

  it('leaves other tenants alone', async () => {
    await make(
      `insert into record_history (tenant_id, record_id, matched_id, cause, row, replaced_at)
       values ('${OTHER_TENANT}', gen_random_uuid(), gen_random_uuid(), 'UPDATE', '{}', now() - interval '999 days')`,
    );
    await goes({});
    const elsewhere = await world.ask('POST', '/source-storage/retention', {
      tenant: OTHER_TENANT,
    });
    expect(elsewhere.json).toEqual({ dryRun: false, ...NOTHING, history: 1 });
  });

  it('goes on by itself, for every tenant', async () => {
    for (const tenant of [TENANT, OTHER_TENANT])
      await make(
        `insert into record_history (tenant_id, record_id, matched_id, cause, row, replaced_at)
         values ('${tenant}', gen_random_uuid(), gen_random_uuid(), 'UPDATE', '{}', now() - interval '201 days')`,
      );
    await world.isolated.services.get('source-record-storage')?.app.get(Retention).sweep();
    const left = 'select record_id as id from record_history where tenant_id = $1';
    for (const tenant of [TENANT, OTHER_TENANT])
      expect(await world.rows(left, [], tenant)).toEqual([]);
  });

  it('needs its permission and a readable dryRun', async () => {
    const target = '/source-storage/retention';
    expect((await world.ask('POST', target, { permissions: [] })).status).toBe(403);
    const bad = await ask(`${target}?dryRun=maybe`);
    expect([bad.status, bad.text]).toEqual([
      400,
      "'dryRun' parameter is incorrect. parameter value {maybe} is not valid: must be true or false",
    ]);
  });

  it('by default keeps deleted records, generations and snapshots for ever, other things for a year', async () => {
    await using keeping = await RecordWorld.start(database.url);
    await importOf('one', record('a'));
    await importOf('two', record('a', 'two'));
    await world.ask('DELETE', `/source-storage/records/${idOf('a')}?idType=RECORD`);
    await snapshot('empty', 'COMMITTED');
    await aged('record', 'updated_at', 36_000);
    await aged('snapshot', 'updated_at', 36_000);
    await aged('record_history', 'replaced_at', 364);
    const preview = async (): Promise<unknown> =>
      (await keeping.ask('POST', '/source-storage/retention?dryRun=true')).json;
    expect(await preview()).toEqual({ dryRun: true, ...NOTHING });
    await aged('record_history', 'replaced_at', 366);
    expect(await preview()).toEqual({ dryRun: true, ...NOTHING, history: 1 });
  });
});
