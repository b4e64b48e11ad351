import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { idOf } from './chunk-source.js';
import { instanceId, recordId } from './library.js';
import { RecordWorld, type Answer } from './record-world.js';
import { bibBody, control, data, marc, RecordClient, RECORDS } from './sent-records.js';

/** The vectors of source-record-storage, 8.3, through an import and the doors of records. */
const NOD: readonly FieldSketch[] = [
  ['008', '700101s1998    xxu           000 0 eng d'],
  ['020', '  ', { a: '0140328726 (pbk.)' }],
  ['100', '1 ', { a: 'Lee, Ann,', d: '1970-' }],
  ['245', '14', { a: 'The nod :', b: 'a novel /', c: 'Ann Lee' }],
];
const R1 = marcRecord({ fields: [['001', 'r1'], ...NOD] });
const R2 = marcRecord({
  fields: [
    ['001', 'r2'],
    ['041', '0 ', { a: 'engfre' }],
    ['245', '00', { a: 'Nodding off' }],
  ],
});
const R4 = marcRecord({ fields: [['001', 'r4'], ...NOD] });
/** Written by a client. */
const R3 = bibBody('r3', {
  parsedRecord: {
    content: marc(
      control('001', 'r3'),
      control('008', '700101s2001    po            000 0 por d'),
      data('245', '10', { a: 'Água viva' }),
      data('700', '1 ', { a: 'Nod, Per' }),
    ),
  },
});
const IDS = {
  R1: instanceId(0),
  R2: instanceId(1),
  R3: idOf('instance r3'),
  R4: instanceId(2),
} as const;
const NAMES = new Map(Object.entries(IDS).map(([name, id]) => [id, name]));

let database: TestDatabase;
let world: RecordWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  await world.send([R1, R2, R4], { job: 'reads' });
  const client = new RecordClient(world);
  await client.snapshot();
  await client.save(R3);
  const suppressed = await client.put(
    `${recordId(1)}/suppress-from-discovery?idType=SRS_RECORD`,
    {},
  );
  expect(suppressed.status).toBe(200);
  expect((await world.ask('DELETE', `${RECORDS}/${recordId(2)}`)).status).toBe(204);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const ask = (query: string, path = '/instance-bulk/ids'): Promise<Answer> =>
  world.get(`${path}?query=${encodeURIComponent(query)}`);

/** Names of the records found, in the order of the answer. */
async function found(query: string): Promise<string> {
  const { status, json, text } = await ask(query);
  if (status !== 200) return text;
  const { ids, totalRecords } = json as { ids: { id: string }[]; totalRecords: number };
  expect(totalRecords).toBe(ids.length);
  return ids.map(({ id }) => NAMES.get(id)).join(' ');
}

const sorted = async (query: string): Promise<string> =>
  (await found(query)).split(' ').sort().join(' ');

/** `R1 R2 ⊢ one query · another` → cases. */
function cases(lines: string): [string, string][] {
  return lines
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [labels = '', queries = ''] = line.split(' ⊢ ');
      return queries
        .split(' · ')
        .map((query): [string, string] => [query, labels.replace('–', '')]);
    });
}

describe('instances found by a query', () => {
  it.each(
    cases(`
R1 R3 ⊢ keyword all "nod"
R1 ⊢ title all "nod"
R1 R2 R3 ⊢ keyword all "nod*"
R3 ⊢ title=agua
R1 ⊢ contributors="lee ann" · contributors=/@primary=true lee
R3 ⊢ contributors.name=="Nod, Per"
R2 ⊢ languages=="fre" · discoverySuppress==true
R1 R3 ⊢ languages==(eng or por) not discoverySuppress==true
R1 ⊢ isbn==9780140328721 · identifiers==0140328726* · dates.date1==1998
R4 ⊢ deleted==true · staffSuppress==true and deleted==true
R1 R2 R3 ⊢ source==MARC`),
  )('%s', async (query, labels) => {
    expect(await sorted(query)).toBe(labels);
  });

  it('come in the order asked for', async () => {
    expect(await found('cql.allRecords=1 sortBy indexTitle')).toBe('R3 R1 R2');
    expect(await found('cql.allRecords=1 sortBy indexTitle/sort.descending')).toBe('R2 R1 R3');
    expect(await found('cql.allRecords=1 sortBy metadata.updatedDate hrid')).toBe('R1 R3 R2');
  });

  it.each(
    cases(`
R1 R2 R3 ⊢ cql.allRecords=1 · * · keyword=* · title="" · title=*
R1 ⊢ title="nod a novel" · title adj "the nod" · title any "nod viva" not keyword=agua · "ann lee" · indexTitle=="nod *" · indexTitle=="NOD : a novel"
– ⊢ title="novel nod" · indexTitle=the · indexTitle=lee · keyword="lee the" · keyword="novel lee nod"
R1 ⊢ title="The nod : a novel / Ann Lee" · title=="the nod : a novel / ann lee" · title==/respectCase "The nod : a novel / Ann Lee" · title=="The nod*" · title==*lee
– ⊢ title==/respectCase "the nod*" · title==nod
R3 ⊢ title<b · title==Agua* · title==/respectAccents "água viva" · alternativeTitles="" or title==Agua*
R2 R3 ⊢ title<"the nod" · title<>"The nod : a novel / Ann Lee"
R1 R2 ⊢ title>="nodding off" · title>"b" · keyword any "novel nodding" · indexTitle>b
R1 R3 ⊢ contributors="" · contributors==* · contributors<>x · contributors=* not title=nodding
R1 ⊢ contributors==Lee* · contributors=="lee, ann, 1970-" · contributors<>"Nod, Per" · contributors all "ann lee" · contributors any "ann smith" · contributors=/@nameType="Personal name" lee
R3 ⊢ contributors=/@primary=false nod · contributors any "per smith" · contributors=/@name nod
– ⊢ contributors=/@primary=true nod · contributors="ann per" · contributors=/@relator aut · contributors all "ann per"
R1 ⊢ identifiers="0140328726 pbk" · identifiers==/@type=ISBN 0140328726* · identifiers=/@type="ISBN" 0140328726 · identifiers=="0140328726 (PBK.)" · identifiers any "0140328726 x" · identifiers.value==0140328726*
– ⊢ identifiers=/@type=ISSN 0140328726 · identifiers==0140328726
R1 ⊢ isbn==0140328726 · isbn=9780140328721 · isbn==978-0-14-032872-1 · isbn=0-14-032872-6 · isbn==97801403* · isbn any "1 0140328726" · isbn>978 · isbn==?140328726 · isbn=/respectCase 0140328726
R2 R3 ⊢ cql.allRecords=1 not isbn="" · cql.allRecords=1 not isbn==*
– ⊢ isbn==014 · isbn<>0140328726 · isbn="0140328726 9780140328721"
R2 ⊢ languages=fre · languages any "fre por" not languages==por · languages all "eng fre" · languages==fr* · languages==FRE · languages==["eng","fre"]
R1 R2 ⊢ languages==eng · languages=eng · languages any "eng" · languages<>por · languages=/respectCase eng
R1 R2 R3 ⊢ languages="" · languages==* · languages any "eng por"
– ⊢ languages==[] · languages=="en" · languages="eng fre" · languages==/respectCase ENG
R1 ⊢ hrid==r1 · hrid=R1 · hrid any "r1 r4" · hrid<r2 · hrid==?1
R1 R2 R3 ⊢ hrid==r* · hrid="" · hrid=* · hrid>=r1 · source=marc · source==MA* · source<>x · discoverySuppress==(true or false) · deleted<>true · deleted==false · staffSuppress==false
R1 R3 ⊢ discoverySuppress==false · discoverySuppress<>true · cql.allRecords=1 not discoverySuppress==true
– ⊢ source==FOLIO · source<>MARC · discoverySuppress==maybe
R1 R2 R3 R4 ⊢ deleted==false or deleted==true · cql.allRecords=1 not deleted==x
R1 ⊢ dates.date1=1998 · dates.dateType==s and dates.date1<2000 · dates.date1</number 1999
R1 R2 R3 ⊢ modeOfIssuance=="single unit" · recordKind==am · metadata.createdDate>2020 · metadata.updatedDate>2020 · metadata.createdByUserId==7d3c9a52* · keyword any "nod nodding agua" sortBy title`),
  )('%s', async (query, labels) => {
    expect(await sorted(query)).toBe(labels);
  });

  it('say the same at each of the doors', async () => {
    const query = '(keyword all "nod") sortby title';
    const printed = `limit=2147483647&query=${query.replaceAll(' ', '+')}`;
    const expected = { ids: [{ id: IDS.R3 }, { id: IDS.R1 }], totalRecords: 2 };
    for (const path of ['/instance-bulk/ids', '/record-bulk/ids', '/search/instances/ids'])
      expect((await world.get(`${path}?${printed}&field=id&type=id`)).json).toEqual(expected);
    const body = { query };
    const internal = { body, issuer: 'data-export' } as const;
    expect((await world.ask('POST', '/internal/instance-ids', internal)).json).toEqual(expected);
  });

  it('are counted without a list, and paged', async () => {
    const answer = async (more: string): Promise<unknown> =>
      (await world.get(`/instance-bulk/ids?query=cql.allRecords=1+sortBy+hrid&${more}`)).json;
    const { R1: one, R2: two, R3: three } = IDS;
    expect(await answer('limit=0')).toEqual({ ids: [], totalRecords: 3 });
    expect(await answer('limit=2')).toEqual({ ids: [{ id: one }, { id: two }], totalRecords: 3 });
    expect(await answer('limit=2&offset=2')).toEqual({ ids: [{ id: three }], totalRecords: 3 });
    expect(await answer('offset=7')).toEqual({ ids: [], totalRecords: 3 });
    expect(await answer('limit=1&totalRecords=none')).toEqual({ ids: [{ id: one }] });
  });

  it('need the permission of their door', async () => {
    for (const [path, permission] of [
      ['/instance-bulk/ids', 'inventory-storage.record-bulk.ids.get'],
      ['/record-bulk/ids', 'inventory-storage.record-bulk.ids.get'],
      ['/search/instances/ids', 'search.instances.ids.collection.get'],
      ['/source-storage/instances', 'source-storage.instances.collection.get'],
      [`/source-storage/instances/${IDS.R1}`, 'source-storage.instances.item.get'],
    ] as const) {
      expect((await world.get(path, { permissions: [permission] })).status).toBe(200);
      const refused = await world.get(path, { permissions: [] });
      expect([refused.status, refused.text]).toEqual([403, expect.stringContaining(permission)]);
    }
  });

  it('says what is wrong with a query, and what was probably meant', async () => {
    const { status, text } = await ask('titel=x');
    expect(status).toBe(400);
    expect(text.split('\n')).toEqual([
      `unable to list ids -- malformed parameter 'query', syntax error at column 1: unknown index 'titel', did you mean 'title'?`,
      'titel=x',
      '^',
    ]);
    for (const query of [
      'keyword==x',
      'contributors=/@foo=1 x',
      'deleted>true',
      'languages>x',
      'data==x',
    ])
      expect([query, (await ask(query)).status]).toEqual([query, 400]);
  });
});
