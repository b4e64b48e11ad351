import { ImportCompleted } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import { openStored, with999ff } from '@quire/marc/iso2709/stored';
import { withTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { generateMarc } from '@quire/testing/marc';
import { DataSource } from 'typeorm';
import { UndoRuns } from '../src/usecases/undo-runs.js';
import { UndoTasks } from '../src/usecases/undo-tasks.js';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld } from './record-world.js';

const OLDER = 5000;
const IMPORTED = 10_000;
const CHUNK = 1000;
const UNDO = `/source-storage/snapshots/${idOf('large')}/undo`;
const scope = { tenantId: TENANT, actorId: USER_ID };

/** Everything that says what is stored: rows without what the undo itself writes, and their bytes. */
interface Stored {
  readonly id: string;
  readonly row: object;
  readonly content: Buffer;
}

/** The undo of an import of 10,000 records that updated 5,000 older ones (source-record-storage, 9.4). */
describe('an undo whose process is killed in the middle', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser of the test server, to make trouble. */
  let admin: DataSource;
  let before: Stored[];

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await importAll('older', [...generateMarc(1, OLDER)]);
    before = await stored();
    const updates = [...generateMarc(2, OLDER)].map((record, at) => {
      const named = with999ff(openStored(record), { s: uuidV5(idOf('older'), `file:${at}`) });
      if (named.failed) throw new Error(named.code);
      return named.bytes;
    });
    await importAll('large', [...updates, ...generateMarc(3, IMPORTED - OLDER, OLDER)]);
  }, 170_000);

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  async function importAll(job: string, frames: readonly Buffer[]): Promise<void> {
    for (let at = 0; at < frames.length; at += CHUNK)
      await world.send(frames.slice(at, at + CHUNK), {
        job,
        chunkNo: at / CHUNK,
        firstOrder: at,
        options: { on999ff: 'accept' },
      });
    await world.publish(ImportCompleted, {
      tenantId: TENANT,
      jobExecutionId: idOf(job),
      jobVersion: 9,
      status: 'COMMITTED',
      result: 'SUCCESS',
      counts: { created: frames.length, updated: 0, unchanged: 0, failed: 0, warned: 0 },
      completedDate: '2026-11-25T06:00:00.000+00:00',
    });
  }

  const stored = (): Promise<Stored[]> =>
    world.rows<Stored>(
      `select r.id, to_jsonb(r) - '{updated_at,updated_by,updated_by_name}'::text[] as row, c.content
       from record r join record_content c on (c.tenant_id, c.record_id) = (r.tenant_id, r.id)
       where r.tenant_id = $1 order by r.id`,
    );
  const count = async (table: string): Promise<number> => {
    const [row] = await world.rows<{ count: string }>(
      `select count(*) from ${table} where tenant_id = $1`,
    );
    return Number(row?.count);
  };
  const service = () => {
    const found = world.isolated.services.get('source-record-storage');
    if (!found) throw new Error('The service is not started.');
    return found.app;
  };
  const source = (): DataSource => {
    const found = world.isolated.sources.get('source-record-storage');
    if (!found) throw new Error('The service is not started.');
    return found;
  };

  /** Ends the connection of whoever writes records. */
  async function killWriter(): Promise<void> {
    for (;;) {
      const killed: unknown[] = await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'srs-write'`,
      );
      if (killed.length > 0) return;
    }
  }

  it('is gone on with where it stopped, and brings every older content back, byte for byte', async () => {
    expect(await count('record')).toBe(OLDER + IMPORTED);
    const undo = service().get(UndoTasks);
    // A worker that claims the task, does four batches, and is killed in the fifth.

    const task = await withTenant(source(), scope, async (tx) => {
      await undo.begin(tx, idOf('large'), 'ann');
      return undo.claimOf(tx, idOf('large'));
    });
    for (let batch = 0; batch < 4; batch += 1) expect(await undo.goOn(scope, task!)).toBe(true);
    const fifth = undo.goOn(scope, task!);
    await Promise.all([expect(fifth).rejects.toThrow(), killWriter()]);
    expect(await count('record')).toBe(OLDER + IMPORTED - 4 * CHUNK);
    expect((await world.get(UNDO)).json).toMatchObject({
      state: 'RUNNING',
      total: IMPORTED,
      removed: 4 * CHUNK,
      restored: 4 * CHUNK,
    });
    // Another process. It leaves the task alone as long as the lease runs, here longer than any start takes.
    await admin.query(
      `update source_record_storage.snapshot_task set lease_until = now() + interval '1 hour'`,
    );
    await world[Symbol.asyncDispose]();
    world = await RecordWorld.start(database.url);
    expect(await service().get(UndoTasks).claim(scope)).toBeUndefined();
    expect(
      await admin.query('select lease_epoch::int from source_record_storage.snapshot_task'),
    ).toEqual([{ lease_epoch: 1 }]);
    await admin.query(
      `update source_record_storage.snapshot_task set lease_until = now() - interval '1 second'`,
    );
    service().get(UndoRuns).wake();
    while ((await world.get(UNDO)).json.state !== 'DONE');
    expect((await world.get(UNDO)).json).toMatchObject({
      removed: IMPORTED,
      restored: OLDER,
      kept: 0,
      conflicts: [],
      userName: 'ann',
    });
    await expectAsBefore();
  }, 100_000);

  async function expectAsBefore(): Promise<void> {
    const after = await stored();
    expect(after).toHaveLength(OLDER);
    const different = after.filter(({ id, content }, at) => {
      const was = before[at];
      return was?.id !== id || !was.content.equals(content);
    });
    expect(different).toEqual([]);
    expect(after.map(({ row }) => row)).toEqual(before.map(({ row }) => row));
    expect(await count('record_content')).toBe(OLDER);
    expect(await count('instance')).toBe(OLDER);
    expect(await count('record_history')).toBeGreaterThanOrEqual(IMPORTED);
    expect(await count('record_tombstone')).toBe(IMPORTED - OLDER);
  }
});
