import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { ImportWorld } from './import-world.js';

const BASE = '/data-import-profiles/jobProfiles';
const NAMES = [
  'Default - Create Holdings and SRS MARC Holdings',
  'Default - Create instance and SRS MARC Bib',
  'Default - Create SRS MARC Authority',
  'Quire - Create MARC records',
  'Quire - Create or update MARC records',
];

describe('the built-in job profiles', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const names = async (cql: string, rest = ''): Promise<string[]> => {
    const answer = await world.get(`${BASE}?query=${encodeURIComponent(cql)}${rest}`);
    expect(answer.status).toBe(200);
    return (answer.json.jobProfiles as { name: string }[]).map(({ name }) => name);
  };

  it('are listed by name, each with all that clients read', async () => {
    const { json } = await world.get(`${BASE}?limit=1000`);
    expect(Object.keys(json)).toEqual(['jobProfiles', 'totalRecords']);
    expect(json.totalRecords).toBe(5);
    expect((json.jobProfiles as { name: string }[]).map(({ name }) => name)).toEqual(NAMES);
    expect(json.jobProfiles[3]).toEqual({
      id: '36a83bc5-9fef-4baa-a36d-7a0f34351dfa',
      name: 'Quire - Create MARC records',
      description: expect.any(String),
      dataType: 'MARC',
      tags: { tagList: [] },
      userInfo: { firstName: '', lastName: '', userName: 'System' },
      parentProfiles: [],
      childProfiles: [],
      hidden: false,
      metadata: expect.objectContaining({ createdByUsername: 'System' }),
    });
  });

  it('are found as scripts and the web UI look for them', async () => {
    expect(await names('name=="Quire - Create MARC records"')).toEqual([NAMES[3]]);
    expect(
      await names('dataType==("MARC") AND id<>(e34d7b92-9b83-11eb-a8b3-0242ac130003)'),
    ).toEqual([NAMES[0], NAMES[2], NAMES[3], NAMES[4]]);
    expect(await names('name=authority')).toEqual([NAMES[2]]);
    expect(await names('name==nothing')).toEqual([]);
    expect(await names('cql.allRecords=1 sortBy name/sort.descending', '&limit=1')).toEqual([
      NAMES[4],
    ]);
    expect(await names('hidden==false', '&offset=4')).toEqual([NAMES[4]]);
  });

  it('are counted without a page, and not counted on demand', async () => {
    expect((await world.get(`${BASE}?limit=0`)).json).toEqual({ jobProfiles: [], totalRecords: 5 });
    expect((await world.get(`${BASE}?totalRecords=none`)).json).not.toHaveProperty('totalRecords');
  });

  it.each(['colour==red', 'name=='])('name the place where a query breaks: %s', async (cql) => {
    const { status, text } = await world.get(`${BASE}?query=${encodeURIComponent(cql)}`);
    expect(status).toBe(400);
    expect(text).toMatch(
      /^unable to list jobProfiles -- malformed parameter 'query', syntax error at column \d+: /,
    );
  });
});
