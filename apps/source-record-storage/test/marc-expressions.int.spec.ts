import { controlField, dataField, writeRecord } from '@quire/marc/iso2709/write';
import { withTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { Indexing } from '../src/usecases/indexing.js';
import { TENANT, USER_ID } from './chunk-source.js';
import { bib, instanceId, recordId } from './library.js';
import { RecordWorld } from './record-world.js';

const TARGET = '/source-storage/stream/marc-record-identifiers';
const JOB = 'expressions';
const SCHEMA = 'source_record_storage';

function ausgabe(): Buffer {
  const record = writeRecord('00000ccm a2200000 i 4500', [
    controlField('001', '393893'),
    controlField('003', 'OCoLC'),
    controlField('005', '20141107001016.0'),
    controlField('008', '830419m19559999gw mua   hiz     n  ger  '),
    dataField('035', '  ', [['a', '(OCoLC)63611770']]),
    dataField('245', '10', [['a', 'Neue Ausgabe']]),
    dataField('948', '2 ', [['a', '']]),
  ]);
  if (record.failed) throw new Error(record.code);
  return record.bytes;
}

describe('expressions of POST /source-storage/stream/marc-record-identifiers', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser, to set what no door sets. */
  let admin: DataSource;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const others = ['Alte Ausgabe', 'Third', 'Fourth'].map((title, at) => bib(`b${at}`, title));
    await world.send([ausgabe(), ...others], { job: JOB });
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const asked = async (body: object): Promise<unknown> => {
    const { status, json, text } = await world.ask('POST', TARGET, { body });
    return status === 200 ? json : [status, text];
  };
  const fields = (fieldsSearchExpression: string, more: object = {}): Promise<unknown> =>
    asked({ fieldsSearchExpression, ...more });
  const some = (...orders: readonly number[]): object => ({
    records: orders.map((order) => instanceId(order, JOB)).sort(),
    totalCount: orders.length,
  });
  const set = async (sql: string, params: readonly unknown[]): Promise<void> => {
    await admin.query(`update ${SCHEMA}.${sql}`, [TENANT, ...params]);
    const service = world.isolated.services.get('source-record-storage');
    const source = world.isolated.sources.get('source-record-storage');
    if (!service || !source) throw new Error('not started');
    const ids = [0, 1, 2, 3].map((order) => recordId(order, JOB));
    await withTenant(source, { tenantId: TENANT, actorId: USER_ID }, (tx) =>
      service.app.get(Indexing).refresh(tx, ids),
    );
  };
  const setState = (state: string): Promise<void> =>
    set('record set state = $2 where tenant_id = $1 and id = $3', [state, recordId(0, JOB)]);

  const vectors: readonly (readonly [string, readonly number[]])[] = [
    [`001.value = '393893' and 005.value ^= '2014110' and 035.ind1 = '#'`, [0]],
    [
      `(035.a = '(OCoLC)63611770' and 036.ind1 = '1') or (245.a ^= 'Neue' and 005.value ^= '20141107')`,
      [0],
    ],
    [`948.ind1 not= '5'`, [0]],
    [`035.a = '(OCoLC)63611770' and 245.a ^= 'Alte'`, []],
    [`260.a is 'absent'`, [0, 1, 2, 3]],
    [`001.value = '393893' or 001.value = 'b1' or 035.a ^= '(OCoLC)'`, [0, 2]],
    [`001.value ^= 'b' and 245.a not= 'Third'`, [1, 3]],
    [`003.value = 'OCoLC'`, [0]],
    [`003.value is 'absent'`, [1, 2, 3]],
    [`008.07_04 = '1955' and 005.date in '20141107-20141107'`, [0]],
    [`999.s = '${recordId(2, JOB)}' or 999.i = '${instanceId(3, JOB)}'`, [2, 3]],
    [`245.a = 'Third' or 245.a = 'Fourth'`, [2, 3]],
  ];

  it.each(vectors)('%s', async (text, orders) => {
    expect(await fields(text)).toEqual(some(...orders));
  });

  it('joins both expressions', async () => {
    const leaderSearchExpression = `p_05 = 'c' and p_06 = 'c' and p_07 = 'm'`;
    expect(await asked({ leaderSearchExpression })).toEqual(some(0));
    expect(await fields(`245.a ^= 'Neue'`, { leaderSearchExpression })).toEqual(some(0));
    expect(await fields(`245.a ^= 'Alte'`, { leaderSearchExpression })).toEqual(some());
  });

  it('finds the same while the index is not filled yet', async () => {
    await admin.query(`delete from ${SCHEMA}.marc_index where tenant_id = $1`, [TENANT]);
    await admin.query(`insert into ${SCHEMA}.marc_index_fill (tenant_id) values ($1)`, [TENANT]);
    for (const [text, orders] of vectors) expect(await fields(text)).toEqual(some(...orders));
    await admin.query(`delete from ${SCHEMA}.marc_index_fill`);
    expect(await fields(`001.value = '393893'`)).toEqual(some());
    await set('record set title = title where tenant_id = $1', []);
    expect(await fields(`001.value = '393893'`)).toEqual(some(0));
  });

  it('finds deleted records unless told not to, and never generations of before', async () => {
    const text = `001.value = '393893' and 245.a ^= 'Neue'`;
    await setState('DELETED');
    expect(await fields(text)).toEqual(some(0));
    expect(await fields(text, { deleted: true })).toEqual(some(0));
    expect(await fields(text, { deleted: false })).toEqual(some());
    await setState('OLD');
    expect(await fields(text)).toEqual(some());
    expect(await fields(`245.a ^= 'Neue'`)).toEqual(some());
    await setState('ACTUAL');
    expect(await fields(text, { deleted: false })).toEqual(some(0));
  });

  it('finds records that are kept as JSON', async () => {
    const json = JSON.stringify({
      fields: [
        { '001': 'js1' },
        { '020': { ind1: ' ', ind2: ' ', subfields: [{ a: '9780140328721' }] } },
        { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'Said "loud" \\ back' }] } },
      ],
    });
    const [before] = await world.rows<{ content: Buffer }>(
      'select content from record_content where tenant_id = $1 and record_id = $2',
      [recordId(3, JOB)],
    );
    const put = (form: string, content: Buffer): Promise<void> =>
      set('record_content set form = $2, content = $3 where tenant_id = $1 and record_id = $4', [
        form,
        content,
        recordId(3, JOB),
      ]);
    await put('JSON', Buffer.from(json));
    expect(await fields(`245.a = 'Said "loud" \\ back'`)).toEqual(some(3));
    expect(await fields(`020.a ^= '978'`)).toEqual(some(3));
    expect(await fields(`001.value = 'b2'`)).toEqual(some());
    await put('TEXT', Buffer.from('UNA'));
    expect(await fields(`001.value = 'js1' or 260.a is 'absent'`)).toEqual(some(0, 1, 2));
    if (before) await put('ISO2709', before.content);
  });

  it('takes no value for more than text', async () => {
    for (const value of [
      '"',
      '\\',
      '035a\\',
      ':*',
      '*',
      '%',
      '_',
      `x' or 001.value ^= '39`,
      '$1',
      '--',
      '; drop table record',
    ])
      for (const key of ['001.value', '003.value', '020.value', '035.a', '245.a', '999.s'])
        for (const operator of ['=', '^=']) {
          const found = value.includes("'") ? some(0) : some();
          expect(await fields(`${key} ${operator} '${value}'`)).toEqual(found);
        }
  });

  it('says 400 to what is none, and 422 to what no expression can be', async () => {
    expect(await fields(`(001.value = 'x'`)).toEqual([
      400,
      'The number of opened brackets should be equal to number of closed brackets [expression: marcFieldSearchExpression]',
    ]);
    expect(await fields(`035.a ^ '1'`)).toEqual([
      400,
      `The given expression [035.a ^ '1'] is not parsable`,
    ]);
    for (const text of [
      `001.value = '\u0000'`,
      `001.value = '${'x'.repeat(8_000)}'`,
      `001.value = '\ud800'`,
    ])
      expect(await fields(text)).toEqual([422, expect.any(String)]);
    const deep = `${'('.repeat(3_000)}001.value = '393893'${')'.repeat(3_000)}`;
    expect(await fields(deep)).toEqual(some(0));
  });
});
