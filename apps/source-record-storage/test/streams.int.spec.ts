import type { SourceRecord, StoredRecord } from '@quire/contracts/source-records';
import type { ServiceAnswer } from '@quire/service/service-client';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { bib, fill, instanceId, recordId, SNAPSHOT } from './library.js';
import { insertRecord } from './record-rows.js';
import { RecordWorld } from './record-world.js';
import { bibBody, RecordClient } from './sent-records.js';

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;
let client: RecordClient;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await fill(world);
  client = new RecordClient(world);
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

describe('GET /source-storage/stream/source-records', () => {
  it('gives a record a line, also where a text has separators of its own', async () => {
    const { status, headers, text } = await world.get(
      `/source-storage/stream/source-records?snapshotId=${SNAPSHOT}&orderBy=order`,
    );
    expect([status, headers['content-type']]).toEqual([200, 'application/stream+json']);
    const lines = text.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
    expect(lines.pop()).toBe('');
    const records = lines.map((line) => JSON.parse(line) as SourceRecord);
    expect(records.map((one) => one.order)).toEqual([0, 1, 3]);
    expect(lines[1]).toContain('Two\\u2028lines, three\\u2029lines, four\\u0085lines');
    expect(JSON.stringify(records[1])).toContain('Two\u2028lines');
  });
});

describe('GET /source-storage/stream/records', () => {
  it('gives records with all their parts, a line each', async () => {
    const target = `snapshotId=${SNAPSHOT}&orderBy=order`;
    const { status, headers, text } = await world.get(`/source-storage/stream/records?${target}`);
    expect([status, headers['content-type']]).toEqual([200, 'application/stream+json']);
    const lines = text.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
    expect(lines.pop()).toBe('');
    const list = await world.get(`/source-storage/records?${target}&limit=100`);
    const { records } = list.json as { records: StoredRecord[] };
    expect(records.map((one) => one.order)).toEqual([0, 1, 2, 3]);
    expect(lines.map((line) => JSON.parse(line) as StoredRecord)).toEqual(records);
  });

  it('takes the filters, the order and the paging of the list', async () => {
    const orders = async (query: string): Promise<unknown> => {
      const { text } = await world.get(`/source-storage/stream/records?${query}`);
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.map((line) => (JSON.parse(line) as StoredRecord).order);
    };
    const all = `snapshotId=${SNAPSHOT}&orderBy=order,DESC`;
    expect(await orders(`${all}&limit=2&offset=1`)).toEqual([2, 1]);
    expect(await orders(`${all}&limit=0`)).toEqual([]);
    expect(await orders(`${all}&limit=2147483647`)).toEqual([3, 2, 1, 0]);
    expect(await orders(`${all}&state=DELETED`)).toEqual([2]);
    expect(await orders(`${all}&recordType=MARC_AUTHORITY`)).toEqual([4]);
    expect(await orders(`${all}&query=order%3E1`)).toEqual([3, 2]);
  });
});

describe('records that were removed physically', () => {
  const GONE = idOf('removed snapshot');
  const [gone, alive] = [recordId(0, 'removed'), idOf('came back')];
  const lines = async (query: string): Promise<SourceRecord[]> => {
    const { status, text } = await world.get(`/source-storage/stream/source-records?${query}`);
    expect(status).toBe(200);
    const all = text.split('\n').filter((line) => line !== '');
    return all.map((line) => JSON.parse(line) as SourceRecord);
  };

  beforeAll(async () => {
    const bury = (id: string, matchedId: string): Promise<unknown> =>
      admin.query(
        `insert into source_record_storage.record_tombstone (tenant_id, record_id, matched_id, generation, snapshot_id,
           record_type, external_id, external_hrid, created_at, created_by, created_by_name, updated_at, removed_at, removed_by)
         values ($1, $2, $3, 1, $4, 'MARC_BIB', $5, 'gone1', '2026-01-01T00:00:00Z', $6, 'ann', '2026-01-02T00:00:00Z',
           '2026-02-03T04:05:06.789Z', $6)`,
        [TENANT, id, matchedId, GONE, instanceId(0, 'removed'), USER_ID],
      );
    await bury(gone, gone);
    // Of this one another generation lives.
    await bury(idOf('gone'), alive);
    const content = { form: 'ISO2709', bytes: bib('al1', 'Alive') } as const;
    await insertRecord(admin, { id: idOf('alive'), matchedId: alive, snapshotId: GONE, content });
  });

  it('leave a line that says so, where deleted records are asked for', async () => {
    expect(await lines(`snapshotId=${GONE}&deleted=true&recordId=${gone}`)).toEqual([
      {
        recordId: gone,
        snapshotId: GONE,
        recordType: 'MARC_BIB',
        parsedRecord: { id: gone, content: {} },
        deleted: true,
        externalIdsHolder: { instanceId: instanceId(0, 'removed'), instanceHrid: 'gone1' },
        metadata: {
          createdDate: '2026-01-01T00:00:00.000+00:00',
          createdByUserId: USER_ID,
          createdByUsername: 'ann',
          updatedDate: '2026-02-03T04:05:06.789+00:00',
          updatedByUserId: USER_ID,
        },
      },
    ]);
    expect(await lines(`snapshotId=${GONE}&recordId=${gone}`)).toEqual([]);
    const list = await world.get(`/source-storage/source-records?recordId=${gone}&deleted=true`);
    expect(list.json).toEqual({ sourceRecords: [], totalRecords: 0 });
  });

  it('have no line where the record lives again', async () => {
    const found = await lines(`snapshotId=${GONE}&deleted=true&orderBy=id`);
    const ids = found.map((one) => [one.recordId, one.deleted]);
    const wanted = [
      [gone, true],
      [alive, false],
    ];
    expect(ids).toEqual(gone < idOf('alive') ? wanted : wanted.reverse());
  });

  it.each([
    ['updatedAfter=2026-02-03T04:05:06.789Z', true],
    ['updatedAfter=2026-02-03T04:05:06.790Z', false],
    ['updatedBefore=2026-02-03T04:05:06.789Z', true],
    ['updatedBefore=2026-02-03T04:05:06.788Z', false],
    [`externalId=${instanceId(0, 'removed')}`, true],
    ['externalHrid=gone1', true],
    ['externalHrid=gone2', false],
    ['leaderRecordStatus=d', true],
    ['leaderRecordStatus=c', false],
    ['suppressFromDiscovery=true', true],
    ['suppressFromDiscovery=false', false],
    ['recordType=MARC_HOLDING', false],
    ['limit=1&orderBy=updatedDate,DESC&updatedBefore=2026-06-01', true],
    ['limit=0', false],
  ])('are filtered as others are: %s', async (query, isThere) => {
    const found = await lines(`deleted=true&${query}`);
    expect(found.some(({ recordId: id }) => id === gone)).toBe(isThere);
  });

  it('are those of a deleted snapshot, found by the date of the stream before', async () => {
    await client.snapshot('to be deleted');
    const { id } = await client.save(bibBody('gone2', { snapshotId: idOf('to be deleted') }));
    const own = `recordId=${id}&deleted=true`;
    const before = await world.get(`/source-storage/stream/source-records?${own}`);
    expect(JSON.parse(before.text)).toMatchObject({ recordId: id, deleted: false });
    const target = `/source-storage/snapshots/${idOf('to be deleted')}`;
    expect((await world.ask('DELETE', target)).status).toBe(204);
    const after = new Date(String(before.headers['date'])).toISOString();
    expect(await lines(`${own}&updatedAfter=${after}`)).toMatchObject([
      { recordId: id, deleted: true, parsedRecord: { content: {} } },
    ]);
    await client.snapshot('another');
    await client.save(bibBody('gone2', { snapshotId: idOf('another') }));
    expect(await lines(own)).toMatchObject([{ recordId: id, deleted: false }]);
  });

  it('have no place in a file of records', async () => {
    const target = `/source-storage/stream/source-records?deleted=true&recordId=${gone}`;
    expect((await world.get(target, { accept: 'application/marc' })).bytes).toHaveLength(0);
  });
});

describe('a long stream', () => {
  const LONG = idOf('long snapshot');
  const COUNT = 5_000;

  beforeAll(async () => {
    const bytes = bib('long', 'x'.repeat(5_000));
    await admin.query(
      `with made as (
         insert into source_record_storage.record (tenant_id, id, matched_id, snapshot_id, record_type, record_order)
         select $1, gen_random_uuid(), gen_random_uuid(), $2, 'MARC_BIB', n from generate_series(1, $3::int) as n returning id)
       insert into source_record_storage.record_content (tenant_id, record_id, content) select $1, id, $4::bytea from made`,
      [TENANT, LONG, COUNT, bytes],
    );
  });

  const TARGETS = ['records', 'source-records'].flatMap((kind) =>
    ['*/*', 'application/marc'].map((accept) => [kind, accept] as const),
  );
  const open = (kind: string, accept: string): Promise<ServiceAnswer> =>
    world.call('GET', `/source-storage/stream/${kind}?snapshotId=${LONG}`, { accept });
  /** Sessions that are in the middle of a cursor. */
  const streaming = async (where: string): Promise<number[]> => {
    const rows = await admin.query<{ pid: number }[]>(
      `select pid from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and ${where}`,
    );
    return rows.map(({ pid }) => pid);
  };
  /** Those of which nothing is asked for a while, although most of the answer is not made yet: its reader does not read. */
  const paused = async (): Promise<number[]> => {
    for (;;) {
      const pids = await streaming(
        `query ~ '^fetch forward |record_content' and state_change < clock_timestamp() - interval '0.5 s'`,
      );
      if (pids.length > 0) return pids;
    }
  };

  it.each(TARGETS)('of %s as %s comes whole', async (kind, accept) => {
    const { body } = await open(kind, accept);
    let [lines, bytes] = [0, 0];
    for await (const part of body as AsyncIterable<Buffer>) {
      bytes += part.length;
      for (const byte of part) if (byte === (accept === '*/*' ? 0x0a : 0x1d)) lines += 1;
    }
    expect(lines).toBe(COUNT);
    expect(bytes).toBeGreaterThan(COUNT * 5_000);
  });

  it.each(TARGETS)('of %s as %s is read no faster than its reader reads', async (kind, accept) => {
    const { body } = await open(kind, accept);
    expect(await paused()).toHaveLength(1);
    body.destroy();
    while ((await streaming('true')).length > 0);
  });

  it.each(TARGETS)('of %s as %s that fails is no short stream', async (kind, accept) => {
    const { status, body } = await open(kind, accept);
    expect(status).toBe(200);
    for (const pid of await paused()) await admin.query('select pg_terminate_backend($1)', [pid]);
    await expect(body.resume().toArray()).rejects.toThrow('aborted');
  });
});
