import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import { compileCql } from '@quire/postgres/cql-where';
import { prepareDatabase } from '@quire/postgres/migrate';
import { passwordOfRole } from '@quire/service/isolated';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { INSTANCE } from '../src/db/instance-entity.js';
import { WORD_FORM } from '../src/domain/instance-words.js';
import { sourceRecordStorage } from '../src/service.js';
import { TENANT } from './chunk-source.js';
import { insertInstances } from './generated-instances.js';
import { RecordWorld } from './record-world.js';
import { ViewWorld } from './view-world.js';

/**
 * What the indexes of the instance view say is what the values say, for rows and queries of every odd kind: the same query is
 * compiled once more for an entity that knows the values only.
 */
const INDEXES = new Set(['words', 'keys', 'where']);
const VALUES_ONLY: CqlEntity = {
  ...INSTANCE,
  fields: Object.fromEntries(
    Object.entries(INSTANCE.fields).map(([name, field]) => [
      name,
      Object.fromEntries(
        Object.entries(field).filter(
          ([key]) => !INDEXES.has(key) && !(key === 'rule' && field.type === 'objects'),
        ),
      ),
    ]),
  ) as unknown as CqlEntity['fields'],
};

const WORDS = [
  ...[
    'the',
    'nod',
    'The',
    'Nod',
    'nodding',
    'e-mail',
    'Água',
    'Вода',
    '水',
    'ocm',
    'OCoLC',
    'Lee',
    'x',
  ],
  ...[
    '1998',
    '1998-1234',
    '0140328726',
    '9780140328721',
    '080442957X',
    'ocm0014',
    '1e5',
    '1e5d',
    '-5',
  ],
  ...[
    'v1.2',
    'foo/bar',
    'a.b.org',
    'x@y.org',
    `l'eau`,
    '<b>',
    '“nod”',
    'ß',
    'a&b',
    '(pbk.)',
    'xX1',
  ],
];
const SIGNS = [' ', ' ', ' ', ' ', ' : ', ' / ', '; ', '. ', '-', '.', ''];
const text = fc
  .array(fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom(...SIGNS)), {
    minLength: 1,
    maxLength: 5,
  })
  .map((pieces) => pieces.flat().join(''));
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 2 });

const fields = fc
  .record({
    cut: fc.constantFrom('0', '0', '2', '3', '4', '9'),
    title: text,
    more: maybe(text),
    by: maybe(text),
    linked: maybe(text),
    other: maybe(text),
    series: maybe(text),
    author: maybe(text),
    added: maybe(text),
    isbn: maybe(text),
    issn: maybe(text),
    number: maybe(text),
  })
  .map((one): FieldSketch[] => [
    ...one.isbn.map((a): FieldSketch => ['020', '  ', { a }]),
    ...one.issn.map((a): FieldSketch => ['022', '  ', { a }]),
    ...one.number.map((a): FieldSketch => ['035', '  ', { a: `(OCoLC)${a}` }]),
    ...one.author.slice(0, 1).map((a): FieldSketch => ['100', '1 ', { a }]),
    ['245', `1${one.cut}`, { a: one.title, ...part('b', one.more), ...part('c', one.by) }],
    ...one.other.map((a): FieldSketch => ['246', '3 ', { a }]),
    ...one.series.map((a): FieldSketch => ['490', '0 ', { a }]),
    ...one.added.map((a): FieldSketch => ['700', '1 ', { a }]),
    ...one.linked.map((a): FieldSketch => ['880', '10', { '6': '245-01', a }]),
  ]);
const part = (code: string, texts: readonly string[]): Record<string, string> =>
  texts[0] === undefined ? {} : { [code]: texts[0] };

const ROWS = 300;
const QUERIES = 400;
const LONG = `${'many words of a title '.repeat(300)}nod`;

const index = fc.constantFrom(
  ...['title', 'indexTitle', 'indexTitle', 'identifiers', 'identifiers', 'contributors'],
  ...[
    'contributors=/@primary=true',
    'contributors==/@primary=true',
    'contributors==/@primary=false',
  ],
  ...[
    'contributors=/@primary=false',
    'contributors all/@primary=true',
    'contributors any/@primary=true',
  ],
  ...[
    'contributors=/@primary=true/@nameType=personal',
    'identifiers=/@type=isbn',
    'series',
    'issn',
    'isbn',
  ],
  ...[
    'contributors==/@primary=true/respectCase',
    'allTitles',
    'keyword',
    'keyword',
    'alternativeTitles',
  ],
);
const queries = fc
  .record({
    index,
    relation: fc.constantFrom('=', 'all', 'any', 'adj'),
    words: fc.array(fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom('', '', '*')), {
      minLength: 1,
      maxLength: 3,
    }),
  })
  .map(({ index: name, relation, words }) => {
    const term = words.map(([word, star]) => word.replace(/["\\*?]/g, '\\$&') + star).join(' ');
    return `${name}${/[=/]/.test(name) ? '' : ` ${relation}`} "${term}"`;
  });

let database: TestDatabase;
let world: RecordWorld;

afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

interface Said {
  readonly found: number;
  readonly wrong: string[];
}

/** Rows found by the values, and those of which the indexes say otherwise. */
async function compare(query: string): Promise<Said> {
  const params: unknown[] = [null];
  const parsed = parseCql(query, URL_LIMITS);
  const [indexed, exact] = [INSTANCE, VALUES_ONLY].map(
    (entity) => compileCql(parsed, entity, { params, schema: 'source_record_storage' }).where,
  );
  const [said] = await world.rows<Said>(
    `select count(*) filter (where exact)::int as found,
       coalesce(array_agg(title) filter (where indexed is distinct from exact), '{}') as wrong
     from (select i.title, coalesce(${indexed}, false) as indexed, coalesce(${exact}, false) as exact
       from instance_row as i where $1::text is not null) as rows`,
    params.slice(1),
  );
  return said ?? { found: 0, wrong: ['no answer'] };
}

async function agree(list: readonly string[]): Promise<number> {
  let found = 0;
  for (const query of list) {
    const said = await compare(query);
    expect([query, said.wrong]).toEqual([query, []]);
    found += said.found;
  }
  return found;
}

const rowsByTitle = (): Promise<object[]> =>
  world.rows(
    `select id, word_form, words::text, keys::text from instance where tenant_id = $1 order by id`,
  );

it('queries find by their indexes what they would find by the values', async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  const sketches = fc.sample(fields, { numRuns: ROWS, seed: 20_261_129 });
  sketches.push([['245', '10', { a: LONG }]]);
  const records = sketches.map((more, at) => marcRecord({ fields: [['001', `f${at}`], ...more] }));
  const { told } = await world.send(records, { job: 'odd' });
  expect(told[0]?.payload).toMatchObject({ counts: { created: records.length, failed: 0 } });
  const imported = await rowsByTitle();
  expect(imported).toHaveLength(records.length);
  const found = await agree(fc.sample(queries, { numRuns: QUERIES, seed: 20_261_130 }));
  expect(found).toBeGreaterThan(QUERIES);
  expect(
    await agree(['indexTitle=nod', 'indexTitle="title nod"', 'title all "title nod"']),
  ).toBeGreaterThan(2);
  await new ViewWorld(world).rebuild();
  expect(await rowsByTitle()).toEqual(imported);
}, 120_000);

it('rows from before the prefixes of words get them when the service is upgraded', async () => {
  database = await testDatabase();
  const { schema } = sourceRecordStorage;
  const before = schema.migrations.filter(({ name }) => /(?:000.|001[01])$/.test(name));
  await prepareDatabase(database.url, [{ ...schema, migrations: before }], passwordOfRole);
  const admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  try {
    await admin.query('insert into source_record_storage.tenant (tenant_id) values ($1)', [TENANT]);
    await insertInstances(admin, TENANT, { from: 1, to: 2_000 }, 'weights');
    await admin.query(OLD_ROWS, [LONG]);
  } finally {
    await admin.destroy();
  }
  world = await RecordWorld.start(database.url);
  expect(
    await agree([
      ...[
        'indexTitle=of',
        'indexTitle all "w7* of"',
        'indexTitle any "w1 agua"',
        'indexTitle="of w2"',
      ],
      ...[
        'indexTitle=apart',
        'indexTitle=many',
        'title=apart',
        'title all "w1 of"',
        'identifiers="ocolc"',
      ],
      ...[
        'contributors==/@primary=true w1*',
        'contributors==/@primary=false w1*',
        'title="w1 agua"',
      ],
      ...[
        'contributors=/@primary=true w1*',
        'contributors=/@primary=false w1*',
        'contributors any "w1 w7"',
      ],
      ...[
        'identifiers=978*',
        'identifiers=0000000012',
        'issn=0123',
        'keyword all "0123 of"',
        'series="series w1"',
      ],
      ...[
        'allTitles="w1 series"',
        'keyword="1234 9780000000123"',
        'indexTitle=the',
        'title="the apart"',
      ],
    ]),
  ).toBeGreaterThan(4_000);
  const forms =
    'select word_form, count(*)::int as count from instance where tenant_id = $1 group by 1 order by 1';
  expect(await world.rows(forms)).toEqual([
    { word_form: WORD_FORM.WHOLE, count: 1_998 },
    { word_form: WORD_FORM.DOUBTFUL, count: 2 },
  ]);
});

/** One whose index title has a word of its own, one with titles in other scripts, long ones; all contributors are primary but one. */
const OLD_ROWS = `
  with numbered as (select id, row_number() over (order by id) as place from source_record_storage.instance)
  update source_record_storage.instance as i set
    word_form = case place when 1 then 1 when 2 then 2 else 0 end,
    index_title = case place when 1 then 'apart' when 3 then $1 else index_title end,
    title = case place when 3 then 'The ' || $1 else title end,
    words = case when place = 1 then words || setweight('apart:900'::tsvector, 'A')
      when place = 4 then words || setweight('agua:900 w1:901'::tsvector, 'A')
      when place = 3 then source_record_storage.instance_words('The ' || $1, '', '', '') else words end,
    data = case place when 4 then data || '{"linkedTitles": ["Água, w1"]}'
      when 5 then jsonb_set(data, '{contributors,0,primary}', 'false') else data end
  from numbered where numbered.id = i.id`;
