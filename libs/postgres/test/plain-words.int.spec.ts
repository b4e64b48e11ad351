import { testDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import { TextFolding } from '../src/text-folding.js';
import { CQL_FUNCTIONS_SQL } from '../src/cql-functions.js';
import { plainWords } from '../src/plain-words.js';
import { VectorWriter, WordVector } from '../src/word-vectors.js';

let client: Client;
let database: Awaited<ReturnType<typeof testDatabase>>;
let folding: TextFolding;

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('create extension unaccent schema public');
  await client.query(CQL_FUNCTIONS_SQL);
  folding = await TextFolding.load({
    query: async <Row extends object>(sql: string) => (await client.query<Row>(sql)).rows,
  });
});
afterAll(async () => {
  await client.end();
  await database.close();
});

/** Undefined: not plain. */
function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  const sink = {
    word: (of: string, start: number, end: number) =>
      words.push(of.slice(start, end).toLowerCase()),
  };
  return plainWords(folding.plain(text), folding.kinds, sink) ? words : undefined;
}

/** Numbers from a seed, the same in every run: mulberry32. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Texts of the words of each text, by the server. */
async function parsed(texts: readonly string[]): Promise<string[][]> {
  const { rows } = await client.query<{ words: string[] | null }>(
    `select (select array_agg(w.lexeme order by p.place)
       from unnest(cql_words(t.text)) as w, unnest(w.positions) as p (place)) as words
     from unnest($1::text[]) with ordinality as t (text, place) order by t.place`,
    [texts],
  );
  return rows.map(({ words }) => words ?? []);
}

/** Each brings out other states of the parser. */
const ALPHABETS = [
  'abcde019 .-:/+_',
  'abcdefghijklmnopqrstuvwxyzABC 0123456789 .,-:/+ ',
  'ae1 -.',
  'ab12 .-/:?=#%&$!*()[]{}"\'|^`;,\\+_~@<>',
  'http://w.com/a?b=c#d ',
  '19e-.x ',
  'a1.:?=/ #%$',
  'a.-\'&"; ',
  'aé\u0301ßæ1«»‹ -½№',
  'абвЖЯёaB1 .-/:,—',
  'αΩאבשع漢字カな한ไท \ufe20-.',
];
const TEXTS = 1_500;

describe('plain words', () => {
  it.each(ALPHABETS)('of random text of %j are those of the parser', async (alphabet) => {
    const random = randomNumbers(alphabet.length);
    const chars = [...alphabet];
    const cases: [text: string, words: string[]][] = [];
    // Of some alphabets few texts are plain.
    for (let tries = 0; cases.length < TEXTS && tries < 50 * TEXTS; tries += 1) {
      const length = 1 + random(24);
      const text = Array.from({ length }, () => chars[random(chars.length)]!).join('');
      const words = wordsOf(text);
      if (words) cases.push([text, words]);
    }
    const expected = await parsed(cases.map(([text]) => text));
    expect(cases.map(([text, words]) => ({ text, words }))).toEqual(
      cases.map(([text], at) => ({ text, words: expected[at] })),
    );
  });

  it.each([
    ['The nod : a novel / Ann Lee.', 'the nod a novel ann lee'],
    ['Lee, Ann, 1970-1999.', 'lee ann 1970 -1999'],
    ['Tolkien, J.R.R., 1892-', 'tolkien j.r.r 1892'],
    ["O'Brien & sons", 'o brien sons'],
    ['Água viva «nova»', 'agua viva nova'],
    ['A\u0301gua', 'agua'],
    ['high-performance', 'high-performance high performance'],
    ['0022-0469', '0022 -0469'],
    ['2049-363X', '2049 -363 x'],
    ['(OCoLC)ocm12345', 'ocolc ocm12345'],
    ['AT_C7', 'at c7'],
    ['v.1 : $23.95 -- 2nd', 'v.1 23.95 2nd'],
    ['Straße', 'strasse'],
    ['I\ufe20U\ufe21lii\ufe20a\ufe21, πόλης', 'i\ufe20u\ufe21lii\ufe20a\ufe21 πολης'],
    ['Вода и Хлеб / Петров.', 'вода и хлеб петров'],
    ['傲慢與偏見 (小說)', '傲慢與偏見 小說'],
  ])('of %j are read without the parser', async (text, words) => {
    expect(wordsOf(text)?.join(' ')).toBe(words);
    expect((await parsed([text]))[0]?.join(' ')).toBe(words);
  });

  it.each(['a@b.example', '1e5d', 'a <b> c', 'and so on...', 'https://a.example/b', 'a/b/'])(
    'of %j are left to the parser',
    (text) => {
      expect(wordsOf(text)).toBeUndefined();
    },
  );
});

describe('folding', () => {
  it('is that of the server wherever it is known', async () => {
    const chars = Array.from({ length: 0xd7ff }, (_, at) => `x${String.fromCodePoint(at + 1)}Z`);
    const { rows } = await client.query<{ folded: string }>(
      'select fold(t.text) as folded from unnest($1::text[]) with ordinality as t (text, place) order by place',
      [chars],
    );
    const known = chars.flatMap((text, at) => {
      const folded = folding.fold(text);
      return folded === undefined ? [] : [{ text, folded, server: rows[at]?.folded }];
    });
    expect(known.length).toBeGreaterThan(50_000);
    expect(known.filter(({ folded, server }) => folded !== server)).toEqual([]);
    expect(folding.fold('Вода')).toBe('вода');
    expect(folding.fold('ΣΑΣ')).toBeUndefined();
    expect(folding.fold('𝔄')).toBeUndefined();
  });
});

describe('vectors', () => {
  /** As the server reads them. */
  async function read(array: VectorWriter): Promise<(string | null)[]> {
    const { rows } = await client.query<{ text: string | null }>(
      'select v::text as text from unnest($1::tsvector[]) with ordinality as a (v, place) order by place',
      [array.finish()],
    );
    return rows.map(({ text }) => text);
  }

  it('keep positions, prefixes of fields and gaps between elements', async () => {
    const vector = new WordVector(folding);
    const array = new VectorWriter();
    expect(vector.add('The ', 't:')).toBe(true);
    expect(vector.add('nod', 'u:')).toBe(true);
    vector.gap();
    expect(vector.add('Zoe É nod', 'c:')).toBe(true);
    vector.gap();
    expect(vector.add('', 'c:')).toBe(true);
    vector.gap();
    expect(vector.add('last nod', '')).toBe(true);
    array.add(vector);
    array.addNull();
    vector.clear();
    vector.addKey("isbn:0'1 x");
    vector.addKey("isbn:0'1 x");
    array.add(vector);
    vector.clear();
    array.add(vector);
    expect(await read(array)).toEqual([
      "'c:nod':6 'c:zoe':4 'c:é':5 'last':9 'nod':10 't:the':1 'u:nod':2",
      null,
      "'isbn:0''1 x'",
      '',
    ]);
  });

  it('say what they cannot hold', () => {
    const vector = new WordVector(folding);
    const repeated = 'nod '.repeat(254);
    expect(vector.add(repeated, '')).toBe(true);
    expect(vector.add('nod', '')).toBe(false);
    vector.clear();
    const many = Array.from({ length: 250 }, (_, at) => `w${at}`).join(' ');
    for (let at = 0; at < 65; at++) expect(vector.add(many, '')).toBe(true);
    expect(vector.add(many, '')).toBe(false);
    vector.clear();
    const words = Array.from({ length: 999 }, (_, at) => `w${at}`).join(' ');
    expect(vector.add(words, '')).toBe(true);
    expect(vector.add('w7 w8', '')).toBe(true);
    expect(vector.add('x y', '')).toBe(false);
    vector.clear();
    expect(vector.add('x'.repeat(500), '')).toBe(false);
    vector.clear();
    const keys = Array.from({ length: 1_002 }, (_, at) => vector.addKey(`id:${at}`));
    expect(keys.indexOf(false)).toBe(1_000);
    vector.clear();
    const long = Array.from({ length: 200 }, (_, at) => vector.addKey(`${at}`.padEnd(400)));
    expect(long.indexOf(false)).toBe(161);
  });

  it('hold as many as a chunk has', async () => {
    const vector = new WordVector(folding);
    const array = new VectorWriter();
    const texts = Array.from({ length: 2_000 }, (_, at) => `word${at} `.repeat(at % 20) + at);
    for (const text of texts) {
      vector.clear();
      expect(vector.add(text, '')).toBe(true);
      array.add(vector);
    }
    const { rows } = await client.query<{ text: string }>(
      'select cql_words(t.text)::text as text from unnest($1::text[]) with ordinality as t (text, place) order by place',
      [texts],
    );
    expect(await read(array)).toEqual(rows.map(({ text }) => text));
  });
});
