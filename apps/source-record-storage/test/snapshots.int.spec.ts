import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { JOB_STATUSES } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import Ajv, { type ValidateFunction } from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { idOf, OTHER_TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld, type Answer, type Ask, type Fact } from './record-world.js';

const PATH = '/source-storage/snapshots';
const PATTERN =
  '^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$';
const BAD_ID =
  'Invalid UUID format of id, should be xxxxxxxx-xxxx-Mxxx-Nxxx-xxxxxxxxxxxx where M is 1-5 and N is 8, 9, a, b, A or B ' +
  'and x is 0-9, a-f or A-F.';

let database: TestDatabase;
let world: RecordWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const post = (body: object, ask: Ask = {}): Promise<Answer> =>
  world.ask('POST', PATH, { body, ...ask });
const put = (id: string, body: object, ask: Ask = {}): Promise<Answer> =>
  world.ask('PUT', `${PATH}/${id}`, { body, ...ask });
const get = (id: string, ask: Ask = {}): Promise<Answer> => world.get(`${PATH}/${id}`, ask);
const since = (date: unknown): number => Date.now() - Date.parse(String(date));
const events = (id: string): Promise<Fact[]> => world.factsOf(id);

describe('POST /source-storage/snapshots', () => {
  it('answers 201 with the place and the stored snapshot, as the seed describes it', async () => {
    const jobExecutionId = idOf('posted');
    const { status, json, headers } = await post({ jobExecutionId, status: 'NEW' });
    expect(status).toBe(201);
    expect(headers['location']).toBe(`${PATH}/${jobExecutionId}`);
    expect(json).toEqual({
      jobExecutionId,
      status: 'NEW',
      metadata: {
        createdDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/),
        createdByUserId: USER_ID,
        createdByUsername: 'ann',
        updatedDate: json.metadata.createdDate,
        updatedByUserId: USER_ID,
        updatedByUsername: 'ann',
      },
    });
    expect(since(json.metadata.createdDate)).toBeLessThan(60_000);
    expect((await get(jobExecutionId)).json).toEqual(json);
    expectSeed('GET /source-storage/snapshots', '200', { snapshots: [json], totalRecords: 1 });
  });

  it('again for the same id writes what was sent into what is stored', async () => {
    const jobExecutionId = idOf('posted twice');
    const sent = { jobExecutionId, status: 'NEW', processingStartedDate: '2020-04-29T05:25:03' };
    const first = await post(sent);
    const again = await post({ jobExecutionId: jobExecutionId.toUpperCase(), status: 'COMMITTED' });
    expect(again.status).toBe(201);
    expect(again.headers['location']).toBe(`${PATH}/${jobExecutionId}`);
    expect(again.json).toMatchObject({
      jobExecutionId,
      status: 'COMMITTED',
      processingStartedDate: '2020-04-29T05:25:03.000+00:00',
      metadata: { createdDate: first.json.metadata.createdDate, createdByUserId: USER_ID },
    });
    expect(again.json.metadata.updatedDate > first.json.metadata.updatedDate).toBe(true);
    const told = await events(jobExecutionId);
    expect(told.map(({ name }) => name)).toEqual(['SnapshotCreated', 'SnapshotChanged']);
    expect(told[1]?.payload).toMatchObject({
      snapshotId: jobExecutionId,
      status: 'COMMITTED',
      previousStatus: 'NEW',
      updatedDate: again.json.metadata.updatedDate,
    });
  });

  it('two at once for the same id are one snapshot', async () => {
    const jobExecutionId = idOf('raced');
    const answers = await Promise.all(
      ['NEW', 'ERROR', 'COMMITTED'].map((status) => post({ jobExecutionId, status })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    const names = (await events(jobExecutionId)).map(({ name }) => name).sort();
    expect(names).toEqual(['SnapshotChanged', 'SnapshotChanged', 'SnapshotCreated']);
  });

  it('PARSING_IN_PROGRESS starts the processing now, whatever date was sent', async () => {
    const jobExecutionId = idOf('started');
    const processingStartedDate = '2001-01-01T00:00:00Z';
    const sent = { jobExecutionId, status: 'PARSING_IN_PROGRESS', processingStartedDate };
    const { json } = await post(sent);
    expect(since(json.processingStartedDate)).toBeLessThan(60_000);
    expect((await events(jobExecutionId))[0]?.payload).toMatchObject({
      processingStartedDate: json.processingStartedDate,
    });
  });

  it.each([
    ['2020-04-29T05:25:03+0000', '2020-04-29T05:25:03.000+00:00'],
    ['2020-04-29T05:25', '2020-04-29T05:25:00.000+00:00'],
    ['2020-04-29 05:25:03.1239', '2020-04-29T05:25:03.123+00:00'],
    ['2020-04-29T05:25:03+05', '2020-04-29T00:25:03.000+00:00'],
    ['2020-04-29T05:25:03-05:30', '2020-04-29T10:55:03.000+00:00'],
    ['2020-04-29', '2020-04-29T00:00:00.000+00:00'],
    [1588137903123, '2020-04-29T05:25:03.123+00:00'],
    ['0001-01-01', '0001-01-01T00:00:00.000+00:00'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999+00:00'],
  ])('keeps a sent start of processing: %s', async (sent, stored) => {
    const jobExecutionId = idOf(`dated ${sent}`);
    const { status, json } = await post({
      jobExecutionId,
      status: 'NEW',
      processingStartedDate: sent,
    });
    expect([status, json.processingStartedDate]).toEqual([201, stored]);
    expect((await get(jobExecutionId)).json.processingStartedDate).toBe(stored);
  });

  it('takes every status', async () => {
    for (const status of JOB_STATUSES) {
      const { json } = await post({ jobExecutionId: idOf('any'), status });
      expect(json.status).toBe(status);
    }
  });

  it('drops sent metadata, but wants it whole', async () => {
    const jobExecutionId = idOf('with metadata');
    const metadata = {
      createdDate: '1999-01-01T00:00:00Z',
      createdByUserId: idOf('somebody'),
      createdByUsername: 'mallory',
    };
    const { status, json } = await post({ jobExecutionId, status: 'NEW', metadata });
    expect([status, json.metadata.createdByUserId]).toEqual([201, USER_ID]);
    expect(since(json.metadata.createdDate)).toBeLessThan(60_000);
    const bare = await post({ jobExecutionId, status: 'NEW', metadata: { createdByUserId: 'x' } });
    expect(bare.status).toBe(422);
    expect(keysOf(bare)).toEqual(['metadata.createdDate', 'metadata.createdByUserId']);
  });
});

describe.each([
  ['POST', PATH, 'add'],
  ['PUT', `${PATH}/${idOf('put badly')}`, 'update'],
] as const)('a bad body of %s', (method, target, verb) => {
  const send = (body: object): Promise<Answer> => world.ask(method, target, { body });
  const valid = { jobExecutionId: idOf('put badly'), status: 'NEW' };

  beforeAll(async () => {
    await post(valid);
  });

  it('{} misses the id and the status', async () => {
    const { status, json } = await send({});
    expect(status).toBe(422);
    expect(json).toEqual({
      errors: ['jobExecutionId', 'status'].map((key) => ({
        message: 'may not be null',
        type: '1',
        code: '-1',
        parameters: [{ key, value: 'null' }],
      })),
      total_records: 2,
    });
    expectSeed('POST /source-storage/snapshots', '422', json);
  });

  it.each([
    [{ jobExecutionId: 'x' }, `must match "${PATTERN}"`, 'jobExecutionId'],
    [
      { jobExecutionId: '11111111-1111-7111-8111-111111111111' },
      `must match "${PATTERN}"`,
      'jobExecutionId',
    ],
    [{ jobExecutionId: 5 }, 'must be a string', 'jobExecutionId'],
    [{ jobExecutionId: null }, 'may not be null', 'jobExecutionId'],
    [{ jobExecutionId: 'a\u0000' }, 'must not contain U+0000', 'jobExecutionId'],
    [{ status: 'error!' }, `must be one of [${JOB_STATUSES.join(', ')}]`, 'status'],
    [{ status: 'new' }, `must be one of [${JOB_STATUSES.join(', ')}]`, 'status'],
    [{ status: 5 }, `must be one of [${JOB_STATUSES.join(', ')}]`, 'status'],
    [{ processingStartedDate: 'yesterday' }, 'must be a date', 'processingStartedDate'],
    [{ processingStartedDate: '2020-02-31' }, 'must be a date', 'processingStartedDate'],
    [{ processingStartedDate: true }, 'must be a date', 'processingStartedDate'],
    [{ metadata: [] }, 'must be an object', 'metadata'],
    [
      { tenantId: 'x' },
      'Unrecognized field "tenantId", not marked as ignorable (4 known properties: "jobExecutionId", "status", ' +
        '"processingStartedDate", "metadata")',
      'tenantId',
    ],
  ])('%j: %s', async (change, message, key) => {
    const { status, json } = await send({ ...valid, ...change });
    expect(status).toBe(422);
    expect(json).toMatchObject({ errors: [{ message, parameters: [{ key }] }], total_records: 1 });
  });

  it.each(['[]', 'null', '"x"', '5'])('%s is no object', async (raw) => {
    const { status, json } = await world.ask(method, target, { raw });
    expect(status).toBe(422);
    expect(json.errors).toHaveLength(1);
  });

  it.each([
    ['{\n "jobExecutionId": "x",\n "status": NEW }', '3:12'],
    ['{"status": "NEW",}', '1:18'],
    ['{"status": "NEW"', '1:17'],
  ])('malformed JSON says where: %j', async (raw, place) => {
    const { status, text } = await world.ask(method, target, { raw });
    expect([status, text]).toEqual([
      400,
      `unable to ${verb} snapshot -- malformed JSON at ${place}`,
    ]);
  });

  it('is refused when empty or of another type', async () => {
    const empty = await world.ask(method, target, { raw: '' });
    expect([empty.status, empty.text]).toEqual([
      400,
      'HV000116: The object to be validated must not be null.',
    ]);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const other = await world.ask(method, target, { raw: 'a=b', headers: form });
    expect([other.status, other.text]).toEqual([
      400,
      'Content-type header must be ["application/json"] but it is "application/x-www-form-urlencoded"',
    ]);
  });
});

describe('PUT /source-storage/snapshots/{id}', () => {
  const id = idOf('put');

  it('answers 200 with the stored snapshot; updatedDate grows, creation data stays', async () => {
    const { json: before } = await post({ jobExecutionId: id, status: 'NEW' });
    let last = before.metadata.updatedDate as string;
    for (const status of ['FILE_UPLOADED', 'COMMITTED', 'COMMITTED', 'NEW']) {
      const answer = await put(id, { jobExecutionId: id, status });
      expect([answer.status, answer.json.status]).toEqual([200, status]);
      expect(answer.json.metadata.updatedDate > last).toBe(true);
      expect(answer.json.metadata.createdDate).toBe(before.metadata.createdDate);
      expect((await get(id)).json).toEqual(answer.json);
      last = answer.json.metadata.updatedDate as string;
    }
    const names = (await events(id)).map(({ name }) => name);
    expect(names).toEqual(['SnapshotCreated', ...Array<string>(4).fill('SnapshotChanged')]);
  });

  it('takes back what GET gave', async () => {
    const { json } = await get(id);
    expect((await put(id, json as object)).status).toBe(200);
  });

  it('the id of the path wins over that of the body', async () => {
    const other = idOf('named by the body');
    const { status, json } = await put(id, { jobExecutionId: other, status: 'ERROR' });
    expect([status, json.jobExecutionId, json.status]).toEqual([200, id, 'ERROR']);
    expect((await get(other)).status).toBe(404);
  });

  it('answers 204 without a body to Prefer: return=minimal', async () => {
    const body = { jobExecutionId: id, status: 'CANCELLED' };
    for (const prefer of ['return=minimal', 'respond-async, return="minimal"; x=1']) {
      const { status, text } = await put(id, body, { headers: { prefer } });
      expect([status, text]).toEqual([204, '']);
    }
    expect((await get(id)).json.status).toBe('CANCELLED');
    const whole = await put(id, body, { headers: { prefer: 'return=representation' } });
    expect(whole.status).toBe(200);
  });

  it('starts the processing with PARSING_IN_PROGRESS; another status keeps what was sent or stored', async () => {
    const started = '2020-01-02T03:04:05.678+00:00';
    const body = { jobExecutionId: id, status: 'NEW', processingStartedDate: started };
    expect((await put(id, body)).json.processingStartedDate).toBe(started);
    const kept = await put(id, { jobExecutionId: id, status: 'COMMITTED' });
    expect(kept.json.processingStartedDate).toBe(started);
    const parsing = await put(id, { ...body, status: 'PARSING_IN_PROGRESS' });
    expect(since(parsing.json.processingStartedDate)).toBeLessThan(60_000);
  });

  it('with If-Match changes only the version that was read', async () => {
    const read = await get(id);
    const etag = String(read.headers['etag']);
    expect(etag).toMatch(/^"\d{16}"$/);
    expect(Math.floor(Number(etag.slice(1, -1)) / 1000)).toBe(
      Date.parse(read.json.metadata.updatedDate as string),
    );
    const body = { jobExecutionId: id, status: 'ERROR' };
    const first = await put(id, body, { headers: { 'if-match': etag } });
    expect(first.status).toBe(200);
    expect(first.headers['etag']).not.toBe(etag);
    const late = await put(id, { ...body, status: 'NEW' }, { headers: { 'if-match': etag } });
    expect([late.status, late.text]).toEqual([409, 'version conflict']);
    expect((await get(id)).json.status).toBe('ERROR');
    const listed = `"1", ${String(first.headers['etag'])}`;
    expect((await put(id, body, { headers: { 'if-match': listed } })).status).toBe(200);
    expect((await put(id, body, { headers: { 'if-match': '*' } })).status).toBe(200);
    expect((await put(id, body)).status).toBe(200);
  });

  it('of two at once with the same If-Match one wins', async () => {
    const etag = String((await get(id)).headers['etag']);
    const headers = { 'if-match': etag };
    const body = { jobExecutionId: id, status: 'NEW' };
    const answers = await Promise.all([put(id, body, { headers }), put(id, body, { headers })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('never creates: an unknown id and one of another tenant are 404, also with If-Match', async () => {
    const elsewhere = idOf('of the archive');
    await post({ jobExecutionId: elsewhere, status: 'NEW' }, { tenant: OTHER_TENANT });
    for (const unknown of [idOf('nobody'), elsewhere]) {
      const body = { jobExecutionId: unknown, status: 'NEW' };
      const { status, text } = await put(unknown, body, { headers: { 'if-match': '"1"' } });
      expect([status, text]).toEqual([404, `Snapshot with id '${unknown}' was not found`]);
      expect((await get(unknown)).status).toBe(404);
    }
    expect((await get(elsewhere, { tenant: OTHER_TENANT })).json.status).toBe('NEW');
  });

  it('a bad id in the path is a 400, on GET a 404', async () => {
    const { status, text } = await put('no-uuid', { jobExecutionId: id, status: 'NEW' });
    expect([status, text]).toEqual([400, BAD_ID]);
    const read = await get('no-uuid');
    expect([read.status, read.text]).toEqual([404, "Snapshot with id 'no-uuid' was not found"]);
  });
});

describe('who may', () => {
  it.each([
    ['GET', PATH, 'source-storage.snapshots.collection.get'],
    ['POST', PATH, 'source-storage.snapshots.post'],
    ['GET', `${PATH}/${idOf('x')}`, 'source-storage.snapshots.item.get'],
    ['PUT', `${PATH}/${idOf('x')}`, 'source-storage.snapshots.put'],
  ] as const)('%s %s needs a permission', async (method, target, permission) => {
    const body = method === 'GET' ? {} : { body: { jobExecutionId: idOf('x'), status: 'NEW' } };
    const { status, text } = await world.ask(method, target, { permissions: [], ...body });
    expect([status, text]).toEqual([
      403,
      `Access for user 'ann' (${USER_ID}) requires permission: ${permission}`,
    ]);
  });
});

const keysOf = ({ json }: Answer): string[] =>
  (json.errors as { parameters: { key: string }[] }[]).flatMap(({ parameters }) =>
    parameters.map(({ key }) => key),
  );

const seed = JSON.parse(
  readFileSync(
    fileURLToPath(new URL('../../../libs/testing/src/seeds/source-storage.json', import.meta.url)),
    'utf8',
  ),
) as Record<string, { responses: Record<string, object> }>;

/** The schema that seed 002 prints for this answer takes it. */
function expectSeed(call: string, status: string, body: unknown): void {
  const ajv = new Ajv.default({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const check: ValidateFunction = ajv.compile(plain(seed[call]?.responses[status]) as object);
  check(body);
  expect(check.errors ?? []).toEqual([]);
}

/** Without `$schema` and `id`, which the seed repeats inside; its `parameters` are an array, as in its examples. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([key, value]) => key !== '$schema' && !(key === 'id' && typeof value === 'string'),
  );
  const result = Object.fromEntries(kept.map(([key, value]) => [key, plain(value)]));
  return result['type'] === 'object' && 'items' in result ? { ...result, type: 'array' } : result;
}
