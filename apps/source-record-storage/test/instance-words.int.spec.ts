import { CQL_FUNCTIONS_SQL } from '@quire/postgres/cql-functions';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import fc from 'fast-check';
import { Client } from 'pg';
import { searchColumns, WORD_FORM } from '../src/domain/instance-words.js';

/** Whatever means something to the parser of words, and what unaccent makes such. */
const PIECES = [
  ...[
    '<',
    '>',
    '</',
    '/>',
    '<b>',
    '<!--',
    '-->',
    '<1998- >',
    '"',
    "'",
    '’',
    '«',
    '»',
    '＜',
    '≤',
    '&',
    '&amp;',
    '&#39;',
  ],
  ...[
    '-',
    '--',
    '+',
    '.',
    '..',
    ',',
    ';',
    ':',
    '/',
    '//',
    '://',
    '=',
    '?',
    '@',
    '#',
    '%',
    '_',
    '~',
    '(',
    ')',
    '\\',
    '|',
  ],
  ...[
    'http://',
    'a.b.c',
    'x@y.org',
    'www.x.org/y?z',
    'foo/bar',
    '1.5',
    '-5',
    '1e5',
    '12x',
    'v1.2.3',
    'e-mail',
    'ab-cd-ef',
  ],
  ...[
    'Lee',
    'nod',
    'Água',
    'Вода',
    '水',
    '½',
    '№',
    'ß',
    'é',
    '\u0301',
    '\u00a0',
    '\u200f',
    ' ',
    ' ',
    ' ',
    ' ',
    ' ',
    ' ',
  ],
];
const element = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join(''));

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('create extension unaccent schema public');
  await client.query(CQL_FUNCTIONS_SQL);
  await client.query(
    `create aggregate joined(tsvector) (sfunc = tsvector_concat, stype = tsvector, initcond = '')`,
  );
});

afterAll(async () => {
  await client.end();
  await database.close();
});

it('elements joined have the words that they have alone, and no phrase spans two of them', async () => {
  const rows = fc.sample(fc.array(element, { minLength: 1, maxLength: 5 }), {
    numRuns: 20_000,
    seed: 20_261_129,
  });
  const plain = rows.flatMap((names) => {
    const contributors = names.map((name) => {
      return { name, nameType: 'Personal name', primary: false } as const;
    });
    const { texts, form } = searchColumns({
      title: undefined,
      indexTitle: undefined,
      data: { contributors },
    });
    return form === WORD_FORM.DOUBTFUL ? [] : [{ names, text: texts[0]?.slice(2) }];
  });
  expect(plain.length).toBeGreaterThan(3_000);
  // Alone: each element behind the last word of the one before, and one place for the gap.
  const { rows: wrong } = await client.query(
    `select item ->> 'text' as text from jsonb_array_elements($1::jsonb) as item
     where ts_delete(cql_words(item ->> 'text'), 'zzgapzz') is distinct from (
       select ts_delete(joined(cql_words(name) || cql_words('zzgapzz') order by place), 'zzgapzz')
       from jsonb_array_elements_text(item -> 'names') with ordinality as one(name, place))`,
    [JSON.stringify(plain)],
  );
  expect(wrong).toEqual([]);
});
