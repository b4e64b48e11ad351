import { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT } from './chunk-source.js';
import { RecordWorld, type Answer } from './record-world.js';

const BATCH = '/source-storage/batch/records';
const LEADER = '00000nam a2200000 i 4500';

interface Sketch {
  readonly hrid?: string;
  readonly content?: unknown;
  readonly more?: object;
  readonly snapshot?: string;
}

/** A record as clients send it. @param name of its id */
function sent(
  name: string,
  { hrid = name, content, more, snapshot = 'open' }: Sketch = {},
): object {
  const title = { ind1: '1', ind2: '0', subfields: [{ a: `Title of ${name}` }] };
  return {
    id: idOf(name),
    snapshotId: idOf(snapshot),
    matchedId: idOf(name),
    recordType: 'MARC_BIB',
    rawRecord: { content: `raw ${name}` },
    parsedRecord: {
      content: content ?? { leader: LEADER, fields: [{ '001': hrid }, { '245': title }] },
    },
    ...more,
  };
}
const ff = (s: string): object => ({ '999': { ind1: 'f', ind2: 'f', subfields: [{ s }] } });
const withMatchedId = (name: string): unknown => ({
  leader: LEADER,
  fields: [{ '001': name }, ff(idOf(name))],
});

/** Source-record-storage, section 5: many records in one request. */
describe('a batch of records', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    for (const [name, status] of [
      ['open', 'PARSING_IN_PROGRESS'],
      ['other', 'PARSING_IN_PROGRESS'],
      ['new', 'NEW'],
    ] as const)
      await snapshot(name, status);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  async function snapshot(name: string, status: string): Promise<void> {
    const body = { jobExecutionId: idOf(name), status };
    expect((await world.ask('POST', '/source-storage/snapshots', { body })).status).toBe(201);
  }
  const post = (records: readonly object[], more: object = {}): Promise<Answer> =>
    world.ask('POST', BATCH, { body: { records, totalRecords: records.length, ...more } });
  const saved = async (records: readonly object[]): Promise<SavedAnswer> => {
    const { status, json } = await post(records);
    expect(status).toBe(201);
    return json as SavedAnswer;
  };
  const refusal = (answer: Answer): unknown => [answer.status, answer.text];
  const read = async (name: string): Promise<Stored> =>
    (await world.get(`/source-storage/records/${idOf(name)}`)).json as Stored;

  it('is saved in its order and answered with what is stored', async () => {
    const answer = await post([sent('b'), sent('a')]);
    expect(answer.status).toBe(201);
    expect(answer.text.startsWith('{"records":[{"id":"')).toBe(true);
    const { records, errorMessages, totalRecords } = answer.json as SavedAnswer;
    expect({ errorMessages, totalRecords }).toEqual({ errorMessages: [], totalRecords: 2 });
    expect(records.map(({ id }) => id)).toEqual([idOf('b'), idOf('a')]);
    expect(records[1]).toEqual(await read('a'));
    expect(records[1]).toMatchObject({
      matchedId: idOf('a'),
      generation: 0,
      state: 'ACTUAL',
      leaderRecordStatus: 'n',
      rawRecord: { id: idOf('a'), content: 'raw a' },
      additionalInfo: { suppressDiscovery: false },
      metadata: { createdByUsername: 'ann' },
      parsedRecord: {
        content: {
          fields: [
            { '001': 'a' },
            { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'Title of a' }] } },
            ff(idOf('a')),
          ],
        },
      },
    });
  });

  it('of 1,000 with one bad record saves 999 and says what is wrong with the other', async () => {
    const names = Array.from({ length: 999 }, (_, at) => `many ${at}`);
    const again = sent('twin', { content: withMatchedId('many 7') });
    const batch = names.map((name) => sent(name, { content: withMatchedId(name) }));
    const answer = await saved([...batch.slice(0, 500), again, ...batch.slice(500)]);
    expect(answer.totalRecords).toBe(999);
    expect(answer.records.map(({ id }) => id)).toEqual(names.map(idOf));
    expect(answer.errorMessages).toEqual([
      `Record ${idOf('twin')} was not saved; Incoming file may contain duplicates`,
    ]);
    expect((await world.get(`/source-storage/records/${idOf('twin')}`)).status).toBe(404);
  });

  it('is written in as many statements for a thousand records as for ten', async () => {
    const statements = async (records: readonly object[]): Promise<number> => {
      const { jest } = import.meta;
      const spies = [
        jest.spyOn(TenantRead.prototype, 'query'),
        jest.spyOn(TenantTx.prototype, 'execute'),
      ];
      await saved(records);
      // Workers look for work all the time; what they ask is not about these records.
      const texts = spies.flatMap(({ mock }) => mock.calls.map(([sql]) => sql));
      for (const spy of spies) spy.mockRestore();
      await world.isolated.settled();
      return texts.filter((sql) => /\brecord(_\w+)?\b/.test(sql)).length;
    };
    const named = (name: string, count: number): object[] =>
      Array.from({ length: count }, (_, at) => sent(`${name} ${at}`));
    const ten = await statements(named('ten', 10));
    expect(ten).toBeGreaterThan(5);
    // Answering reads a hundred records at a time, the instance view five hundred.
    expect(await statements(named('thousand', 1000))).toBe(ten + 9 + 1);
  });

  it('keeps a record whose parsed content cannot be read, with the reason', async () => {
    const bad = { leader: LEADER, fields: [{ '001': 'x' }, { '24': 'no tag' }] };
    const answer = await saved([
      sent('fine'),
      sent('bad tag', { content: bad }),
      sent('no json', { content: 'no JSON' }),
    ]);
    expect(answer.errorMessages).toEqual([
      `Record ${idOf('bad tag')} has invalid parsed record; Invalid tag: 24`,
      `Record ${idOf('no json')} has invalid parsed record; The object is not well-formed JSON`,
    ]);
    expect(answer.totalRecords).toBe(3);
    const [, tag, json] = answer.records;
    expect(tag).not.toHaveProperty('parsedRecord');
    expect(tag?.errorRecord).toEqual({
      id: idOf('bad tag'),
      description: 'Invalid tag: 24',
      content: bad,
    });
    expect(json?.errorRecord).toMatchObject({ content: 'no JSON' });
  });

  it('needs no external ids and no 001: they come later', async () => {
    const content = {
      leader: LEADER,
      fields: [{ '245': { ind1: ' ', ind2: ' ', subfields: [] } }],
    };
    const { records } = await saved([sent('early', { content })]);
    expect(records[0]).toMatchObject({ id: idOf('early'), externalIdsHolder: {} });
  });

  it('computes generations, whatever was sent, and finds records by their external id', async () => {
    const holder = { externalIdsHolder: { instanceId: idOf('inst'), instanceHrid: 'gen' } };
    await snapshot('first', 'PARSING_IN_PROGRESS');
    const first = await saved([
      sent('gen 1', { snapshot: 'first', more: { ...holder, generation: 7 } }),
    ]);
    expect(first.records[0]).toMatchObject({ generation: 0, matchedId: idOf('gen 1') });
    await world.ask('PUT', `/source-storage/snapshots/${idOf('first')}`, {
      body: { jobExecutionId: idOf('first'), status: 'COMMITTED' },
    });
    await snapshot('second', 'PARSING_IN_PROGRESS');
    const second = await saved([sent('gen 2', { snapshot: 'second', more: holder })]);
    expect(second.records[0]).toMatchObject({ generation: 1, matchedId: idOf('gen 1') });
    expect(await read('gen 1')).toMatchObject({ state: 'OLD' });
    // The snapshot that has it is running.
    const third = await post([sent('gen 3', { snapshot: 'other', more: holder })]);
    expect(third.status).toBe(422);
    expect(await read('gen 2')).toMatchObject({ state: 'ACTUAL' });
  });

  it('makes no generation of a record that says what is stored, if told so', async () => {
    const ids = (name: string): unknown => ({
      leader: LEADER,
      fields: [{ '005': `time of ${name}` }, { '001': 'kept' }, ff(idOf('kept'))],
    });
    await snapshot('week 1', 'PARSING_IN_PROGRESS');
    await saved([
      sent('kept', { snapshot: 'week 1', content: ids('week 1') }),
      sent('moved', { snapshot: 'week 1', content: withMatchedId('moved') }),
    ]);
    await world.ask('PUT', `/source-storage/snapshots/${idOf('week 1')}`, {
      body: { jobExecutionId: idOf('week 1'), status: 'COMMITTED' },
    });
    await snapshot('week 2', 'PARSING_IN_PROGRESS');
    const again = sent('kept 2', { snapshot: 'week 2', content: ids('week 2') });
    const content = { leader: LEADER, fields: [{ '001': 'other' }, ff(idOf('moved'))] };
    const changed = sent('moved 2', { snapshot: 'week 2', content });
    const fresh = sent('fresh', { snapshot: 'week 2' });
    const skipping = (records: readonly object[]): Promise<Answer> =>
      world.ask('POST', `${BATCH}?skipUnchanged=true`, { body: { records, totalRecords: 1 } });
    const both = await skipping([again, changed, fresh]);
    expect(both.json).toMatchObject({
      records: [{ id: idOf('moved 2'), generation: 1 }, { id: idOf('fresh') }],
      totalRecords: 2,
      errorMessages: [],
      unchanged: [idOf('kept')],
    });
    const alone = await skipping([again]);
    expect([alone.status, alone.json]).toEqual([
      201,
      { records: [], totalRecords: 0, errorMessages: [], unchanged: [idOf('kept')] },
    ]);
    // What was deleted is not what is sent.
    await world.ask('DELETE', `/source-storage/records/${idOf('kept')}`);
    expect((await skipping([again])).json).toMatchObject({ totalRecords: 1, unchanged: [] });
    expect(await read('kept')).toMatchObject({ state: 'OLD' });
    const bad = await world.ask('POST', `${BATCH}?skipUnchanged=x`, {
      body: { records: [], totalRecords: 0 },
    });
    expect(bad.status).toBe(400);
  });

  it('replaces a record with the same id, and keeps what it was', async () => {
    await saved([sent('again', { hrid: 'one' })]);
    const { records } = await saved([sent('again', { hrid: 'two' })]);
    expect(records[0]).toMatchObject({ id: idOf('again'), generation: 0 });
    const kept = await world.rows<{ cause: string }>(
      'select cause from record_history where tenant_id = $1 and record_id = $2',
      [idOf('again')],
    );
    expect(kept).toEqual([{ cause: 'UPDATE' }]);
  });

  it('of which nothing is saved is 422, with an error for each record', async () => {
    await saved([sent('held', { snapshot: 'other', content: withMatchedId('held') })]);
    const twins = ['x', 'y'].map((name) => sent(name, { content: withMatchedId('held') }));
    const { status, json } = await post(twins);
    expect(status).toBe(422);
    const said = (name: string): string =>
      `Record ${idOf(name)} was not saved; Incoming file may contain duplicates`;
    const error = (name: string, at: number): object => ({
      message: said(name),
      type: 'error',
      code: 'source-storage.batch.record',
      parameters: [{ key: `records[${at}]`, value: idOf(name) }],
    });
    expect(json).toEqual({
      records: [],
      totalRecords: 0,
      errorMessages: [said('x'), said('y')],
      errors: [error('x', 0), error('y', 1)],
      total_records: 2,
    });
  });

  it('that is empty is 201 with empty lists', async () => {
    expect((await post([])).status).toBe(201);
    expect((await post([])).json).toEqual({ records: [], totalRecords: 0, errorMessages: [] });
  });

  it.each([
    [
      'two snapshots',
      [sent('p'), sent('q', { snapshot: 'other' })],
      [400, 'Batch record collection only supports single snapshot'],
    ],
    [
      'two types',
      [sent('p'), sent('q', { more: { recordType: 'MARC_HOLDING' } })],
      [400, 'Batch record collection only supports single record type'],
    ],
    [
      'an unknown snapshot',
      [sent('p', { snapshot: 'unknown' })],
      [404, `Snapshot with id '${idOf('unknown')}' was not found`],
    ],
    [
      'a snapshot that has not started',
      [sent('p', { snapshot: 'new' })],
      [
        400,
        'Date when processing started is not set, expected snapshot status is PARSING_IN_PROGRESS, actual - NEW',
      ],
    ],
  ])('of %s is refused', async (_, records, expected) => {
    expect(refusal(await post(records))).toEqual(expected);
    expect((await world.get(`/source-storage/records/${idOf('p')}`)).status).toBe(404);
  });

  it.each([
    [
      'of nothing at all',
      {},
      [
        ['may not be null', 'records'],
        ['may not be null', 'totalRecords'],
      ],
    ],
    [
      'with another list and count',
      { records: {}, totalRecords: -1 },
      [
        ['must be an array', 'records'],
        ['must be greater than or equal to 0', 'totalRecords'],
      ],
    ],
    [
      'without a type',
      { records: [sent('p', { more: { recordType: null } })], totalRecords: 1 },
      [['may not be null', 'records[0].recordType']],
    ],
    [
      'with a wrong type and a wrong part',
      {
        records: [sent('p'), { ...sent('q'), recordType: 'MARC', rawRecord: 'x' }],
        totalRecords: 2,
      },
      [
        [
          'must be one of [MARC_BIB, MARC_AUTHORITY, MARC_HOLDING, EDIFACT]',
          'records[1].recordType',
        ],
        ['must be an object', 'records[1].rawRecord'],
      ],
    ],
    [
      'with content that is none',
      { records: [sent('p', { content: 5 })], totalRecords: 1 },
      [['must be an object', 'records[0].parsedRecord.content']],
    ],
    ['with a null', { records: [null], totalRecords: 1 }, [['may not be null', 'records[0]']]],
  ])('%s is refused', async (_, body, expected) => {
    const { status, json } = await world.ask('POST', BATCH, { body });
    expect(status).toBe(422);
    const { errors } = json as { errors: { message: string; parameters: { key: string }[] }[] };
    expect(errors.map(({ message, parameters }) => [message, parameters[0]?.key])).toEqual(
      expected,
    );
  });

  it('may hold hostile contents', async () => {
    const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;
    const wide = { leader: LEADER, fields: Array.from({ length: 20_000 }, () => ({ '001': 'x' })) };
    const proto = `{"leader":"${LEADER}","__proto__":{"fields":[]},"fields":[{"__proto__":"x"}]}`;
    const long = { leader: LEADER, fields: [{ '001': 'x'.repeat(2_000_000) }] };
    const answer = await saved([
      sent('deep', { content: deep }),
      sent('wide', { content: wide }),
      sent('proto', { content: proto }),
      sent('long', { content: long }),
    ]);
    expect(answer.errorMessages).toEqual([
      expect.stringContaining('nested more than 64 deep'),
      expect.stringContaining('Invalid tag: __proto__'),
      expect.stringContaining('longer than 1 MiB'),
    ]);
    const { parsedRecord } = await read('wide');
    expect(parsedRecord?.content.fields).toHaveLength(20_001);
  });

  it('may have 32 MiB, and not more', async () => {
    const { status } = await post([
      sent('huge', { more: { rawRecord: { content: 'x'.repeat(33_000_000) } } }),
    ]);
    expect(status).toBe(201);
    expect((await read('huge')).rawRecord.content).toHaveLength(33_000_000);
    const over = { more: { rawRecord: { content: 'x'.repeat(33_554_432) } } };
    expect((await post([sent('more', over)])).status).toBe(413);
  });

  it('may hold EDIFACT messages', async () => {
    const edifact = (name: string, content: unknown): object =>
      sent(name, { content, more: { recordType: 'EDIFACT' } });
    const { records } = await saved([edifact('e1', "UNH+1'"), edifact('e2', { segments: [] })]);
    expect(records.map(({ parsedRecord }) => parsedRecord?.content)).toEqual([
      "UNH+1'",
      { segments: [] },
    ]);
    expect(records[0]).toMatchObject({ matchedId: idOf('e1'), externalIdsHolder: {} });
  });

  it('tells of its records in one event for a hundred', async () => {
    await snapshot('told', 'PARSING_IN_PROGRESS');
    await saved(Array.from({ length: 150 }, (_, at) => sent(`told ${at}`, { snapshot: 'told' })));
    const facts = (await world.factsOf(idOf('told'))).filter(
      ({ name }) => name === 'SourceRecordsSaved',
    );
    expect(facts.map(({ payload }) => (payload['records'] as object[]).length)).toEqual([100, 50]);
  });

  it('needs its permission, and is kept from other tenants', async () => {
    const body = { records: [], totalRecords: 0 };
    expect((await world.ask('POST', BATCH, { body, permissions: [] })).status).toBe(403);
    const mine = { records: [sent('mine')], totalRecords: 1 };
    const elsewhere = await world.ask('POST', BATCH, { body: mine, tenant: OTHER_TENANT });
    expect(refusal(elsewhere)).toEqual([404, `Snapshot with id '${idOf('open')}' was not found`]);
  });
});

interface Stored {
  readonly id: string;
  readonly rawRecord: { readonly content: string };
  readonly parsedRecord?: { readonly content: { readonly fields: readonly object[] } };
  readonly errorRecord?: object;
}
interface SavedAnswer {
  readonly records: readonly Stored[];
  readonly errorMessages: readonly string[];
  readonly totalRecords: number;
}
