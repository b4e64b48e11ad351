import { uuidV5 } from '@quire/contracts/ids';
import type { SourceRecord, StoredRecord } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf, OTHER_TENANT, USER_ID } from './chunk-source.js';
import { bib, fill, instanceId, recordId, SNAPSHOT, TWIN_INSTANCE, UNKNOWN } from './library.js';
import { RecordWorld } from './record-world.js';

let database: TestDatabase;
let world: RecordWorld;
/** As the superuser, to set what no door sets. */
let admin: DataSource;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await fill(world);
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

describe('GET /source-storage/snapshots/{id}', () => {
  it('gives the snapshot of a job', async () => {
    const { status, json } = await world.get(`/source-storage/snapshots/${SNAPSHOT}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      jobExecutionId: SNAPSHOT,
      status: 'PARSING_IN_PROGRESS',
      processingStartedDate: '2026-11-25T06:00:00.000+00:00',
      metadata: { createdByUserId: USER_ID, updatedByUserId: USER_ID },
    });
  });

  it('finds nothing under another id, one that is none, or one of another tenant', async () => {
    for (const id of [UNKNOWN, 'no-uuid', idOf('elsewhere')]) {
      const { status, text } = await world.get(`/source-storage/snapshots/${id}`);
      expect([status, text]).toEqual([404, `Snapshot with id '${id}' was not found`]);
    }
  });
});

describe('GET /source-storage/records/{id}', () => {
  it('gives a record with all its parts', async () => {
    const { status, json } = await world.get(`/source-storage/records/${recordId(0)}`);
    expect(status).toBe(200);
    const record = json as StoredRecord;
    expect(record).toMatchObject({
      id: recordId(0),
      snapshotId: SNAPSHOT,
      matchedId: recordId(0),
      generation: 0,
      recordType: 'MARC_BIB',
      deleted: false,
      order: 0,
      externalIdsHolder: { instanceId: instanceId(0), instanceHrid: 'in2' },
      additionalInfo: { suppressDiscovery: false },
      state: 'ACTUAL',
      leaderRecordStatus: 'n',
      rawRecord: { id: recordId(0), content: bib('in2', 'The nod').toString() },
      metadata: { createdByUserId: USER_ID, createdByUsername: 'ann' },
    });
    expect(record.parsedRecord).toMatchObject({
      id: recordId(0),
      content: {
        fields: [
          { '001': 'in2' },
          { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'The nod' }] } },
          {
            '999': { ind1: 'f', ind2: 'f', subfields: [{ s: recordId(0) }, { i: instanceId(0) }] },
          },
        ],
      },
    });
  });

  it('tells by state or leader that a record is deleted', async () => {
    const states = await Promise.all(
      [0, 2, 3].map(async (order) => {
        const { json } = await world.get(`/source-storage/records/${recordId(order)}`);
        const { state, deleted } = json as StoredRecord;
        return [state, deleted];
      }),
    );
    expect(states).toEqual([
      ['ACTUAL', false],
      ['DELETED', true],
      ['ACTUAL', true],
    ]);
  });

  it('finds nothing under another id, one that is none, or one of another tenant', async () => {
    for (const id of [UNKNOWN, 'no-uuid', recordId(0, 'elsewhere')]) {
      const { status, text } = await world.get(`/source-storage/records/${id}`);
      expect([status, text]).toEqual([404, `Record with id '${id}' was not found`]);
    }
  });
});

describe('GET /source-storage/source-records', () => {
  const listed = async (query: string): Promise<readonly (number | string)[]> => {
    const { status, json } = await world.get(`/source-storage/source-records?limit=100&${query}`);
    expect(status).toBe(200);
    const { sourceRecords, totalRecords } = json as List;
    expect(totalRecords).toBe(sourceRecords.length);
    return sourceRecords.map((one) => one.externalIdsHolder?.instanceHrid ?? one.recordType);
  };

  it('gives the current view of a record', async () => {
    const { json } = await world.get(`/source-storage/source-records?recordId=${recordId(0)}`);
    expect((json as List).sourceRecords[0]).toMatchObject({
      recordId: recordId(0),
      snapshotId: SNAPSHOT,
      recordType: 'MARC_BIB',
      deleted: false,
      generation: 0,
      order: 0,
      externalIdsHolder: { instanceId: instanceId(0), instanceHrid: 'in2' },
      additionalInfo: { suppressDiscovery: false },
    });
    expect((json as List).sourceRecords[0]).not.toHaveProperty('rawRecord');
  });

  it('filters', async () => {
    const all = 'orderBy=externalHrid';
    expect(await listed(all)).toEqual(['in1', 'in2', 'in4', 'tw1', 'tw2']);
    expect(await listed(`${all}&snapshotId=${SNAPSHOT}`)).toEqual(['in1', 'in2', 'in4']);
    expect(await listed(`${all}&snapshotId=${SNAPSHOT}&deleted=true`)).toEqual([
      'in1',
      'in2',
      'in3',
      'in4',
    ]);
    expect(await listed(`externalId=${instanceId(1).toUpperCase()}`)).toEqual(['in1']);
    expect(await listed(`instanceId=${instanceId(1)}`)).toEqual(['in1']);
    expect(await listed(`externalId=&instanceId=${instanceId(1)}`)).toEqual(['in1']);
    expect(await listed('externalHrid=in2')).toEqual(['in2']);
    expect(await listed('instanceHrid=in2')).toEqual(['in2']);
    expect(await listed('leaderRecordStatus=x')).toEqual(['in4']);
    expect(await listed('suppressFromDiscovery=true')).toEqual([]);
    expect(await listed('recordType=MARC_AUTHORITY')).toEqual(['MARC_AUTHORITY']);
    expect(await listed('recordType=marc_holding')).toEqual(['MARC_HOLDING']);
    expect(await listed(`recordId=${recordId(0)}&instanceHrid=in1`)).toEqual([]);
  });

  it('takes both ends of a time as inside', async () => {
    const { json } = await world.get(`/source-storage/source-records?recordId=${recordId(0)}`);
    const at = encodeURIComponent((json as List).sourceRecords[0]?.metadata?.updatedDate ?? '');
    const one = `recordId=${recordId(0)}`;
    expect(await listed(`${one}&updatedAfter=${at}`)).toEqual(['in2']);
    expect(await listed(`${one}&updatedBefore=${at}`)).toEqual(['in2']);
    expect(await listed(`${one}&updatedAfter=${at}&updatedBefore=${at}`)).toEqual(['in2']);
    expect(await listed(`${one}&updatedBefore=2020-01`)).toEqual([]);
    expect(await listed(`${one}&updatedAfter=2999`)).toEqual([]);
  });

  it.each(['05.678', '05.678999'])(
    'takes a record of second %s as of millisecond 05.678',
    async (second) => {
      await admin.query('update source_record_storage.record set updated_at = $1 where id = $2', [
        `2026-01-02T03:04:${second}Z`,
        recordId(1),
      ]);
      const within = (after: string, before: string): Promise<readonly unknown[]> =>
        listed(`recordId=${recordId(1)}&updatedAfter=${after}Z&updatedBefore=${before}Z`);
      const at = '2026-01-02T03:04:05.678';
      expect(await within(at, at)).toEqual(['in1']);
      expect(await within('2026-01-02T03:04:05.679', '2026-01-03T00:00')).toEqual([]);
      expect(await within('2026-01-01T00:00', '2026-01-02T03:04:05.677')).toEqual([]);
    },
  );

  it('orders, by several fields where asked', async () => {
    const of = `snapshotId=${SNAPSHOT}`;
    expect(await listed(`${of}&orderBy=order,DESC`)).toEqual(['in4', 'in1', 'in2']);
    expect(await listed(`${of}&orderBy=leaderRecordStatus%20,%20desc&orderBy=order`)).toEqual([
      'in4',
      'in2',
      'in1',
    ]);
    const byId = await world.get(`/source-storage/source-records?${of}`);
    const ids = (byId.json as List).sourceRecords.map((one) => one.recordId);
    expect(ids).toEqual([...ids].sort());
  });

  it('gives pages, and counts beyond them', async () => {
    const page = async (query: string): Promise<unknown> => {
      const { json } = await world.get(
        `/source-storage/source-records?snapshotId=${SNAPSHOT}&orderBy=order&${query}`,
      );
      const { sourceRecords, ...rest } = json as List;
      return [sourceRecords.map(({ order }) => order), rest];
    };
    expect(await page('limit=2')).toEqual([[0, 1], { totalRecords: 3 }]);
    expect(await page('offset=2&limit=2')).toEqual([[3], { totalRecords: 3 }]);
    expect(await page('offset=7')).toEqual([[], { totalRecords: 3 }]);
    expect(await page('limit=0')).toEqual([[], { totalRecords: 3 }]);
    for (const mode of ['exact', 'auto', 'EXACT'])
      expect(await page(`limit=1&totalRecords=${mode}`)).toEqual([[0], { totalRecords: 3 }]);
    expect(await page('limit=1&totalRecords=none')).toEqual([[0], {}]);
    expect(await page('limit=0&totalRecords=none')).toEqual([[], {}]);
  });

  it.each([
    ['limit=-1', 'limit', '-1', 'must be greater than or equal to 0'],
    ['limit=ten', 'limit', 'ten', 'must be an integer between 0 and 2147483647'],
    ['offset=2147483648', 'offset', '2147483648', 'must be less than or equal to 2147483647'],
    ['totalRecords=x', 'totalRecords', 'x', 'must match "exact|estimated|none|auto"'],
    ['recordType=BOOK', 'recordType', 'BOOK', 'Unknown record type BOOK'],
    ['externalId=1', 'externalId', '1', 'Invalid UUID 1'],
    ['leaderRecordStatus=z', 'leaderRecordStatus', 'z', 'must match "^[acdnposx]$"'],
    ['deleted=perhaps', 'deleted', 'perhaps', 'must be true or false'],
    ['updatedAfter=yesterday', 'updatedAfter', 'yesterday', 'must be a date'],
    ['updatedBefore=2026-02-30', 'updatedBefore', '2026-02-30', 'must be a date'],
    ['orderBy=title', 'orderBy', 'title', 'Invalid order by title'],
    ['orderBy=id,UP', 'orderBy', 'id,UP', 'Invalid order by id,UP'],
    ['orderBy=constructor', 'orderBy', 'constructor', 'Invalid order by constructor'],
  ])('refuses %s', async (query, name, value, reason) => {
    for (const path of ['source-records', 'stream/source-records']) {
      const { status, text } = await world.get(`/source-storage/${path}?${query}`);
      expect([status, text]).toEqual([
        400,
        `'${name}' parameter is incorrect. parameter value {${value}} is not valid: ${reason}`,
      ]);
    }
  });
});

describe('GET /instance-bulk/ids', () => {
  const asked = async (parameters: Readonly<Record<string, string>>): Promise<unknown> => {
    const query = new URLSearchParams(parameters).toString();
    const { status, json, text } = await world.get(`/instance-bulk/ids?${query}`);
    return status === 200 ? json : [status, text.split('\n')[0]];
  };
  const some = (...ids: readonly string[]): object => ({
    ids: [...ids].sort().map((id) => ({ id })),
    totalRecords: ids.length,
  });

  it('gives every instance id once, those of deleted records not', async () => {
    const all = (await asked({ query: 'cql.allRecords=1', limit: '2147483647' })) as Ids;
    const ids = all.ids.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids).toEqual(expect.arrayContaining([instanceId(0), instanceId(1), TWIN_INSTANCE]));
    expect(ids).not.toContain(instanceId(2));
    expect(ids).not.toContain(instanceId(0, 'elsewhere'));
    expect(all.totalRecords).toBe(ids.length);
    expect(await asked({})).toEqual(all);
  });

  it('finds by id', async () => {
    const [one, other] = [instanceId(0), instanceId(1)];
    expect(await asked({ query: `id==${one}` })).toEqual(some(one));
    expect(await asked({ query: `id==(${one} or ${other})` })).toEqual(some(one, other));
    expect(await asked({ query: `id==("${one}" or "${UNKNOWN}")` })).toEqual(some(one));
    expect(await asked({ query: `id==${instanceId(0, 'elsewhere')}` })).toEqual(some());
    expect(await asked({ query: `id==${instanceId(2)}` })).toEqual(some());
  });

  it('counts without a list, and lists without a count', async () => {
    const query = `id==(${instanceId(0)} or ${instanceId(1)})`;
    expect(await asked({ query, limit: '0' })).toEqual({ ids: [], totalRecords: 2 });
    expect(await asked({ query, limit: '1', totalRecords: 'none' })).toEqual({
      ids: [{ id: [instanceId(0), instanceId(1)].sort()[0] }],
    });
    expect(await asked({ query, offset: '1' })).toEqual({
      ids: [{ id: [instanceId(0), instanceId(1)].sort()[1] }],
      totalRecords: 2,
    });
  });

  it('gives the ids of holdings', async () => {
    const id = uuidV5(recordId(5), 'holdings');
    expect(await asked({ recordType: 'HOLDING' })).toEqual(some(id));
  });

  it('says where a query is wrong', async () => {
    const refusal = (column: number, reason: string): unknown => [
      400,
      `unable to list ids -- malformed parameter 'query', syntax error at column ${column}: ${reason}`,
    ];
    const unknown = "unknown index 'titel', did you mean 'title'?";
    expect(await asked({ query: 'titel=x' })).toEqual(refusal(1, unknown));
    expect(await asked({ query: `id==${UNKNOWN} and titel=x` })).toEqual(
      refusal(`id==${UNKNOWN} and `.length + 1, unknown),
    );
    expect(await asked({ query: '(id==1' })).toMatchObject([
      400,
      expect.stringContaining('column 7'),
    ]);
    expect(await asked({ recordType: 'BOOK' })).toEqual([
      400,
      '\'recordType\' parameter is incorrect. parameter value {BOOK} is not valid: must match "INSTANCE|HOLDING"',
    ]);
  });
});

describe('the door', () => {
  const targets = [
    `/source-storage/snapshots/${SNAPSHOT}`,
    `/source-storage/records/${recordId(0)}`,
    '/source-storage/source-records',
    '/source-storage/stream/source-records',
    '/instance-bulk/ids',
  ];

  it('stays shut without an assertion', async () => {
    const url = world.isolated.urls['source-record-storage'] ?? '';
    for (const target of targets) expect((await fetch(`${url}${target}`)).status).toBe(401);
    const post = await fetch(`${url}/source-storage/stream/source-records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[]',
    });
    expect(post.status).toBe(401);
  });

  it('stays shut without the permission', async () => {
    for (const target of targets)
      expect((await world.get(target, { permissions: [] })).status).toBe(403);
  });

  it('shows a tenant its own records only', async () => {
    const there = { tenant: OTHER_TENANT };
    const { json } = await world.get('/source-storage/source-records?deleted=true', there);
    expect(json).toMatchObject({
      sourceRecords: [{ recordId: recordId(0, 'elsewhere') }],
      totalRecords: 1,
    });
    expect((await world.get('/instance-bulk/ids', there)).json).toEqual({
      ids: [{ id: instanceId(0, 'elsewhere') }],
      totalRecords: 1,
    });
    const { text } = await world.get('/source-storage/stream/source-records', there);
    expect(JSON.parse(text)).toMatchObject({ recordId: recordId(0, 'elsewhere') });
    for (const target of targets.slice(0, 2))
      expect((await world.get(target, there)).status).toBe(404);
  });

  it('serves every route of the contract', () => {
    expect(world.isolated.services.get('source-record-storage')?.unserved).toEqual([]);
  });
});

interface List {
  readonly sourceRecords: readonly SourceRecord[];
  readonly totalRecords?: number;
}

interface Ids {
  readonly ids: readonly { readonly id: string }[];
  readonly totalRecords?: number;
}
