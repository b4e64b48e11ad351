import { text } from 'node:stream/consumers';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { ChunkError, ChunkSavedPayload } from '@quire/contracts/source-record-events';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf } from './chunk-source.js';
import { RecordWorld } from './record-world.js';

const LEADER = '00000nam a2200000 a 4500';
const GOOD = JSON.stringify({ leader: LEADER, fields: [{ '001': 'good' }] });
const bad = (tag: string): string => JSON.stringify({ leader: LEADER, fields: [{ [tag]: 'x' }] });
/** Half a surrogate pair stands where a text of twenty units ends. */
const SPLIT = `${'x'.repeat(19)}\u{1f4d6}`;

/** PostgreSQL takes neither U+0000 nor half a surrogate pair: a text that one bad record brings must cost no other record. */
describe('a frame whose error repeats what the database does not take', () => {
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

  const send = async (
    job: string,
    frames: readonly string[],
    changes: Partial<ChunkReadyPayload> = { format: 'MARC_JSON' },
  ): Promise<ChunkSavedPayload> => {
    const sent = frames.map((frame) => Buffer.from(frame));
    const { told } = await world.send(sent, { job, changes });
    const [first] = told;
    if (first?.name !== 'ChunkSaved') throw new Error('the chunk was rejected');
    return first.payload;
  };
  const stored = async (job: string): Promise<number> => {
    const rows = await world.rows('select from record where tenant_id = $1 and snapshot_id = $2', [
      idOf(job),
    ]);
    return rows.length;
  };

  it('fails alone, with U+FFFD for it', async () => {
    const saved = await send('null', [GOOD, bad('\0ab'), GOOD]);
    expect(saved.counts).toMatchObject({ created: 2, failed: 1 });
    expect(saved.errors).toEqual([
      {
        o: 1,
        at: GOOD.length,
        len: bad('\0ab').length,
        c: 'TAG',
        field: '\ufffdab',
        detail: 'Invalid tag: \ufffdab',
      },
    ]);
    expect(await stored('null')).toBe(2);
  });

  it('fails alone among more than a hundred that fail', async () => {
    const frames = Array.from({ length: 101 }, (_, at) => bad(`\0${at}`));
    const { counts, errorsKey } = await send('many', [GOOD, ...frames, GOOD]);
    expect(counts).toMatchObject({ created: 2, failed: 101 });
    const lines = await text(await world.isolated.store.get(TenantKey.parse(errorsKey ?? '')));
    const fields = lines
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as ChunkError).field);
    expect(fields).toEqual(frames.map((_, at) => `\ufffd${at}`));
    expect(await stored('many')).toBe(2);
  });

  it.each([
    ['MARC-in-JSON', 'MARC_JSON', GOOD, bad(SPLIT)],
    ['half a pair of MARC-in-JSON', 'MARC_JSON', GOOD, bad('\ud83da')],
    [
      'MARCXML',
      'MARC_XML',
      `<record><leader>${LEADER}</leader><controlfield tag="001">good</controlfield></record>`,
      `<record><leader>${LEADER}</leader><controlfield tag="${SPLIT}">x</controlfield></record>`,
    ],
  ] as const)('shows no half of a surrogate pair: %s', async (name, format, good, broken) => {
    const { counts, errors } = await send(name, [good, broken], { format });
    expect(counts).toMatchObject({ created: 1, failed: 1 });
    expect(errors).toMatchObject([{ c: 'TAG' }]);
    for (const shown of [errors[0]?.field, errors[0]?.detail])
      expect(shown?.isWellFormed()).toBe(true);
  });

  it('says no more of a tag than an event can carry, however long it is', async () => {
    const { errors } = await send('long', [GOOD, bad('x'.repeat(100_000))]);
    expect(errors[0]?.field).toBe('x'.repeat(20));
    expect(errors[0]?.detail).toBe(`Invalid tag: ${'x'.repeat(20)}`);
  });
});
