import { UUID_PATTERN, uuidV5 } from '@quire/contracts/ids';
import type { SourceRecord, SourceRecords } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf } from './chunk-source.js';
import { bib, fill, instanceId, recordId, SNAPSHOT, TWIN_INSTANCE, UNKNOWN } from './library.js';
import { insertRecord } from './record-rows.js';
import { RecordWorld } from './record-world.js';
import { authorityBody, bibBody, control, RecordClient } from './sent-records.js';
import { RECORD_ORDERS } from '../src/db/record-lists.js';

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;

const GENERATIONS = idOf('a record of four generations');
const generation = (number: number): string => uuidV5(GENERATIONS, String(number));
const HALF_GONE = idOf('an instance whose newer record is deleted');
const UNPARSED = idOf('a record without parsed content');
const iso = (hrid: string) => ({ form: 'ISO2709', bytes: bib(hrid, 'Title') }) as const;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await fill(world);
  for (const [number, state] of (['OLD', 'OLD', 'DRAFT', 'ACTUAL'] as const).entries()) {
    const row = { id: generation(number), matchedId: GENERATIONS, generation: number, state };
    await insertRecord(admin, { ...row, externalId: GENERATIONS, content: iso(`g${number}`) });
  }
  const half = { externalId: HALF_GONE, updatedAt: '2026-01-01T00:00:00Z' };
  await insertRecord(admin, { ...half, id: idOf('half kept'), content: iso('h1') });
  const gone = { ...half, id: idOf('half gone'), generation: 7, state: 'DELETED' } as const;
  const later = { updatedAt: '2026-01-02T00:00:00Z', suppressed: true };
  await insertRecord(admin, { ...gone, ...later, content: iso('h2') });
  await insertRecord(admin, { id: UNPARSED, externalId: UNPARSED, externalHrid: 'up1' });
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

describe('POST /source-storage/source-records', () => {
  const TARGET = '/source-storage/source-records';
  const found = async (parameters: string, body: readonly string[]): Promise<unknown> => {
    const { status, json } = await world.ask('POST', `${TARGET}?${parameters}`, { body });
    expect(status).toBe(200);
    const { sourceRecords, totalRecords } = json as SourceRecords;
    expect(totalRecords).toBe(sourceRecords.length);
    return sourceRecords.map((one) => one.recordId);
  };

  it('gives records in the order of the ids, each once, and nothing for unknown ids', async () => {
    const ids = [recordId(3), UNKNOWN, recordId(0).toUpperCase(), recordId(3), recordId(1)];
    expect(await found('', ids)).toEqual([recordId(3), recordId(0), recordId(1)]);
    expect(await found('idType=RECORD', [...ids].reverse())).toEqual([
      recordId(1),
      recordId(3),
      recordId(0),
    ]);
    expect(await found('', [])).toEqual([]);
  });

  it('shows the current view without a raw part', async () => {
    const { json } = await world.ask('POST', TARGET, { body: [recordId(0)] });
    const [record] = (json as SourceRecords).sourceRecords;
    expect(record).toMatchObject({
      recordId: recordId(0),
      snapshotId: SNAPSHOT,
      recordType: 'MARC_BIB',
      parsedRecord: { id: recordId(0), content: { fields: expect.any(Array) as unknown } },
      deleted: false,
      generation: 0,
      order: 0,
      externalIdsHolder: { instanceId: instanceId(0), instanceHrid: 'in2' },
      additionalInfo: { suppressDiscovery: false },
    });
    expect(record).not.toHaveProperty('rawRecord');
    expect(record).not.toHaveProperty('state');
  });

  it.each([
    ['RECORD', GENERATIONS, [GENERATIONS]],
    ['SRS_RECORD', generation(3), [GENERATIONS]],
    ['SRS_RECORD', generation(1), []],
    ['INSTANCE', instanceId(0), [recordId(0)]],
    ['instance', TWIN_INSTANCE, [idOf('newer'), idOf('older')]],
    ['HOLDINGS', uuidV5(recordId(5), 'holdings'), [recordId(5)]],
    ['HOLDINGS', instanceId(0), []],
    ['AUTHORITY', uuidV5(recordId(4), 'authority'), [recordId(4)]],
    ['EXTERNAL', instanceId(0), [recordId(0)]],
    ['EXTERNAL', uuidV5(recordId(4), 'authority'), [recordId(4)]],
    ['EXTERNAL', recordId(0), []],
  ])('finds by %s', async (idType, id, records) => {
    expect(await found(`idType=${idType}`, [id])).toEqual(records);
  });

  it('gives records of another type only where that type is asked for', async () => {
    const authority = uuidV5(recordId(4), 'authority');
    const types = 'recordType=MARC_AUTHORITY';
    expect(await found('', [recordId(4), recordId(0)])).toEqual([recordId(4), recordId(0)]);
    expect(await found(types, [recordId(4), recordId(0)])).toEqual([recordId(4)]);
    expect(await found(`${types}&idType=EXTERNAL`, [instanceId(0), authority])).toEqual([
      recordId(4),
    ]);
    expect(await found(`${types}&idType=INSTANCE`, [instanceId(0), authority])).toEqual([]);
    expect(await found(`recordType=MARC_BIB&idType=SRS_RECORD`, [recordId(4)])).toEqual([]);
  });

  it('gives deleted records only where they are asked for', async () => {
    const ids = [recordId(2), recordId(3)];
    expect(await found('', ids)).toEqual([recordId(3)]);
    expect(await found('deleted=true', ids)).toEqual(ids);
    const both = [idOf('half gone'), idOf('half kept')];
    expect(await found('idType=INSTANCE', [HALF_GONE])).toEqual([idOf('half kept')]);
    expect(await found('idType=INSTANCE&deleted=true', [HALF_GONE])).toEqual(both);
  });

  it('never gives a record without parsed content', async () => {
    expect(await found('', [UNPARSED])).toEqual([]);
    expect(await found('idType=EXTERNAL&includeShared=true', [UNPARSED])).toEqual([]);
  });

  it('keeps the order over many batches of ids', async () => {
    const ids = Array.from({ length: 601 }, (_, at) =>
      at % 300 === 0 ? recordId(at / 300) : idOf(`nobody ${at}`),
    );
    expect(await found('deleted=true', ids)).toEqual([recordId(0), recordId(1), recordId(2)]);
  });

  it('names every id that is none', async () => {
    const seventh = UNKNOWN.replace(/^(.{14})./, '$17');
    const body = [recordId(0), 'x', UNKNOWN, seventh];
    const { status, json } = await world.ask('POST', TARGET, { body });
    expect(status).toBe(422);
    const message = `must match "${UUID_PATTERN}"`;
    expect(json).toEqual({
      errors: [
        { message, type: '1', code: '-1', parameters: [{ key: '[1]', value: 'x' }] },
        { message, type: '1', code: '-1', parameters: [{ key: '[3]', value: seventh }] },
      ],
      total_records: 2,
    });
    const number = await world.ask('POST', TARGET, { body: [recordId(0), 7] });
    expect(number.json).toMatchObject({ errors: [{ parameters: [{ key: '[1]', value: '7' }] }] });
  });

  it('refuses what is no list, too long a list, no body and bad parameters', async () => {
    const first = async (body: object): Promise<unknown> => {
      const { status, json } = await world.ask('POST', TARGET, { body });
      return [status, (json as { errors: { message: string }[] }).errors[0]?.message];
    };
    expect(await first({})).toEqual([422, 'must be an array']);
    expect(await first(new Array(32_768).fill(UNKNOWN))).toEqual([
      422,
      'size must be between 0 and 32767',
    ]);
    expect(
      (await world.ask('POST', TARGET, { body: new Array(32_767).fill(UNKNOWN) })).json,
    ).toEqual({ sourceRecords: [], totalRecords: 0 });
    const none = await world.ask('POST', TARGET);
    expect([none.status, none.text]).toEqual([
      400,
      'HV000116: The object to be validated must not be null.',
    ]);
    for (const [name, value, reason] of [
      ['idType', 'ISBN', 'Unknown id type ISBN'],
      ['recordType', 'BOOK', 'Unknown record type BOOK'],
      ['deleted', 'x', 'must be true or false'],
      ['includeShared', 'x', 'must be true or false'],
    ] as const) {
      const { status, text } = await world.ask('POST', `${TARGET}?${name}=${value}`, { body: [] });
      expect([status, text]).toEqual([
        400,
        `'${name}' parameter is incorrect. parameter value {${value}} is not valid: ${reason}`,
      ]);
    }
  });
});

describe('GET /source-storage/source-records/{id}', () => {
  const read = async (id: string, query = ''): Promise<SourceRecord | string> => {
    const answer = await world.get(`/source-storage/source-records/${id}?${query}`);
    if (answer.status === 200) return answer.json as SourceRecord;
    expect(answer.status).toBe(404);
    return answer.text;
  };
  const missing = (id: string): string => `SourceRecord with id '${id}' was not found`;

  it('gives the current record of a matched id', async () => {
    expect(await read(recordId(0))).toMatchObject({ recordId: recordId(0), deleted: false });
    expect(await read(GENERATIONS)).toMatchObject({ recordId: GENERATIONS, generation: 3 });
    expect(await read(GENERATIONS.toUpperCase(), 'state=actual')).toMatchObject({ generation: 3 });
  });

  it('finds deleted records too, and says so', async () => {
    expect(await read(recordId(2))).toMatchObject({ recordId: recordId(2), deleted: true });
    expect(await read(recordId(2), 'state=DELETED')).toMatchObject({ deleted: true });
    expect(await read(recordId(0), 'state=DELETED')).toBe(missing(recordId(0)));
  });

  it('takes a record that is kept before one that is deleted, whatever their generations', async () => {
    expect(await read(HALF_GONE, 'idType=INSTANCE')).toMatchObject({
      recordId: idOf('half kept'),
      generation: 0,
    });
    expect(await read(HALF_GONE, 'idType=INSTANCE&state=DELETED')).toMatchObject({
      recordId: idOf('half gone'),
      additionalInfo: { suppressDiscovery: true },
    });
  });

  it('takes the highest generation of the state that was asked for', async () => {
    expect(await read(GENERATIONS, 'state=OLD')).toMatchObject({ generation: 1 });
    expect(await read(GENERATIONS, 'state=DRAFT')).toMatchObject({ generation: 2 });
    expect(await read(GENERATIONS, 'state=OLD&idType=EXTERNAL')).toMatchObject({ generation: 1 });
    expect(await read(generation(0), 'state=OLD&idType=SRS_RECORD')).toMatchObject({
      recordId: GENERATIONS,
      generation: 0,
    });
    expect(await read(recordId(0), 'state=OLD')).toBe(missing(recordId(0)));
  });

  it.each([
    ['SRS_RECORD', recordId(1), recordId(1)],
    ['INSTANCE', instanceId(1), recordId(1)],
    ['HOLDINGS', uuidV5(recordId(5), 'holdings'), recordId(5)],
    ['AUTHORITY', uuidV5(recordId(4), 'authority'), recordId(4)],
    ['EXTERNAL', uuidV5(recordId(5), 'holdings'), recordId(5)],
  ])('finds by %s', async (idType, id, record) => {
    expect(await read(id, `idType=${idType}`)).toMatchObject({ recordId: record });
    expect(await read(record, 'idType=EXTERNAL')).toBe(missing(record));
  });

  it('finds nothing under another id, one that is none, of another tenant, or without content', async () => {
    for (const id of [UNKNOWN, 'no-uuid', recordId(0, 'elsewhere'), UNPARSED])
      expect(await read(id)).toBe(missing(id));
    expect(await read(SNAPSHOT, 'idType=SRS_RECORD')).toBe(missing(SNAPSHOT));
  });

  it('refuses bad parameters', async () => {
    for (const [name, value, reason] of [
      ['idType', 'ISBN', 'Unknown id type ISBN'],
      ['state', 'GONE', 'Unknown record state GONE'],
    ] as const) {
      const target = `/source-storage/source-records/${recordId(0)}?${name}=${value}`;
      const { status, text } = await world.get(target);
      expect([status, text]).toEqual([
        400,
        `'${name}' parameter is incorrect. parameter value {${value}} is not valid: ${reason}`,
      ]);
    }
  });
});

describe('a source record', () => {
  const list = async (query: string): Promise<SourceRecords> => {
    const { status, json } = await world.get(`/source-storage/source-records?${query}`);
    expect(status).toBe(200);
    return json as SourceRecords;
  };

  beforeAll(async () => {
    const client = new RecordClient(world);
    await client.snapshot();
    await client.save(bibBody('ve1'));
    await client.save(bibBody('ve2'));
    await client.save(authorityBody('ve3', { parsedRecord: { content: 'no JSON' } }));
    const headless = { fields: [control('001', 've4')] };
    await client.save(authorityBody('ve4', { parsedRecord: { content: headless } }));
    const gone = await world.ask('DELETE', `/source-storage/records/${idOf('ve2')}`);
    expect(gone.status).toBe(204);
  });

  it('that was deleted is listed only where deleted records are asked for, and found by its id', async () => {
    const own = `recordId=${idOf('ve2')}`;
    expect(await list(own)).toEqual({ sourceRecords: [], totalRecords: 0 });
    expect(await list(`${own}&deleted=true`)).toMatchObject({
      sourceRecords: [{ recordId: idOf('ve2'), deleted: true }],
      totalRecords: 1,
    });
    for (const state of ['', '?state=DELETED']) {
      const target = `/source-storage/source-records/${idOf('ve2')}${state}`;
      const { status, json } = await world.get(target);
      expect(status).toBe(200);
      expect(json).toMatchObject({ deleted: true, additionalInfo: { suppressDiscovery: true } });
    }
  });

  it('is found by its external id and number', async () => {
    const instance = idOf('instance ve1');
    for (const query of [`externalId=${instance}`, 'instanceHrid=ve1'])
      expect(await list(query)).toMatchObject({
        sourceRecords: [{ parsedRecord: { content: { fields: expect.any(Array) as unknown } } }],
        totalRecords: 1,
      });
  });

  it('is no record without parsed content, or of MARC without leader', async () => {
    for (const name of ['ve3', 've4']) {
      const query = `recordType=MARC_AUTHORITY&recordId=${idOf(name)}`;
      expect(await list(query)).toEqual({ sourceRecords: [], totalRecords: 0 });
      const one = await world.get(`/source-storage/source-records/${idOf(name)}`);
      expect(one.status).toBe(404);
      const lines = await world.get(`/source-storage/stream/source-records?${query}`);
      expect(lines.text).toBe('');
      expect((await world.get(`/source-storage/records/${idOf(name)}`)).status).toBe(200);
    }
  });

  it.each(Object.keys(RECORD_ORDERS))('can be ordered by %s, both ways', async (field) => {
    const ids = async (direction: string): Promise<string[]> => {
      const { sourceRecords } = await list(`orderBy=${field},${direction}&limit=100`);
      return sourceRecords.map((one) => one.parsedRecord.id ?? '');
    };
    const [up, down] = [await ids('ASC'), await ids('DESC')];
    expect(up.length).toBeGreaterThan(5);
    expect([...down].sort()).toEqual([...up].sort());
    if (field === 'id') expect(up).toEqual([...down].reverse());
  });

  it('is listed in full whatever the limit, and its stream is ordered by id', async () => {
    const { sourceRecords, totalRecords } = await list('limit=2147483647');
    const ids = sourceRecords.map((one) => one.parsedRecord.id ?? '');
    expect(totalRecords).toBe(ids.length);
    expect(ids).toEqual([...ids].sort());
    const { text } = await world.get('/source-storage/stream/source-records?limit=2147483647');
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as SourceRecord)).toEqual(sourceRecords);
  });
});
