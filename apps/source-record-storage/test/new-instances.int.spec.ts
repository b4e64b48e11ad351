import { uuidV5 } from '@quire/contracts/ids';
import { dataField, type FieldBytes } from '@quire/marc/iso2709/write';
import { withTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { generateMarc } from '@quire/testing/marc';
import { InstanceView } from '../src/usecases/instance-view.js';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { bib, ids999ff, instanceId, recordId } from './library.js';
import { RecordWorld } from './record-world.js';

type Row = Readonly<Record<string, unknown>>;

/** What makes words or keys that only Postgres can tell, or that come near a limit. */
const ODD: readonly FieldBytes[] = [
  dataField('246', '3 ', [['a', 'Вода и хлеб']]),
  dataField('246', '3 ', [['a', 'see https://a.example/b or a@b.example']]),
  dataField('246', '3 ', [['a', 'x '.repeat(300)]]),
  dataField('700', '1 ', [['a', 'Петров, Иван']]),
  dataField('700', '1 ', [['a', 'Ångström “Åse”, <b>']]),
  dataField('035', '  ', [['a', `(DLC)${'7'.repeat(900)}`]]),
  dataField('020', '  ', [['a', '080442957X (ß)']]),
  dataField('041', '0 ', [['a', 'e n']]),
  dataField('490', '0 ', [['a', '1e5d ; 3.14.15 and so on..']]),
  dataField('880', '10', [
    ['6', '245-01'],
    ['a', 'Água "viva"'],
  ]),
];

describe('rows of the instance view that an import writes', () => {
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

  const rowsOf = (job: string): Promise<Row[]> =>
    world.rows<Row>(
      `select i.*, i.words::text, i.keys::text from instance i
       where i.tenant_id = $1 and i.snapshot_id = $2 order by i.id`,
      [idOf(job)],
    );
  const rowOf = async (id: string): Promise<Row | undefined> =>
    (await world.rows<Row>('select * from instance where tenant_id = $1 and id = $2', [id]))[0];

  async function refresh(ids: readonly string[]): Promise<void> {
    const service = world.isolated.services.get('source-record-storage');
    const source = world.isolated.sources.get('source-record-storage');
    const scope = { tenantId: TENANT, actorId: USER_ID };
    await withTenant(source!, scope, (tx) => service!.app.get(InstanceView).refresh(tx, ids));
  }

  it('are those that the view itself makes of the records', async () => {
    const frames = [
      ...generateMarc(5, 200),
      bib('plain', 'A plain title /'),
      bib('withdrawn', 'Withdrawn', { status: 'd' }),
      bib('obsolete', 'Obsolete', { status: 'x' }),
      ...ODD.map((field, at) => bib(`odd${at}`, 'Odd', { more: [field] })),
      bib('all', 'All of them', { more: ODD }),
      bib('tags', 'A <b>bold</b> title'),
    ];
    const { told } = await world.send(frames, { job: 'import' });
    expect(told[0]?.payload).toMatchObject({ counts: { created: frames.length, failed: 0 } });
    const written = await rowsOf('import');
    expect(written).toHaveLength(frames.length);
    await refresh(frames.map((_, order) => recordId(order, 'import')));
    expect(await rowsOf('import')).toEqual(written);
  });

  it('have the state and the times of their records', async () => {
    await world.send([bib('n1', 'New'), bib('n2', 'Gone', { status: 'd' })], { job: 'times' });
    const [record] = await world.rows<Row>(
      'select * from record where tenant_id = $1 and id = $2',
      [recordId(0, 'times')],
    );
    expect(await rowOf(instanceId(0, 'times'))).toMatchObject({
      record_id: recordId(0, 'times'),
      created_at: record?.['created_at'],
      updated_at: record?.['updated_at'],
      updated_by: record?.['updated_by'],
      state: 'ACTUAL',
      staff_suppress: false,
      deleted: false,
    });
    expect(await rowOf(instanceId(1, 'times'))).toMatchObject({
      state: 'DELETED',
      staff_suppress: true,
      deleted: true,
    });
  });

  it('are one for records that bring the same external id, and follow the newest', async () => {
    const accept = { options: { on999ff: 'accept' } } as const;
    const twins = idOf('shared instance');
    const twin = (name: string, title: string): Buffer =>
      bib(name, title, { more: [ids999ff(name, twins)] });
    await world.send([twin('ta', 'Older')], { job: 'ta', ...accept });
    expect(await rowOf(twins)).toMatchObject({ title: 'Older', duplicates: 0 });
    await world.send([twin('tb', 'Newer'), bib('tc', 'Beside')], { job: 'tb', ...accept });
    expect(await rowOf(twins)).toMatchObject({ title: 'Newer', duplicates: 1 });
    expect(await rowOf(instanceId(1, 'tb'))).toMatchObject({ title: 'Beside' });
  });

  it('are replaced by those of the next generation', async () => {
    await world.send([bib('g1', 'First')], { job: 'g1' });
    const matched = recordId(0, 'g1');
    await world.send([bib('g1', 'Second', { more: [dataField('999', 'ff', [['s', matched]])] })], {
      job: 'g2',
      options: { on999ff: 'accept' },
    });
    const row = await rowOf(instanceId(0, 'g1'));
    expect(row).toMatchObject({ title: 'Second', duplicates: 0, snapshot_id: idOf('g2') });
    expect(row?.['created_at']).not.toEqual(row?.['updated_at']);
  });

  it('leave the old external id when a new generation brings another', async () => {
    await world.send([bib('m1', 'First')], { job: 'm1' });
    const moved = idOf('moved instance');
    const ids = dataField('999', 'ff', [
      ['s', recordId(0, 'm1')],
      ['i', moved],
    ]);
    await world.send([bib('m1', 'Moved', { more: [ids] })], {
      job: 'm2',
      options: { on999ff: 'accept' },
    });
    expect(await rowOf(instanceId(0, 'm1'))).toBeUndefined();
    expect(await rowOf(moved)).toMatchObject({ title: 'Moved', duplicates: 0 });
  });

  it('come to a row that is there already by looking at all records of it', async () => {
    // Somebody knew which id the next import would make.
    const id = uuidV5(recordId(0, 'next'), 'instance');
    await world.send([bib('f1', 'Forged', { more: [ids999ff('forged', id)] })], {
      job: 'forged',
      options: { on999ff: 'accept' },
    });
    await world.send([bib('n1', 'True'), bib('n2', 'Other')], { job: 'next' });
    expect(await rowOf(id)).toMatchObject({ title: 'True', duplicates: 1 });
    expect(await rowOf(instanceId(1, 'next'))).toMatchObject({ title: 'Other', duplicates: 0 });
  });

  it('are none for holdings and authorities, and for bibs without an external id', async () => {
    await world.send([bib('no', 'Without')], {
      job: 'without',
      options: { assignInstanceIds: false },
    });
    expect(await rowsOf('without')).toEqual([]);
  });

  it('take a record with more numbers than an index can hold', async () => {
    const numbers = Array.from({ length: 40_000 }, (_, at) => ['z', `x${at}`] as const);
    const { told } = await world.send(
      [bib('many', 'Many', { more: [dataField('020', '  ', numbers)] }), bib('few', 'Few')],
      { job: 'many' },
    );
    expect(told[0]?.payload).toMatchObject({ counts: { created: 2, failed: 0 } });
    expect(await rowsOf('many')).toHaveLength(2);
  });
});
