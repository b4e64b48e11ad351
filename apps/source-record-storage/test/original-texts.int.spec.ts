import { Readable } from 'node:stream';
import type { StoredRecord } from '@quire/contracts/source-records';
import { openStored } from '@quire/marc/iso2709/stored';
import { writeMarcJsonLine } from '@quire/marc/marc-json';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { recordId } from './library.js';
import { RecordWorld } from './record-world.js';

const iso = marcRecord({
  fields: [
    ['001', 'ot1'],
    ['245', '10', { a: 'Own text' }],
  ],
});
const json = writeMarcJsonLine(openStored(iso)).subarray(0, -1);

describe('the raw record of an import', () => {
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

  const rawOf = async (job: string): Promise<string> => {
    const { status, json: record } = await world.get(`/source-storage/records/${recordId(1, job)}`);
    expect(status).toBe(200);
    return (record as StoredRecord).rawRecord?.content ?? '';
  };
  const asJson = { format: 'MARC_JSON' } as const;

  it('is its own text when it came as JSON, as long as the file is kept', async () => {
    const sending = { job: 'kept', offset: 17, changes: asJson };
    const { chunk } = await world.send([json, json], sending);
    expect(await rawOf('kept')).toBe(json.toString());
    await world.isolated.store.remove(TenantKey.parse(chunk.objectKey));
    expect(await rawOf('kept')).toBe(iso.toString());
  });

  it('is no text of something else that lies in its place', async () => {
    const { chunk } = await world.send([json, json], { job: 'changed', changes: asJson });
    const key = TenantKey.parse(chunk.objectKey);
    await world.isolated.store.remove(key);
    const other = Buffer.from(json.toString().replace('Own', 'Any'));
    await world.isolated.store.put(key, Readable.from([other, other]));
    expect(await rawOf('changed')).toBe(iso.toString());
  });

  it('is ISO 2709 when it came so, and in a retry, which remembers places of another file', async () => {
    await world.send([iso, iso], { job: 'plain' });
    expect(await rawOf('plain')).toBe(iso.toString());
    await world.send([json, json], { job: 'retry', changes: { ...asJson, origins: [0, 900] } });
    expect(await rawOf('retry')).toBe(iso.toString());
  });
});
