import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT } from './chunk-source.js';
import { bib, fill, instanceId, recordId, SNAPSHOT, UNKNOWN } from './library.js';
import { RecordWorld, type Answer } from './record-world.js';

const UPDATE = '/source-storage/batch/parsed-records';
const LEADER = '00000cam a2200000 i 4500';

interface Sketch {
  readonly title?: string;
  readonly content?: unknown;
  readonly partId?: string;
  readonly more?: object;
}

/** A record with new parsed content. */
function sent(
  id: string,
  { title = 'New title', content, partId = id, more }: Sketch = {},
): object {
  return {
    id,
    snapshotId: SNAPSHOT,
    matchedId: id,
    recordType: 'MARC_BIB',
    rawRecord: { content: 'not taken' },
    parsedRecord: { id: partId, content: content ?? marc(title) },
    ...more,
  };
}
const marc = (title: string, leader = LEADER): object => ({
  leader,
  fields: [{ '001': 'new1' }, { '003': 'DLC' }, field245(title)],
});
const field245 = (a: string): object => ({ '245': { ind1: '1', ind2: '0', subfields: [{ a }] } });

/** Source-record-storage, section 5: new parsed content for many records. */
describe('a batch of parsed records', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    await fill(world);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const put = (records: readonly object[]): Promise<Answer> =>
    world.ask('PUT', UPDATE, { body: { records, totalRecords: records.length } });
  const updated = async (records: readonly object[]): Promise<Updated> => {
    const { status, json } = await put(records);
    expect(status).toBe(200);
    return json as Updated;
  };
  const read = async (id: string): Promise<Record<string, unknown>> =>
    (await world.get(`/source-storage/records/${id}`)).json as Record<string, unknown>;

  it('updates content, leader status and title in place', async () => {
    const before = await read(recordId(0));
    const answer = await put([sent(recordId(0))]);
    expect(answer.status).toBe(200);
    expect(answer.text.startsWith('{"parsedRecords":[{"id":"')).toBe(true);
    const after = await read(recordId(0));
    expect(answer.json).toEqual({
      parsedRecords: [after['parsedRecord']],
      totalRecords: 1,
      errorMessages: [],
    });
    expect(after).toEqual({
      ...before,
      parsedRecord: {
        id: recordId(0),
        content: {
          leader: expect.stringMatching(/^\d{5}cam a22\d{5} i 4500$/) as string,
          fields: [
            { '001': 'new1' },
            { '003': 'DLC' },
            field245('New title'),
            { '999': { ind1: 'f', ind2: 'f', subfields: [{ s: recordId(0) }] } },
          ],
        },
      },
      leaderRecordStatus: 'c',
      metadata: {
        ...(before['metadata'] as object),
        updatedDate: expect.any(String) as string,
      },
    });
    const [row] = await world.rows(
      'select title, control_number_source from record where tenant_id = $1 and id = $2',
      [recordId(0)],
    );
    expect(row).toEqual({ title: 'New title', control_number_source: 'DLC' });
  });

  it('keeps what was replaced, and tells of the change', async () => {
    const { content } = (await read(recordId(1)))['parsedRecord'] as { content: object };
    await updated([sent(recordId(1))]);
    const history = await world.get(`/source-storage/records/${recordId(1)}/history`);
    const { versions } = history.json as { versions: { action: string; changedTags: string[] }[] };
    expect(versions.map(({ action }) => action)).toEqual(['CREATED', 'CHANGED']);
    expect(versions[1]?.changedTags).toContain('245');
    const facts = await world.factsOf(SNAPSHOT);
    const last = facts.at(-1);
    expect(last?.name).toBe('SourceRecordsSaved');
    expect(last?.payload['records']).toMatchObject([{ recordId: recordId(1), action: 'UPDATED' }]);
    expect(content).toMatchObject({ fields: expect.any(Array) as object });
  });

  it('is found by its new fields', async () => {
    await updated([sent(recordId(1), { title: 'Searched title' })]);
    const found = await world.ask('POST', '/source-storage/stream/marc-record-identifiers', {
      body: { fieldsSearchExpression: "245.a = 'Searched title'" },
    });
    expect(found.json).toMatchObject({ records: [instanceId(1)] });
  });

  it('changes external ids and suppression only where they are sent', async () => {
    const facts = async (): Promise<unknown> => {
      const { externalIdsHolder, additionalInfo } = await read(recordId(1));
      return { externalIdsHolder, additionalInfo };
    };
    const before = await facts();
    await updated([sent(recordId(1))]);
    expect(await facts()).toEqual(before);
    await updated([
      sent(recordId(1), {
        more: {
          externalIdsHolder: { instanceHrid: 'other', holdingsHrid: 'not its type' },
          additionalInfo: { suppressDiscovery: true },
        },
      }),
    ]);
    expect(await facts()).toEqual({
      externalIdsHolder: { instanceId: instanceId(1), instanceHrid: 'other' },
      additionalInfo: { suppressDiscovery: true },
    });
    const holder = { externalIdsHolder: { instanceId: idOf('another') } };
    await updated([sent(recordId(1), { more: holder })]);
    expect(await facts()).toEqual({
      externalIdsHolder: { instanceId: idOf('another'), instanceHrid: 'other' },
      additionalInfo: { suppressDiscovery: true },
    });
  });

  it('takes the id of the parsed record where the record has none', async () => {
    const { parsedRecords } = await updated([{ ...sent(recordId(3)), id: undefined }]);
    expect(parsedRecords.map(({ id }) => id)).toEqual([recordId(3)]);
  });

  it('says what is wrong with a record, and updates the others', async () => {
    await world.ask('POST', '/source-storage/snapshots', {
      body: { jobExecutionId: idOf('snapshot'), status: 'PARSING_IN_PROGRESS' },
    });
    const bare = { ...sent(idOf('bare')), snapshotId: idOf('snapshot'), parsedRecord: undefined };
    const made = await world.ask('POST', '/source-storage/batch/records', {
      body: { records: [bare], totalRecords: 1 },
    });
    expect(made.status).toBe(201);
    const answer = await updated([
      sent(UNKNOWN),
      sent(idOf('bare')),
      sent(recordId(2), { content: '{"leader":' }),
      sent(recordId(1), { partId: recordId(0) }),
      sent(recordId(0), { title: 'The good one' }),
    ]);
    expect(answer).toMatchObject({
      totalRecords: 1,
      errorMessages: [
        `Record with id ${UNKNOWN} was not updated`,
        `Parsed Record with id '${idOf('bare')}' was not updated`,
        `Record ${recordId(2)} has invalid parsed record; The object is not well-formed JSON`,
        `Parsed Record with id '${recordId(0)}' was not updated`,
      ],
    });
    expect(answer.parsedRecords.map(({ id }) => id)).toEqual([recordId(0)]);
    expect(await read(recordId(2))).not.toHaveProperty('errorRecord');
  });

  it('finds no parsed record of another type', async () => {
    const { status, json } = await put([
      sent(recordId(0), { more: { recordType: 'MARC_HOLDING' } }),
    ]);
    expect(status).toBe(422);
    expect((json as Updated).errorMessages).toEqual([
      `Parsed Record with id '${recordId(0)}' was not updated`,
    ]);
  });

  it('with a record twice leaves the later', async () => {
    const { parsedRecords, totalRecords } = await updated([
      sent(recordId(0), { title: 'Earlier' }),
      sent(recordId(1), { title: 'Between' }),
      sent(recordId(0), { title: 'Later' }),
    ]);
    expect(totalRecords).toBe(2);
    expect(parsedRecords.map(({ id }) => id)).toEqual([recordId(0), recordId(1)]);
    expect(JSON.stringify(await read(recordId(0)))).toContain('Later');
  });

  it('of which nothing is updated is 422, with an error for each record', async () => {
    const { status, json } = await put([sent(UNKNOWN)]);
    expect(status).toBe(422);
    const message = `Record with id ${UNKNOWN} was not updated`;
    expect(json).toEqual({
      parsedRecords: [],
      totalRecords: 0,
      errorMessages: [message],
      errors: [
        {
          message,
          type: 'error',
          code: 'source-storage.batch.record',
          parameters: [{ key: 'records[0]', value: UNKNOWN }],
        },
      ],
      total_records: 1,
    });
  });

  it('that is empty is 200 with empty lists', async () => {
    expect(await updated([])).toEqual({ parsedRecords: [], totalRecords: 0, errorMessages: [] });
  });

  it.each([
    ['a parsed record without id', { parsedRecord: { content: marc('x') } }],
    ['no parsed record', { parsedRecord: undefined }],
  ])('with %s is refused', async (_, more) => {
    const { status, text } = await put([sent(recordId(0)), sent(recordId(1), { more })]);
    expect([status, text]).toEqual([400, 'Each parsed record should contain an id']);
  });

  it('of two types is refused', async () => {
    const { status, text } = await put([
      sent(recordId(0)),
      sent(recordId(1), { more: { recordType: 'MARC_AUTHORITY' } }),
    ]);
    expect([status, text]).toEqual([
      400,
      'Batch record collection only supports single record type',
    ]);
  });

  it('does not see records of other tenants', async () => {
    const body = { records: [sent(recordId(0))], totalRecords: 1 };
    const { status } = await world.ask('PUT', UPDATE, { body, tenant: OTHER_TENANT });
    expect(status).toBe(422);
  });

  it('of thousands of records is one change', async () => {
    const count = 5000;
    const frames = Array.from({ length: count }, (_, at) => bib(`big ${at}`, `Title ${at}`));
    for (let at = 0; at < count; at += 1000)
      await world.send(frames.slice(at, at + 1000), { job: 'big', chunkNo: at, firstOrder: at });
    const records = frames.map((_, at) => sent(recordId(at, 'big'), { title: `Changed ${at}` }));
    const { totalRecords, parsedRecords } = await updated(records);
    expect(totalRecords).toBe(count);
    expect(parsedRecords[count - 1]?.id).toBe(recordId(count - 1, 'big'));
  });

  it('needs its permission', async () => {
    const body = { records: [], totalRecords: 0 };
    expect((await world.ask('PUT', UPDATE, { body, permissions: [] })).status).toBe(403);
  });
});

interface Updated {
  readonly parsedRecords: readonly { readonly id: string }[];
  readonly errorMessages: readonly string[];
  readonly totalRecords: number;
}
