import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { CqlError } from '@quire/cql/errors';
import { testDatabase } from '@quire/testing/database';
import { fastestMs } from '@quire/testing/fastest';
import { Client } from 'pg';
import type { CqlEntity } from '../src/cql-entity.js';
import { CQL_FUNCTIONS_SQL } from '../src/cql-functions.js';
import { compileCql } from '../src/cql-where.js';
import { branch, BRANCH_TABLES, region } from './cql-branch.js';

const F600 = 'f'.repeat(600);
const REGION = 'aaaaaaaa-0000-4000-8000-00000000000';

let client: Client;
let database: Awaited<ReturnType<typeof testDatabase>>;

type Row = Readonly<Record<string, unknown>> & { label: string };

async function insert(table: string, rows: readonly object[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row);
    const values = Object.values(row) as unknown[];
    const marks = values.map((_, at) => `$${at + 1}`);
    await client.query(`insert into ${table} (${columns.join()}) values (${marks.join()})`, values);
  }
}

async function branches(sample: string, rows: readonly Row[]): Promise<void> {
  await insert(
    'branch',
    rows.map((row) => ({ sample, name: `Branch ${row.label}`, ...row })),
  );
}

/** Labels of the branches of one sample that a query finds, in its order. */
async function find(sample: string, text: string): Promise<string[]> {
  const { where, orderBy, params } = compileCql(parseCql(text, URL_LIMITS), branch, {
    params: [sample],
  });
  const found = await client.query<{ label: string }>(
    `select branch.label from branch where branch.sample = $1 and ${where} order by ${orderBy}`,
    params,
  );
  return found.rows.map((row) => row.label);
}

async function regions(text: string): Promise<string[]> {
  const { where, params } = compileCql(parseCql(text, URL_LIMITS), region);
  const sql = `select region.name from region where ${where} order by region.name`;
  return (await client.query<{ name: string }>(sql, params)).rows.map((row) => row.name);
}

function failure(text: string, entity: CqlEntity = branch): [number, string] {
  try {
    compileCql(parseCql(text, URL_LIMITS), entity);
  } catch (error) {
    if (error instanceof CqlError) return [error.column, error.reason];
    throw error;
  }
  throw new Error(`was compiled: ${text}`);
}

/** `A B: one query · another` → cases for it.each; `–` is no match. */
function table(lines: string): [string, string][] {
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => {
      const [labels = '', queries = ''] = line.trim().split(' ⊢ ');
      return queries
        .split(' · ')
        .map((query): [string, string] => [query, labels.replace('–', '')]);
    });
}

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('create extension unaccent schema public');
  await client.query('create schema sample; set search_path = sample');
  await client.query(CQL_FUNCTIONS_SQL);
  await client.query(BRANCH_TABLES);
  await insert('country', [{ id: 'cccccccc-0000-4000-8000-000000000001', name: 'Norden' }]);
  await insert('region', [
    {
      id: `${REGION}1`,
      name: 'East Bank',
      code: 'E',
      country_id: 'cccccccc-0000-4000-8000-000000000001',
    },
    { id: `${REGION}2`, name: 'West Bank', code: 'W' },
    { id: `${REGION}3`, name: 'Nowhere', code: 'N' },
  ]);
});

afterAll(async () => {
  await client.end();
  await database.close();
});

describe('set A, three branches', () => {
  beforeAll(async () => {
    const ids = [
      '11111111-1111-4111-8111-111111111111',
      '22222222-2222-4222-8222-222222222222',
      '33333333-3333-4333-8333-33333333333c',
    ];
    await branches('A', [
      {
        label: 'A',
        id: ids[0],
        name: 'Amber Yard',
        email: 'amber@branch.example',
        status: 'Open - Full',
        stage: 'OPEN',
        city: 'Lyngby',
        zip: 2310,
        active: true,
        floors: 1,
        opened: '2019-12-31T23:59:59Z',
        region_id: `${REGION}1`,
        shelfmark: `fff${F600}gff@x.example`,
      },
      {
        label: 'B',
        id: ids[1],
        name: 'Birch Kiosk',
        email: 'birch@branch.example',
        status: 'Closed',
        stage: 'CLOSED',
        city: 'Turku',
        zip: 1450,
        active: false,
        floors: 20,
        opened: '2020-01-01T00:00:00Z',
        region_id: `${REGION}2`,
        shelfmark: `ffg${F600}fff@x.example`,
      },
      {
        label: 'C',
        id: ids[2],
        name: 'Cedar Hall',
        email: 'cedar@branch.example',
        status: 'Open - Evenings only',
        stage: 'OPEN_LATE',
        city: 'Løgstør',
        zip: 2790,
        active: true,
        floors: 3,
        opened: '2020-10-07T13:18:19.852+00:00',
        region_id: `${REGION}2`,
        shelfmark: `fff${F600}hff@x.example`,
      },
    ]);
    await insert('visit', [
      { branch_id: ids[0], reason: 'inspection' },
      { branch_id: ids[1], reason: 'audit' },
      { branch_id: ids[1], reason: 'audit' },
    ]);
  });

  it.each(
    table(String.raw`
C ⊢ name=Hall · address.zip=2790 · "Cedar Hall" · Hall · name == "Cedar Hall" · name all "Hall Cedar" · name all Cedar · name adj "Cedar Hall" · name any "Cedar FooBar" · name any "FooBar Hall"
– ⊢ "Hall Cedar" · Hal · all · contact.email="branch example" · contact.email==branch.example · name all "FooBar" · name adj "Hall Cedar"
A B C ⊢ * · contact.email<>branch.example · name="" · name=* · name="*" · name all ""
A ⊢ amber@branch.example
B ⊢ contact.email==birch@branch.example · contact.email=birch@*
A B ⊢ name <> "Cedar Hall"
A C ⊢ name any "Hall Yard"
C ⊢ name=ha* · name=ha* or (contact.email=c* not address.zip=0*) · "cedar h*"
B ⊢ contact.email=b* · name=ha* or contact.email=b* and address.zip=1*
A C ⊢ address.zip=2* · name=ha* and contact.email=* or address.zip=2*
B C ⊢ name=ha* or (contact.email=b* and address.zip=1*) · name=ha* AND contact.email=c* Or address.zip=1*
A ⊢ name=am* not contact.email=b*
– ⊢ name=ha* not (contact.email=* or address.zip=0*) · "hall example"
C ⊢ HALL · hALL · "cEDAR hAlL" · name == "CEDAR hall" · address.city=Løgstør · address.city==Løgstør · address.city==Logstor · address.city==Lögstör · address.city==LØGSTØR · address.city==/respectCase Logstor · address.city==/respectAccents løgstør · address.city==/respectCase/respectAccents Løgstør · address.city==/ignoreCase/ignoreAccents logstor
– ⊢ name ==/respectCase "CEDAR hall" · address.city==Lägstär · address.city= øgstør · address.city==/respectCase LØGSTØR · address.city==/respectAccents Logstor
A C ⊢ address.city== L* · address.city== **g**
B ⊢ address.city<> L*
C ⊢ address.city== L*r · address.city== ?øgstør · address.city== L?gstør · address.city== *Løgstør · name = "Ce* Ha*" · name = "Cedar *" · name = H*
A ⊢ address.city== **?y?**
A B ⊢ address.city<> L*r
A B C ⊢ name = " * * "
A ⊢ status = "Open - Full"
C ⊢ status = "Open - Evenings Only"
B ⊢ status = Closed
A C ⊢ status = open
A ⊢ stage==OPEN · stage=OPEN · stage=open · stage=(OPEN)
A B ⊢ stage==(OPEN or CLOSED) · stage any "OPEN CLOSED"
A C ⊢ stage==OPEN* · stage==ajar · stage=AJAR · stage > closed
B ⊢ stage<>ajar · stage<OPEN
B C ⊢ stage<>OPEN
A B C ⊢ stage=* · stage="" · stage==* · stage<>nosuch
– ⊢ stage==nosuch · stage<>* · stage==""  · stage==/respectCase open
A C ⊢ active==true · active="TRUE"
B ⊢ active==false · active<>true
– ⊢ active==maybe
A B C ⊢ active<>maybe
A ⊢ name< "Birch Kiosk"
A B ⊢ name<= "Birch Kiosk"
C ⊢ name> "Birch Kiosk"
B C ⊢ name>= "Birch Kiosk" · name>= "BIRCH kiosk"
A B C ⊢ name<>4
– ⊢ name=4
A ⊢ opened < 2020-01-01 · opened <> 2020
A B ⊢ opened <= 2020-01-01
C ⊢ opened > 2020-01-01 · opened == 2020-10* · opened == 2020-10-07T13:18:19.852Z · opened == "2020-10-07T15:18:19.852+0200" · opened >= "2020-10-07T00:00:00.000" and opened <= "2020-10-07T23:59:59.999"
B C ⊢ opened >= 2020-01-01 · opened == 2020
B ⊢ opened == 2020-01-01
– ⊢ opened == soon
A B C ⊢ opened <> soon · opened==* · opened=* · opened="" · opened < 9999 · opened > 0001-01-01T00:00+14:00
A B C ⊢ cql.allRecords=1 · cql.allRecords=0 · cql.allRecords=0 OR name=Amber · name==Zzz or contact.email=*
B C ⊢ cql.allRecords=1 NOT name=Amber
A ⊢ id=11111111-1111-4111-8111-111111111111 · id=1* · id=1** · id==11111111-1111-4111-8111-111111111111* · id<=11111111-1111-4111-8111-111111111111 · regionId=aaaaaaaa-0000-4000-8000-000000000001
C ⊢ id==33333333-3333-4333-8333-33333333333C
B C ⊢ id<>11111111-1111-4111-8111-111111111111 · id<>1* · id> 11111111-1111-4111-8111-111111111111 · id>=11111111-1111-4111-8111-111111111112 · regionId<> aaaaaaaa-0000-4000-8000-000000000001
– ⊢ id=zz · id==zz · id=="" · id=1z* · id<>* · id=11111111111141118111111111111111 · id=11111111-1111-4111-8111-111111111111-1 · id<11111111-1111-4111-8111-111111111111 · regionId==""
A B C ⊢ id<>zz · id="" · id<>"" · id=* · id>=11111111-1111-4111-8111-111111111111 · id>00000000-0000-0000-0000-000000000000 · id<FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF · regionId="" · regionId=* · regionId==aaaaaaaa*
B C ⊢ id>"11111111-1111-4111-8111-111111111111" and cql.allRecords=1 sortBy id
C ⊢ id>22222222-2222-4222-8222-222222222222 and (name=*) sortBy id
A ⊢ region.name=="East Bank" · country.name==Norden · country.name=* · region.countryId==cccccccc-0000-4000-8000-000000000001
A B C ⊢ region.name = bank
B ⊢ region.code==W and stage==CLOSED · visit.reason==audit
B C ⊢ cql.allRecords=1 NOT country.name=* · region.id==aaaaaaaa-0000-4000-8000-000000000002
A B ⊢ visit.reason==*
– ⊢ region.name==aaaaaaaa-0000-4000-8000-000000000001 · region.name=="x')));((DROP TABLE branch" · region.name=="x') or 1=1)--"
A ⊢ floors==1 · floors=1.0 · floors any "1 7"
B ⊢ floors>3.5 · floors==2* · floors any "x 20 9*"
A B ⊢ floors any "1 2?" · floors<>3
A B C ⊢ keyword=*`),
  )('%s', async (query, labels) => {
    expect((await find('A', query)).join(' ')).toBe(labels);
  });

  it.each(
    table(`
A B C ⊢ * sortBy name · * SORTBY name/sort.ascending/string · cql.allRecords=1 sortBy id desc
C B A ⊢ * sortBy name/sort.descending · cql.allRecords=1 sortBy name/sort.descending · * sortBy id/sort.descending · * sortBy nosuchfield name/sort.descending
B A C ⊢ * sortBy address.zip · * sortby address.zip/number
A C B ⊢ * sortBy regionId name/sort.descending · * sortBy shelfmark
B C A ⊢ * sortBy region.name/sort.descending name
A B C ⊢ * sortBy country.name · * sortBy visit.reason
B C A ⊢ * sortBy country.name/sort.descending · * sortBy country.name/sort.missingLow name
C B A ⊢ * sortBy country.name/sort.missingLow name/sort.descending`),
  )('in order: %s', async (query, labels) => {
    expect((await find('A', query)).join(' ')).toBe(labels);
  });

  it('compares long values in full, and takes long lists', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `x${at}`).join(' or ');
    expect(await find('A', `name==(${names} or "Amber Yard")`)).toEqual(['A']);
    expect(await find('A', `shelfmark=="fff${F600}gff@x.example"`)).toEqual(['A']);
    expect(await find('A', `shelfmark<>"fff${F600}gff@x.example"`)).toEqual(['B', 'C']);
    expect(await find('A', `shelfmark>"fff${F600}gff@x.example"`)).toEqual(['B', 'C']);
    expect(await find('A', `shelfmark<="fff${F600}hff@x.example"`)).toEqual(['A', 'C']);
  });

  it('are found by masks wherever these are, also where the head of a value would do and the value does not', async () => {
    const masked = async (pattern: string): Promise<string[]> =>
      find('A', `shelfmark=="${pattern}"`);
    expect(await masked('*gff@x.example')).toEqual(['A']);
    expect(await masked('*fgff*')).toEqual(['A', 'B']);
    expect(await masked('*hff@*')).toEqual(['C']);
    expect(await masked('??gf*@x.example')).toEqual(['B']);
    expect(await masked('*ffff')).toEqual([]);
    expect(await masked(`*f${F600.slice(0, 390)}`)).toEqual([]);
    expect(await masked('f*?')).toEqual(['A', 'B', 'C']);
  });

  it.each([
    ['   ', 4, 'expected index or term, got EOF'],
    ['()', 2, `expected index or term, got ')'`],
    ['name=', 6, 'expected index or term, got EOF'],
    ['name=Amber and', 15, 'expected index or term, got EOF'],
    ['(name=Amber', 12, `expected ')', got EOF`],
    ['name=Amber)', 11, `junk after end: ')'`],
    ['or name=a', 1, 'expected index or term, got or'],
    ['name contact.email=a', 19, `unexpected relation '='`],
    ['name==a==b', 8, `unexpected relation '=='`],
    ['name=Amber (x)', 12, `expected boolean, got '('`],
    ['* sortBy', 9, 'no sort keys'],
    ['name=Amber and and region.name==x', 16, 'expected index or term, got and'],
    ['name=Amber prox/unit=word name=Yard', 12, 'prox is not supported'],
    ['> n = name n=Amber', 1, 'prefix assignment is not supported'],
    ['address.zip encloses 12', 13, `relation 'encloses' is not supported`],
    ['contact.email=/regexp Amber', 16, 'Unsupported modifier regexp'],
    ['contact.email=/unmasked Amber', 16, 'Unsupported modifier unmasked'],
    [
      'name=Am*er',
      6,
      '* right truncation wildcard must be followed by space or end of string, but found e',
    ],
    ['name=Amb?r', 6, '? wildcard not allowed in full text query string'],
    ['id=*1', 4, 'only right truncation supported for id:  *1'],
    [
      'id=11111111*1111-4111-8111-111111111111',
      4,
      'only right truncation supported for id:  11111111*1111-4111-8111-111111111111',
    ],
    [
      'id>=11111111-1111-411w-8111-111111111112',
      5,
      `Invalid UUID after 'id>=': 11111111-1111-411w-8111-111111111112`,
    ],
    ['id=/masked 11111111-1111-4111-8111-111111111111', 5, 'Unsupported modifier masked'],
    [
      'id any 11111111-1111-4111-8111-111111111111',
      4,
      `Unsupported operator 'any', UUID id only supports '=', '==', and '<>' (possibly with right truncation)`,
    ],
    ['opened < soon', 10, `'soon' is not a date`],
    ['address.zip > many', 15, `'many' is not a number`],
    ['active > true', 8, `relation '>' is not supported for boolean active`],
    ['colour==red', 1, `unknown index 'colour'`],
    ['region.colour==red', 1, `unknown index 'region.colour'`],
    [`"field'))@@to_tsquery(('english"=x`, 1, `unknown index 'field'))@@to_tsquery(('english'`],
    ['tenant_id==x', 1, `unknown index 'tenant_id'`],
    ['__proto__==x', 1, `unknown index '__proto__'`],
    ['constructor.name==x', 1, `unknown index 'constructor.name'`],
    ['nmae==x', 1, `unknown index 'nmae', did you mean 'name'?`],
    ['Name==x', 1, `unknown index 'Name', did you mean 'name'?`],
    ['statsu==x', 1, `unknown index 'statsu', did you mean 'status'?`],
    ['x and regoin.name==x', 7, `unknown index 'regoin.name', did you mean 'region.name'?`],
    ['tage==x', 1, `unknown index 'tage'`],
    ['keyword==x', 8, `relation '==' is not supported for text keyword`],
    ['name </respectCase x', 8, 'Unsupported modifier respectCase'],
    ['* sortby name/respectCase', 15, 'Unsupported modifier respectCase'],
  ])('refuses %j', (query, column, reason) => {
    expect(failure(query)).toEqual([column, reason]);
  });

  it('refuses a bare term where no index is the default', () => {
    const reason = 'cql.serverChoice requested, but no serverChoiceIndexes defined.';
    expect(failure('invalid-query', region)).toEqual([1, reason]);
  });
});

describe('set B, undefined and empty', () => {
  beforeAll(async () => {
    const email = (label: string, value: string | null): Row => ({ label, email: value });
    const city = (label: string, value: string | null): Row => ({ label, city: value });
    await branches('B', [
      email('n', null),
      email('e1', null),
      email('e2', ''),
      email('e3', '  '),
      email('e4', 'e'),
    ]);
    await branches('Bc', [
      city('c0', null),
      city('c1', null),
      city('c2', ''),
      city('c3', '  '),
      city('c4', 'c'),
    ]);
  });

  it.each(
    table(`
e2 e3 e4 ⊢ contact.email="" · contact.email="   "
e2 ⊢ contact.email==""
e3 e4 ⊢ contact.email<>"" · contact.email="" NOT contact.email==""
e4 ⊢ contact.email=e
e1 e2 e3 n ⊢ cql.allRecords=1 NOT contact.email=e
e2 e3 ⊢ contact.email="" NOT contact.email=e
e1 n ⊢ cql.allRecords=1 NOT contact.email=""
e1 e3 e4 n ⊢ cql.allRecords=1 NOT contact.email==""
e1 e2 e3 e4 n ⊢ contact.email=*`),
  )('e-mail: %s', async (query, labels) => {
    expect((await find('B', query)).sort().join(' ')).toBe(labels);
  });

  it.each(
    table(`
c2 c3 c4 ⊢ address.city=""
c2 ⊢ address.city==""
c3 c4 ⊢ address.city<>""
c0 c1 c2 c3 c4 ⊢ cql.allRecords=1 NOT contact.email=e · cql.allRecords=1 NOT contact.email=""`),
  )('city: %s', async (query, labels) => {
    expect((await find('Bc', query)).sort().join(' ')).toBe(labels);
  });
});

describe('set C, numbers', () => {
  beforeAll(async () => {
    const cities: Record<string, string> = { e: '1234', f: '"1234"', g: '01234', h: '"01234"' };
    const zips = { a: '1', b: '2', c: '3', d: '4', e: '4.0', f: '4e0', g: '17', h: '18' };
    await branches(
      'C',
      Object.entries(zips).map(([label, zip]) => ({
        label,
        name: label,
        zip,
        city: cities[label] ?? 'x',
      })),
    );
  });

  it.each(
    table(`
– ⊢ address.zip</number 1 · address.zip>/number 18 · address.zip==four
a ⊢ address.zip</number 2
a b ⊢ address.zip</number 3 · address.zip<=/number 2
g h ⊢ address.zip>/number 16 · address.zip>=/number 17 · address.zip > 4 · address.city = 01234
h ⊢ address.zip>/number 17
d e f ⊢ address.zip=/number 4 · address.zip==/number 4.0 · address.zip==/number 4e0 · address.zip==4
a b c g h ⊢ address.zip<>/number 4 · address.zip<>4.0
e f ⊢ address.city = 1234 · address.city all 1234
e ⊢ address.city == 1234
g ⊢ address.city == 01234
e g ⊢ address.city >/number 1000
– ⊢ address.zip==1e99999 · address.zip==1e400
a b c d e f g h ⊢ address.zip<>1e99999 · address.zip < 1e400
g h ⊢ address.zip==?? · address.zip==1? not address.zip==1
d e f ⊢ address.zip==4* · address.zip==*4`),
  )('%s', async (query, labels) => {
    expect((await find('C', query)).sort().join(' ')).toBe(labels);
  });

  it('orders numbers as numbers', async () => {
    const up = await find('C', 'cql.allRecords=1 sortBy address.zip/sort.ascending/number name');
    expect(up.join(' ')).toBe('a b c d e f g h');
    const down = await find('C', 'cql.allRecords=1 sortBy address.zip/sort.descending/number');
    expect([...down.slice(0, 2), ...down.slice(2, 5).sort(), ...down.slice(5)].join(' ')).toBe(
      'h g d e f c b a',
    );
    const text = await find('C', 'cql.allRecords=1 sortBy address.city/number name');
    expect(text.join(' ')).toBe('e g a b c d f h');
  });
});

describe('set D, special characters', () => {
  beforeAll(async () => {
    const emails = {
      a: '\\',
      b: '\\\\',
      c: '*',
      d: '**',
      e: '?',
      f: '??',
      g: '\\"',
      h: 'a"b',
      i: '"',
    };
    await branches(
      'D',
      Object.entries(emails).map(([label, email]) => ({ label, email })),
    );
  });

  it.each(
    table(String.raw`
a ⊢ contact.email==\\ · contact.email=="\\"
b ⊢ contact.email==\\\\ · contact.email=="\\\\"
c ⊢ contact.email==\*
d ⊢ contact.email==\*\*
e ⊢ contact.email==\?
f ⊢ contact.email==\?\?
g ⊢ contact.email==\\\"
h ⊢ contact.email=="a\"b" · contact.email="a\"b"
i ⊢ contact.email=="\""
– ⊢ contact.email="\""
– ⊢ contact.email==% · contact.email==_ · contact.email==_*`),
  )('%s', async (query, labels) => {
    expect((await find('D', query)).sort().join(' ')).toBe(labels);
  });
});

describe('set E, lists', () => {
  beforeAll(async () => {
    const tags: Record<string, string[] | null> = {
      a: [],
      b: ['en'],
      c: ['en-us'],
      d: ['en-uk'],
      e: ['uk'],
      f: ['"en'],
      g: ['en"'],
      h: ['"en"'],
      i: ['au', 'ar', 'at', 'de', 'dk', 'en'],
      n: null,
    };
    const people: Record<string, unknown> = {
      a: [
        {
          name: 'Lindgren, Astrid',
          roleId: '2b94c631-fca9-4892-a730-03ee529ffe2a',
          lang: 'swedish',
        },
      ],
      b: [
        { name: 'Writer A', roleId: '2e48e713-17f3-4c13-a9f8-23845bb210aa', lang: 'english' },
        { name: 'Writer B', roleId: 'e8b311a6-3b21-43f2-a269-dd9310cb2d0a', lang: 'english' },
      ],
      c: [],
    };
    const phones: Record<string, unknown> = {
      b: [
        { type: 'mobile', number: '0912212' },
        { type: 'home', number: '0912213' },
      ],
    };
    const json = (value: unknown): string | null => (value ? JSON.stringify(value) : null);
    await branches(
      'E',
      Object.entries(tags).map(([label, list]) => ({
        label,
        tags: list,
        people: json(people[label]),
        phones: json(phones[label]),
      })),
    );
  });

  it.each(
    table(String.raw`
a ⊢ tags == [] · tags == "[]" · people = astrid · people =/@roleid=2B94C631-FCA9-4892-A730-03EE529FFE2A astrid · people =/@name/@lang swedish
b c d e f g h i ⊢ tags <> []
a n ⊢ cql.allRecords=1 NOT tags <> []
b c d f g h i ⊢ tags = en
b i ⊢ tags == en · tags == "en" · tags == "*\"en\"*" · tags ==/respectCase en
b ⊢ tags == ["en"] · tags == "[\"EN\"]" · people = writer · people == "Writer B" · people == "Writer ?" · people =/@roleId=e8b311a6-3b21-43f2-a269-dd9310cb2d0a writer b · people any/@roleId=e8b311a6-3b21-43f2-a269-dd9310cb2d0a writer c · people =/@roleId=e8b311a6-3b21-43f2-a269-dd9310cb2d0a/@lang=english writer b · people any/@lang "english danish" · contact.phones = 0912212 · contact.phones == /@type=mobile 0912212 · contact.phones == /@type=home 091221? · contact.phones == /@type=home 09122*
b c d g i ⊢ tags == en*
a c d e f g h ⊢ tags <> en
– ⊢ tags = au dk · tags = de dk · tags = uk-en · people = name · people =/@roleId=e8b311a6-3b21-43f2-a269-dd9310cb2d0a writer a · people all/@roleId=e8b311a6-3b21-43f2-a269-dd9310cb2d0a writer c · people =/@roleId=e8b311a6-3b21-43f2-a269-dd9310cb2d0a/@lang=danish writer b · contact.phones == /@type=home 0912212
i ⊢ tags all au dk · tags == "[\"au\", \"ar\", \"at\", \"de\", \"dk\", \"en\"]"
d e i ⊢ tags any "uk dk"
d ⊢ tags = "en-uk" · tags = en-uk
d e ⊢ tags = uk
a b c d e f g h i ⊢ tags = "" · tags == * · tags <> [en · tags <> zz
n ⊢ cql.allRecords=1 NOT tags = ""
a c d e f g h n ⊢ cql.allRecords=1 NOT tags == "*\"en\"*"
– ⊢ tags == ["en","fr"] · tags ==/respectCase EN · tags == [en · tags == [["en"]] · people == [1]
a b ⊢ people <> []
a b c ⊢ people = "" · people <> zz · people==*
a ⊢ people.name==lind*
a c ⊢ people <> "writer a" · people <> /@lang english
b ⊢ people.name==*b · people.name<>"Writer A" not people=astrid · people=/@lang=english * · people==/@lang=english * · people=/@lang=english ""
c ⊢ people == [] · people =="[ ]"
a b c d e f g h i n ⊢ tags = * · people=* · people.name=*`),
  )('%s', async (query, labels) => {
    expect((await find('E', query)).sort().join(' ')).toBe(labels);
  });

  it('orders by the first element', async () => {
    expect((await find('E', 'cql.allRecords=1 sortby people')).slice(0, 2)).toEqual(['a', 'b']);
    expect(
      (await find('E', 'cql.allRecords=1 sortby people.name/sort.descending')).slice(-2),
    ).toEqual(['b', 'a']);
    expect((await find('E', 'tags = "" not tags==[] sortby tags')).slice(0, 2)).toEqual(
      ['f', 'h'].sort(),
    );
  });

  it.each([
    ['people =/@foo=1 c', 10, 'Unsupported relation modifier @foo'],
    ['people =/@lang<1 c', 10, 'Unsupported comparison for relation modifier @lang'],
    ['name =/@foo=bar a', 8, 'Unsupported relation modifier @foo'],
    ['tags > en', 6, `relation '>' is not supported for list tags`],
    ['people > en', 8, `relation '>' is not supported for list people`],
  ])('refuses %j', (query, column, reason) => {
    expect(failure(query)).toEqual([column, reason]);
  });
});

describe('set F, words', () => {
  beforeAll(async () => {
    const notes = {
      a: 'bar',
      b: 'bar baz',
      c: 'bar-baz',
      d: 'foo-bar-baz',
      e: 'foo-bar baz',
      f: 'bar-baz-foo',
      g: '123 456',
      h: '123-456',
      i: 'foo/bar/baz',
      j: 'foo//bar//baz',
      k: "O'Brien & sons",
      l: 'Catalogue, raisonné',
      m: 'ЖУРНАЛ «Наука»',
      o: 'revue «Nature» et 《Science》',
    };
    await branches(
      'F',
      Object.entries(notes).map(([label, note]) => ({ label, name: 'Zeta', note })),
    );
  });

  it.each(
    table(`
a b c d e f ⊢ note adj bar
b c d e f ⊢ note adj "bar baz"
c ⊢ note adj "bar-baz"
g ⊢ note adj "123 456"
h ⊢ note adj "123-456"
i ⊢ note = "foo/bar/baz"
– ⊢ note = "bar/baz" · note = &
j ⊢ note = "foo /bar"
k ⊢ note = brien · note = "o'brien" · note = "brien sons" · note all "sons brien"
l ⊢ note = "catalogue raisonne"
m ⊢ note = журнал · note = наука
k ⊢ note all "sons&brien" · note = "O’Bri*" · note any "sons'x" · note = "brien & sons"
o ⊢ note = nature · note = "science" · note = "«Nature»"
k ⊢ note all "o & sons -" · note any "& brien"
a b c d e f ⊢ note all "ba*" · note = "bar *" · note = bar
a b c d e f g h i j k l m o ⊢ note = "* *" · keyword = zeta · keyword = "zeta *"
– ⊢ keyword = zeta bar · keyword = bar`),
  )('%s', async (query, labels) => {
    expect((await find('F', query)).sort().join(' ')).toBe(labels);
  });

  it('refuses a slash outside of quotes', () => {
    expect(failure('note = foo/bar/baz')).toEqual([11, `expected boolean, got '/'`]);
  });
});

describe('set G, from the side of the parent', () => {
  it.each([
    ['branch.name==*', ['East Bank', 'West Bank']],
    ['branch.stage==CLOSED', ['West Bank']],
    ['cql.allRecords=1 NOT branch.id=*', ['Nowhere']],
  ])('%s', async (query, names) => {
    expect(await regions(query)).toEqual(names);
  });

  it.each([
    [`name=${'x'.repeat(7_996)}`, 8_001, 'query is longer than 8000 characters'],
    [Array.from({ length: 201 }, () => 'a').join(' or '), 1_001, 'query has more than 200 clauses'],
    [`${'('.repeat(51)}a${')'.repeat(51)}`, 51, 'query is nested too deeply'],
  ])('refuses what is too large at once: %#', (text, column, reason) => {
    expect(failure(text)).toEqual([column, reason]);
    expect(fastestMs(() => failure(text), 50)).toBeLessThanOrEqual(50);
  });

  it('pages by key', async () => {
    const page = async (last: string): Promise<string[]> => {
      const query = parseCql(`id>"${last}" and cql.allRecords=1 sortBy id`, URL_LIMITS);
      const { where, orderBy, params } = compileCql(query, branch);
      const sql = `select branch.id::text from branch where sample = 'A' and ${where} order by ${orderBy} limit 2`;
      return (await client.query<{ id: string }>(sql, params)).rows.map((row) => row.id);
    };
    const first = await page('00000000-0000-0000-0000-000000000000');
    const second = await page(first[1] ?? '');
    expect([...first, ...second].map((id) => id.charAt(0)).join('')).toBe('123');
    expect(await page(second[0] ?? '')).toEqual([]);
  });
});
