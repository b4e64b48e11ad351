import { CqlError } from '@quire/cql/errors';
import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { fastestMs } from '@quire/testing/fastest';
import { selectIds } from '../src/db/instance-ids.js';
import { bib } from './library.js';
import { RecordWorld } from './record-world.js';

/** Reliability, C11: any bytes at all give 200 or 400, nothing else. Numbers come from a seed, the same in every run. */
const SEED = 20_261_129;
const QUERIES = 400;
const COMPILED = 4_000;
/** For a query of legal size that is wrong (conventions, 17.10). */
const WRONG_MS_MAX = 50;

const INDEXES = [
  'id',
  'hrid',
  'title',
  'indexTitle',
  'keyword',
  'allTitles',
  'contributors',
  'contributors.name',
  'identifiers',
  'isbn',
  'issn',
  'oclc',
  'languages',
  'dates.date1',
  'publication.place',
  'subjects',
  'classifications',
  'source',
  'discoverySuppress',
  'staffSuppress',
  'deleted',
  'snapshotId',
  'metadata.updatedDate',
  'metadata.createdByUserId',
  'cql.allRecords',
  'cql.serverChoice',
  'titel',
  'tenant_id',
  '__proto__',
  'words',
  '"',
  '',
];
const RELATIONS = [
  '=',
  '==',
  '<>',
  '<',
  '>',
  '<=',
  '>=',
  'adj',
  'all',
  'any',
  'within',
  'exact',
  '',
  ' ',
];
const MODIFIERS = [
  '',
  '',
  '',
  '/respectCase',
  '/number',
  '/@primary=true',
  '/@type="ISBN"',
  '/@x<1',
  '/',
  '/@',
];
const TERMS = [
  'nod',
  '"the nod"',
  '*',
  '?',
  'a*b',
  '*a*a*a*a*a*',
  '""',
  '" "',
  '\\',
  '"\\"',
  '%',
  '_',
  "'",
  '$$',
  "x' or 1=1 --",
  '2026',
  '2026-13-45',
  '9999999999999',
  '1e400',
  'true',
  'ff',
  '[]',
  '["a"]',
  '[',
  '{}',
  '\u0000',
  '\ud800',
  '𝕏',
  'e\u0301',
  '\u202e',
  '()',
  '((((',
  '))',
  'and',
  'or not',
  'sortby',
  'prox',
  '>',
  '&',
  '|',
  '!',
  ':*',
  '<->',
];
const JOINTS = [
  ' and ',
  ' or ',
  ' not ',
  ' AND ',
  ' prox ',
  ' ',
  ' sortby ',
  ' sortBy title/sort.descending ',
  '(',
];

function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

function* queries(count: number): Generator<string> {
  const random = randomNumbers(SEED);
  const one = (list: readonly string[]): string => list[random(list.length)] ?? '';
  for (let made = 0; made < count; made += 1) {
    const clauses = Array.from({ length: 1 + random(4) }, () => {
      return `${one(INDEXES)}${one(RELATIONS)}${one(MODIFIERS)} ${one(TERMS)}${one(TERMS)}`;
    });
    const query = clauses.join(one(JOINTS));
    // Every third is cut or doubled somewhere.
    const at = random(query.length + 1);
    yield [query, query.slice(0, at), query.slice(at) + query][random(9) % 3] ?? query;
  }
}

describe('any text as a query', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    await world.send([bib('fu1', 'The nod'), bib('fu2', 'Água viva')]);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('is answered with 200 or 400, and the 400 says where', async () => {
    const answers = new Map<number, number>();
    for (const query of queries(QUERIES)) {
      const target = `/instance-bulk/ids?limit=1&query=${encodeURIComponent(query.toWellFormed())}`;
      const { status, text } = await world.get(target);
      answers.set(status, (answers.get(status) ?? 0) + 1);
      if (status === 400)
        expect([query, text]).toEqual([query, expect.stringMatching(/at column \d+: /)]);
      else expect([query, status, text]).toEqual([query, 200, text]);
    }
    // A fuzz that finds only faults, or none, tests half of it.
    expect(Math.min(answers.get(200) ?? 0, answers.get(400) ?? 0)).toBeGreaterThan(QUERIES / 20);
  });

  it.each(['%ff', '%c3%28', '%00', 'title%3D%ed%a0%80', '%f0%9f%92', '%e2%80%ae'])(
    'is answered with 200 or 400 when it has the bytes %s',
    async (bytes) => {
      for (const query of [bytes, `title=${bytes}`, `title==%22${bytes}%22`]) {
        const { status, text } = await world.get(`/instance-bulk/ids?limit=0&query=${query}`);
        expect([200, 400]).toContain(status);
        expect(text).not.toBe('');
      }
    },
  );

  it('is found wrong at once, however it is made', () => {
    const slow: string[] = [];
    for (const query of [...queries(COMPILED), ...HUGE]) {
      const ms = fastestMs(() => {
        compiled(query);
      }, WRONG_MS_MAX);
      if (ms > WRONG_MS_MAX) slow.push(query.slice(0, 100));
    }
    expect(slow).toEqual([]);
  });
});

/** As long as a query may be, or longer. */
const HUGE = [
  '('.repeat(8_000),
  `${'('.repeat(51)}a${')'.repeat(51)}`,
  'a '.repeat(4_000),
  'title=a or '.repeat(727),
  '"'.repeat(7_999),
  '\\'.repeat(8_000),
  '*'.repeat(8_000),
  `title==${'*a'.repeat(3_990)}`,
  'a'.repeat(8_001),
  `${'/@a=b'.repeat(1_500)} x`,
  `title sortby ${'title '.repeat(1_300)}`,
];

/** Compiles what can be compiled. */
function compiled(query: string): void {
  try {
    selectIds('INSTANCE', parseCql(query, URL_LIMITS));
  } catch (error) {
    if (!(error instanceof CqlError)) throw error;
  }
}
