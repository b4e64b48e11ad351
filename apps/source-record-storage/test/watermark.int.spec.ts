import type { SourceRecord } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource, type QueryRunner } from 'typeorm';
import { idOf } from './chunk-source.js';
import { bib, recordId } from './library.js';
import { RecordWorld } from './record-world.js';
import { bibBody, RecordClient } from './sent-records.js';

/**
 * A client that follows the changes asks `updatedAfter=<Date of the last answer>` (section 6). What is written but not yet
 * visible while a stream runs must come with the next one. The writes are stopped at the last statement of their transactions,
 * that of the outbox.
 */
let database: TestDatabase;
let world: RecordWorld;
let client: RecordClient;
let admin: DataSource;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  client = new RecordClient(world);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await client.snapshot();
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

const OUTBOX = 'source_record_storage.outbox';

/** Nobody can write an event until the transaction of the runner ends. */
async function closeOutbox(): Promise<QueryRunner> {
  const runner = admin.createQueryRunner();
  await runner.startTransaction();
  await runner.query(`lock table ${OUTBOX} in share row exclusive mode`);
  return runner;
}

async function until(condition: string): Promise<void> {
  for (;;) {
    const [row] = await admin.query<[{ met: boolean }]>(`select ${condition} as met`);
    if (row.met) return;
  }
}

const WAITING = `exists (select from pg_locks where relation = '${OUTBOX}'::regclass and not granted)`;

interface Streamed {
  readonly ids: readonly string[];
  readonly deleted: readonly boolean[];
  readonly date: Date;
}

async function stream(target: string): Promise<Streamed> {
  const { status, headers, text } = await world.get(`/source-storage/stream/${target}`);
  expect(status).toBe(200);
  const lines = text.split('\n').filter((line) => line !== '');
  const records = lines.map((line) => JSON.parse(line) as SourceRecord);
  return {
    ids: records.map((one) => one.parsedRecord.id ?? ''),
    deleted: records.map((one) => one.deleted),
    date: new Date(String(headers['date'])),
  };
}

/** Streams while a write is open, and again when it is done. @returns what the second stream found */
async function streamAround(write: () => Promise<unknown>, target: string): Promise<Streamed> {
  // An event of before would be what waits for the outbox.
  await world.isolated.settled();
  const runner = await closeOutbox();
  let written: Promise<unknown> = Promise.resolve();
  let first: Streamed;
  try {
    written = write();
    await until(WAITING);
    const [{ at }] = await admin.query<[{ at: Date }]>('select clock_timestamp() as at');
    // `Date` has whole seconds: in the same one nothing could be missed, whatever it says. The write waits for 3 s at most.
    const nextSecond = `date_trunc('second', timestamptz '${at.toISOString()}') + interval '1 second'`;
    await until(`clock_timestamp() >= ${nextSecond}`);
    first = await stream(target);
    expect(first.date.getTime()).toBeLessThanOrEqual(at.getTime());
    const { date } = await stream('records?limit=0');
    expect(date).toEqual(first.date);
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
    await written;
  }
  const after = encodeURIComponent(first.date.toISOString());
  const second = await stream(`${target}&updatedAfter=${after}`);
  return second;
}

it('finds the chunk of an import that was open while the last stream ran', async () => {
  const job = 'open chunk';
  await world.send([bib('wm0', 'Done')], { job });
  const open = { job, chunkNo: 1, firstOrder: 1 };
  const write = (): Promise<unknown> =>
    world.send([bib('wm1', 'Open'), bib('wm2', 'Open too')], open);
  const { ids } = await streamAround(write, `source-records?snapshotId=${idOf(job)}`);
  expect(ids).toEqual(expect.arrayContaining([1, 2].map((order) => recordId(order, job))));
});

it('finds a record that was being saved by REST while the last stream ran', async () => {
  const target = `source-records?recordId=${idOf('open save')}`;
  const { ids } = await streamAround(() => client.save(bibBody('open save')), target);
  expect(ids).toEqual([idOf('open save')]);
});

it('finds a soft deletion that was under way while the last stream ran', async () => {
  const { id } = await client.save(bibBody('open delete'));
  const target = `source-records?deleted=true&recordId=${id}`;
  const remove = async (): Promise<void> => {
    const { status } = await world.ask('DELETE', `/source-storage/records/${id}`);
    expect(status).toBe(204);
  };
  expect((await streamAround(remove, target)).deleted).toEqual([true]);
});

it('is the time of the answer when nothing is being written', async () => {
  const [{ at }] = await admin.query<[{ at: Date }]>(
    `select date_trunc('second', clock_timestamp()) as at`,
  );
  const { date } = await stream('source-records?limit=0');
  expect(date.getTime()).toBeGreaterThanOrEqual(at.getTime());
  expect(date.getTime()).toBeLessThanOrEqual(Date.now());
});
