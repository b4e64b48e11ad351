import { readRecord } from '@quire/marc/iso2709/read';
import { splitFrames } from '@quire/marc/iso2709/split';
import { controlField, dataField, writeRecord } from '@quire/marc/iso2709/write';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf } from './chunk-source.js';
import { bib, fill, recordId, SNAPSHOT } from './library.js';
import { insertRecord } from './record-rows.js';
import { RecordWorld, type Answer } from './record-world.js';

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;

const MARC = 'application/marc';
const XML = 'application/marcxml+xml';
const LINES = 'application/marc-in-json';
const MRK = 'text/x-mrk';

/** A snapshot of what is hard to carry. */
const HARD = idOf('hard to carry');
const LONG = idOf('too long');
const WITHOUT_LEADER = { fields: [{ '001': 'nl1' }] };
const ODD = {
  leader: '00000nam a2200000 i 4500',
  fields: [{ '001': 'odd1' }, { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'O\u001edd' }] } }],
};
const json = (value: object) =>
  ({ form: 'JSON', bytes: Buffer.from(JSON.stringify(value)) }) as const;

/** Of more than 99,999 bytes. */
function longRecord(): Buffer {
  const notes = Array.from({ length: 12 }, () =>
    dataField('500', '  ', [['a', 'x'.repeat(9_000)]]),
  );
  const record = writeRecord('00000nam a2200000 i 4500', [controlField('001', 'lo1'), ...notes]);
  if (record.failed) throw new Error(record.code);
  return record.bytes;
}

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await fill(world);
  const row = { snapshotId: HARD } as const;
  const iso = { form: 'ISO2709', bytes: bib('ha1', 'Plain\u2028title') } as const;
  await insertRecord(admin, { ...row, id: idOf('plain'), order: 1, content: iso });
  await insertRecord(admin, { ...row, id: idOf('odd'), order: 2, content: json(ODD) });
  const bare = { ...row, order: 3, parsed: false, content: json(WITHOUT_LEADER) };
  await insertRecord(admin, { ...bare, id: idOf('no leader') });
  await insertRecord(admin, { ...row, id: idOf('nothing'), order: 4 });
  const long = { form: 'ISO2709', bytes: longRecord() } as const;
  await insertRecord(admin, { ...row, id: LONG, order: 5, content: long });
  await insertRecord(admin, {
    ...row,
    id: idOf('order'),
    recordType: 'EDIFACT',
    order: 6,
    content: { form: 'TEXT', bytes: Buffer.from("UNH+1+ORDERS:D:96A:UN'") },
  });
  await insertRecord(admin, {
    ...row,
    id: idOf('order in JSON'),
    recordType: 'EDIFACT',
    order: 7,
    content: { form: 'JSON', bytes: Buffer.from('{\n "segments": []\n}') },
  });
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

const record = (id: string, accept: string): Promise<Answer> =>
  world.get(`/source-storage/records/${id}`, { accept });
const sourceRecord = (id: string, accept: string): Promise<Answer> =>
  world.get(`/source-storage/source-records/${id}`, { accept });
const typeOf = ({ status, headers }: Answer): unknown => [status, headers['content-type']];

describe('one record', () => {
  it.each([
    ['records', record],
    ['source-records', sourceRecord],
  ])('comes from %s in each format that is asked for', async (_, read) => {
    const marc = await read(recordId(0), MARC);
    expect(typeOf(marc)).toEqual([200, MARC]);
    const parsed = readRecord(marc.bytes);
    if (parsed.failed) throw new Error(parsed.code);
    expect(parsed.warnings).toEqual([]);
    expect(parsed.subfield(parsed.find('245'), 'a')).toBe('The nod');

    const xml = await read(recordId(0), XML);
    expect(typeOf(xml)).toEqual([200, XML]);
    expect(xml.text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<collection /);
    expect(xml.text.match(/<record>/g)).toHaveLength(1);
    expect(xml.text).toContain('<subfield code="a">The nod</subfield>');
    expect(xml.text.endsWith('</record>\n</collection>\n')).toBe(true);

    const line = await read(recordId(0), LINES);
    expect(typeOf(line)).toEqual([200, LINES]);
    const { json: whole } = await read(recordId(0), 'application/json');
    const { parsedRecord } = whole as { parsedRecord: { content: object } };
    expect(JSON.parse(line.text)).toEqual(parsedRecord.content);

    const mrk = await read(recordId(0), MRK);
    expect(typeOf(mrk)).toEqual([200, 'text/x-mrk; charset=utf-8']);
    expect(mrk.text).toMatch(/^=LDR {2}\d{5}nam .*\n=001 {2}in2\n=245 {2}10\$aThe nod\n/);
    expect(mrk.headers['vary']).toBe('Accept');
  });

  it.each([
    ['*/*', undefined],
    ['text/plain', undefined],
    ['nonsense', undefined],
    [';;,,q=', undefined],
    ['application/json', undefined],
    ['application/problem+json', undefined],
    [`application/json, ${MARC}`, undefined],
    [`${MARC};q=0.5, application/json`, undefined],
    [`${MARC};q=0`, undefined],
    [`${MARC}, application/json`, MARC],
    [`*/*, ${MARC}`, MARC],
    ['APPLICATION/MARC; version=1', MARC],
    [`${MARC};q=0.1, ${XML};q=0.9`, XML],
    [`application/json;q=0.2, ${LINES};q=0.9`, LINES],
  ])('with Accept: %s is never refused', async (accept, type) => {
    const answer = await record(recordId(0), accept);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(type ?? 'application/json; charset=utf-8');
  });

  it('comes as JSON where the format cannot carry it', async () => {
    for (const id of [idOf('nothing'), idOf('order')]) {
      for (const accept of [MARC, XML, LINES, MRK])
        expect((await record(id, accept)).json).toMatchObject({ id });
    }
    expect((await record(idOf('no leader'), MARC)).json).toMatchObject({ id: idOf('no leader') });
    expect((await record(idOf('no leader'), LINES)).json).toEqual(WITHOUT_LEADER);
  });

  it('may be longer than ISO 2709 can say', async () => {
    const { bytes } = await record(LONG, MARC);
    expect(bytes.length).toBeGreaterThan(99_999);
    expect(bytes).toEqual(longRecord());
  });

  it('is not found in any format', async () => {
    const { status, text } = await record(idOf('nobody'), MARC);
    expect([status, text]).toEqual([404, `Record with id '${idOf('nobody')}' was not found`]);
  });
});

describe('a stream', () => {
  const ofSnapshot = `snapshotId=${SNAPSHOT}&orderBy=order`;
  const stream = async (target: string, accept: string): Promise<Answer> => {
    const answer = await world.get(`/source-storage/stream/${target}`, { accept });
    expect(answer.status).toBe(200);
    expect(new Date(String(answer.headers['date'])).getTime()).toBeLessThanOrEqual(Date.now());
    return answer;
  };

  it.each(['records', 'source-records'])('of %s is one document of its format', async (kind) => {
    const wanted = kind === 'records' ? 4 : 3;
    const marc = await stream(`${kind}?${ofSnapshot}`, MARC);
    expect(marc.headers['content-type']).toBe(MARC);
    expect(splitFrames(marc.bytes)).toHaveLength(wanted);

    const xml = await stream(`${kind}?${ofSnapshot}`, XML);
    expect(xml.text.match(/<collection /g)).toHaveLength(1);
    expect(xml.text.match(/<record>/g)).toHaveLength(wanted);
    expect(xml.text.endsWith('</collection>\n')).toBe(true);

    const lines = await stream(`${kind}?${ofSnapshot}`, LINES);
    // Also for readers to whom U+2028 ends a line.
    const objects = lines.text.trimEnd().split(/[\n\u0085\u2028\u2029]/);
    expect(objects.map((line) => JSON.parse(line) as object)).toHaveLength(wanted);

    const mrk = await stream(`${kind}?${ofSnapshot}`, MRK);
    expect(mrk.text.split('\n\n').filter((text) => text.startsWith('=LDR'))).toHaveLength(wanted);
    expect(mrk.text.endsWith('\n\n')).toBe(true);
  });

  it('of nothing is an empty document', async () => {
    const none = `source-records?snapshotId=${idOf('nobody')}`;
    expect((await stream(none, MARC)).bytes).toHaveLength(0);
    expect((await stream(none, XML)).text).toMatch(
      /^<\?xml .*\n<collection [^>]*>\n<\/collection>\n$/,
    );
    expect((await stream(none, LINES)).text).toBe('');
    expect((await stream(none, MRK)).text).toBe('');
    expect((await stream(`${none}&limit=0`, XML)).text).toContain('</collection>');
  });

  it('leaves out what its format cannot carry, and keeps all others readable', async () => {
    const hard = `records?snapshotId=${HARD}&orderBy=order`;
    const marc = splitFrames((await stream(hard, MARC)).bytes);
    expect(marc).toHaveLength(2);
    const xml = await stream(hard, XML);
    // A parser of XML 1.0 would refuse the control character.
    expect(xml.text).not.toContain('\u001e');
    expect(xml.text.match(/<record>/g)).toHaveLength(4);
    const lines = (await stream(hard, LINES)).text.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[1] ?? '')).toEqual(ODD);
    expect(JSON.parse(lines[2] ?? '')).toEqual(WITHOUT_LEADER);
    const mrk = await stream(hard, MRK);
    expect(mrk.text.match(/^=LDR/gm)).toHaveLength(4);
    const edifact = `records?snapshotId=${HARD}&recordType=EDIFACT`;
    expect((await stream(edifact, XML)).text).not.toContain('<record>');
    for (const accept of [MARC, LINES, MRK])
      expect((await stream(edifact, accept)).bytes).toHaveLength(0);
  });

  it.each(['records', 'source-records'])('of %s has orders as lines of JSON', async (kind) => {
    const edifact = `${kind}?snapshotId=${HARD}&recordType=EDIFACT&orderBy=order`;
    const lines = (await stream(edifact, '*/*')).text.trimEnd().split('\n');
    const contents = lines.map((line) => {
      const { parsedRecord } = JSON.parse(line) as { parsedRecord: { content: unknown } };
      return parsedRecord.content;
    });
    expect(contents).toEqual(["UNH+1+ORDERS:D:96A:UN'", { segments: [] }]);
  });

  it('checks its parameters before the first byte', async () => {
    for (const accept of [MARC, XML, '*/*']) {
      const { status, headers } = await world.get('/source-storage/stream/source-records?limit=x', {
        accept,
      });
      expect([status, headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8']);
    }
  });
});
