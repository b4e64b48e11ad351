import { JOB_STATUSES } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf, OTHER_TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld, type Answer, type Ask } from './record-world.js';

const PATH = '/source-storage/snapshots';
const EMPTY_TENANT = OTHER_TENANT;
/** Has one snapshot of each status. */
const SHELF = 'shelf';
/** Has many. */
const STACKS = 'stacks';

let database: TestDatabase;
let world: RecordWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  for (const tenant of [SHELF, STACKS]) await world.isolated.enable(tenant);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const list = (parameters: string, ask: Ask = {}): Promise<Answer> =>
  world.get(`${PATH}?${parameters.replaceAll(' ', '%20')}`, ask);
const save = (name: string, status: string, more: object = {}, ask: Ask = {}): Promise<Answer> =>
  world.ask('POST', PATH, { body: { jobExecutionId: idOf(name), status, ...more }, ...ask });
const idsOf = ({ json }: Answer): string[] =>
  (json.snapshots as { jobExecutionId: string }[]).map((one) => one.jobExecutionId);
const byId = (...names: string[]): string[] => names.map(idOf).sort();

it('an empty tenant has an empty list', async () => {
  const { status, text } = await list('', { tenant: EMPTY_TENANT });
  expect([status, text]).toEqual([200, '{"snapshots":[],"totalRecords":0}']);
});

describe('three snapshots, one NEW and two PARSING_IN_PROGRESS', () => {
  beforeAll(async () => {
    await save('earlier', 'PARSING_IN_PROGRESS');
    await save('fresh', 'NEW');
    await save('later', 'PARSING_IN_PROGRESS');
  });

  it('are found by status, in any letter case; an empty one is no filter', async () => {
    for (const status of ['NEW', 'new', 'nEw']) {
      const { json } = await list(`status=${status}`);
      expect(json).toMatchObject({ snapshots: [{ status: 'NEW' }], totalRecords: 1 });
    }
    expect((await list('status=PARSING_IN_PROGRESS')).json.totalRecords).toBe(2);
    expect((await list('status=COMMITTED')).json).toEqual({ snapshots: [], totalRecords: 0 });
    expect((await list('status=')).json.totalRecords).toBe(3);
  });

  it('come by id, in pages that the four modes of totalRecords count', async () => {
    const all = byId('earlier', 'fresh', 'later');
    expect(idsOf(await list(''))).toEqual(all);
    const page = await list('limit=2');
    expect([idsOf(page), page.json.totalRecords]).toEqual([all.slice(0, 2), 3]);
    expect(idsOf(await list('limit=2&offset=2'))).toEqual(all.slice(2));
    for (const mode of ['exact', 'auto', 'EXACT'])
      expect((await list(`limit=2&totalRecords=${mode}`)).json.totalRecords).toBe(3);
    const estimated = await list('limit=2&totalRecords=estimated');
    expect(estimated.json.totalRecords).toBeGreaterThanOrEqual(2);
    const none = await list('limit=2&totalRecords=none');
    expect(none.json.snapshots).toHaveLength(2);
    expect(none.json).not.toHaveProperty('totalRecords');
    expect((await list('limit=0')).text).toBe('{"snapshots":[],"totalRecords":3}');
    expect((await list('limit=0&totalRecords=none')).text).toBe('{"snapshots":[]}');
    const beyond = await list('offset=10&totalRecords=exact');
    expect([beyond.status, beyond.json]).toEqual([200, { snapshots: [], totalRecords: 3 }]);
  });

  it('come by status, and those of one status by their start, the later first', async () => {
    const { json } = await list('orderBy=status,ASC&orderBy=processingStartedDate,DESC');
    const names = (json.snapshots as { jobExecutionId: string }[]).map((s) => s.jobExecutionId);
    expect(names).toEqual([idOf('fresh'), idOf('later'), idOf('earlier')]);
    expect(json.totalRecords).toBe(3);
  });
});

it.each([
  ['status=error!', 'status', 'error!', 'Unknown job execution status error!'],
  [
    'orderBy=select * from table',
    'orderBy',
    'select * from table',
    'Invalid order by select * from table',
  ],
  ['orderBy=status,UP', 'orderBy', 'status,UP', 'Invalid order by status,UP'],
  ['orderBy=status,ASC,DESC', 'orderBy', 'status,ASC,DESC', 'Invalid order by status,ASC,DESC'],
  ['orderBy=', 'orderBy', '', 'Invalid order by '],
  ['orderBy=__proto__', 'orderBy', '__proto__', 'Invalid order by __proto__'],
  ['orderBy=id,constructor', 'orderBy', 'id,constructor', 'Invalid order by id,constructor'],
  [
    'limit=select * from table',
    'limit',
    'select * from table',
    'must be an integer between 0 and 2147483647',
  ],
  ['limit=-1', 'limit', '-1', 'must be greater than or equal to 0'],
  ['limit=2147483648', 'limit', '2147483648', 'must be less than or equal to 2147483647'],
  ['offset=-1', 'offset', '-1', 'must be greater than or equal to 0'],
  ['totalRecords=many', 'totalRecords', 'many', 'must match "exact|estimated|none|auto"'],
  ['include=everything', 'include', 'everything', 'must match "stats"'],
])('%s is a 400 that names the parameter', async (parameters, name, value, reason) => {
  const { status, text } = await list(parameters);
  expect([status, text]).toEqual([
    400,
    `'${name}' parameter is incorrect. parameter value {${value}} is not valid: ${reason}`,
  ]);
});

it('a single-valued parameter sent twice is a 400, lang is ignored', async () => {
  const { status, text } = await list('status=NEW&status=NEW');
  expect([status, text]).toEqual([
    400,
    "'status' parameter is incorrect. parameter has been passed more than once",
  ]);
  expect((await list('lang=english&perPage=5')).status).toBe(200);
});

describe('a snapshot of each status', () => {
  const names = JOB_STATUSES.map((status) => `of ${status}`);

  beforeAll(async () => {
    for (const [at, status] of [...JOB_STATUSES.entries()].reverse()) {
      const started = at % 3 === 0 ? {} : { processingStartedDate: `2020-01-${10 + at}` };
      await save(`of ${status}`, status, started, { tenant: SHELF });
    }
  });
  const shelf = (parameters: string): Promise<Answer> => list(parameters, { tenant: SHELF });

  interface Listed {
    readonly jobExecutionId: string;
    readonly status: string;
    readonly processingStartedDate?: string;
    readonly metadata: Readonly<Record<string, string>>;
  }
  const FIELDS: Readonly<Record<string, (one: Listed) => string | number | undefined>> = {
    jobExecutionId: (one) => one.jobExecutionId,
    id: (one) => one.jobExecutionId,
    status: (one) => JOB_STATUSES.findIndex((status) => status === one.status),
    processingStartedDate: (one) => one.processingStartedDate,
    createdByUserId: (one) => one.metadata['createdByUserId'],
    createdDate: (one) => one.metadata['createdDate'],
    updatedByUserId: (one) => one.metadata['updatedByUserId'],
    updatedDate: (one) => one.metadata['updatedDate'],
  };

  const DIRECTIONS = [
    ['', 1],
    [',ASC', 1],
    [' , default', 1],
    [',desc', -1],
  ] as const;

  it.each(Object.keys(FIELDS))(
    'is ordered by %s, both ways, undefined last or first',
    async (field) => {
      const valueOf = FIELDS[field]!;
      for (const [suffix, sign] of DIRECTIONS) {
        const { status, json } = await shelf(`limit=50&orderBy=${field}${suffix}`);
        expect(status).toBe(200);
        const listed = json.snapshots as Listed[];
        expect(listed).toHaveLength(names.length);
        const expected = [...listed].sort((a, b) => {
          const order = compare(valueOf(a), valueOf(b)) * sign;
          return order === 0 ? compare(a.jobExecutionId, b.jobExecutionId) : order;
        });
        expect(listed.map((one) => one.jobExecutionId)).toEqual(
          expected.map((one) => one.jobExecutionId),
        );
      }
    },
  );

  it.each<[string, string[]]>([
    ['status==NEW', ['NEW']],
    ['status==("NEW" or "ERROR")', ['NEW', 'ERROR']],
    [
      'status<>CANCELLED and processingStartedDate>2020-01-19',
      ['DISCARDED', 'PARSING_IN_PROGRESS'],
    ],
    [`id==${idOf('of NEW')}`, ['NEW']],
    [`jobExecutionId==${idOf('of NEW')}`, ['NEW']],
    [`metadata.createdByUserId==${USER_ID} and status==ERROR`, ['ERROR']],
    ['metadata.createdByUsername==ANN and status==ERROR', ['ERROR']],
    ['metadata.updatedByUsername=ann and status==ERROR', ['ERROR']],
    [
      'metadata.updatedDate>2020-01-01 and metadata.createdDate>2020-01-01 and status==NEW',
      ['NEW'],
    ],
    ['cql.allRecords=1 not processingStartedDate=""', ['PARENT', 'PROCESSING_FINISHED', 'ERROR']],
  ])('is found by CQL: %s', async (query, statuses) => {
    const { status, json, text } = await shelf(`limit=50&query=${encodeURIComponent(query)}`);
    expect([status, status === 200 ? '' : text]).toEqual([200, '']);
    const found = (json.snapshots as Listed[]).map((one) => one.status);
    expect(new Set(found)).toEqual(new Set(statuses));
    expect(json.totalRecords).toBe(statuses.length);
  });

  it('joins the query with the status, and orders by the query unless orderBy says otherwise', async () => {
    const query = encodeURIComponent('status==(NEW or ERROR) sortBy status/sort.descending');
    expect((await shelf(`query=${query}&status=NEW`)).json.totalRecords).toBe(1);
    expect(idsOf(await shelf(`query=${query}`))).toEqual([idOf('of ERROR'), idOf('of NEW')]);
    expect(idsOf(await shelf(`query=${query}&orderBy=status`))).toEqual([
      idOf('of NEW'),
      idOf('of ERROR'),
    ]);
  });

  it.each([
    ['status==', 'status==', 9],
    ['colour==red', "unknown index 'colour'", 1],
    ['processingStartedDate > soon', "'soon' is not a date", 25],
  ])('says where a query is wrong: %s', async (query, reason, column) => {
    const { status, text } = await shelf(`query=${encodeURIComponent(query)}`);
    expect(status).toBe(400);
    expect(text).toContain(
      `unable to list snapshots -- malformed parameter 'query', syntax error at column ${column}: `,
    );
    if (query !== reason) expect(text).toContain(reason);
  });
});

it('a limit is honoured in full', async () => {
  const admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await admin.query(
    `insert into source_record_storage.snapshot (tenant_id, id, status)
     select $1, gen_random_uuid(), 'NEW' from generate_series(1, 1234)`,
    [STACKS],
  );
  await admin.destroy();
  const answer = await list('limit=2147483647', { tenant: STACKS });
  expect(answer.json.totalRecords).toBe(1234);
  const ids = idsOf(answer);
  expect(ids).toHaveLength(1234);
  expect(ids).toEqual([...new Set(ids)].sort());
});

const compare = (a: string | number | undefined, b: string | number | undefined): number => {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
};
