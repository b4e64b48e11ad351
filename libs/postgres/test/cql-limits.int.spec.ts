import { createHash } from 'node:crypto';
import { CqlError } from '@quire/cql/errors';
import { BODY_LIMITS, parseCql, URL_LIMITS } from '@quire/cql/parser';
import type { CqlLimits } from '@quire/cql/parser';
import { testDatabase } from '@quire/testing/database';
import fc from 'fast-check';
import { Client } from 'pg';
import type { CqlEntity } from '../src/cql-entity.js';
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
  try {
    sql = compileCql(parseCql(text, limits), branch);
  } catch (error) {
    if (!(error instanceof CqlError)) throw error;
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
      orderJoins: '',
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

describe('below row-level security', () => {
  /** A table as services have them: tenant first, folded values stored, words and tags found by a lookup. */
  const tables = `
    create role shelf_app; create role shelf_sys; grant usage on schema sample to shelf_app, shelf_sys;
    create table shelf (tenant_id text, id uuid default gen_random_uuid(), code text, title text, tags text[], size int,
      code_folded text generated always as (fold(code)) stored,
      title_head text generated always as (cql_head(title)) stored,
      words tsvector generated always as (cql_words(title)) stored,
      tags_folded text[] generated always as (fold_all(tags)) stored,
      primary key (tenant_id, id));
    create index shelf_code on shelf (tenant_id, code_folded collate "C");
    create index shelf_title on shelf (tenant_id, title_head collate "C");
    create index shelf_size on shelf (tenant_id, size);
    create index shelf_words on shelf using gin (words);
    create index shelf_tags on shelf using gin (tags_folded);
    alter table shelf enable row level security; alter table shelf force row level security;
    create policy app on shelf to shelf_app using (tenant_id = current_setting('app.tenant'));
    create policy sys on shelf to shelf_sys using (true);
    grant select on shelf to shelf_app, shelf_sys;
    create function shelf_by_words(wanted tsquery) returns setof uuid language sql stable security definer begin atomic
      select id from shelf where tenant_id = current_setting('app.tenant') and words @@ wanted; end;
    create function shelf_by_tag(wanted text) returns setof uuid language sql stable security definer begin atomic
      select id from shelf where tenant_id = current_setting('app.tenant') and tags_folded @> array[wanted]; end;
    grant create on schema sample to shelf_sys;
    alter function shelf_by_words owner to shelf_sys; alter function shelf_by_tag owner to shelf_sys;
    insert into shelf (tenant_id, code, title, tags, size)
      select 't' || g % 2, 'Code ' || md5(g::text), md5(g::text) || ' Título' || repeat(' x', 2000),
             array[md5((g / 10)::text)], g from generate_series(1, 4000) g;
    analyze shelf`;
  const key = 'shelf.id';
  const shelf: CqlEntity = {
    fields: {
      id: { type: 'uuid', sql: key },
      code: { type: 'text', sql: 'shelf.code', folded: 'shelf.code_folded' },
      title: {
        type: 'text',
        sql: 'shelf.title',
        head: 'shelf.title_head',
        words: { vector: 'shelf.words', lookup: { key, call: 'shelf_by_words' }, exact: true },
      },
      tags: { type: 'list', sql: 'shelf.tags', lookup: { key, call: 'shelf_by_tag' } },
      size: { type: 'number', sql: 'shelf.size', integer: true },
    },
  };
  const even = md5('2');
  const odd = md5('1');

  beforeAll(async () => {
    await client.query(tables);
    await client.query(`set role shelf_app; set app.tenant = 't0'`);
  });

  afterAll(async () => {
    await client.query(
      'reset role; drop owned by shelf_app, shelf_sys; drop role shelf_app, shelf_sys',
    );
  });

  async function rows(text: string, prefix = ''): Promise<string[]> {
    const params: unknown[] = ['t0'];
    const { where, orderBy } = compileCql(parseCql(text, URL_LIMITS), shelf, { params });
    const sql = `${prefix} select shelf.code from shelf where tenant_id = $1 and ${where} order by ${orderBy} limit 5`;
    const found = await client.query<Record<string, string>>(sql, params);
    return found.rows.map((row) => Object.values(row)[0] ?? '');
  }

  it.each([
    [
      `code == "code ${even}"`,
      1,
      /Scan.* shelf_code[^]*Index Cond: .*code_folded\)?(::text)? = 'code /,
    ],
    [
      `code == "Code ${even.slice(0, 12)}*"`,
      1,
      /Index Cond: .*code_folded.* >= 'code .* <= 'code /,
    ],
    [`code == "Código ${even}"`, 0, /Index Cond: .*code_folded.* = 'codigo /],
    [`code < "code 001"`, 1, /Index Cond: .*code_folded.* < 'code 001/],
    [`title == ${even.slice(0, 12)}*x`, 1, /Index Cond: .*title_head.* >= .* <= /],
    [`title == ${even}`, 0, /Index Cond: .*title_head.* = /],
    ['title < 003', 1, /Index Cond: .*title_head.* <= '003/],
    [`title = ${even}`, 1, /Function Scan on shelf_by_words/],
    [`title = "${even} titulo"`, 1, /Function Scan on shelf_by_words/],
    [`title = ${odd}`, 0, /Function Scan on shelf_by_words/],
    [`tags == ${md5('1')}`, 5, /Function Scan on shelf_by_tag/],
    ['size == 12', 1, /Index Cond: .*size = /],
    [
      'id > 00000000-0000-0000-0000-000000000000 and cql.allRecords=1 sortby id',
      5,
      /Index.* Scan.* shelf_pkey[^]*Index Cond: .*id > /,
    ],
  ])('an index serves %s', async (query, count, plan) => {
    expect(await rows(query)).toHaveLength(count);
    expect((await rows(query, 'explain')).join('\n')).toMatch(plan);
  });

  it('an index gives the order of a folded value', async () => {
    expect((await rows('cql.allRecords=1 sortby code', 'explain')).join()).toMatch(
      /Index Scan using shelf_code/,
    );
    expect((await rows('cql.allRecords=1 sortby title', 'explain')).join()).toMatch(
      /Index Scan using shelf_title/,
    );
  });
});

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
