import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkSavedPayload } from '@quire/contracts/source-record-events';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { DataSource } from 'typeorm';
import { idOf, OTHER_TENANT, TENANT, type Sending } from './chunk-source.js';
import type { Told } from './import-stub.js';
import { RecordWorld } from './record-world.js';

const LEADER = '00000nam a2200000 i 4500';
const bib = (number: string, title: string, ...more: readonly FieldSketch[]): Buffer =>
  marcRecord({ leader: LEADER, fields: [['001', number], ...more, ['245', '10', { a: title }]] });
const ff = (subfields: Record<string, string>): FieldSketch => ['999', 'ff', subfields];
const agency = (name: string): FieldSketch => ['003', name];

interface Generation {
  readonly id: string;
  readonly matched_id: string;
  readonly generation: number;
  readonly state: string;
  readonly action: string;
  readonly external_id: string;
}

function savedOf(told: readonly Told[]): ChunkSavedPayload {
  const last = told.at(-1);
  if (last?.name !== 'ChunkSaved') throw new Error(`Not saved, but ${last?.name ?? 'no answer'}`);
  return last.payload;
}

describe('a profile that creates or updates', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser of the test server, to make trouble. */
  let admin: DataSource;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const update = async (
    job: string,
    frames: readonly Buffer[],
    { options, ...sending }: Sending = {},
  ): Promise<ChunkSavedPayload> => {
    const { told } = await world.send(frames, {
      job,
      options: { on999ff: 'accept', ...options },
      profile: { match: 'create-or-update' },
      ...sending,
    });
    return savedOf(told);
  };
  const made = async (job: string, frames: readonly Buffer[]): Promise<void> => {
    await world.send(frames, { job });
  };
  const firstId = (job: string, order = 0): string => uuidV5(idOf(job), `file:${order}`);
  const generations = (matchedId: string): Promise<Generation[]> =>
    world.rows<Generation>(
      'select * from record where tenant_id = $1 and matched_id = $2 order by generation',
      [matchedId],
    );
  const unchanged = (job: string): Promise<{ same_as: string; record_order: number }[]> =>
    world.rows('select * from unchanged_frame where tenant_id = $1 and snapshot_id = $2', [
      idOf(job),
    ]);

  it('creates what is not there', async () => {
    const { counts } = await update('new', [bib('n1', 'New'), bib('n2', 'Also new')]);
    expect(counts).toMatchObject({ created: 2, updated: 0, unchanged: 0, failed: 0 });
    const [record] = await generations(firstId('new'));
    expect(record).toMatchObject({ generation: 0, state: 'ACTUAL', action: 'CREATED' });
  });

  it('makes the next generation of the record with the same 001 and 003', async () => {
    await made('numbers', [bib('a1', 'Plain'), bib('a1', 'Of an agency', agency('OCoLC'))]);
    const { counts } = await update('by number', [bib('a1', 'Better', agency('OCoLC'))]);
    expect(counts).toMatchObject({ created: 0, updated: 1, byType: { B: 1 } });
    expect(await generations(firstId('numbers', 0))).toHaveLength(1);
    const first = firstId('numbers', 1);
    expect(await generations(first)).toMatchObject([
      { generation: 0, state: 'OLD' },
      {
        id: firstId('by number'),
        generation: 1,
        state: 'ACTUAL',
        action: 'UPDATED',
        external_id: uuidV5(first, 'instance'),
      },
    ]);
    await update('without agency', [bib('a1', 'Plainer')]);
    expect(await generations(firstId('numbers', 0))).toHaveLength(2);
    expect((await update('other agency', [bib('a1', 'X', agency('DLC'))])).counts.created).toBe(1);
  });

  it('goes by the matched id of an accepted 999 ff first', async () => {
    await made('ids', [bib('b1', 'One'), bib('b2', 'Two')]);
    const one = firstId('ids', 0);
    const { counts } = await update('by id', [bib('b2', 'One, renumbered', ff({ s: one }))]);
    expect(counts.updated).toBe(1);
    expect(await generations(one)).toHaveLength(2);
    expect(await generations(firstId('ids', 1))).toHaveLength(1);
    const stripped = await update('stripped', [bib('b9', 'Nobody', ff({ s: one }))], {
      options: { on999ff: 'strip' },
    });
    expect(stripped.counts).toMatchObject({ created: 1, warnings: { '999FF_STRIPPED': 1 } });
  });

  it('keeps ids of a 999 ff that nobody has yet', async () => {
    const ids = { s: idOf('brought along'), i: idOf('instance brought along') };
    await update('brought', [bib('br1', 'Brought', ff(ids))]);
    expect(await generations(ids.s)).toMatchObject([{ generation: 0, external_id: ids.i }]);
  });

  it('cannot tell which of several records is meant', async () => {
    await made('several', [bib('c1', 'One'), bib('c1', 'Other')]);
    expect(await update('ambiguous', [bib('c1', 'Which')])).toMatchObject({
      counts: { created: 0, updated: 0, failed: 1 },
      errors: [{ o: 0, c: 'DUPLICATE', h: 'c1' }],
    });
  });

  it('takes a record once per job, within a chunk and over several', async () => {
    await made('twice before', [bib('d1', 'First')]);
    const again = [bib('d1', 'Second'), bib('d1', 'Third'), bib('d2', 'New'), bib('d2', 'Newer')];
    expect(await update('twice', again)).toMatchObject({
      counts: { created: 1, updated: 1, failed: 2 },
      errors: [
        { o: 1, c: 'DUPLICATE' },
        { o: 3, c: 'DUPLICATE' },
      ],
    });
    const next = await update('twice', [bib('d1', 'Fourth'), bib('d2', 'Newest')], {
      chunkNo: 1,
      firstOrder: 4,
    });
    expect(next.counts.failed).toBe(2);
    expect(await generations(firstId('twice before'))).toHaveLength(2);
  });

  it('makes nothing of a frame that says what is stored, apart from 005 and 999 ff', async () => {
    await made('same before', [bib('e1', 'Same', ['005', '20200101000000.0']), bib('e2', 'Other')]);
    const frames = [
      bib('e1', 'Same', ['005', '20260101000000.0']),
      bib('e2', 'Changed'),
      bib('e2x', 'Other', ff({ s: firstId('same before', 1) })),
    ];
    const { counts } = await update('same', frames.slice(0, 2));
    expect(counts).toMatchObject({ created: 0, updated: 1, unchanged: 1, failed: 0 });
    expect(counts.byType).toEqual({ B: 2 });
    expect(await generations(firstId('same before'))).toHaveLength(1);
    expect(await unchanged('same')).toMatchObject([
      { same_as: firstId('same before'), record_order: 0 },
    ]);
    const entries = await world.get(`/internal/snapshots/${idOf('same')}/entries`, {
      issuer: 'data-import',
    });
    expect(entries.json).toMatchObject({
      entries: [
        {
          order: 0,
          action: 'UNCHANGED',
          recordId: firstId('same'),
          matchedId: firstId('same before'),
          title: 'Same',
          externalId: uuidV5(firstId('same before'), 'instance'),
          externalHrid: 'e1',
        },
        { order: 1, action: 'UPDATED' },
      ],
      total: 2,
    });
  });

  it('may be told to make a generation all the same', async () => {
    await made('kept before', [bib('f1', 'Same')]);
    const { counts } = await update('kept', [bib('f1', 'Same')], {
      options: { skipUnchanged: false },
    });
    expect(counts).toMatchObject({ updated: 1, unchanged: 0 });
  });

  it('brings a deleted record back, also with the same words', async () => {
    const gone = marcRecord({
      leader: LEADER.replace('n', 'd'),
      fields: [
        ['001', 'g1'],
        ['245', '10', { a: 'Gone' }],
      ],
    });
    await made('gone', [gone]);
    expect((await update('still gone', [gone])).counts).toMatchObject({ updated: 1, unchanged: 0 });
    await update('back', [bib('g1', 'Gone')]);
    expect((await generations(firstId('gone'))).map(({ state }) => state)).toEqual([
      'OLD',
      'OLD',
      'ACTUAL',
    ]);
  });

  it('matches authorities by their trimmed number, and no record of another type', async () => {
    const authority = (number: string, name: string): Buffer =>
      marcRecord({
        leader: '00000nz  a2200000n  4500',
        fields: [
          ['001', number],
          ['100', '1 ', { a: name }],
        ],
      });
    await made('types', [bib('h1', 'A bib'), authority(' h1 ', 'Lee, Ann')]);
    const { counts } = await update('authorities', [authority('h1', 'Lee, Ann, 1970-')]);
    expect(counts).toMatchObject({ updated: 1, byType: { A: 1 } });
    expect(await generations(firstId('types', 0))).toHaveLength(1);
    expect(await generations(firstId('types', 1))).toHaveLength(2);
  });

  it('sees nothing of other tenants', async () => {
    await world.send([bib('i1', 'Elsewhere')], { job: 'elsewhere', tenantId: OTHER_TENANT });
    expect((await update('here', [bib('i1', 'Here')])).counts.created).toBe(1);
  });

  it('reads a chunk again when somebody else makes the same generation meanwhile', async () => {
    await made('contested', [bib('j1', 'First')]);
    const matched = firstId('contested');
    const other = admin.createQueryRunner();
    await other.connect();
    await other.query('begin');
    await other.query(
      `update source_record_storage.record set state = 'OLD' where tenant_id = $1 and id = $2`,
      [TENANT, matched],
    );
    await other.query(
      `insert into source_record_storage.record (tenant_id, id, snapshot_id, matched_id, generation, record_type, state,
         external_hrid, record_order) values ($1, $2, $3, $4, 1, 'MARC_BIB', 'ACTUAL', 'j1', 0)`,
      [TENANT, idOf('other row'), idOf('other job'), matched],
    );
    const sent = update('contesting', [bib('j1', 'Second')]);
    await waiting();
    await other.query('commit');
    await other.release();
    expect((await sent).counts).toMatchObject({ updated: 1, failed: 0 });
    expect(await generations(matched)).toMatchObject([
      { generation: 0, state: 'OLD' },
      { generation: 1, state: 'OLD' },
      { generation: 2, state: 'ACTUAL' },
    ]);
  });

  /** Until a statement of the service waits for a lock. */
  async function waiting(): Promise<void> {
    const giveUpAt = performance.now() + 50_000;
    while (performance.now() < giveUpAt) {
      const rows: unknown[] = await admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (rows.length > 0) return;
    }
    throw new Error('Nobody waits.');
  }

  it('says in a dry run what it would do, and does nothing', async () => {
    await made('dry before', [bib('k1', 'Stored'), bib('k2', 'Stored too')]);
    const frames = [
      bib('k1', 'Stored'),
      bib('k2', 'Changed'),
      bib('k3', 'New'),
      bib('k3', 'Twice'),
    ];
    const saved = await update('dry', frames, { options: { dryRun: true } });
    expect(saved).toMatchObject({
      counts: { created: 1, updated: 1, unchanged: 1, failed: 1, byType: { B: 4 } },
      errors: [{ o: 3, c: 'DUPLICATE' }],
    });
    expect(await generations(firstId('dry before', 1))).toMatchObject([{ state: 'ACTUAL' }]);
    for (const table of ['record', 'unchanged_frame', 'snapshot']) {
      const column = table === 'snapshot' ? 'id' : 'snapshot_id';
      const rows = await world.rows(
        `select from ${table} where tenant_id = $1 and ${column} = $2`,
        [idOf('dry')],
      );
      expect([table, rows.length]).toEqual([table, 0]);
    }
  });
});
