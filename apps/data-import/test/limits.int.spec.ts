import { Readable } from 'node:stream';
import { OutboxLevel } from '@quire/messaging/outbox-level';
import { testClock } from '@quire/testing/clock';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { CURRENT, ImportWorld, OTHER_TENANT } from './import-world.js';

/** Requests until what must happen by itself counts as never. */
const TRIES_MAX = 3000;
const RECORD = marcRecord({ fields: [['001', 'a1']] });
const FILE_BYTES_MAX = 100_000;

/** So many bytes in pieces, without a length that was announced. */
function unannounced(bytes: number): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes; at += 10_000) yield Buffer.alloc(Math.min(10_000, bytes - at));
    })(),
  );
}

/** Bytes that come, and then none, until `end` is called. */
function openEnded(): { source: Readable; end: () => void } {
  const source = new Readable({ read: () => undefined });
  source.push(RECORD);
  return { source, end: () => source.push(null) };
}

describe('an upload on a slow line', () => {
  it('keeps its lease while bytes arrive, however few', async () => {
    await using database = await testDatabase();
    const clock = testClock(new Date());
    await using world = await ImportWorld.start(database.url, {}, clock);
    const drafted = await world.draft();
    const { source, end } = openEnded();
    const pending = world.upload(drafted, source);
    const lease = async (): Promise<number> => {
      const sql = 'select lease_until from file_upload where tenant_id = $1';
      const [row] = await world.rows<{ lease_until: Date }>(sql);
      return row?.lease_until.getTime() ?? 0;
    };
    for (let tries = 0; (await lease()) === 0 && tries < TRIES_MAX; tries += 1);
    const before = await lease();
    // When the first bytes are looked at is not to be seen from here, so more of them come, each after ten seconds.
    let records = 1;
    for (; (await lease()) === before && records < TRIES_MAX; records += 1) {
      clock.advance(10_000);
      source.push(RECORD);
    }
    expect(await lease()).toBeGreaterThan(before);
    end();
    expect((await pending).status).toBe(200);
    expect((await world.job(drafted.jobId)).totalRecordsInFile).toBe(records);
  });
});

describe('the limits of data-import', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url, {
      fileBytesMax: FILE_BYTES_MAX,
      uploadsOfTenantMax: 2,
      uploadsMax: 3,
      runningJobsMax: 2,
    });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const uploading = async (count: number, tenant?: string): Promise<void> => {
    const running = 'select from file_upload where tenant_id = $1';
    for (let tries = 0; (await world.rows(running, [], tenant)).length < count; tries += 1)
      if (tries > TRIES_MAX) throw new Error('never');
  };

  it('take a file of exactly the largest size, whether or not its length was announced', async () => {
    const announced = await world.draft();
    expect((await world.upload(announced, Buffer.alloc(FILE_BYTES_MAX))).status).toBe(200);
    const streamed = await world.draft();
    expect((await world.upload(streamed, unannounced(FILE_BYTES_MAX))).status).toBe(200);
    expect((await world.details(streamed.jobId)).source.bytes).toBe(FILE_BYTES_MAX);
  });

  it('refuse one byte more before it is read, and leave the file as it was', async () => {
    const drafted = await world.draft();
    expect(await world.upload(drafted, Buffer.alloc(FILE_BYTES_MAX + 1))).toMatchObject({
      status: 413,
      text: `File size is too large: '${FILE_BYTES_MAX + 1}'. Please use file with size less than ${FILE_BYTES_MAX}.`,
    });
    expect((await world.get(`${CURRENT}/${drafted.id}`)).json).toMatchObject({ status: 'NEW' });
  });

  it('cut off a file that grows beyond, and keep nothing of it', async () => {
    const drafted = await world.draft();
    const { status, text } = await world.upload(drafted, unannounced(FILE_BYTES_MAX + 1));
    expect(status).toBe(413);
    expect(text).toMatch(/^File size is too large: '\d+'\. Please use file with size less than/);
    expect((await world.get(`${CURRENT}/${drafted.id}`)).json.fileDefinitions).toMatchObject([
      { status: 'ERROR' },
    ]);
    expect(await world.rows('select from file_upload where tenant_id = $1')).toEqual([]);
    expect(await world.rows('select from object_intent where tenant_id = $1')).toEqual([]);
    expect((await world.upload(drafted, RECORD)).status).toBe(200);
  });

  it('let a tenant upload so many files at once, and all tenants together so many', async () => {
    const drafts = [await world.draft(), await world.draft(), await world.draft()];
    const [first, second] = [openEnded(), openEnded()];
    const running = [
      world.upload(drafts[0]!, first.source),
      world.upload(drafts[1]!, second.source),
    ];
    await uploading(2);
    const refused = await world.upload(drafts[2]!, RECORD);
    expect(refused).toMatchObject({ status: 429, text: 'Too many requests, retry in 5 s' });
    expect(refused.headers['retry-after']).toBe('5');
    const other = { tenant: OTHER_TENANT };
    const theirs = await world.draft('theirs.mrc', other);
    const third = openEnded();
    running.push(world.upload(theirs, third.source, other));
    await uploading(1, OTHER_TENANT);
    const fourth = await world.upload(await world.draft('more.mrc', other), RECORD, other);
    expect(fourth.status).toBe(429);
    for (const { end } of [first, second, third]) end();
    for (const upload of running) expect((await upload).status).toBe(200);
    expect((await world.upload(drafts[2]!, RECORD)).status).toBe(200);
  });

  it('let the last of two uploads of one file win, and remove the object of the other', async () => {
    const drafted = await world.draft();
    const slow = openEnded();
    const pending = world.upload(drafted, slow.source);
    await uploading(1);
    expect((await world.upload(drafted, Buffer.concat([RECORD, RECORD]))).status).toBe(200);
    expect((await world.job(drafted.jobId)).totalRecordsInFile).toBe(2);
    slow.end();
    expect((await pending).status).toBe(200);
    expect((await world.job(drafted.jobId)).totalRecordsInFile).toBe(1);
    expect(await world.rows('select from object_intent where tenant_id = $1')).toEqual([]);
  });

  it('give an upload up whose file was removed or handed over meanwhile', async () => {
    const { id, fileDefinitions } = await world.create('a.mrc', 'b.mrc');
    const [a, b] = (fileDefinitions as { id: string; jobExecutionId: string }[]).map((file) => ({
      id: id as string,
      fileId: file.id,
      jobId: file.jobExecutionId,
    }));
    const [removed, replaced] = [openEnded(), openEnded()];
    expect((await world.upload(b!, RECORD)).status).toBe(200);
    const pending = [world.upload(a!, removed.source), world.upload(b!, replaced.source)];
    await uploading(2);
    const path = `/data-import/upload/definition/file/${a!.fileId}?uploadDefinitionId=${a!.id}`;
    expect((await world.ask('DELETE', path)).status).toBe(204);
    expect((await world.process(b!)).status).toBe(204);
    removed.end();
    replaced.end();
    expect(await pending[0]).toMatchObject({
      status: 404,
      text: `FileDefinition not found. FileDefinition ID: ${a!.fileId}`,
    });
    expect(await pending[1]).toMatchObject({
      status: 400,
      text: `Cannot upload file ${b!.fileId} - it is already being processed`,
    });
    expect(await world.rows('select from object_intent where tenant_id = $1')).toEqual([]);
    await world.saved((await world.sent.of(b!.jobId, 1))[0]!);
    expect((await world.job(b!.jobId)).status).toBe('COMMITTED');
  });

  it('let a tenant have so many jobs running', async () => {
    const jobs = [await world.start(RECORD), await world.start(RECORD)];
    const third = await world.draft();
    await world.upload(third, RECORD);
    expect(await world.process(third)).toMatchObject({ status: 429 });
    expect((await world.job(third.jobId)).status).toBe('FILE_UPLOADED');
    await world.saved((await world.sent.of(jobs[0]!.jobId, 1))[0]!);
    expect((await world.process(third)).status).toBe(204);
  });
});

describe('while the bus takes no events', () => {
  it('no import begins once too many wait, those that run go on, and it begins when they have left', async () => {
    await using database = await testDatabase();
    const outbox = { outboxRowsMax: 20, outboxLookMs: 3_600_000 };
    await using world = await ImportWorld.start(database.url, {}, undefined, { outbox });
    const running = await world.start(RECORD);
    const [chunk] = await world.sent.of(running.jobId, 1);
    const late = await world.draft();
    await world.upload(late, RECORD);
    await world.isolated.settled();
    const { bus } = world.isolated;
    const publish = bus.publish.bind(bus);
    bus.publish = () => Promise.resolve({ outcome: 'postponed' });
    for (let drafts = 0; drafts <= outbox.outboxRowsMax; drafts += 1) await world.draft();
    const level = world.isolated.services.get('data-import')?.app.get(OutboxLevel);
    await level?.look();
    const refused = await world.process(late);
    expect(refused).toMatchObject({ status: 503, text: 'Service unavailable, retry in 30 s' });
    expect(refused.headers['retry-after']).toBe('30');
    expect((await world.job(late.jobId)).status).toBe('FILE_UPLOADED');
    bus.publish = publish;
    await world.saved(chunk!);
    expect((await world.job(running.jobId)).status).toBe('COMMITTED');
    await level?.look();
    expect((await world.process(late)).status).toBe(204);
  });
});
