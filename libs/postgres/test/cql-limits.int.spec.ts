import { CqlError } from '@quire/cql/errors';
import { BODY_LIMITS, parseCql, URL_LIMITS } from '@quire/cql/parser';
import type { CqlLimits } from '@quire/cql/parser';
import { testDatabase } from '@quire/testing/database';
import fc from 'fast-check';
import { Client } from 'pg';
import { CQL_FUNCTIONS_SQL } from '../src/cql-functions.js';
import { compileCql } from '../src/cql-where.js';
import { branch, BRANCH_TABLES } from './cql-branch.js';

const SEED = 20_261_125;

let client: Client;
let database: Awaited<ReturnType<typeof testDatabase>>;

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('create extension unaccent schema public');
  await client.query('create schema sample; set search_path = sample');
  await client.query(CQL_FUNCTIONS_SQL);
  await client.query(BRANCH_TABLES);
  await client.query(`insert into branch (sample, label, name, note, tags, people, opened, zip, stage, active)
    values ('x', 'one', 'Zeta', 'w1 w2 w3', '{en,de}', '[{"name": "Writer A", "lang": "english"}]',
            '2020-10-07T13:18Z', 12.5, 'OPEN', true), ('x', 'two', 'Eta', null, null, null, null, null, null, null)`);
});

afterAll(async () => {
  await client.end();
  await database.close();
});

/** Number of rows; `wrong` when the query was refused. Whatever the database says rises. */
async function run(text: string, limits: CqlLimits = URL_LIMITS): Promise<number | 'wrong'> {
  let sql: ReturnType<typeof compileCql>;
  const before = performance.now();
  try {
    sql = compileCql(parseCql(text, limits), branch);
  } catch (error) {
    if (!(error instanceof CqlError)) throw error;
    expect(performance.now() - before).toBeLessThan(50);
    return 'wrong';
  }
  const { where, orderBy, params } = sql;
  const found = await client.query(
    `select 1 from branch where ${where} order by ${orderBy}`,
    params,
  );
  return found.rowCount ?? 0;
}

const NAMES = [
  'name',
  'id',
  'regionId',
  'stage',
  'address.zip',
  'floors',
  'active',
  'opened',
  'tags',
  'people',
  'people.name',
  'contact.phones',
  'keyword',
  'region.name',
  'visit.reason',
  'visit.id',
  'country.id',
  'cql.allRecords',
  'nmae',
];
const RELATIONS = ['=', '==', '<>', '<', '<=', '>', '>=', ' any ', ' all ', ' adj '];
const MODIFIERS = [
  ...Array<string>(20).fill(''),
  '',
  '',
  '/number',
  '/respectCase',
  '/respectAccents',
  '/@name',
  '/@lang=english',
  '/@lang="*"',
  '/@name=""',
  '/masked',
];
const PIECES = [
  '*',
  '?',
  '\\*',
  '\\',
  '\\\\',
  '\\"',
  "'",
  "''",
  '%',
  '_',
  '$1',
  '$$',
  '&',
  '|',
  '!',
  '<->',
  ':*',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  '.',
  '-',
  '--',
  ' ',
  ' ',
  '  ',
  'en',
  'Zeta',
  'writer',
  'w1',
  '2020',
  '2020-10',
  '-07',
  'T13:18',
  '+02',
  '12',
  '1e5',
  '.5',
  'true',
  'OPEN',
  '11111111-',
  '[]',
  '[\\"en\\"]',
  '«',
  '》',
  '’',
  '＼',
  '％',
  '😀',
  'é',
  '\u0301',
  '\u202e',
  '\u00a0',
  '\u3000',
  'ß',
  'İ',
  '/',
  '<b>',
  'a@b.c',
  'http://x/y',
  "E'\\n'",
  '\u0001',
  '\uffff',
];

const clause = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom(...RELATIONS),
    fc.constantFrom(...MODIFIERS),
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...PIECES) },
        {
          weight: 1,
          arbitrary: fc
            .string({ unit: 'binary' })
            .map((text) => text.replaceAll('\0', '').replaceAll('"', '')),
        },
      ),
      { maxLength: 5 },
    ),
  )
  .map(
    ([name, relation, modifier, pieces]) => `${name}${relation}${modifier} "${pieces.join('')}"`,
  );

const sortKeys = fc
  .array(
    fc.tuple(
      fc.constantFrom(...NAMES),
      fc.constantFrom('', '/number', '/sort.descending', '/sort.missingLow'),
    ),
    { maxLength: 3 },
  )
  .map((keys) => (keys.length > 0 ? ` sortby ${keys.map((key) => key.join('')).join(' ')}` : ''));

describe('any query', () => {
  it('is refused, or runs without an error of the database', async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(clause, { minLength: 1, maxLength: 2 }),
        fc.constantFrom(' and ', ' or ', ' not '),
        sortKeys,
        async (clauses, operator, keys) => {
          if ((await run(clauses.join(operator) + keys)) !== 'wrong') ran += 1;
        },
      ),
      { seed: SEED, numRuns: 4_000 },
    );
    expect(ran).toBeGreaterThan(1_000);
  });

  it.each([
    [
      '200 clauses on every kind of index',
      Array.from({ length: 200 }, (_, at) => `${NAMES[at % 17] ?? ''}=a`).join(' or '),
    ],
    ['exploding masks', `name==${'*a'.repeat(3_000)}`],
    ['many words', `name all "${'w '.repeat(3_900)}"`],
    ['a long phrase', `note = "${'w '.repeat(3_900)}"`],
    ['many separators', `note = "${'w&'.repeat(3_900)}"`],
    ['many sort keys', `* sortby ${'name name/number '.repeat(400)}`],
    ['a deep JSON list', `tags==${'['.repeat(7_000)}`],
    ['a long number', `address.zip==${'9'.repeat(7_000)}`],
    ['a long name', `${'n'.repeat(7_900)}==x`],
  ])('of legal size in a URL is answered: %s', async (_name, text) => {
    await run(text);
  });

  it.each([
    [
      '2,000 alternating clauses',
      Array.from({ length: 2_000 }, (_, at) => `id<>x${at}${at % 2 ? ' and' : ' or'}`).join(' ') +
        ' a',
    ],
    [
      '2,000 negated clauses',
      'a' +
        Array.from({ length: 1_999 }, (_, at) => ` ${at % 2 ? 'not' : 'or'} name=${at}`).join(''),
    ],
    ['a phrase of 32,000 words', `note = "${'w '.repeat(32_000)}"`],
    [
      'one of 32,000 words',
      `note any "${Array.from({ length: 10_000 }, (_, at) => `w${at}`).join(' ')}"`,
    ],
    ['hyphens without a blank', `note = "${'w-'.repeat(32_000)}"`],
    ['commas without a blank', `note = "${'w,w-w;'.repeat(10_000)}"`],
    ['pieces of 2,000 characters', `note = "${('w-w,'.repeat(499) + ' ').repeat(32)}"`],
    ['one of 20,000 numbers', `address.zip any "${'12 1? '.repeat(10_000)}"`],
    ['one of 10,000 values', `stage any "${'OPEN '.repeat(10_000)}"`],
  ])('of legal size in a body is answered: %s', async (_name, text) => {
    await run(text, BODY_LIMITS);
  });

  it('treats SQL in terms as text', async () => {
    for (const term of [`x' OR 1=1 --`, `'); drop table branch; --`, '$$', 'pg_sleep(9)', `\\'`]) {
      expect(await run(`name=="${term}" or keyword="${term}" or region.name<>"${term}"`)).toBe(0);
    }
    expect(await run('name==Zeta')).toBe(1);
  });
});

describe('the compiled statement', () => {
  it('goes on with the numbers of the caller, and names its functions by schema when asked', () => {
    const params: unknown[] = ['tenant'];
    const query = parseCql('name==a and floors>1', URL_LIMITS);
    const sql = compileCql(query, branch, { params, schema: 'sam"ple' });
    expect(sql.where).toBe(
      '(("sam""ple".fold(branch.name) collate "C" = "sam""ple".fold($2::text)) and (branch.floors > $3::int8))',
    );
    expect(sql.orderBy).toBe('branch.id');
    expect(sql.params).toBe(params);
    expect(params).toEqual(['tenant', 'a', '1']);
  });

  it('lets everything pass without a query', () => {
    expect(compileCql(undefined, branch)).toEqual({
      where: '(true)',
      orderBy: 'branch.id',
      params: [],
    });
  });
});

describe('a very long value', () => {
  it('can be searched, although a tsvector could not hold its words', async () => {
    const note = Array.from({ length: 150_000 }, (_, at) => `word${at}`).join(' ');
    await client.query(`insert into branch (sample, label, status) values ('y', 'long', $1)`, [
      note,
    ]);
    expect(await run('status = word17')).toBe(1);
    expect(await run('status == *word149999')).toBe(1);
  });
});

describe('indexes', () => {
  it('serve comparison, truncation, order and words over the documented expressions', async () => {
    await client.query(`delete from branch where sample = 'y'`);
    await client.query(`create index on branch (fold(status) collate "C")`);
    await client.query(`create index on branch (cql_head(shelfmark) collate "C")`);
    await client.query(`create index on branch using gin (cql_words(status))`);
    await client.query(`insert into branch (sample, label, name, status, shelfmark)
      select 'z', g, 'n', 'Status ' || md5(g::text), md5(g::text) || repeat(' x', 5000) from generate_series(1, 5000) g`);
    await client.query('analyze branch');
    const plan = async (text: string): Promise<string> => {
      const { where, orderBy, params } = compileCql(parseCql(text, URL_LIMITS), branch);
      const sql = `explain select id from branch where ${where} order by ${orderBy} limit 5`;
      const rows = (await client.query<{ 'QUERY PLAN': string }>(sql, params)).rows;
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    expect(await plan('status == "Status c4ca*"')).toMatch(
      /Index.* on branch[^]*Index Cond[^]*~>=~|Index Cond: .*>= 'status c4ca/,
    );
    expect(await plan('status == "status x"')).toMatch(/Index Cond: .*= 'status x'/);
    expect(await plan('status > "status x"')).toMatch(/Index Cond: .*> 'status x'/);
    expect(await plan('status = c4ca4238a0b923820dcc509a6f75849b')).toMatch(
      /Index Cond: .*cql_words\(status\) @@/,
    );
    expect(await plan('cql.allRecords=1 sortby status')).toMatch(
      /Index Scan using branch_fold_idx/,
    );
    expect(
      await plan('id > 00000000-0000-0000-0000-000000000000 and cql.allRecords=1 sortby id'),
    ).toMatch(/Index (Only )?Scan using branch_pkey/);
    expect(await plan('shelfmark == c4ca*')).toMatch(/Index Cond: .*cql_head.*>= 'c4ca/);
    expect(await plan('shelfmark == c4ca')).toMatch(/Index Cond: .*cql_head.* = 'c4ca/);
    expect(await plan('shelfmark < 002')).toMatch(/Index Cond: .*cql_head.* <= '002/);
    expect(await plan('cql.allRecords=1 sortby shelfmark')).toMatch(/using branch_cql_head_idx/);
  });
});
