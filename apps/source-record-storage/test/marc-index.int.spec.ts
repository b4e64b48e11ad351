import { ImportCompleted } from '@quire/contracts/data-import';
import { controlField, dataField } from '@quire/marc/iso2709/write';
import { withTenant } from '@quire/postgres/tenant';
import { tsqueryArray, type QueryLexeme } from '@quire/postgres/text-search';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { IndexUpkeep } from '../src/usecases/index-upkeep.js';
import { Indexing } from '../src/usecases/indexing.js';
import { idOf, OTHER_TENANT, TENANT, USER_ID } from './chunk-source.js';
import { bib, ids999ff, recordId } from './library.js';
import { RecordWorld } from './record-world.js';

const JOB = 'indexed';
const SCHEMA = 'source_record_storage';

describe('the index of MARC fields', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser, to do what no door does. */
  let admin: DataSource;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const more = [
      controlField('003', 'OCoLC'),
      dataField('020', '  ', [['a', '9780140328721 (pbk.)']]),
      dataField('035', '  ', [
        ['a', '(OCoLC)63611770'],
        ['z', '(OCoLC)1'],
      ]),
      dataField('035', '  ', [['a', '(OCoLC)63611770']]),
    ];
    await world.send([bib('in1', 'The nod', { more }), bib('in2', 'Another')], { job: JOB });
    await world.send([bib('in1', 'Elsewhere', { more })], { job: JOB, tenantId: OTHER_TENANT });
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const service = () => {
    const found = world.isolated.services.get('source-record-storage');
    const source = world.isolated.sources.get('source-record-storage');
    if (!found || !source) throw new Error('not started');
    return { app: found.app, source };
  };
  const refresh = async (...ids: string[]): Promise<void> => {
    const { app, source } = service();
    const scope = { tenantId: TENANT, actorId: USER_ID };
    await withTenant(source, scope, (tx) => app.get(Indexing).refresh(tx, ids));
  };
  const keysOf = async (id: string): Promise<string[] | undefined> => {
    const [row] = await world.rows<{ keys: string[] }>(
      'select tsvector_to_array(keys) as keys from marc_index where tenant_id = $1 and record_id = $2',
      [id],
    );
    return row?.keys;
  };
  const find = async (wanted: QueryLexeme[], tenantId = TENANT): Promise<string[]> => {
    const rows = await world.rows<{ id: string }>(
      'select id from marc_index_find($2::tsquery[]) as f (id) where $1::text is not null order by id',
      [tsqueryArray([wanted])],
      tenantId,
    );
    return rows.map(({ id }) => id);
  };
  const NOD = recordId(0, JOB);
  const NOD_KEYS = [
    '001in1',
    '003OCoLC',
    '020a9780140328721 (pbk.)',
    '035a(OCoLC)63611770',
    '035z(OCoLC)1',
  ];

  it('holds the keys of imported records', async () => {
    expect(await keysOf(NOD)).toEqual(NOD_KEYS);
    expect(await keysOf(recordId(1, JOB))).toEqual(['001in2']);
  });

  it('finds records of the own tenant only, by a whole key or its beginning', async () => {
    const oclc = { lexeme: '035a(OCoLC)63611770', prefix: false };
    expect(await find([oclc])).toEqual([NOD]);
    expect(await find([oclc], OTHER_TENANT)).toHaveLength(1);
    expect(await find([{ lexeme: '035a(OCoLC)', prefix: false }])).toEqual([]);
    expect(await find([{ lexeme: '035a(OCoLC)', prefix: true }])).toEqual([NOD]);
    expect(await find([{ lexeme: '001in', prefix: true }])).toEqual([NOD, recordId(1, JOB)].sort());
    expect(
      await find([{ lexeme: 'x', prefix: false }, { lexeme: 'y', prefix: true }, oclc]),
    ).toEqual([NOD]);
  });

  it('takes no character of a key for more than itself', async () => {
    for (const lexeme of [
      `035a' | '`,
      `035a\\`,
      '035a(OCoLC)63611770:*',
      `'`,
      '!',
      '&|',
      '(',
      '035a*',
    ])
      for (const prefix of [false, true]) expect(await find([{ lexeme, prefix }])).toEqual([]);
  });

  it('loses the keys of a record that is superseded, and has those of the new one', async () => {
    const accept = { options: { on999ff: 'accept' } } as const;
    const own = ids999ff('superseded', idOf('superseded instance'));
    await world.send([bib('su1', 'Old', { more: [own] })], { job: 'first', ...accept });
    expect(await keysOf(recordId(0, 'first'))).toEqual(['001su1']);
    await world.send([bib('su2', 'New', { more: [own] })], { job: 'second', ...accept });
    expect(await keysOf(recordId(0, 'first'))).toBeUndefined();
    expect(await keysOf(recordId(0, 'second'))).toEqual(['001su2']);
  });

  it('follows every other change of a record by a refresh', async () => {
    const set = (state: string): Promise<unknown> =>
      admin.query(`update ${SCHEMA}.record set state = $2 where tenant_id = $1 and id = $3`, [
        TENANT,
        state,
        NOD,
      ]);
    await set('OLD');
    await refresh(NOD, recordId(1, JOB));
    expect(await keysOf(NOD)).toBeUndefined();
    expect(await keysOf(recordId(1, JOB))).toEqual(['001in2']);
    await set('DELETED');
    await refresh(NOD, idOf('nobody'));
    expect(await keysOf(NOD)).toEqual(NOD_KEYS);
    await set('ACTUAL');
  });

  it('is filled in batches for records that are older than it', async () => {
    await admin.query(`delete from ${SCHEMA}.marc_index where tenant_id = $1`, [TENANT]);
    await admin.query(`insert into ${SCHEMA}.marc_index_fill (tenant_id) values ($1)`, [TENANT]);
    const upkeep = service().app.get(IndexUpkeep);
    expect(await upkeep.fill()).toBe(true);
    expect(await keysOf(NOD)).toEqual(NOD_KEYS);
    expect(await keysOf(recordId(0, 'first'))).toBeUndefined();
    expect(await upkeep.fill()).toBe(false);
    expect(await admin.query(`select * from ${SCHEMA}.marc_index_fill`)).toEqual([]);
  });

  it('has its new keys merged when told, and at the end of an import', async () => {
    const key = { lexeme: '001me', prefix: true };
    /** Merges what waits, and tells how much that was. */
    const waitingPages = async (): Promise<number> => {
      const sql = `select gin_clean_pending_list('${SCHEMA}.marc_index_keys')::int as pages`;
      const [row] = await admin.query<{ pages: number }[]>(sql);
      return row?.pages ?? -1;
    };
    const importOne = (name: string) => world.send([bib(name, 'To be merged')], { job: name });
    await importOne('me1');
    expect(await find([key])).toHaveLength(1);
    expect(await waitingPages()).toBeGreaterThan(0);
    await importOne('me2');
    await service().app.get(IndexUpkeep).merge();
    expect(await waitingPages()).toBe(0);
    await importOne('me3');
    await world.publish(ImportCompleted, {
      tenantId: TENANT,
      jobExecutionId: idOf('me3'),
      jobVersion: 9,
      status: 'COMMITTED',
      result: 'SUCCESS',
      counts: { created: 1_000, updated: 0, unchanged: 0, failed: 0, warned: 0 },
      completedDate: '2026-11-25T06:00:00.000+00:00',
    });
    expect(await waitingPages()).toBe(0);
    expect(await find([key])).toHaveLength(3);
  });
});
