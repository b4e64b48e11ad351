import { createHash } from 'node:crypto';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { openStored } from '@quire/marc/iso2709/stored';
import { writeMarcJsonLine } from '@quire/marc/marc-json';
import { idOf, OTHER_TENANT } from './chunk-source.js';
import { bib, recordId } from './library.js';
import { RecordWorld, type Answer, type Ask } from './record-world.js';
import { bibBody, control, data, marc, RecordClient } from './sent-records.js';

let database: TestDatabase;
let world: RecordWorld;
let client: RecordClient;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  client = new RecordClient(world);
  await client.snapshot();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const raw = (id: string, ask: Ask = {}): Promise<Answer> =>
  world.get(`/source-storage/records/${id}/raw`, ask);

/** The answer gives these bytes, and their SHA-256 as ETag. */
async function expectRaw(id: string, bytes: Buffer, type: string): Promise<void> {
  const answer = await raw(id);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, type]);
  expect(answer.bytes.equals(bytes)).toBe(true);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  expect(answer.headers['etag']).toBe(`"${sha256}"`);
}

/** MARC-8, of which the stored UTF-8 does not tell what it was. */
const OLD = Buffer.from(
  bib('old1', 'Caf?e')
    .toString('latin1')
    .replace('?e', '\xe2e')
    .replace(/^(.{9})a/, '$1 '),
  'latin1',
);

describe('GET /source-storage/records/{id}/raw', () => {
  it('gives a sound record of an import as it was, also when its file is gone', async () => {
    const bytes = bib('ra1', 'Møøse');
    const { chunk } = await world.send([bytes, bytes], { job: 'sound', offset: 31 });
    await expectRaw(recordId(0, 'sound'), bytes, 'application/marc');
    await world.isolated.store.remove(TenantKey.parse(chunk.objectKey));
    await expectRaw(recordId(1, 'sound'), bytes, 'application/marc');
  });

  it('gives a repaired record of an import from its file, as long as that is kept', async () => {
    const { chunk } = await world.send([bib('ra2', 'First'), OLD], { job: 'repaired', offset: 5 });
    await expectRaw(recordId(1, 'repaired'), OLD, 'application/marc');
    const { json } = await world.get(`/source-storage/records/${recordId(1, 'repaired')}`);
    const made = (json as { rawRecord: { content: string } }).rawRecord.content;
    expect(made).toContain('Café');
    await world.isolated.store.remove(TenantKey.parse(chunk.objectKey));
    await expectRaw(recordId(1, 'repaired'), Buffer.from(made), 'application/marc');
  });

  it('gives the JSON of a record that came so', async () => {
    const iso = marcRecord({
      fields: [
        ['001', 'js1'],
        ['245', '10', { a: 'Own text' }],
      ],
    });
    const line = writeMarcJsonLine(openStored(iso)).subarray(0, -1);
    await world.send([line, line], { job: 'json', changes: { format: 'MARC_JSON' } });
    await expectRaw(recordId(1, 'json'), line, 'application/marc-in-json');
  });

  it.each([
    ['raw text', 'text/plain; charset=utf-8'],
    ['<record xmlns="http://www.loc.gov/MARC21/slim"/>', 'application/marcxml+xml'],
    ['{"leader":"","fields":[]}', 'application/marc-in-json'],
    ['00026nam a2200025 i 4500\u001e\u001d', 'application/marc'],
    ['', 'text/plain; charset=utf-8'],
  ])('gives what was sent by REST: %j', async (content, type) => {
    const name = `sent ${type} ${content.length}`;
    await client.save(bibBody(name, { rawRecord: { content } }));
    await expectRaw(idOf(name), Buffer.from(content), type);
  });

  it('gives what was sent by REST, of any length', async () => {
    const content = 'ø'.repeat(100_000);
    await client.save(bibBody('long', { rawRecord: { content } }));
    await expectRaw(idOf('long'), Buffer.from(content), 'text/plain; charset=utf-8');
  });

  it('gives an order as EDIFACT', async () => {
    const text = "UNH+1+ORDERS:D:96A:UN'";
    const body = bibBody('order', { recordType: 'EDIFACT', rawRecord: { content: text } });
    await client.save({ ...body, parsedRecord: { content: text }, externalIdsHolder: undefined });
    await expectRaw(idOf('order'), Buffer.from(text), 'application/edifact');
  });

  it('stays what it was when the content changes', async () => {
    await client.save(bibBody('changed', { rawRecord: { content: 'first' } }));
    const title = data('245', '10', { a: 'Other' });
    const content = marc(control('001', 'changed'), title);
    const changes = { parsedRecord: { content }, rawRecord: { content: 'first' } };
    const answer = await client.put(idOf('changed'), bibBody('changed', changes));
    expect(answer.status).toBe(200);
    await expectRaw(idOf('changed'), Buffer.from('first'), 'text/plain; charset=utf-8');
  });

  it('says 304 to who has it already', async () => {
    const { headers } = await raw(idOf('changed'));
    const again = await raw(idOf('changed'), {
      headers: { 'if-none-match': String(headers['etag']) },
    });
    expect([again.status, again.text]).toEqual([304, '']);
    const other = await raw(idOf('changed'), { headers: { 'if-none-match': '"x"' } });
    expect(other.status).toBe(200);
  });

  it('finds nothing under another id, one that is none, or in another tenant', async () => {
    for (const id of [idOf('nobody'), 'no-uuid']) {
      const { status, text } = await raw(id);
      expect([status, text]).toEqual([404, `Record with id '${id}' was not found`]);
    }
    expect((await raw(idOf('changed'), { tenant: OTHER_TENANT })).status).toBe(404);
    expect((await raw(idOf('changed'), { permissions: [] })).status).toBe(403);
  });
});
