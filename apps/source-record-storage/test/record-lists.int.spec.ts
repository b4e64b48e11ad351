import type { StoredRecord } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf, USER_ID } from './chunk-source.js';
import { insertRecord, type RecordSketch } from './record-rows.js';
import { RecordWorld } from './record-world.js';
import { authorityBody, bibBody, RecordClient } from './sent-records.js';

let database: TestDatabase;
let world: RecordWorld;
let client: RecordClient;
let admin: DataSource;

/** Written by hand: a record of each state, of which some columns are undefined. */
const HAND = idOf('by hand');
const SKETCHES: readonly RecordSketch[] = [
  { id: idOf('a'), matchedId: idOf('m'), generation: 0, state: 'OLD', order: 3, leaderStatus: 'n' },
  { id: idOf('b'), matchedId: idOf('m'), generation: 1, state: 'ACTUAL', externalId: idOf('x') },
  { id: idOf('c'), state: 'DELETED', externalHrid: 'hr2', order: 1, suppressed: true },
  { id: idOf('d'), state: 'DRAFT', externalHrid: 'Hr1', order: 2, leaderStatus: 'c' },
];

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  client = new RecordClient(world);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await client.snapshot();
  await client.snapshot('by hand', 'COMMITTED');
  await client.save(bibBody('in1', { order: 7, additionalInfo: { staffSuppress: true } }));
  await client.save(bibBody('in2', { state: 'DRAFT' }));
  await client.save(authorityBody('au1'));
  await client.save(authorityBody('au2', { parsedRecord: { content: '{"leader' } }));
  for (const [at, sketch] of SKETCHES.entries())
    await insertRecord(admin, {
      ...sketch,
      snapshotId: HAND,
      updatedAt: `2026-01-0${at + 1}T00:00:00Z`,
    });
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

const NAMES = new Map(
  ['in1', 'in2', 'au1', 'au2', 'a', 'b', 'c', 'd'].map((name) => [idOf(name), name]),
);

async function listed(parameters: Readonly<Record<string, string>> | string): Promise<unknown> {
  const query = new URLSearchParams(parameters);
  if (!query.has('limit')) query.set('limit', '100');
  const { status, json, text } = await world.get(`/source-storage/records?${query.toString()}`);
  if (status !== 200) return [status, text];
  const { records, totalRecords } = json as { records: StoredRecord[]; totalRecords: number };
  expect(totalRecords).toBe(records.length);
  return records.map(({ id }) => NAMES.get(id)).join(' ');
}

const inHand = (orderBy: string): Promise<unknown> =>
  listed(`snapshotId=${HAND}&orderBy=${orderBy}`);

describe('GET /source-storage/records', () => {
  it('gives records of all states with all their parts, as they are given one by one', async () => {
    const { json } = await world.get('/source-storage/records?orderBy=order&limit=100');
    const { records, totalRecords } = json as { records: StoredRecord[]; totalRecords: number };
    expect(Object.keys(json as object)).toEqual(['records', 'totalRecords']);
    expect(totalRecords).toBe(6);
    for (const record of records) {
      const one = await world.get(`/source-storage/records/${record.id}`);
      expect(record).toEqual(one.json);
    }
    const first = records.find(({ id }) => id === idOf('in1'));
    expect(first).toMatchObject({
      rawRecord: { id: idOf('in1'), content: 'raw in1' },
      parsedRecord: { id: idOf('in1'), content: { fields: expect.any(Array) as unknown } },
      additionalInfo: { suppressDiscovery: false, staffSuppress: true },
      state: 'ACTUAL',
      order: 7,
    });
  });

  it('gives the error part of a record that could not be read', async () => {
    const { json } = await world.get(
      '/source-storage/records?recordType=MARC_AUTHORITY&orderBy=createdDate',
    );
    const [fine, bad] = (json as { records: StoredRecord[] }).records;
    expect(fine).not.toHaveProperty('errorRecord');
    expect(bad).not.toHaveProperty('parsedRecord');
    expect(bad).toMatchObject({
      id: idOf('au2'),
      errorRecord: { id: idOf('au2'), content: '{"leader' },
      rawRecord: { content: 'raw au2' },
    });
  });

  it('filters by snapshot, type and state', async () => {
    const order = 'orderBy=createdDate&orderBy=id';
    expect(await listed(`snapshotId=${idOf('snapshot')}&${order}`)).toBe('in1 in2');
    expect(await listed(`snapshotId=${idOf('snapshot').toUpperCase()}&${order}`)).toBe('in1 in2');
    expect(await listed('recordType=MARC_AUTHORITY&orderBy=createdDate')).toBe('au1 au2');
    expect(await listed('recordType=marc_holding')).toBe('');
    expect(await listed(`state=OLD`)).toBe('a');
    expect(await listed(`state=draft&orderBy=order`)).toBe('d in2');
    expect(await listed(`snapshotId=${HAND}&state=DELETED`)).toBe('c');
    expect(await listed(`snapshotId=${idOf('nobody')}`)).toBe('');
    expect(await listed('snapshotId=&state=&recordType=&orderBy=order&limit=100')).toMatch(
      /^c d a in1/,
    );
  });

  // Ascending puts the undefined last, descending first; where values are equal the id decides.
  it.each([
    ['order', 'c d a b'],
    ['order,desc', 'b a d c'],
    ['leaderRecordStatus', 'd a'],
    ['externalHrid', 'd c'],
    ['externalHrid,DESC', 'c d'],
    ['externalId,ASC', 'b'],
    ['generation,DESC', 'b'],
    ['state', 'b c d a'],
    ['state , Default', 'b c d a'],
    ['updatedDate', 'a b c d'],
    ['updatedDate,DESC', 'd c b a'],
    ['suppressDiscovery,DESC', 'c'],
  ])('orders by %s', async (orderBy, wanted) => {
    const order = await inHand(orderBy);
    const undefinedFirst = /,desc/i.test(orderBy) && /external/.test(orderBy);
    if (undefinedFirst) expect(order).toMatch(new RegExp(`${wanted}$`));
    else expect(order).toMatch(new RegExp(`^${wanted}`));
  });

  it('orders by every field that is named, and by several', async () => {
    const fields = [
      'id',
      'snapshotId',
      'matchedId',
      'recordType',
      'createdByUserId',
      'createdDate',
    ];
    for (const field of [...fields, 'updatedByUserId']) {
      expect(await inHand(field)).toMatch(/^\w \w \w \w$/);
      expect(await inHand(`${field},DESC`)).toMatch(/^\w \w \w \w$/);
    }
    const ids = SKETCHES.map(({ id }) => id).sort();
    expect(await inHand('id')).toBe(ids.map((id) => NAMES.get(id)).join(' '));
    expect(await inHand('id,DESC')).toBe(
      ids
        .reverse()
        .map((id) => NAMES.get(id))
        .join(' '),
    );
    expect(await inHand('suppressDiscovery&orderBy=order,DESC')).toBe('b a d c');
  });

  it('gives pages in the order of ids, and counts beyond them', async () => {
    const ids = [...NAMES.keys()].filter((id) => !/^au/.test(NAMES.get(id) ?? '')).sort();
    const page = async (query: string): Promise<unknown> => {
      const { json } = await world.get(`/source-storage/records?${query}`);
      const { records, ...rest } = json as { records: StoredRecord[] };
      return [records.map(({ id }) => id), rest];
    };
    expect(await page('limit=2')).toEqual([ids.slice(0, 2), { totalRecords: 6 }]);
    expect(await page('offset=4&limit=2')).toEqual([ids.slice(4), { totalRecords: 6 }]);
    expect(await page('offset=9')).toEqual([[], { totalRecords: 6 }]);
    expect(await page('limit=0')).toEqual([[], { totalRecords: 6 }]);
    expect(await page('limit=2147483647')).toEqual([ids, { totalRecords: 6 }]);
    expect(await page('limit=1&totalRecords=none')).toEqual([ids.slice(0, 1), {}]);
  });

  it.each([
    ['limit=-1', 'limit', '-1', 'must be greater than or equal to 0'],
    ['recordType=BOOK', 'recordType', 'BOOK', 'Unknown record type BOOK'],
    ['state=GONE', 'state', 'GONE', 'Unknown record state GONE'],
    ['snapshotId=1', 'snapshotId', '1', 'Invalid UUID 1'],
    ['orderBy=title', 'orderBy', 'title', 'Invalid order by title'],
    ['orderBy=id,UP', 'orderBy', 'id,UP', 'Invalid order by id,UP'],
  ])('refuses %s', async (query, name, value, reason) => {
    for (const path of ['records', 'stream/records']) {
      const { status, text } = await world.get(`/source-storage/${path}?${query}`);
      expect([status, text]).toEqual([
        400,
        `'${name}' parameter is incorrect. parameter value {${value}} is not valid: ${reason}`,
      ]);
    }
  });
});

describe('CQL on records', () => {
  it.each([
    [`id==${idOf('a')}`, 'a'],
    [`matchedId==${idOf('m')} sortBy generation`, 'a b'],
    [`snapshotId==${HAND} and generation > 0`, 'b'],
    ['externalHrid==hr1', 'd'],
    ['externalHrid==hr* sortBy externalHrid', 'd c'],
    ['externalIdsHolder.instanceHrid==in1', 'in1'],
    [`externalId==${idOf('x')}`, 'b'],
    ['state==DELETED', 'c'],
    ['state==(OLD or DELETED) sortBy order', 'c a'],
    ['deleted==true', 'c'],
    ['leaderRecordStatus==c', 'd'],
    ['order < 3 sortBy order/sort.descending', 'd c'],
    ['suppressDiscovery==true', 'c'],
    ['additionalInfo.staffSuppress==true', 'in1'],
    ['title all "title in1"', 'in1'],
    ['snapshot.status==COMMITTED sortBy order', 'c d a b'],
    ['snapshot.status==PARSING_IN_PROGRESS not state==DRAFT', 'in1'],
    [
      `snapshot.id==${HAND} and metadata.updatedDate < 2026-01-02T12:00 sortBy id/sort.descending`,
      ['a', 'b'],
    ],
    [`metadata.updatedByUserId==${USER_ID} and metadata.updatedDate < 2026-01-02`, 'a'],
    ['metadata.createdDate > 2999', ''],
    ['state==DRAFT sortBy snapshot.status/sort.descending', 'd in2'],
    ['recordType==MARC_AUTHORITY sortBy metadata.createdDate', 'au1 au2'],
    ['cql.allRecords=1 not recordType==MARC_BIB', ['au1', 'au2']],
  ])('%s', async (query, wanted) => {
    if (typeof wanted === 'string') expect(await listed({ query })).toBe(wanted);
    else
      expect(
        String(await listed({ query }))
          .split(' ')
          .sort(),
      ).toEqual(wanted);
  });

  it('is joined to the parameters', async () => {
    expect(await listed({ query: 'state==DRAFT', snapshotId: HAND })).toBe('d');
    expect(await listed({ query: 'deleted==false or deleted==true', state: 'OLD' })).toBe('a');
    const both = { query: 'recordType==MARC_AUTHORITY', recordType: 'MARC_BIB' };
    expect(await listed(both)).toBe('');
    const order = { query: 'snapshot.status==COMMITTED sortBy order', orderBy: 'order,DESC' };
    expect(await listed(order)).toBe('b a d c');
  });

  it.each([
    ['titel==x', 1, "unknown index 'titel', did you mean 'title'?"],
    ['state==OLD and snapshot.titel==x', 16, "unknown index 'snapshot.titel'"],
    ['x', 1, 'cql.serverChoice requested, but no serverChoiceIndexes defined.'],
    ['(state==OLD', 12, "expected ')', got EOF"],
    ['recordType==', 13, 'expected index or term, got EOF'],
  ])('says what is wrong with %s', async (query, column, reason) => {
    const [status, text] = (await listed({ query })) as [number, string];
    // Lines with the query and a caret follow.
    expect([status, text.split('\n')[0]]).toEqual([
      400,
      `unable to list records -- malformed parameter 'query', syntax error at column ${column}: ${reason}`,
    ]);
  });
});
