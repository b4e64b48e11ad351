import { dataField } from '@quire/marc/iso2709/write';
import type { TenantTx } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { DataSource } from 'typeorm';
import { Indexing } from '../src/usecases/indexing.js';
import { InstanceView } from '../src/usecases/instance-view.js';
import { idOf, TENANT } from './chunk-source.js';
import { bib, ids999ff, instanceId, recordId } from './library.js';
import { RecordWorld } from './record-world.js';
import { bibBody, control, data, marc, RecordClient, RECORDS } from './sent-records.js';
import { ViewWorld } from './view-world.js';

interface Row {
  readonly id: string;
  readonly record_id: string;
  readonly duplicates: number;
  readonly title: string | null;
  readonly word_form: number;
  readonly state: string;
  readonly hrid: string;
  readonly created_at: Date;
}

const ACCEPT = { options: { on999ff: 'accept' } } as const;

describe('the instance view', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let admin: DataSource;
  let view: ViewWorld;
  let client: RecordClient;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    view = new ViewWorld(world);
    client = new RecordClient(world);
    await client.snapshot();
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const rowOf = async (id: string): Promise<Row | undefined> => {
    const sql = 'select * from instance where tenant_id = $1 and id = $2';
    return (await world.rows<Row>(sql, [id]))[0];
  };
  const allRows = (): Promise<object[]> =>
    world.rows('select *, xmin = xmin as same from instance where tenant_id = $1 order by id');
  const found = async (query: string): Promise<string[]> => {
    const { json, text } = await world.get(`/instance-bulk/ids?query=${encodeURIComponent(query)}`);
    if (!json) throw new Error(text);
    return (json as { ids: { id: string }[] }).ids.map(({ id }) => id);
  };
  const instanceOf = (name: string): string => idOf(`instance ${name}`);

  /** As if a task had removed the record physically. */
  const remove = async (id: string, instance: string): Promise<void> => {
    await admin.query('delete from source_record_storage.record where id = $1', [id]);
    await view.write((tx) => view.get(InstanceView).refreshInstances(tx, [instance]));
  };

  it('has a row for every imported record', async () => {
    const author = dataField('100', '1 ', [['a', 'Lee, Ann,']]);
    await world.send([bib('v1', 'The nod /', { more: [author] }), bib('v2', 'Another')], {
      job: 'first',
    });
    expect(await rowOf(instanceId(0, 'first'))).toMatchObject({
      record_id: recordId(0, 'first'),
      duplicates: 0,
      title: 'The nod /',
      index_title: 'The nod',
      hrid: 'v1',
      words: "'p:ann':5 'p:lee':4 'u:nod':2 'u:the':1",
      keys: "'name1:lee, ann' 'name:lee, ann'",
    });
  });

  it('takes the newest record of an instance and counts the others, until none is left', async () => {
    const twin = (name: string, title: string): Buffer =>
      bib(name, title, { more: [ids999ff(name, idOf('twins'))] });
    await world.send([twin('one', 'One')], { job: 'one', ...ACCEPT });
    await world.send([twin('two', 'Two')], { job: 'two', ...ACCEPT });
    expect(await rowOf(idOf('twins'))).toMatchObject({ hrid: 'two', title: 'Two', duplicates: 1 });
    await remove(recordId(0, 'two'), idOf('twins'));
    expect(await rowOf(idOf('twins'))).toMatchObject({ hrid: 'one', title: 'One', duplicates: 0 });
    await remove(recordId(0, 'one'), idOf('twins'));
    expect(await rowOf(idOf('twins'))).toBeUndefined();
  });

  it('follows what clients write, delete and take back', async () => {
    await client.save(bibBody('w1'));
    const id = instanceOf('w1');
    expect(await rowOf(id)).toMatchObject({ title: 'Title of w1', state: 'ACTUAL', hrid: 'w1' });
    const parsedRecord = { content: marc(control('001', 'w1'), data('245', '10', { a: 'New' })) };
    expect((await client.put(idOf('w1'), bibBody('w1', { parsedRecord }))).status).toBe(200);
    expect(await rowOf(id)).toMatchObject({ title: 'New', deleted: false, staff_suppress: false });
    expect((await world.ask('DELETE', `${RECORDS}/${idOf('w1')}`)).status).toBe(204);
    const gone = {
      state: 'DELETED',
      deleted: true,
      staff_suppress: true,
      discovery_suppress: true,
    };
    expect(await rowOf(id)).toMatchObject(gone);
    await world.ask('POST', `${RECORDS}/${idOf('w1')}/un-delete`);
    expect(await rowOf(id)).toMatchObject({ state: 'ACTUAL', deleted: false });
  });

  it('leaves the instance that a record no longer belongs to', async () => {
    await client.save(bibBody('w2'));
    const externalIdsHolder = { instanceId: instanceOf('w2b'), instanceHrid: 'w2' };
    await client.put(idOf('w2'), bibBody('w2', { externalIdsHolder }));
    expect(await rowOf(instanceOf('w2'))).toBeUndefined();
    expect(await rowOf(instanceOf('w2b'))).toMatchObject({ record_id: idOf('w2') });
  });

  it('has no row for a record without parsed content', async () => {
    const body = bibBody('w3', { parsedRecord: { content: '{"fields":[{"001":"w3"}]}' } });
    expect((await client.post(body)).status).toBe(201);
    expect(await rowOf(instanceOf('w3'))).toBeUndefined();
  });

  it('keeps the creation of the first generation', async () => {
    const grown = (title: string): Buffer[] => [
      bib('ge1', title, { more: [ids999ff('grown', idOf('grown instance'))] }),
    ];
    await world.send(grown('Once'), { job: 'once', ...ACCEPT });
    const before = await rowOf(idOf('grown instance'));
    await world.send(grown('Twice'), { job: 'twice', ...ACCEPT });
    const after = await rowOf(idOf('grown instance'));
    expect(after).toMatchObject({ title: 'Twice', created_at: before?.created_at });
  });

  it('agrees with the records although two transactions did not see each other', async () => {
    const indexing = view.get(Indexing);
    const add = async (tx: TenantTx, name: string): Promise<void> => {
      await tx.execute(
        `insert into record (tenant_id, id, snapshot_id, matched_id, record_type, external_id, record_order)
         values ($1, $2, $3, $2, 'MARC_BIB', $4, 0)`,
        [tx.tenantId, idOf(name), idOf('snapshot'), idOf('shared')],
      );
      await indexing.refresh(tx, [idOf(name)]);
    };
    const { promise: written, resolve: tell } = Promise.withResolvers<undefined>();
    const { promise: waited, resolve: release } = Promise.withResolvers<undefined>();
    const first = view.write(async (tx) => {
      await add(tx, 'racer one');
      tell(undefined);
      await waited;
    });
    await written;
    const second = view.write((tx) => add(tx, 'racer two'));
    await blockedWriter(admin);
    release(undefined);
    await Promise.all([first, second]);
    expect(await rowOf(idOf('shared'))).toMatchObject({ duplicates: 1 });
  });

  it('hides the rows of a snapshot that is being removed, and takes new ones in their place', async () => {
    await client.snapshot('removed');
    const body = bibBody('h1', { snapshotId: idOf('removed') });
    await client.save(body);
    expect(await found('hrid==h1')).toEqual([instanceOf('h1')]);
    const removal = 'source_record_storage.snapshot_removal';
    await admin.query(`insert into ${removal} (tenant_id, snapshot_id) values ($1, $2)`, [
      TENANT,
      idOf('removed'),
    ]);
    expect(await found('hrid==h1')).toEqual([]);
    expect(await found('title="title of h1"')).toEqual([]);
    const holder = { externalIdsHolder: { instanceId: instanceOf('h1'), instanceHrid: 'h2' } };
    await client.save(bibBody('h2', holder));
    expect(await found('hrid==h2')).toEqual([instanceOf('h1')]);
    await admin.query(`delete from ${removal} where snapshot_id = $1`, [idOf('removed')]);
  });

  it('is made anew without changing a row, also where none was', async () => {
    const before = await allRows();
    expect(before.length).toBeGreaterThan(5);
    await view.rebuild();
    // The one row whose record was hidden when it was replaced now counts it.
    const rebuilt = await allRows();
    await view.rebuild();
    expect(await allRows()).toEqual(rebuilt);
    await admin.query('delete from source_record_storage.instance where tenant_id = $1', [TENANT]);
    await view.rebuild();
    expect(await allRows()).toEqual(rebuilt);
    expect(rebuilt.length).toBe(before.length);
  });

  it('answers for records whose words do not tell all as for others', async () => {
    const many = Array.from({ length: 300 }, (_, at) => `name${at} same`);
    await world.send(
      [
        marcRecord({
          fields: [
            ['001', 'd1'],
            [
              '245',
              '10',
              [
                ['a', 'Apart'],
                ['c', 'writer'],
                ['b', 'below'],
              ],
            ],
          ],
        }),
        marcRecord({
          fields: [
            ['001', 'd2'],
            ...many.map((a) => ['700', '1 ', { a }] as const),
            ['490', '0 ', { a: 'last series' }],
          ],
        }),
        marcRecord({
          fields: [
            ['001', 'd3'],
            ['245', '10', { a: 'Open <tag and "quote' }],
            ['246', '3 ', { a: 'next> title' }],
          ],
        }),
        marcRecord({
          fields: [
            ['001', 'd4'],
            ['245', '10', { '6': '880-01', a: 'Voda' }],
            ['880', '10', { '6': '245-01', a: 'Вода рек' }],
          ],
        }),
      ],
      { job: 'doubtful' },
    );
    const [d1, d2, d3, d4] = [0, 1, 2, 3].map((order) => instanceId(order, 'doubtful'));
    const forms = await Promise.all([d1, d2, d3, d4].map((id) => rowOf(id ?? '')));
    expect(forms.map((row) => row?.word_form)).toEqual([0, 2, 2, 0]);
    for (const [query, ids] of [
      ['title="apart writer below"', [d1]],
      ['title="apart below"', []],
      ['indexTitle="apart below"', [d1]],
      ['indexTitle=writer', []],
      ['keyword="apart below"', [d1]],
      ['contributors="name299 same"', [d2]],
      ['contributors="same name299"', []],
      ['keyword="name1 same"', [d2]],
      ['keyword all "name5 series last"', [d2]],
      ['allTitles="last series"', [d2]],
      ['title="open tag"', [d3]],
      ['title="tag open"', []],
      ['title=tag', [d3]],
      ['keyword="next title"', [d3]],
      ['keyword all "quote next"', [d3]],
      ['title=вода', [d4]],
      ['title="voda voda"', []],
      ['title all "voda рек"', [d4]],
      ['indexTitle="вода рек"', [d4]],
      ['title==вода*', []],
    ] as const)
      expect([query, await found(query)]).toEqual([query, ids]);
  });
});

/** Until some transaction waits for another. */
async function blockedWriter(admin: DataSource): Promise<void> {
  for (;;) {
    const [row] = await admin.query<[{ n: number }]>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (row.n > 0) return;
  }
}
