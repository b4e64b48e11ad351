import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  CURRENT,
  ImportWorld,
  OTHER_TENANT,
  SEED,
  TENANT,
  USER_ID,
  violationOf,
  type Answer,
} from './import-world.js';

const EXTENSIONS = '/data-import/fileExtensions';
const DEFAULTS = [
  ['.dat', '5cf7a0e5-f359-43f5-8c96-e5df74131183', ['MARC'], false],
  ['.edi', 'ebb05fe7-45d5-4eab-80cd-587bda42c7ca', ['EDIFACT'], false],
  ['.gif', '8d3a66b7-3a88-4f59-9d83-a50b020ac60a', [], true],
  ['.inv', 'f340c632-a8b0-4d07-9c2f-b913e82d23d5', ['EDIFACT'], false],
  ['.jpg', 'e6747033-7a8f-45a8-beba-21468dd554c7', [], true],
  ['.marc', '1df36889-4d3a-482e-a8c8-9c67b8245feb', ['MARC'], false],
  ['.mrc', 'f445092c-94b8-408a-a9f1-5edd8b5919c9', ['MARC'], false],
  ['.mrk', '0001886d-679b-4167-bcf6-9ba640929a8f', [], true],
  ['.ord', '8ffe5abc-a532-48cb-ab0e-827ea980154c', ['MARC'], false],
  ['.pdf', '9dff36d2-cb05-4483-80bc-40dbb57888e6', [], true],
  ['.png', '756800be-ec03-47b6-ace3-e62d1bd6c5dd', [], true],
  ['.xml', '6cf5568b-4d37-4d35-9116-e8a52120779d', ['MARC'], false],
  ['.zip', '8d15a305-5bf8-497f-b2ff-6cffda5f13cf', [], true],
] as const;
const MRC_ID = 'f445092c-94b8-408a-a9f1-5edd8b5919c9';

interface Shown {
  readonly id: string;
  readonly extension: string;
}

describe('file extensions', () => {
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

  beforeEach(() => restore());

  const restore = async (body: object = {}): Promise<Answer> => {
    const answer = await world.ask('POST', `${EXTENSIONS}/restore/default`, { body });
    expect(answer.status).toBe(200);
    return answer;
  };
  const list = async (query = ''): Promise<Answer['json']> =>
    (await world.get(`${EXTENSIONS}?limit=100&${query}`)).json;
  const names = (json: { fileExtensions: Shown[] }): string[] =>
    json.fileExtensions.map(({ extension }) => extension);
  const create = (body: object): Promise<Answer> => world.ask('POST', EXTENSIONS, { body });

  it('are the thirteen defaults in a new tenant, by extension', async () => {
    const { status, json } = await world.get(`${EXTENSIONS}?limit=100`, { tenant: OTHER_TENANT });
    expect(status).toBe(200);
    const at = '2019-01-01T11:22:07.000+00:00';
    const by = '00000000-0000-0000-0000-000000000000';
    expect(json).toEqual({
      fileExtensions: DEFAULTS.map(([extension, id, dataTypes, importBlocked]) => ({
        id,
        description: '',
        extension,
        dataTypes,
        importBlocked,
        userInfo: { firstName: '', lastName: '', userName: 'System' },
        metadata: {
          createdDate: at,
          createdByUserId: by,
          createdByUsername: 'System',
          updatedDate: at,
          updatedByUserId: by,
          updatedByUsername: 'System',
        },
      })),
      totalRecords: 13,
    });
    expect((await world.get(EXTENSIONS, { tenant: OTHER_TENANT })).json).toMatchObject({
      fileExtensions: { length: 10 },
      totalRecords: 13,
    });
  });

  it('that a tenant removed stay away when it is enabled again', async () => {
    await world.ask('DELETE', `${EXTENSIONS}/${MRC_ID}`);
    await world.isolated.enable(TENANT);
    expect(names(await list())).not.toContain('.mrc');
  });

  it('are made with an id, a place and the names of the caller', async () => {
    const { status, headers, json } = await create({
      id: randomUUID(),
      extension: '.lst',
      description: 'Lists',
      dataTypes: ['MARC', 'Delimited', 'MARC'],
      importBlocked: false,
      userInfo: { userName: 'somebody' },
    });
    expect(status).toBe(201);
    expect(headers['location']).toMatch(new RegExp(`${EXTENSIONS}/${json.id}$`));
    expect(json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      extension: '.lst',
      description: 'Lists',
      dataTypes: ['Delimited', 'MARC'],
      importBlocked: false,
      userInfo: { firstName: 'Ann', lastName: 'Archer', userName: 'ann' },
      metadata: {
        createdDate: json.metadata.createdDate,
        createdByUserId: USER_ID,
        createdByUsername: 'ann',
        updatedDate: json.metadata.createdDate,
        updatedByUserId: USER_ID,
        updatedByUsername: 'ann',
      },
    });
    expect((await world.get(`${EXTENSIONS}/${json.id}`)).json).toEqual(json);
  });

  it('have no data types unless some are sent', async () => {
    const { json } = await create({ extension: '.txt', importBlocked: true });
    expect(json).toMatchObject({ dataTypes: [] });
    expect(json).not.toHaveProperty('description');
  });

  it.each(['mrc', '.', '.a b', '.a.b', '', '.mrc ', '.é'])(
    'refuse what is no extension: %j',
    async (extension) => {
      const body = { extension, importBlocked: false };
      for (const answer of [
        await create(body),
        await world.ask('PUT', `${EXTENSIONS}/${MRC_ID}`, { body }),
      ])
        expect(violationOf(answer)).toMatchObject({
          message: `File extension ${extension} is not a valid format`,
          parameters: [{ key: 'extension', value: extension }],
        });
    },
  );

  it('are known once, in whatever case', async () => {
    expect(violationOf(await create({ extension: '.MRC', importBlocked: false }))).toMatchObject({
      message: 'File extension .MRC already exists',
      parameters: [{ key: 'extension', value: '.MRC' }],
    });
    const change = (extension: string): Promise<Answer> =>
      world.ask('PUT', `${EXTENSIONS}/${MRC_ID}`, { body: { extension, importBlocked: false } });
    expect(violationOf(await change('.Marc'))).toMatchObject({
      message: 'File extension .Marc already exists',
    });
    expect(names(await list())).toEqual(DEFAULTS.map(([extension]) => extension));
    // The row itself does not count.
    expect(await change('.MRC')).toMatchObject({ status: 200, json: { extension: '.MRC' } });
  });

  it('are given one place when two people send the same at once', async () => {
    const body = { extension: '.new', importBlocked: false };
    const answers = await Promise.all([create(body), create(body), create(body)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422]);
  });

  it('are changed as a whole, and keep who made them', async () => {
    const { json: before } = await world.get(`${EXTENSIONS}/${MRC_ID}`);
    const { status, json } = await world.ask('PUT', `${EXTENSIONS}/${MRC_ID}`, {
      body: { ...before, id: randomUUID(), description: undefined, importBlocked: true },
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: MRC_ID,
      extension: '.mrc',
      dataTypes: ['MARC'],
      importBlocked: true,
      userInfo: { userName: 'ann' },
      metadata: {
        createdDate: before.metadata.createdDate,
        createdByUsername: 'System',
        updatedByUserId: USER_ID,
        updatedByUsername: 'ann',
      },
    });
    expect(json).not.toHaveProperty('description');
    expect(json.metadata.updatedDate > before.metadata.updatedDate).toBe(true);
  });

  it.each([
    [{}, 'extension', 'may not be null'],
    [{ extension: '.a', importBlocked: null }, 'importBlocked', 'may not be null'],
    [{ extension: 1, importBlocked: true }, 'extension', 'must be a string'],
    [{ extension: '.a', importBlocked: 'maybe' }, 'importBlocked', 'must be a boolean'],
    [
      { extension: '.a', importBlocked: true, dataTypes: ['MARC', 'PDF'] },
      'dataTypes[1]',
      'must be one of [Delimited, EDIFACT, MARC]',
    ],
    [{ extension: '.a', importBlocked: true, dataTypes: 'MARC' }, 'dataTypes', 'must be an array'],
    [
      { extension: '.a', importBlocked: true, metadata: {} },
      'metadata.createdDate',
      'may not be null',
    ],
    [
      { extension: '.a', importBlocked: true, colour: 'red' },
      'colour',
      'Unrecognized field "colour"',
    ],
  ])('refuse a body that breaks the schema: %j', async (body, key, message) => {
    const { status, json } = await create(body);
    expect(status).toBe(422);
    expect(json.errors).toContainEqual({
      message: expect.stringContaining(message),
      type: '1',
      code: '-1',
      parameters: [{ key, value: expect.any(String) }],
    });
  });

  it('that nobody knows are 404, and 400 where one is to be changed and the id is none', async () => {
    const unknown = randomUUID();
    const body = { extension: '.a', importBlocked: false };
    const ask = async (id: string): Promise<[number, string][]> => {
      const path = `${EXTENSIONS}/${id}`;
      const answers = [
        await world.get(path),
        await world.ask('PUT', path, { body }),
        await world.ask('DELETE', path),
      ];
      return answers.map(({ status, text }) => [status, text]);
    };
    const text = (id: string): string => `FileExtension with id '${id}' was not found`;
    expect(await ask(unknown)).toEqual([
      [404, text(unknown)],
      [404, text(unknown)],
      [404, text(unknown)],
    ]);
    const [read, ...changes] = await ask('abc');
    expect(read).toEqual([404, text('abc')]);
    expect(changes.map(([status]) => status)).toEqual([400, 400]);
  });

  it("of one tenant are nobody else's", async () => {
    const { json } = await create({ extension: '.own', importBlocked: false });
    const elsewhere = { tenant: OTHER_TENANT };
    expect((await world.get(`${EXTENSIONS}/${json.id}`, elsewhere)).status).toBe(404);
    expect((await world.ask('DELETE', `${EXTENSIONS}/${json.id}`, elsewhere)).status).toBe(404);
    expect((await world.get(`${EXTENSIONS}/${json.id}`)).status).toBe(200);
  });

  it('are removed', async () => {
    expect(await world.ask('DELETE', `${EXTENSIONS}/${MRC_ID}`)).toMatchObject({
      status: 204,
      text: '',
    });
    expect((await world.get(`${EXTENSIONS}/${MRC_ID}`)).status).toBe(404);
  });

  it('are the defaults again when those are restored, whatever the body says', async () => {
    await create({ extension: '.own', importBlocked: false });
    await world.ask('DELETE', `${EXTENSIONS}/${MRC_ID}`);
    const { json } = await restore({ anything: ['at', 'all'] });
    expect(names(json)).toEqual(DEFAULTS.map(([extension]) => extension));
    expect(json.totalRecords).toBe(13);
    expect(await list()).toEqual(json);
    expect((await world.ask('POST', `${EXTENSIONS}/restore/default`)).status).toBe(200);
  });

  it('are the defaults for each of many who restore them at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => restore()));
    for (const { json } of answers) expect(json).toEqual(answers[0]?.json);
    expect(answers[0]?.json).toMatchObject({ totalRecords: 13 });
  });

  it.each([
    ['extension==".MRC"', ['.mrc']],
    [
      'importBlocked==true sortBy extension/sort.descending',
      ['.zip', '.png', '.pdf', '.mrk', '.jpg', '.gif'],
    ],
    ['dataTypes==EDIFACT', ['.edi', '.inv']],
    ['id==f445092c-94b8-408a-a9f1-5edd8b5919c9 or id==abc', ['.mrc']],
    ['extension==".m*" and importBlocked==false', ['.marc', '.mrc']],
    [
      'userInfo.userName==system and metadata.createdDate<2020-01-01 and extension==".d?t"',
      ['.dat'],
    ],
  ])('are found by %s', async (query, found) => {
    expect(names(await list(`query=${encodeURIComponent(query)}`))).toEqual(found);
  });

  it('come by pages, with the count that was asked for', async () => {
    const page = (query: string): Promise<Answer> => world.get(`${EXTENSIONS}?${query}`);
    expect((await page('limit=2&offset=1')).json).toMatchObject({
      fileExtensions: [{ extension: '.edi' }, { extension: '.gif' }],
      totalRecords: 13,
    });
    expect((await page('limit=0')).json).toEqual({ fileExtensions: [], totalRecords: 13 });
    expect((await page('offset=50')).json).toEqual({ fileExtensions: [], totalRecords: 13 });
    expect((await page('limit=1&totalRecords=none')).json).not.toHaveProperty('totalRecords');
    expect(await page('totalRecords=some')).toMatchObject({
      status: 400,
      text: `'totalRecords' parameter is incorrect. parameter value {some} is not valid: must match "exact|estimated|none|auto"`,
    });
    expect((await page('query=colour==red')).text).toMatch(
      /^unable to list fileExtensions -- malformed parameter 'query', syntax error at column 1: /,
    );
  });

  it('block files by their last extension, in both families, and only while they are marked', async () => {
    const statusOf = async (name: string): Promise<number[]> => {
      const body = { fileDefinitions: [{ name }] };
      const of = async (path: string): Promise<number> =>
        (await world.ask('POST', path, { body })).status;
      return [await of(SEED), await of(CURRENT)];
    };
    const taken = [201, 201];
    const refused = [422, 422];
    for (const name of ['a.Pdf', 'a.mrc.zip', 'dir.mrc/a.png'])
      expect([name, await statusOf(name)]).toEqual([name, refused]);
    for (const name of ['a.mrc', 'a', '.pdf', 'a.unknown', 'a.pdf.mrc', 'a.edi', 'a.'])
      expect([name, await statusOf(name)]).toEqual([name, taken]);
    await create({ extension: '.unknown', importBlocked: true });
    expect(await statusOf('a.unknown')).toEqual(refused);
    const { json } = await world.get(`${EXTENSIONS}?query=extension==.pdf`);
    await world.ask('PUT', `${EXTENSIONS}/${json.fileExtensions[0].id}`, {
      body: { ...json.fileExtensions[0], importBlocked: false },
    });
    expect(await statusOf('a.pdf')).toEqual(taken);
    await world.ask('DELETE', `${EXTENSIONS}/8d15a305-5bf8-497f-b2ff-6cffda5f13cf`);
    expect(await statusOf('a.zip')).toEqual(taken);
  });
});

describe('what the web UI asks first', () => {
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

  it('is whether files are sent in parts, which the tenant sets', async () => {
    const splitStatus = async (tenant = TENANT): Promise<unknown> =>
      (await world.get('/data-import/splitStatus', { tenant })).json;
    expect(await splitStatus()).toEqual({ splitStatus: false });
    await world.ask('PUT', '/data-import/settings/LARGE_FILE_UPLOAD', { body: { value: true } });
    expect(await splitStatus()).toEqual({ splitStatus: true });
    expect(await splitStatus(OTHER_TENANT)).toEqual({ splitStatus: false });
  });

  it('is which types of data there are', async () => {
    expect((await world.get('/data-import/dataTypes')).text).toBe(
      '{"dataTypes":["Delimited","EDIFACT","MARC"],"totalRecords":3}',
    );
  });
});
