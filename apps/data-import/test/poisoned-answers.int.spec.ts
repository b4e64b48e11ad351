import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ChunkError } from '@quire/contracts/source-record-events';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { Client } from 'pg';
import { ImportWorld, TENANT } from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
const FILE = Buffer.concat([RECORD, RECORD]);
const NONE = {
  created: 0,
  updated: 0,
  unchanged: 0,
  failed: 0,
  warned: 0,
  byType: {},
  warnings: {},
};
/** More records than the chunk has frames: no row takes it. */
const IMPOSSIBLE = { ...NONE, created: 3 };
const UNFIT = 'a\0b\ud83d';
const FIT = 'a\ufffdb\ufffd';

/** A chunk is asked for again until it is answered, and the answer is the same each time. */
describe('an answer of source-record-storage', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const errorsOf = (jobId: string): Promise<object[]> =>
    world.rows(
      `select record_order::int as o, code, field, detail, title, hrid, warnings from job_error
       where tenant_id = $1 and job_id = $2 order by record_order`,
      [jobId],
    );
  const open = (jobId: string): Promise<object[]> =>
    world.rows(
      `select from job_chunk where tenant_id = $1 and job_id = $2 and state in ('WAITING', 'RELEASED')`,
      [jobId],
    );
  const listOf = async (text: string): Promise<string> => {
    const key = TenantKey.of('records', TENANT, randomUUID());
    await world.isolated.store.put(key, Readable.from([Buffer.from(text)]));
    return key.toString();
  };

  it('is taken home although its list of errors repeats what the database does not take', async () => {
    const { jobId } = await world.start(FILE);
    const [chunk] = await world.sent.of(jobId, 1);
    const [at, len] = [RECORD.length, RECORD.length];
    const shown = { field: UNFIT, detail: UNFIT, n: UNFIT, h: UNFIT, w: [UNFIT] };
    const error: ChunkError = { o: 1, at, len, c: 'TAG', ...shown };
    const counts = { ...NONE, created: 1, failed: 1 };
    await world.saved(chunk!, { counts, errorsKey: await listOf(`${JSON.stringify(error)}\n`) });
    expect(await world.job(jobId)).toMatchObject({ status: 'ERROR', result: 'PARTIAL' });
    const kept = { field: FIT, detail: FIT, title: FIT, hrid: FIT, warnings: [FIT] };
    expect(await errorsOf(jobId)).toEqual([{ o: 1, code: 'TAG', ...kept }]);
  });

  it.each([
    ['counts more than there is', () => Promise.resolve({ counts: IMPOSSIBLE })],
    ['names a list that nobody can read', async () => ({ errorsKey: await listOf('no JSON\n') })],
  ])('that %s ends its chunk and its job, with a reason', async (_, answer) => {
    const { jobId } = await world.start(FILE);
    const [chunk] = await world.sent.of(jobId, 1);
    await world.saved(chunk!, await answer());
    expect(await open(jobId)).toEqual([]);
    expect(await world.job(jobId)).toMatchObject({
      status: 'ERROR',
      result: 'FAILED',
      progress: { current: 2, total: 2 },
    });
    expect(await errorsOf(jobId)).toMatchObject([
      { o: 0, code: 'STORE' },
      { o: 1, code: 'STORE' },
    ]);
    expect((await world.details(jobId)).messages).toContainEqual(
      expect.objectContaining({ code: 'NOT_COUNTED' }),
    );
  });

  it('that can never be counted holds up no undo', async () => {
    const { jobId } = await world.start(FILE);
    const [chunk] = await world.sent.of(jobId, 1);
    await world.ask('DELETE', `/data-import/jobExecutions/${jobId}/cancel`);
    await world.ask('POST', `/data-import/jobExecutions/${jobId}/undo`);
    expect((await world.details(jobId)).undone).toMatchObject({ state: 'WAITING' });
    await world.saved(chunk!, { counts: IMPOSSIBLE });
    expect((await world.details(jobId)).undone).toMatchObject({ state: 'RUNNING' });
    expect((await world.job(jobId)).status).toBe('CANCELLED');
  });

  it('that rejects its chunk ends it also when the rejection had to be given up', async () => {
    const { jobId } = await world.start(FILE);
    const [chunk] = await world.sent.of(jobId, 1);
    const client = new Client(database.url);
    await client.connect();
    // As often as an event is tried; numbers of a sequence are not taken back.
    await client.query(`create sequence data_import.tries;
      grant usage on sequence data_import.tries to public;
      create function data_import.refuse() returns trigger language plpgsql as $$ begin
        if nextval('data_import.tries') <= 5 then raise 'refused' using errcode = '22000'; end if;
        return new; end $$;
      create trigger refuse before insert on data_import.job_error
        for each statement execute function data_import.refuse()`);
    await world.rejected(chunk!, 'STORE');
    await client.query('drop trigger refuse on data_import.job_error');
    await client.end();
    expect(await open(jobId)).toEqual([]);
    expect(await world.job(jobId)).toMatchObject({ status: 'ERROR', result: 'FAILED' });
  });
});
