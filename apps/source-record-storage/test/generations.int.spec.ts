import { ImportCompleted } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkSavedPayload } from '@quire/contracts/source-record-events';
import { passwordOfRole } from '@quire/service/isolated';
import { openSource } from '@quire/postgres/migrate';
import { withTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { DataSource } from 'typeorm';
import { Records } from '../src/db/records.js';
import { WriteMark } from '../src/db/write-mark.js';
import { readChunk } from '../src/pipeline/read-chunk.js';
import { savingOf } from '../src/usecases/chunk-outcomes.js';
import { chunkOf, idOf, TENANT, USER_ID } from './chunk-source.js';
import type { Told } from './import-stub.js';
import { RecordWorld } from './record-world.js';

const scope = { tenantId: TENANT, actorId: USER_ID };

const bib = (number: string, title: string, ...more: readonly FieldSketch[]): Buffer =>
  marcRecord({ fields: [['001', number], ['245', '10', { a: title }], ...more] });
const ff = (subfields: Record<string, string>): FieldSketch => ['999', 'ff', subfields];

function savedOf([first]: readonly Told[]): ChunkSavedPayload {
  if (first?.name !== 'ChunkSaved') throw new Error(`Not saved, but ${first?.name ?? 'no answer'}`);
  return first.payload;
}

interface Generation {
  readonly id: string;
  readonly generation: number;
  readonly state: string;
  readonly action: string;
  readonly external_id: string;
}

describe('records that come with ids of ours', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser of the test server, to make trouble. */
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

  const accept = { on999ff: 'accept' } as const;
  const generations = (matchedId: string): Promise<Generation[]> =>
    world.rows<Generation>(
      'select * from record where tenant_id = $1 and matched_id = $2 order by generation',
      [matchedId],
    );

  it('become the next generation of that record, which is then old', async () => {
    await world.send([bib('a1', 'First')], { job: 'first' });
    const id = uuidV5(idOf('first'), 'file:0');
    const instance = uuidV5(id, 'instance');
    for (const job of ['second', 'third']) {
      const { told } = await world.send([bib('a1', job, ff({ s: id }))], { job, options: accept });
      expect(savedOf(told).counts).toMatchObject({ created: 0, updated: 1, failed: 0 });
    }
    expect(await generations(id)).toMatchObject([
      { generation: 0, state: 'OLD', action: 'CREATED', external_id: instance },
      { generation: 1, state: 'OLD', action: 'UPDATED', external_id: instance },
      { generation: 2, state: 'ACTUAL', action: 'UPDATED', external_id: instance },
    ]);
    const { json } = await world.get(`/source-storage/source-records?recordId=${id}`);
    expect(json).toMatchObject({ sourceRecords: [{ generation: 2 }], totalRecords: 1 });
    const { told } = await world.send([bib('a1', 'Fourth', ff({ i: instance }))], {
      job: 'fourth',
      options: accept,
    });
    expect(savedOf(told).counts.updated).toBe(1);
    expect(await generations(id)).toHaveLength(4);
  });

  it('keep ids that nobody has had yet', async () => {
    const ids = { s: idOf('new record'), i: idOf('new instance') };
    await world.send([bib('b1', 'New', ff(ids))], { job: 'new', options: accept });
    expect(await generations(ids.s)).toMatchObject([
      { generation: 0, state: 'ACTUAL', action: 'CREATED', external_id: ids.i },
    ]);
  });

  it('come once per job, also over several chunks', async () => {
    const job = 'twice';
    const frames = [bib('c1', 'One', ff({ s: idOf('twice') }))];
    await world.send(frames, { job, options: accept });
    const { told } = await world.send(frames, { job, options: accept, chunkNo: 1, firstOrder: 1 });
    expect(savedOf(told)).toMatchObject({
      counts: { created: 0, updated: 0, failed: 1 },
      errors: [{ o: 1, c: 'DUPLICATE' }],
    });
    expect(await generations(idOf('twice'))).toHaveLength(1);
  });

  it('are read again when somebody else makes the same generation meanwhile', async () => {
    const matched = idOf('contested');
    const other = admin.createQueryRunner();
    await other.connect();
    await other.query('begin');
    await other.query(
      `insert into source_record_storage.record (tenant_id, id, snapshot_id, matched_id, generation, record_type, state, record_order)
       values ($1, $2, $3, $4, 0, 'MARC_BIB', 'ACTUAL', 0)`,
      [TENANT, idOf('other row'), idOf('other job'), matched],
    );
    const sent = world.send([bib('d1', 'Contested', ff({ s: matched }))], {
      job: 'contested job',
      options: accept,
    });
    await waiting();
    await other.query('commit');
    await other.release();
    expect(savedOf((await sent).told).counts).toMatchObject({ updated: 1, failed: 0 });
    expect(await generations(matched)).toMatchObject([
      { generation: 0, state: 'OLD' },
      { generation: 1, state: 'ACTUAL' },
    ]);
  });

  /** Until a statement of the service waits for a lock. */
  async function waiting(): Promise<void> {
    const giveUpAt = performance.now() + 50_000;
    while (performance.now() < giveUpAt) {
      const rows: unknown[] = await admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (rows.length > 0) return;
    }
    throw new Error('Nobody waits.');
  }

  it('that the database refuses are found, and the others are stored', async () => {
    await admin.query(`
      create function source_record_storage.refuse() returns trigger language plpgsql as $$
      begin
        if new.title like 'Poison%' then raise exception 'no' using errcode = 'check_violation'; end if;
        return new;
      end $$`);
    await admin.query(`create trigger refuse before insert on source_record_storage.record
      for each row execute function source_record_storage.refuse()`);
    const job = 'poison';
    const frames = Array.from({ length: 9 }, (_, at) =>
      bib(`e${at}`, at === 3 || at === 8 ? `Poison ${at}` : `Fine ${at}`),
    );
    const { told, chunk } = await world.send(frames, { job, firstOrder: 100 });
    expect(savedOf(told)).toMatchObject({
      counts: { created: 7, failed: 2, byType: { B: 9 } },
      errors: [
        { o: 103, at: frames[0]!.length * 3, t: 'B', c: 'STORE', n: 'Poison 3', h: 'e3' },
        { o: 108, c: 'STORE' },
      ],
    });
    const rows = await world.rows('select from record where tenant_id = $1 and snapshot_id = $2', [
      idOf(job),
    ]);
    expect(rows).toHaveLength(7);
    expect(chunk.count).toBe(9);
  });

  it('with a number that no index can hold are refused alone', async () => {
    const long = Array.from({ length: 250 }, (_, at) => idOf(`part ${at}`)).join('');
    const { told } = await world.send([bib(long, 'Long'), bib('g2', 'Short')], { job: 'long' });
    expect(savedOf(told)).toMatchObject({
      counts: { created: 1, failed: 1 },
      errors: [{ o: 0, c: 'STORE', n: 'Long' }],
    });
  });

  it('leave the planner with new statistics when their import ends', async () => {
    const analyzed = async (): Promise<boolean> => {
      const [row] = await world.rows<{ reltuples: number }>(
        `select reltuples from pg_class where oid = 'record'::regclass and $1 <> ''`,
      );
      return (row?.reltuples ?? -1) >= 0;
    };
    const end = (job: string, created: number) =>
      world.publish(ImportCompleted, {
        tenantId: TENANT,
        jobExecutionId: idOf(job),
        jobVersion: 9,
        status: 'COMMITTED',
        result: 'SUCCESS',
        counts: { created, updated: 0, unchanged: 0, failed: 0, warned: 0 },
        completedDate: '2026-11-25T06:00:00.000+00:00',
      });
    await end('small', 999);
    expect(await analyzed()).toBe(false);
    await end('large', 1000);
    expect(await analyzed()).toBe(true);
  });

  it('are never missed by who asks for what changed since the last stream', async () => {
    const source = await openSource(database.url, 'source_record_storage', passwordOfRole);
    const frames = [bib('f1', 'Open')];
    const chunk = chunkOf(frames, { job: 'open' });
    const { rows } = readChunk(frames[0]!, chunk);
    const stream = (since: string) =>
      world.get(`/source-storage/stream/source-records?updatedAfter=${since}`);
    let date = '';
    await withTenant(source, scope, async (tx) => {
      await new WriteMark().set(tx);
      await new Records().insert(tx, rows, savingOf(chunk));
      // A whole second later, as the header says no more.
      for (let looks = 0, old = false; !old && looks < 100_000; looks += 1) {
        const row = await tx.one<{ old: boolean }>(
          `select clock_timestamp() > date_trunc('second', now()) + interval '1 second' as old`,
        );
        old = row?.old ?? false;
      }
      const { headers, text } = await stream('2020-01-01');
      expect(text).not.toContain('"a":"Open"');
      date = new Date(String(headers['date'])).toISOString();
    });
    await source.destroy();
    expect((await stream(date)).text).toContain('"a":"Open"');
  });
});
