import { uuidV5 } from '@quire/contracts/ids';
import { openStored } from '@quire/marc/iso2709/stored';
import type { SourceRecord } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf } from './chunk-source.js';
import { framesOf } from './frames.js';
import { bib, fill, ids999ff, instanceId, recordId, TWIN_INSTANCE, UNKNOWN } from './library.js';
import { insertRecord } from './record-rows.js';
import { RecordWorld } from './record-world.js';

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;

/** Of one instance the newer record has no parsed content, of the other no record has any. */
const HALF_READ = idOf('instance with a newer record without content');
const UNREAD = idOf('instance without content');
const EDIFACT = idOf('an order');
/** With a control character inside its title, which ISO 2709 cannot carry. */
const ODD = idOf('odd instance');
const ODD_JSON = JSON.stringify({
  leader: '00000nam a2200000 i 4500',
  fields: [
    { '001': 'odd1' },
    { 245: { ind1: '1', ind2: '0', subfields: [{ a: 'Odd\u001etitle' }] } },
  ],
});

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  await fill(world);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  const older = { updatedAt: '2020-01-01T00:00:00Z' };
  await insertRecord(admin, { id: UNREAD, externalId: UNREAD });
  await insertRecord(admin, { id: HALF_READ, externalId: HALF_READ });
  await insertRecord(admin, {
    ...older,
    id: idOf('half read'),
    externalId: HALF_READ,
    content: { form: 'ISO2709', bytes: bib('hr1', 'Half read') },
  });
  await insertRecord(admin, {
    id: EDIFACT,
    recordType: 'EDIFACT',
    content: { form: 'TEXT', bytes: Buffer.from("UNH+1+ORDERS:D:96A:UN'") },
  });
  await insertRecord(admin, {
    id: ODD,
    externalId: ODD,
    content: { form: 'JSON', bytes: Buffer.from(ODD_JSON) },
  });
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

describe('POST /source-storage/stream/source-records', () => {
  const TARGET = '/source-storage/stream/source-records?idType=INSTANCE';
  const ids = [
    instanceId(1),
    UNKNOWN,
    'in1',
    TWIN_INSTANCE,
    instanceId(0, 'elsewhere'),
    instanceId(2),
    instanceId(0).toUpperCase(),
    instanceId(3),
    instanceId(1),
  ];

  it('answers with a line for each id, in their order', async () => {
    const { status, headers, text } = await world.ask('POST', TARGET, { body: ids });
    expect([status, headers['content-type']]).toEqual([200, 'application/stream+json']);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines.map((line) => line.requestId)).toEqual(ids);
    expect(lines.map((line) => line.reason ?? line.sourceRecord?.recordId)).toEqual([
      recordId(1),
      'not-found',
      'invalid-id',
      idOf('newer'),
      'not-found',
      'not-found',
      recordId(0),
      recordId(3),
      recordId(1),
    ]);
    expect(lines.map((line) => line.duplicates)).toEqual(
      ids.map((id) => (id === TWIN_INSTANCE ? 1 : undefined)),
    );
    expect(lines[7]?.sourceRecord?.deleted).toBe(true);
  });

  it('gives deleted records where they are asked for', async () => {
    const { text } = await world.ask('POST', `${TARGET}&deleted=true`, { body: [instanceId(2)] });
    expect(JSON.parse(text)).toMatchObject({ found: true, sourceRecord: { deleted: true } });
  });

  it('finds an older record behind a newer one that is deleted', async () => {
    const instance = idOf('instance of a deleted record');
    const options = { on999ff: 'accept' } as const;
    await world.send([bib('pa1', 'Kept', { more: [ids999ff('kept', instance)] })], {
      job: 'kept',
      options,
    });
    const gone = bib('pa2', 'Dropped', { more: [ids999ff('dropped', instance)], status: 'd' });
    await world.send([gone], { job: 'dropped', options });
    const { text } = await world.ask('POST', TARGET, { body: [instance] });
    expect(JSON.parse(text)).toMatchObject({ sourceRecord: { recordId: idOf('kept') } });
    expect(JSON.parse(text)).not.toHaveProperty('duplicates');
  });

  it('hands the same to data-export as frames', async () => {
    const frames = framesOf(await world.bytes(TARGET, ids));
    expect(frames.map(({ kind, index }) => [kind, index])).toEqual([
      [1, 0],
      [2, 1],
      [4, 2],
      [1, 3],
      [2, 4],
      [1, 5],
      [1, 6],
      [1, 7],
      [1, 8],
      [0, ids.length],
    ]);
    expect(frames[0]).toMatchObject({
      flags: 0,
      duplicates: 0,
      matchedId: recordId(1),
      externalId: instanceId(1),
    });
    expect(frames[3]).toMatchObject({ duplicates: 1, matchedId: idOf('newer') });
    expect(frames[5]).toMatchObject({ flags: 1, matchedId: recordId(2) });
    // Its leader says that it is deleted, its state does not.
    expect(frames[7]).toMatchObject({ flags: 1, matchedId: recordId(3) });
    const [stored] = await world.rows<{ content: Buffer }>(
      'select content from record_content where tenant_id = $1 and record_id = $2',
      [recordId(1)],
    );
    expect(frames[0]?.content).toEqual(stored?.content);
  });

  it('hands frames to data-export only, and only where it asks for them', async () => {
    const body = [instanceId(0)];
    const accept = 'application/octet-stream';
    for (const ask of [
      { body, accept },
      { body, issuer: 'data-export' as const },
    ]) {
      const { headers, text } = await world.ask('POST', TARGET, ask);
      expect(headers['content-type']).toBe('application/stream+json');
      expect(JSON.parse(text)).toMatchObject({ found: true });
    }
  });

  it('counts on over many ids', async () => {
    const many = Array.from({ length: 1201 }, (_, at) =>
      at % 600 === 0 ? instanceId(0) : UNKNOWN,
    );
    const frames = framesOf(await world.bytes(TARGET, many));
    expect(frames.map(({ index }) => index)).toEqual([...many.keys(), many.length]);
    expect(frames.filter(({ kind }) => kind === 1).map(({ index }) => index)).toEqual([
      0, 600, 1200,
    ]);
    const { text } = await world.ask('POST', TARGET, { body: many });
    const found = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as Line).found);
    expect(found).toEqual(many.map((id) => id !== UNKNOWN));
  });

  it('ends at once for no ids', async () => {
    expect(framesOf(await world.bytes(TARGET, []))).toMatchObject([{ kind: 0, index: 0 }]);
    expect((await world.ask('POST', TARGET, { body: [] })).text).toBe('');
  });

  it('finds authorities and holdings by their own ids', async () => {
    const found = async (idType: string, id: string): Promise<unknown> => {
      const target = `/source-storage/stream/source-records?idType=${idType}`;
      const { text } = await world.ask('POST', target, { body: [id] });
      return (JSON.parse(text) as Line).sourceRecord?.recordId;
    };
    expect(await found('AUTHORITY', uuidV5(recordId(4), 'authority'))).toBe(recordId(4));
    expect(await found('HOLDINGS', uuidV5(recordId(5), 'holdings'))).toBe(recordId(5));
    expect(await found('AUTHORITY', instanceId(0))).toBeUndefined();
  });

  it('finds by every id type', async () => {
    const found = async (query: string, id: string): Promise<unknown> => {
      const target = `/source-storage/stream/source-records?${query}`;
      const { text } = await world.ask('POST', target, { body: [id] });
      const { sourceRecord, reason } = JSON.parse(text) as Line;
      return sourceRecord?.recordId ?? reason;
    };
    const authority = uuidV5(recordId(4), 'authority');
    expect(await found('', recordId(0))).toBe(recordId(0));
    expect(await found('idType=RECORD', instanceId(0))).toBe('not-found');
    expect(await found('idType=SRS_RECORD', recordId(4))).toBe(recordId(4));
    expect(await found('idType=SRS_RECORD&recordType=MARC_BIB', recordId(4))).toBe('not-found');
    expect(await found('idType=EXTERNAL', authority)).toBe(recordId(4));
    expect(await found('idType=EXTERNAL&recordType=MARC_HOLDING', authority)).toBe('not-found');
    expect(await found('idType=AUTHORITY&recordType=MARC_BIB', authority)).toBe('not-found');
    expect(await found('idType=RECORD', recordId(2))).toBe('not-found');
    expect(await found('idType=RECORD&deleted=true', recordId(2))).toBe(recordId(2));
    expect(await found('idType=RECORD', EDIFACT)).toBe(EDIFACT);
  });

  it('takes the ids as CSV, one per line', async () => {
    const target = '/source-storage/stream/source-records?idType=INSTANCE';
    const raw = `\ufeff${instanceId(1)}\r\n\r\n"${UNKNOWN}"\n  in1 \n${instanceId(0)}`;
    for (const type of ['text/csv', 'Text/CSV; charset=utf-8']) {
      const { status, text } = await world.ask('POST', target, {
        raw,
        headers: { 'content-type': type },
      });
      expect(status).toBe(200);
      const lines = text.trimEnd().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as Line).requestId)).toEqual([
        instanceId(1),
        UNKNOWN,
        'in1',
        instanceId(0),
      ]);
    }
    const many = `${UNKNOWN}\n`.repeat(32_768);
    const csv = { 'content-type': 'text/csv' };
    expect((await world.ask('POST', target, { raw: many, headers: csv })).status).toBe(422);
    const empty = await world.ask('POST', target, { raw: '', headers: csv });
    expect([empty.status, empty.text]).toEqual([
      400,
      'HV000116: The object to be validated must not be null.',
    ]);
  });

  it.each(['text/plain', 'text/csv; charset=latin1'])('refuses a list of type %s', async (type) => {
    const { status } = await world.ask('POST', '/source-storage/stream/source-records', {
      raw: UNKNOWN,
      headers: { 'content-type': type },
    });
    expect(status).toBe(400);
  });

  it('tells a record without parsed content from none, and passes it over where another has some', async () => {
    const body = [UNREAD, HALF_READ, UNKNOWN];
    const { text } = await world.ask('POST', TARGET, { body });
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines).toMatchObject([
      { requestId: UNREAD, found: false, reason: 'no-parsed-content' },
      { requestId: HALF_READ, found: true, sourceRecord: { recordId: idOf('half read') } },
      { requestId: UNKNOWN, found: false, reason: 'not-found' },
    ]);
    // A record that nobody can see is no duplicate.
    expect(lines[1]).not.toHaveProperty('duplicates');
    const frames = framesOf(await world.bytes(`${TARGET}&duplicateIds=true`, body));
    expect(frames).toMatchObject([
      { kind: 3, index: 0 },
      { kind: 1, index: 1, duplicates: 0, matchedId: idOf('half read') },
      { kind: 2, index: 2 },
      { kind: 0, index: 3 },
    ]);
  });

  it('shows content that is kept as JSON, and hands it to data-export as ISO 2709', async () => {
    const body = [instanceId(0), ODD, UNREAD, instanceId(1)];
    const { text } = await world.ask('POST', TARGET, { body });
    const odd = JSON.parse(text.split('\n')[1] ?? '') as Line;
    expect(odd.sourceRecord?.parsedRecord.content).toEqual(JSON.parse(ODD_JSON));
    const frames = framesOf(await world.bytes(TARGET, body));
    expect(frames.map(({ kind, index }) => [kind, index])).toEqual([
      [1, 0],
      [1, 1],
      [3, 2],
      [1, 3],
      [0, 4],
    ]);
    expect(frames[1]).toMatchObject({ flags: 0, matchedId: ODD, externalId: ODD });
    const record = openStored(frames[1]?.content ?? Buffer.alloc(0));
    expect(record.subfield(record.find('245'), 'a')).toBe('Odd\ufffdtitle');
    expect(frames[3]).toMatchObject({ externalId: instanceId(1) });
  });

  it('has no frame for what is no MARC, and zeros for an external id that is not there', async () => {
    const target = '/source-storage/stream/source-records?idType=SRS_RECORD';
    await insertRecord(admin, {
      id: idOf('loose'),
      content: { form: 'ISO2709', bytes: bib('lo1', 'Loose') },
    });
    expect(framesOf(await world.bytes(target, [EDIFACT, idOf('loose')]))).toMatchObject([
      { kind: 3, index: 0 },
      { kind: 1, index: 1, externalId: '00000000-0000-0000-0000-000000000000' },
      { kind: 0 },
    ]);
  });

  it('names to data-export all records of one id, the newest first, when it asks', async () => {
    const frames = framesOf(await world.bytes(`${TARGET}&duplicateIds=true`, ids));
    const at = ids.indexOf(TWIN_INSTANCE);
    expect(frames.filter(({ kind }) => kind === 5)).toEqual([
      { kind: 5, index: at, matchedIds: [idOf('newer'), idOf('older')] },
    ]);
    const twin = frames.findIndex(({ index }) => index === at);
    expect(frames.slice(twin, twin + 2)).toMatchObject([
      { kind: 1, duplicates: 1, matchedId: idOf('newer') },
      { kind: 5 },
    ]);
    const plain = framesOf(await world.bytes(TARGET, ids));
    expect(frames.filter(({ kind }) => kind !== 5)).toEqual(plain);
  });

  it('refuses what is no list of ids', async () => {
    const refusal = async (body: object): Promise<unknown> => {
      const { status, json } = await world.ask('POST', TARGET, { body });
      const [first] = (json as { errors: { message: string; parameters: { key: string }[] }[] })
        .errors;
      return [status, first?.message, first?.parameters[0]?.key];
    };
    expect(await refusal({ ids: [] })).toEqual([422, 'must be an array', '']);
    expect(await refusal([UNKNOWN, 7])).toMatchObject([
      422,
      expect.stringMatching(/^must match/),
      '[1]',
    ]);
    const tooMany = new Array<string>(32_768).fill('x');
    expect(await refusal(tooMany)).toEqual([422, 'size must be between 0 and 32767', '']);
  });

  it('refuses an id type that it does not know', async () => {
    const target = '/source-storage/stream/source-records?idType=ISBN';
    const { status, text } = await world.ask('POST', target, { body: [] });
    expect([status, text]).toEqual([
      400,
      "'idType' parameter is incorrect. parameter value {ISBN} is not valid: Unknown id type ISBN",
    ]);
  });
});

interface Line {
  readonly requestId: string;
  readonly found: boolean;
  readonly reason?: string;
  readonly duplicates?: number;
  readonly sourceRecord?: SourceRecord;
}
