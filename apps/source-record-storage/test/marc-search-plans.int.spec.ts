import type { MarcMatchFilter } from '@quire/contracts/marc-matching';
import { controlField, dataField } from '@quire/marc/iso2709/write';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { MarcSearches } from '../src/db/marc-searches.js';
import { Statistics } from '../src/db/statistics.js';
import { matchingSearch } from '../src/domain/marc-matching.js';
import { parseMarcSearch } from '../src/domain/marc-search.js';
import type { MarcSearch } from '../src/domain/marc-search-tree.js';
import { matchesOf } from '../src/http/marc-matches.js';
import { IndexUpkeep } from '../src/usecases/index-upkeep.js';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { bib, instanceId, recordId } from './library.js';
import { RecordWorld } from './record-world.js';

const JOB = 'few';
const OTHERS = 100_000;
const NUMBERS = ['010', '020', '022', '024', '028', '035'] as const;

/** What a search has done to the tables, as Postgres counts it itself. */
interface Work {
  readonly found: string[];
  /** Times that a table was read from end to end. */
  readonly wholeReads: number;
  readonly contentsRead: number;
  readonly recordsRead: number;
}

/** Counts of this connection that are not published yet; they grow. */
async function countsOf(
  tx: TenantRead,
): Promise<{ whole: number; contents: number; records: number }> {
  const rows = await tx.query<{ relname: string; whole: number; fetched: number }>(
    `select relname, seq_scan::int as whole, idx_tup_fetch::int as fetched from pg_stat_xact_user_tables
     where relname in ('record', 'record_content', 'marc_index')`,
  );
  const fetched = (name: string): number => rows.find((row) => row.relname === name)?.fetched ?? 0;
  return {
    whole: rows.reduce((sum, { whole }) => sum + whole, 0),
    contents: fetched('record_content'),
    records: fetched('record'),
  };
}

/** A few records among very many others, whose rows and keys are made in the database. */
describe('a search that an index serves, in 100,000 records', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    const own = (text: string) => [
      controlField('003', `Own ${text}`),
      ...NUMBERS.map((tag) => dataField(tag, '  ', [['a', `own ${text}`]])),
    ];
    const frames = ['one', 'two'].map((text) =>
      bib(`own${text}`, `Title ${text}`, { more: own(text) }),
    );
    await world.send([...frames, bib('withdrawn', 'Withdrawn', { status: 'd' })], { job: JOB });
    const admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await admin.query('set search_path = source_record_storage');
    for (const sql of others()) await admin.query(sql, [TENANT]);
    await admin.destroy();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const service = () => {
    const found = world.isolated.services.get('source-record-storage');
    const source = world.isolated.sources.get('source-record-storage');
    if (!found || !source) throw new Error('not started');
    return { app: found.app, source };
  };
  const workOf = (search: MarcSearch): Promise<Work> => {
    const { app, source } = service();
    const place = { recordType: 'MARC_BIB', deleted: true, order: 'id', unparsed: true } as const;
    return readTenant(source, { tenantId: TENANT, actorId: USER_ID }, async (tx) => {
      const before = await countsOf(tx);
      const found: string[] = [];
      for await (const row of matchesOf(tx, app.get(MarcSearches), search, place))
        if (row) found.push(row.id);
      const after = await countsOf(tx);
      return {
        found,
        wholeReads: after.whole - before.whole,
        contentsRead: after.contents - before.contents,
        recordsRead: after.records - before.records,
      };
    });
  };
  const expectFew = async (search: MarcSearch, ...orders: readonly number[]): Promise<void> => {
    const work = await workOf(search);
    expect(work.found).toEqual(orders.map((order) => recordId(order, JOB)).sort());
    expect(work.wholeReads).toBe(0);
    expect(work.contentsRead).toBeLessThan(10);
    expect(work.recordsRead).toBeLessThan(20);
  };
  const fields = (text: string): MarcSearch => parseMarcSearch(text, 'marcFieldSearchExpression');
  const filters = (operator: 'AND' | 'OR', ...all: readonly MarcMatchFilter[]): MarcSearch =>
    matchingSearch({ recordType: 'MARC_BIB', logicalOperator: operator, filters: all });

  const expressions: readonly (readonly [string, ...number[]])[] = [
    [`001.value = 'ownone'`, 0],
    [`001.value ^= 'own'`, 0, 1],
    [`003.value = 'Own one'`, 0],
    [`003.value ^= 'Own'`, 0, 1],
    ...NUMBERS.flatMap((tag) => [
      [`${tag}.a = 'own one'`, 0] as const,
      [`${tag}.a ^= 'own'`, 0, 1] as const,
      [`${tag}.value = 'own two'`, 1] as const,
      [`${tag}.value ^= 'own t'`, 1] as const,
    ]),
    [`999.s = '${recordId(0, JOB)}'`, 0],
    [`999.i = '${instanceId(1, JOB)}'`, 1],
    [`020.a ^= 'o' and 035.a = 'own one' and 245.a is 'present'`, 0],
    [`020.a = 'own one' or (035.a ^= 'own t' and 245.ind1 = '1') or 001.value = 'none'`, 0, 1],
    [`035.a = 'own nobody'`],
  ];
  const values = (count: number): string[] =>
    Array.from({ length: count }, (_, at) => `none ${at}`);
  const ff = { field: '999', indicator1: 'f', indicator2: 'f' };
  const matchings: readonly (readonly [string, MarcSearch, ...number[]])[] = [
    ['001', filters('AND', { field: '001', values: [...values(1_000), 'ownone'] }), 0],
    ['999 ff s', filters('AND', { ...ff, subfield: 's', values: [recordId(1, JOB)] }), 1],
    ['999 ff i', filters('AND', { ...ff, subfield: 'i', values: [instanceId(1, JOB)] }), 1],
    ...NUMBERS.map((field) => {
      const search = filters('AND', { field, subfield: 'a', values: [...values(5), 'own two'] });
      return [`values of ${field}`, search, 1] as const;
    }),
    [
      'one of several fields',
      filters(
        'OR',
        { field: '001', values: ['ownone'] },
        { field: '035', subfield: 'a', values: ['own two'] },
        { ...ff, subfield: 's', values: [idOf('nobody')] },
      ),
      0,
      1,
    ],
    [
      'a beginning',
      filters('AND', {
        field: '028',
        values: ['own'],
        matchType: 'EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE',
      }),
      0,
      1,
    ],
  ];

  /** @param every false: of several tags that are asked for alike only the last */
  const expectAll = async (every = true): Promise<void> => {
    for (const [text, ...orders] of expressions)
      if (every || !/^0[12]\d\.value/.test(text)) await expectFew(fields(text), ...orders);
    for (const [, search, ...orders] of matchings) await expectFew(search, ...orders);
  };

  it('reads nothing else while the planner knows nothing of the tables, and keys are not merged', async () => {
    await expectAll(false);
  });

  it('reads nothing else with statistics and merged keys', async () => {
    await service().app.get(IndexUpkeep).merge();
    await service().app.get(Statistics).refresh(service().source);
    await expectAll();
  });

  it('takes a thousand values at once', async () => {
    const search = { field: '035', subfield: 'a', values: [...values(1_000), 'own two'] };
    await expectFew(filters('AND', search), 1);
  });

  it('reads only the few that are deleted for their status', async () => {
    await expectFew(parseMarcSearch(`p_05 = 'd'`, 'leaderSearchExpression'), 2);
  });

  it('finds the same without an index, by looking for the text in all bytes', async () => {
    const { found, contentsRead } = await workOf(fields(`245.a = 'Title one'`));
    expect(found).toEqual([recordId(0, JOB)]);
    expect(contentsRead).toBeGreaterThan(OTHERS);
  });

  it('gives signs of life while it finds nothing, or nothing of the page', async () => {
    const target = '/source-storage/stream/marc-record-identifiers';
    const asked = async (body: object): Promise<string> =>
      (await world.ask('POST', target, { body })).text;
    expect(await asked({ fieldsSearchExpression: `245.b is 'present'` })).toBe(
      '{"records":[     ],"totalCount":0}',
    );
    expect(await asked({ fieldsSearchExpression: `245.b is 'absent'`, limit: 0 })).toBe(
      `{"records":[     ],"totalCount":${OTHERS + 3}}`,
    );
  });
});

/** Rows as an import leaves them: current records with all keys, and content that no search looks for. */
const others = (): string[] => [
  `insert into record (tenant_id, id, snapshot_id, matched_id, record_type, external_id, external_hrid,
     control_number_source, record_order, leader_status, title, action)
   select $1, md5('id' || g)::uuid, md5('job' || g / 5000)::uuid, md5('id' || g)::uuid, 'MARC_BIB', md5('instance' || g)::uuid,
     'in' || g, 'OCoLC', g, 'n', 'Title', 'CREATED' from generate_series(1, ${OTHERS}) g`,
  `insert into record_content (tenant_id, record_id, content)
   select $1, md5('id' || g)::uuid, decode('${bib('in', 'Of no interest').toString('hex')}', 'hex')
   from generate_series(1, ${OTHERS}) g`,
  `insert into marc_index (tenant_id, record_id, keys)
   select $1, md5('id' || g)::uuid, array_to_tsvector(array['001in' || g, '003OCoLC', '020a9' || g
     ${NUMBERS.map((tag) => `, '${tag}aother ' || g`).join('')}]) from generate_series(1, ${OTHERS}) g`,
];
