import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { countSql, idsSql, selectIds } from '../src/db/instance-ids.js';
import { TENANT } from './chunk-source.js';
import { insertInstances } from './generated-instances.js';
import { RecordWorld } from './record-world.js';

/**
 * Which queries of 100,000 instances an index serves: none of these reads the table from end to end, neither for a tenant that
 * the planner knows nor for one whose rows have come since.
 */
const ROWS = 100_000;
const NEWCOMER = 'newcomer';

const SERVED = `
id==0cc175b9-c0f1-b6a8-31c3-99e269772661 · id==0cc* · id>fff00000-0000-0000-0000-000000000000
id==(0cc175b9-c0f1-b6a8-31c3-99e269772661 or 0cc175b9-c0f1-b6a8-31c3-99e269772662)
hrid==in00000000123 · hrid=in00000000123 · hrid==in0000000012* · hrid any "in00000000123 in00000000124" · hrid>in00000099990
title=w777 · title adj "w77 of" · title all "w77 w78" · title any "w777 w778" · title=w777* · title=="The w777*"
title=="The w77 of w78" · title<"the w100" · title>"the w9998"
indexTitle=w777 · indexTitle all "w77 w78" · indexTitle any "w777 w778" · indexTitle=="w777*" · indexTitle<"w100"
keyword=w777 · w777 · keyword="w77 of" · keyword all "w77 w78" · keyword any "w777 w778" · keyword=w777*
allTitles=w777 · allTitles="w77 of" · allTitles all "w77 w78" · allTitles any "w777 w778"
contributors=w777 · contributors="w77 w78" · contributors all "w77 w78" · contributors any "w777 w778"
contributors=/@primary=true w777 · contributors.name=="W777, W1" · contributors==w777* · contributors==/respectCase "W777, W1"
identifiers=9780000000123 · identifiers==9780000000123* · identifiers=="9780000000123 (pbk.)"
identifiers=/@type="ISBN" 9780000000123 · identifiers==/@type=OCLC "(OCoLC)123" · identifiers any "9780000000123 x"
isbn==9780000000123 · isbn=9780000000123 · isbn==978000000012* · isbn any "9780000000123 9780000000124" · isbn==978-0-000-00012-3
issn==0123-1234 · issn=0123 · issn==0123* · issn any "0123 0124"
oclc==123 · oclc=123 · oclc==ocm00000123 · oclc any "123 124"
languages==lat and title=w77 · languages=lat and title=w77 · languages==(lat or spa) and title=w77
source==MARC · source=MARC · cql.allRecords=1
discoverySuppress==true · discoverySuppress==false · staffSuppress==true · staffSuppress==false · deleted==true · deleted==false
metadata.updatedDate>2026-01-02T03:45 · metadata.updatedDate==2026-01-01T00:10 · metadata.updatedDate<2026-01-01T00:01
title=w777 and languages==eng not discoverySuppress==true
`
  .trim()
  .split(/\n| · /);

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await insertInstances(admin, TENANT, { from: 1, to: ROWS });
  while (!(await isVacuumed()));
}, 180_000);

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

/**
 * With its rows known to be visible to all, which is what index-only scans need: not while commits are unflushed, or another
 * transaction is open, say one that merges the keys.
 */
async function isVacuumed(): Promise<boolean> {
  await admin.query('checkpoint');
  await admin.query('vacuum analyze source_record_storage.instance');
  const [row] = await admin.query<[{ fine: boolean }]>(
    `select relallvisible > relpages * 0.9 as fine from pg_class where oid = 'source_record_storage.instance'::regclass`,
  );
  return row.fine;
}

async function planOf(sql: string, params: readonly unknown[], tenant = TENANT): Promise<string> {
  const [, ...query] = params;
  const rows = await world.rows<Record<string, string>>(`explain ${sql}`, query, tenant);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

const selected = (query: string): ReturnType<typeof selectIds> =>
  selectIds('INSTANCE', parseCql(query, URL_LIMITS));

describe('an index serves', () => {
  it.each(SERVED)('%s', async (query) => {
    const selection = selected(query);
    expect(await planOf(countSql(selection), selection.params)).not.toMatch(/Seq Scan/);
    const page = idsSql(selection, { offset: 0, limit: 2_147_483_647 });
    expect(await planOf(page, selection.params)).not.toMatch(/Seq Scan/);
  });

  it.each([
    ['title=w777', /instance_words/],
    ['isbn==9780000000123', /instance_keys/],
    ['identifiers==9780000000123*', /instance_keys/],
    ['title="w77 of" and languages==eng', /instance_words/],
    ['hrid==in00000000123', /instance_hrid/],
    ['id==0cc175b9-c0f1-b6a8-31c3-99e269772661', /instance_pkey/],
    ['keyword=w77 and id==0cc175b9-c0f1-b6a8-31c3-99e269772661', /instance_pkey/],
    ['title=w777 or isbn==9780000000123', /instance_words[^]*instance_keys/],
  ])('%s of a tenant that the planner does not know', async (query, index) => {
    const selection = selected(query);
    expect(await planOf(countSql(selection), selection.params, NEWCOMER)).toMatch(index);
  });

  it.each([
    'cql.allRecords=1 sortBy title',
    'cql.allRecords=1 sortBy indexTitle',
    'metadata.updatedDate>2026-01-01T05:00 sortBy metadata.updatedDate',
  ])('the order of %s', async (query) => {
    const selection = selected(query);
    const plan = await planOf(idsSql(selection, { offset: 0, limit: 10 }), selection.params);
    expect(plan).not.toMatch(/Seq Scan/);
  });
});
