import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { ImportWorld } from './import-world.js';

const BASE = '/data-import-profiles/jobProfiles';
const SNAPSHOTS = '/data-import-profiles/profileSnapshots';
const NAMES = [
  'Default - Create Holdings and SRS MARC Holdings',
  'Default - Create instance and SRS MARC Bib',
  'Default - Create SRS MARC Authority',
  'Quire - Create MARC records',
  'Quire - Create or update MARC records',
];
const DEFAULT_ID = '36a83bc5-9fef-4baa-a36d-7a0f34351dfa';
const BIB_ID = 'e34d7b92-9b83-11eb-a8b3-0242ac130003';
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

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

  it('are searched and sorted by every field that section 2.4 names', async () => {
    for (const cql of [
      `id==${DEFAULT_ID}`,
      'name="create marc"',
      'description="every type"',
      'dataType==MARC and name="create marc"',
      'hidden==false and name="create marc"',
      'userInfo.userName==System and name="create marc"',
      'userInfo.firstName=="" and userInfo.lastName=="" and name="create marc"',
      'metadata.createdByUsername==System and name="create marc"',
      'metadata.updatedByUsername==System and name="create marc"',
      'metadata.createdDate>=2026-01-01 and name="create marc"',
      'metadata.updatedDate<2026-01-02 and name="create marc"',
      `metadata.createdByUserId==00000000-0000-0000-0000-000000000000 and name="create marc"`,
    ])
      expect([cql, await names(cql)]).toEqual([cql, [NAMES[3]]]);
    expect(await names('tags.tagList==urgent')).toEqual([]);
    expect(await names('id==x')).toEqual([]);
    const sorted = [NAMES[4], NAMES[2], NAMES[1], NAMES[0], NAMES[3]];
    expect(await names('cql.allRecords=1 sortBy description')).toEqual(sorted);
  });

  it('take no notice of a sort field that they do not have', async () => {
    expect(await names('cql.allRecords=1 sortBy colour')).toHaveLength(5);
  });

  it('are read one by one, in any case of the id', async () => {
    const { json } = await world.get(`${BASE}?query=id==${DEFAULT_ID}`);
    const one = await world.get(`${BASE}/${DEFAULT_ID.toUpperCase()}`);
    expect(one).toMatchObject({ status: 200, json: json.jobProfiles[0] });
  });

  it.each([BASE, SNAPSHOTS])('are not found under another id: %s', async (base) => {
    for (const id of [UNKNOWN_ID, 'x'])
      expect(await world.get(`${base}/${id}`)).toMatchObject({
        status: 404,
        text: `JobProfile with id '${id}' was not found`,
      });
  });

  it('come with the actions below them, under ids that never change', async () => {
    const { status, json } = await world.get(`${SNAPSHOTS}/${BIB_ID}?profileType=JOB_PROFILE`);
    expect(status).toBe(200);
    expect(json).toEqual({
      id: '5ba96c1e-ed1b-58a6-a857-7703e9fada7d',
      profileId: BIB_ID,
      contentType: 'JOB_PROFILE',
      content: (await world.get(`${BASE}/${BIB_ID}`)).json,
      childSnapshotWrappers: [
        {
          id: expect.any(String),
          profileId: expect.any(String),
          contentType: 'ACTION_PROFILE',
          order: 0,
          content: {
            id: json.childSnapshotWrappers[0].profileId,
            name: `${NAMES[1]}: CREATE MARC_BIBLIOGRAPHIC`,
            action: 'CREATE',
            folioRecord: 'MARC_BIBLIOGRAPHIC',
          },
          childSnapshotWrappers: [],
        },
      ],
    });
    // The web UI asks by the id of the wrapper.
    expect((await world.get(`${SNAPSHOTS}/${json.id}`)).json).toEqual(json);
  });

  it.each(['colour==red', 'name=='])('name the place where a query breaks: %s', async (cql) => {
    const { status, text } = await world.get(`${BASE}?query=${encodeURIComponent(cql)}`);
    expect(status).toBe(400);
    expect(text).toMatch(
      /^unable to list jobProfiles -- malformed parameter 'query', syntax error at column \d+: /,
    );
  });
});
