import { readRecord } from '@quire/marc/iso2709/read';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf } from './chunk-source.js';
import { bib, ids999ff } from './library.js';
import { RecordWorld } from './record-world.js';

const LEADER = '00000nam a2200000 i 4500';
/** A subfield delimiter inside a title: ISO 2709 cannot carry that. */
const odd = (hrid: string): object => ({
  leader: LEADER,
  fields: [
    { '001': hrid },
    { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'one\u001ftwo' }] } },
  ],
});

/** Records that clients have sent in a form that imports never make, where imports meet them. */
describe('a record that ISO 2709 cannot carry', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    const body = { jobExecutionId: idOf('open'), status: 'PARSING_IN_PROGRESS' };
    await world.ask('POST', '/source-storage/snapshots', { body });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const forms = (hrid: string): Promise<object[]> =>
    world.rows(
      `select r.state, c.form from record r join record_content c on c.tenant_id = r.tenant_id and c.record_id = r.id
       where r.tenant_id = $1 and r.external_hrid = $2 order by r.generation`,
      [hrid],
    );

  it('is superseded by an import of it like any other', async () => {
    const record = {
      id: idOf('odd'),
      snapshotId: idOf('open'),
      matchedId: idOf('odd'),
      recordType: 'MARC_BIB',
      rawRecord: { content: 'raw' },
      externalIdsHolder: { instanceId: idOf('instance'), instanceHrid: 'odd1' },
      parsedRecord: { content: odd('odd1') },
    };
    const made = await world.ask('POST', '/source-storage/records', { body: record });
    expect(made.status).toBe(201);
    expect(await forms('odd1')).toEqual([{ state: 'ACTUAL', form: 'JSON' }]);
    // Longer than the JSON, so that it is compared by nothing but its form.
    const frame = bib('odd1', 'one two'.repeat(100));
    const { told } = await world.send([frame], {
      job: 'import',
      profile: { match: 'create-or-update' },
      options: { skipUnchanged: true },
    });
    expect(told.map(({ payload }) => payload)).toMatchObject([
      { counts: { updated: 1, failed: 0 } },
    ]);
    expect(await forms('odd1')).toEqual([
      { state: 'OLD', form: 'JSON' },
      { state: 'ACTUAL', form: 'ISO2709' },
    ]);
  });

  it('is shown to data-import as ISO 2709, with U+FFFD for what that cannot carry', async () => {
    const frame = bib('entry1', 'Plain', { more: [ids999ff('entry', idOf('entry instance'))] });
    await world.send([frame], { job: 'entries', options: { on999ff: 'accept' } });
    const [row] = await world.rows<{ id: string }>(
      `select id from record where tenant_id = $1 and external_hrid = 'entry1'`,
    );
    const id = row?.id ?? '';
    const sent = {
      id,
      snapshotId: idOf('entries'),
      matchedId: idOf('entry'),
      recordType: 'MARC_BIB',
      rawRecord: { content: 'raw' },
      parsedRecord: { id, content: odd('entry1') },
    };
    const body = { records: [sent], totalRecords: 1 };
    const changed = await world.ask('PUT', '/source-storage/batch/parsed-records', { body });
    expect(changed.status).toBe(200);
    expect(await forms('entry1')).toEqual([{ state: 'ACTUAL', form: 'JSON' }]);
    const answer = await world.get(`/internal/records/${id}/content`, { issuer: 'data-import' });
    expect(answer.status).toBe(200);
    const record = readRecord(Buffer.from(answer.text));
    expect(record.failed ? record.code : record.text(1)).toBe('10\u001faone\ufffdtwo');
  });
});
