import { uuidV5 } from '@quire/contracts/ids';
import { RECORD_BYTES_MAX } from '@quire/marc/iso2709/grammar';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, PROFILE_ID, type Answer } from './import-world.js';

const NONE = {
  created: 0,
  updated: 0,
  unchanged: 0,
  failed: 0,
  warned: 0,
  byType: {},
  warnings: {},
};

/** A frame that framing refuses may be the rest of a file of 2 GiB: what shows one record must not read it all. */
describe('an incoming record', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const incoming = (jobId: string, order: number): Promise<Answer> =>
    world.get(`/metadata-provider/incomingRecords/${uuidV5(jobId, `file:${order}`)}`);

  it('of which more than 1 MiB came shows its beginning, up to a whole character, and says so', async () => {
    const before = '<collection>';
    // The limit lies inside one of its characters.
    const rest = `<record  ${'é'.repeat(RECORD_BYTES_MAX)}`;
    const { jobId } = await world.start(Buffer.from(before + rest));
    const { json } = await incoming(jobId, 0);
    expect(json).toMatchObject({ order: 0, truncated: true });
    const shown = json.rawRecordContent as string;
    expect(rest.startsWith(shown)).toBe(true);
    expect(Buffer.byteLength(shown)).toBe(RECORD_BYTES_MAX - 1);
    const whole = await world.get(`/data-import/jobExecutions/${jobId}/failedRecords.xml`);
    expect(whole.text).toContain(rest);
  });

  it('of up to 1 MiB is shown whole', async () => {
    const { jobId } = await world.start(Buffer.from('<collection><record'));
    const { json } = await incoming(jobId, 0);
    expect(json.rawRecordContent).toBe('<record');
    expect(json).not.toHaveProperty('truncated');
  });

  it('of a dry run over several files comes out of its own file', async () => {
    const { id, fileDefinitions } = await world.create('a.mrc', 'b.mrc');
    const records = ['short', `long ${'x'.repeat(500)}`].map((text) =>
      marcRecord({ fields: [['001', text]] }),
    );
    for (const [index, { id: fileId }] of (fileDefinitions as { id: string }[]).entries())
      await world.uploadTo(id as string, fileId, records[index]!);
    const { json: run } = await world.ask('POST', `/data-import/uploadDefinitions/${id}/dryRun`, {
      body: { jobProfileInfo: { id: PROFILE_ID } },
    });
    const { jobExecutionId: jobId } = run as { jobExecutionId: string };
    for (const chunk of await world.sent.of(jobId, 2)) {
      const { firstOrder: o, offset: at, length: len } = chunk;
      const errors = [{ o, at, len, c: 'PROFILE_TYPE', t: 'B' }];
      await world.saved(chunk, { counts: { ...NONE, failed: 1 }, errors });
    }
    for (const [order, record] of records.entries())
      expect((await incoming(jobId, order)).json.rawRecordContent).toBe(record.toString());
  });
});
