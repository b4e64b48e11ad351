import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { testDatabase } from '@quire/testing/database';
import { fastestMs } from '@quire/testing/fastest';
import { compileCql } from '../src/cql-where.js';
import { branch, region } from './cql-branch.js';
import {
  branches,
  failure,
  find,
  insert,
  REGION,
  regions,
  rowsOf,
  table,
  useSamples,
} from './cql-samples.js';

const F600 = 'f'.repeat(600);

useSamples(testDatabase);

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
      return (await rowsOf<{ id: string }>(sql, params)).map((row) => row.id);
    };
    const first = await page('00000000-0000-0000-0000-000000000000');
    const second = await page(first[1] ?? '');
    expect([...first, ...second].map((id) => id.charAt(0)).join('')).toBe('123');
    expect(await page(second[0] ?? '')).toEqual([]);
  });
});
