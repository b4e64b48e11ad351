import { testDatabase } from '@quire/testing/database';
import { branches, failure, find, table, useSamples, type Row } from './cql-samples.js';

useSamples(testDatabase);

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
