import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { ObjectNotFound } from '@quire/object-store/object-store';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import {
  CURRENT,
  ImportWorld,
  OTHER_TENANT,
  OTHER_USER_ID,
  SEED,
  USER_ID,
  violationOf,
  type Answer,
} from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
const UUID =
  '^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$';

/** Data-import, 3.2 and 3.6: the rows by which the current family differs from the seed's, on one aggregate. */
describe('upload definitions of the current family', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url, { fileBytesMax: 10_000 });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const read = async (id: string): Promise<Answer['json']> =>
    (await world.get(`${CURRENT}/${id}`)).json;
  const statusOfJob = async (id: string): Promise<string> => String((await world.job(id)).status);
  const create = async (...names: string[]): Promise<Answer['json']> => {
    const body = { fileDefinitions: names.map((name) => ({ name })) };
    return (await world.ask('POST', CURRENT, { body })).json;
  };

  describe('listed', () => {
    const list = (query: string, userId = USER_ID): Promise<Answer> =>
      world.get(`${CURRENT}?${query}`, { userId });
    const asking = (query: string): string => `query=${encodeURIComponent(query)}`;
    const idsOf = ({ json }: Answer): string[] =>
      (json.uploadDefinitions as { id: string }[]).map(({ id }) => id);

    it('are those of all users without a query, and of the caller with one', async () => {
      const own = await create('own.mrc');
      const body = { fileDefinitions: [{ name: 'other.mrc' }] };
      const other = (await world.ask('POST', CURRENT, { body, userId: OTHER_USER_ID })).json;
      for (const query of ['limit=2', 'limit=2&query=', 'limit=2&query=%20%20'])
        expect(idsOf(await list(query))).toEqual([other.id, own.id]);
      expect(idsOf(await list(asking('cql.allRecords=1')))).toContain(own.id);
      expect(idsOf(await list(asking('cql.allRecords=1')))).not.toContain(other.id);
      expect(idsOf(await list(asking('cql.allRecords=1'), OTHER_USER_ID))).toEqual([other.id]);
    });

    it('never show what others made, however the query is written', async () => {
      const body = { fileDefinitions: [{ name: 'other.mrc' }] };
      const other = (await world.ask('POST', CURRENT, { body, userId: OTHER_USER_ID })).json;
      for (const query of [
        `id==${other.id}`,
        `status==LOADED or id==${other.id}`,
        `id==${other.id} or cql.allRecords=1`,
        `metadata.createdByUserId==${OTHER_USER_ID}`,
      ])
        expect([query, idsOf(await list(asking(query)))]).toEqual([
          query,
          expect.not.arrayContaining([other.id]),
        ]);
    });

    it('answer the question by which the web UI finds the latest draft', async () => {
      await create('a.mrc');
      const latest = await create('b.mrc');
      const query =
        '(status==("NEW" OR "IN_PROGRESS" OR "LOADED")) sortBy createdDate/sort.descending';
      expect((await list(`${asking(query)}&limit=1`)).json).toMatchObject({
        uploadDefinitions: [latest],
        totalRecords: expect.any(Number),
      });
    });

    it('are counted as asked, with the list before the count', async () => {
      const { json, text } = await list('limit=1&totalRecords=exact');
      expect(Object.keys(JSON.parse(text) as object)).toEqual([
        'uploadDefinitions',
        'totalRecords',
      ]);
      expect((await list('limit=0')).json).toEqual({
        uploadDefinitions: [],
        totalRecords: json.totalRecords,
      });
      expect((await list('limit=1&totalRecords=none')).json).not.toHaveProperty('totalRecords');
      expect((await list('totalRecords=maybe')).status).toBe(400);
      // The seed family knows no such parameter, and always counts.
      expect((await world.get(`${SEED}?limit=1&totalRecords=none`)).json).toMatchObject({
        totalRecords: json.totalRecords,
      });
      expect((await world.get(`${SEED}?totalRecords=maybe`)).status).toBe(200);
    });

    it('skip an unknown sort field and refuse an unknown index by the name of the collection', async () => {
      expect((await list(asking('cql.allRecords=1 sortBy colour'))).status).toBe(200);
      expect(await list(asking('colour==red'))).toMatchObject({
        status: 400,
        text: expect.stringMatching(
          /^unable to list uploadDefinitions -- malformed parameter 'query', syntax error at column 1: /,
        ),
      });
    });
  });

  describe('changed by PUT', () => {
    const put = (id: string, body: object, userId = USER_ID): Promise<Answer> =>
      world.ask('PUT', `${CURRENT}/${id}`, { body, userId });

    it('keep their files, whatever is sent, and note who changed them', async () => {
      const made = await create('a.mrc', 'b.mrc');
      const { status, json } = await put(
        made.id,
        {
          ...made,
          id: randomUUID(),
          metaJobExecutionId: randomUUID(),
          createDate: '2001-01-01T00:00:00',
          fileDefinitions: [{ name: 'c.mrc', status: 'UPLOADED' }],
        },
        OTHER_USER_ID,
      );
      expect(status).toBe(200);
      expect(json).toEqual({ ...made, metadata: json.metadata });
      expect(json.metadata).toMatchObject({
        createdDate: made.metadata.createdDate,
        createdByUserId: USER_ID,
        updatedByUserId: OTHER_USER_ID,
      });
      expect(json.metadata.updatedDate > made.metadata.updatedDate).toBe(true);
      expect(await read(made.id)).toEqual(json);
    });

    it('show a status as a label that starts nothing, until the next event of a file', async () => {
      const { id, fileDefinitions } = await create('a.mrc', 'b.mrc');
      for (const status of ['COMPLETED', 'ERROR', 'LOADED', 'IN_PROGRESS'])
        expect((await put(id, { status })).json.status).toBe(status);
      expect(await statusOfJob(fileDefinitions[0].jobExecutionId)).toBe('NEW');
      await put(id, { status: 'ERROR' });
      expect((await world.read(id)).status).toBe('NEW');
      await world.upload({ id, fileId: fileDefinitions[0].id, jobId: '' }, RECORD);
      expect((await read(id)).status).toBe('IN_PROGRESS');
    });

    it('stay completed once processing has started', async () => {
      const drafted = await world.start(RECORD);
      expect((await put(drafted.id, { status: 'NEW' })).json.status).toBe('COMPLETED');
    });
  });

  describe('deleted', () => {
    const remove = (id: string, tenant?: string): Promise<Answer> =>
      world.ask('DELETE', `${CURRENT}/${id}`, tenant === undefined ? {} : { tenant });

    it('take their jobs and bytes with them', async () => {
      const { id, fileDefinitions } = await create('a.mrc', 'b.mrc');
      const [first, second] = fileDefinitions;
      await world.uploadTo(id, first.id, RECORD);
      const key = await world.objectOf(first.id);
      expect(await remove(id)).toMatchObject({ status: 204, text: '' });
      expect((await world.get(`${CURRENT}/${id}`)).status).toBe(404);
      expect((await world.get(`${SEED}/${id}`)).status).toBe(404);
      for (const { jobExecutionId } of [first, second])
        expect(await statusOfJob(jobExecutionId)).toBe('DISCARDED');
      await expect(world.isolated.store.get(key)).rejects.toThrow(ObjectNotFound);
      await world.expectNoIntents();
      expect(await remove(id)).toMatchObject({
        status: 404,
        text: `UploadDefinition with id '${id}' was not found`,
      });
    });

    it('may have no file', async () => {
      const { id } = await create();
      expect((await remove(id)).status).toBe(204);
    });

    it('are refused as soon as one job has begun, and lose nothing then', async () => {
      const { id, fileDefinitions } = await create('a.mrc', 'b.mrc');
      await world.uploadTo(id, fileDefinitions[0].id, RECORD);
      expect((await world.process({ id })).status).toBe(204);
      expect(await remove(id)).toMatchObject({
        status: 400,
        text: `Cannot delete uploadDefinition ${id} - linked files are already being processed`,
      });
      expect((await read(id)).fileDefinitions).toHaveLength(2);
      expect(await statusOfJob(fileDefinitions[1].jobExecutionId)).toBe('NEW');
    });

    it('give up an upload that is running', async () => {
      const drafted = await world.draft();
      let goOn: () => void = () => undefined;
      const gone = new Promise<void>((resolve) => (goOn = resolve));
      async function* slowly(): AsyncGenerator<Buffer> {
        yield RECORD.subarray(0, 20);
        await gone;
        yield RECORD.subarray(20);
      }
      const upload = world.upload(drafted, Readable.from(slowly()));
      const uploads = (): Promise<object[]> =>
        world.rows('select from file_upload where tenant_id = $1 and file_id = $2', [
          drafted.fileId,
        ]);
      while ((await uploads()).length === 0);
      expect((await remove(drafted.id)).status).toBe(204);
      goOn();
      expect(await upload).toMatchObject({
        status: 404,
        text: `Upload Definition was not found. ID: ${drafted.id}`,
      });
      expect(await uploads()).toEqual([]);
      await world.expectNoIntents();
    });
  });

  describe('with a file more or less', () => {
    const add = (id: string, body: object): Promise<Answer> =>
      world.ask('POST', `${CURRENT}/${id}/files`, { body });
    const remove = (id: string, fileId: string): Promise<Answer> =>
      world.ask('DELETE', `${CURRENT}/${id}/files/${fileId}`);

    it('have the new one at the end, as the path says', async () => {
      const { id, fileDefinitions } = await create('a.mrc');
      await world.uploadTo(id, fileDefinitions[0].id, RECORD);
      const file = { name: 'b.mrc', uiKey: 'b1', size: 3 };
      const { status, headers, json } = await add(id, { ...file, uploadDefinitionId: id });
      expect(status).toBe(201);
      expect(headers['location']).toMatch(new RegExp(`${CURRENT}/${id}$`));
      expect(json.status).toBe('IN_PROGRESS');
      expect(json.fileDefinitions[1]).toEqual({
        ...file,
        id: expect.any(String),
        status: 'NEW',
        jobExecutionId: expect.any(String),
        uploadDefinitionId: id,
        createDate: expect.any(String),
      });
      expect((await add(id, { name: 'c.mrc' })).json.fileDefinitions).toHaveLength(3);
      expect(await add(id, { name: 'd.mrc', uploadDefinitionId: randomUUID() })).toMatchObject({
        status: 400,
        text: 'Upload definition id in body and path differ',
      });
      expect((await read(id)).fileDefinitions).toHaveLength(3);
    });

    it('show for every file what the web UI looks for after an upload', async () => {
      const body = {
        fileDefinitions: [
          { name: 'a.mrc', uiKey: 'a1', size: 9 },
          { name: 'b.mrc', uiKey: 'b1' },
        ],
      };
      const made = (await world.ask('POST', CURRENT, { body })).json;
      const [first] = made.fileDefinitions;
      const { status, json } = await world.upload(
        { id: made.id, fileId: first.id, jobId: '' },
        RECORD,
      );
      expect(status).toBe(200);
      expect(json).toMatchObject({
        id: made.id,
        status: 'IN_PROGRESS',
        fileDefinitions: [
          { uiKey: 'a1', status: 'UPLOADED', uploadedDate: expect.any(String), size: 1 },
          { uiKey: 'b1', status: 'NEW' },
        ],
      });
    });

    it.each([
      ['blocked', 'scan.PDF', 'validation.uploadDefinition.fileExtension.blocked'],
      ['nameless', '', 'may not be empty'],
    ])('refuse one that is %s', async (_, name, message) => {
      const { id } = await create('a.mrc');
      for (const answer of [
        await add(id, { name }),
        await world.ask('POST', `${SEED}/file`, { body: { name, uploadDefinitionId: id } }),
      ])
        expect(violationOf(answer)).toMatchObject({ message, parameters: [{ key: 'name' }] });
      expect((await read(id)).fileDefinitions).toHaveLength(1);
    });

    it('get none once processing has started', async () => {
      const { id } = await world.start(RECORD);
      expect(await add(id, { name: 'b.mrc' })).toMatchObject({
        status: 400,
        text: `Cannot add file to uploadDefinition ${id} - linked files are already being processed`,
      });
    });

    it('lose the one that is removed, its job and its bytes, and are loaded when the rest is', async () => {
      const { id, fileDefinitions } = await create('a.mrc', 'b.mrc');
      const [first, second] = fileDefinitions;
      await world.uploadTo(id, first.id, RECORD);
      expect(await remove(id, second.id)).toMatchObject({ status: 204, text: '' });
      expect(await read(id)).toMatchObject({
        status: 'LOADED',
        fileDefinitions: [{ id: first.id }],
      });
      expect(await statusOfJob(second.jobExecutionId)).toBe('DISCARDED');
      const key = await world.objectOf(first.id);
      expect((await remove(id, first.id)).status).toBe(204);
      expect(await read(id)).toMatchObject({ status: 'NEW', fileDefinitions: [] });
      await expect(world.isolated.store.get(key)).rejects.toThrow(ObjectNotFound);
    });

    it('leave a job that runs alone when its file goes, with its bytes', async () => {
      const drafted = await world.start(RECORD);
      const key = await world.objectOf(drafted.fileId);
      expect((await remove(drafted.id, drafted.fileId)).status).toBe(204);
      expect(await read(drafted.id)).toMatchObject({ status: 'COMPLETED', fileDefinitions: [] });
      expect(await statusOfJob(drafted.jobId)).toBe('PARSING_IN_PROGRESS');
      expect(await world.isolated.store.stat(key)).toBeDefined();
    });

    it('say what is not there', async () => {
      const { id, fileDefinitions } = await create('a.mrc');
      const unknown = randomUUID();
      const definition = { status: 404, text: `Upload Definition was not found. ID: ${unknown}` };
      expect(await add(unknown, { name: 'a.mrc' })).toMatchObject(definition);
      expect(await remove(unknown, fileDefinitions[0].id)).toMatchObject(definition);
      expect(await world.ask('PUT', `${CURRENT}/${unknown}`, { body: {} })).toMatchObject(
        definition,
      );
      expect(await remove(id, unknown)).toMatchObject({
        status: 404,
        text: `FileDefinition with id '${unknown}' was not found`,
      });
      // A file of another definition is none of this one.
      const other = await create('b.mrc');
      expect((await remove(id, other.fileDefinitions[0].id)).status).toBe(404);
      expect((await world.uploadTo(id, other.fileDefinitions[0].id, RECORD)).status).toBe(404);
    });

    it('refuse an id that is none where something is to be changed', async () => {
      const { id } = await create('a.mrc');
      for (const answer of [
        await add('abc', { name: 'a.mrc' }),
        await remove('abc', randomUUID()),
        await remove(id, 'abc'),
        await world.ask('PUT', `${CURRENT}/abc`, { body: {} }),
        await world.ask('DELETE', `${CURRENT}/abc`),
        await world.ask('POST', `${CURRENT}/${id}/files/abc`, { bytes: RECORD }),
      ])
        expect(answer).toMatchObject({
          status: 400,
          text: expect.stringMatching(/^Invalid UUID format of id, should be /),
        });
    });

    it('belong to their tenant', async () => {
      const { id, fileDefinitions } = await create('a.mrc');
      const tenant = OTHER_TENANT;
      for (const answer of [
        await world.ask('POST', `${CURRENT}/${id}/files`, { tenant, body: { name: 'b.mrc' } }),
        await world.ask('DELETE', `${CURRENT}/${id}/files/${fileDefinitions[0].id}`, { tenant }),
        await world.ask('PUT', `${CURRENT}/${id}`, { tenant, body: {} }),
        await world.ask('DELETE', `${CURRENT}/${id}`, { tenant }),
      ])
        expect(answer.status).toBe(404);
      expect((await read(id)).fileDefinitions).toHaveLength(1);
    });
  });

  describe('with a declared size', () => {
    it('are refused when it is larger than files may be', async () => {
      const at = (size: number): object => ({
        fileDefinitions: [{ name: 'a.mrc' }, { name: 'b.mrc', size }],
      });
      expect((await world.ask('POST', CURRENT, { body: at(10) })).status).toBe(201);
      expect(violationOf(await world.ask('POST', CURRENT, { body: at(11) }))).toEqual({
        message: 'upload.fileSize.invalid',
        type: 'error',
        code: 'b.mrc',
        parameters: [{ key: 'fileDefinitions[1].size', value: 'b.mrc' }],
      });
      const { id } = await create('a.mrc');
      expect(
        violationOf(
          await world.ask('POST', `${CURRENT}/${id}/files`, { body: { name: 'b.mrc', size: 11 } }),
        ),
      ).toMatchObject({ code: 'b.mrc', parameters: [{ key: 'size' }] });
    });
  });

  describe('of a thousand files', () => {
    const names = (count: number): { name: string }[] =>
      Array.from({ length: count }, (_, index) => ({ name: `${index}.mrc` }));

    it('are taken, and with one more they are not', async () => {
      const { status, json } = await world.ask('POST', SEED, {
        body: { fileDefinitions: names(1000) },
      });
      expect(status).toBe(201);
      const one = { name: 'one.mrc' };
      const refused = {
        message: 'size must be between 0 and 1000',
        type: '1',
        code: '-1',
      };
      for (const [answer, key] of [
        [
          await world.ask('POST', SEED, { body: { fileDefinitions: [...names(1000), one] } }),
          'fileDefinitions[1000].name',
        ],
        [
          await world.ask('POST', CURRENT, { body: { fileDefinitions: [...names(1000), one] } }),
          'fileDefinitions[1000].name',
        ],
        [
          await world.ask('PUT', `${SEED}/${json.id}`, {
            body: { fileDefinitions: [...names(1000), one] },
          }),
          'fileDefinitions[1000].name',
        ],
        [
          await world.ask('POST', `${SEED}/file`, {
            body: { ...one, uploadDefinitionId: json.id },
          }),
          'name',
        ],
        [await world.ask('POST', `${CURRENT}/${json.id}/files`, { body: one }), 'name'],
      ] as const)
        expect(violationOf(answer)).toEqual({
          ...refused,
          parameters: [{ key, value: 'one.mrc' }],
        });
    });
  });

  describe('that break the schema', () => {
    const file = (value: object): object => ({ fileDefinitions: [{ name: 'a.mrc', ...value }] });

    it.each<[string, object, string, string, string]>([
      [SEED, { id: 7 }, 'id', 'must be a string', '7'],
      [
        SEED,
        { status: 'ERROR' },
        'status',
        'must be one of [NEW, IN_PROGRESS, LOADED, COMPLETED]',
        'ERROR',
      ],
      [SEED, { createDate: 'soon' }, 'createDate', 'must be a date', 'soon'],
      [SEED, { fileDefinitions: {} }, 'fileDefinitions', 'must be an array', '{}'],
      [SEED, { fileDefinitions: ['a.mrc'] }, 'fileDefinitions[0]', 'must be an object', 'a.mrc'],
      [SEED, { fileDefinitions: [null] }, 'fileDefinitions[0]', 'may not be null', 'null'],
      [
        SEED,
        { fileDefinitions: [{ name: 5 }] },
        'fileDefinitions[0].name',
        'must be a string',
        '5',
      ],
      [SEED, file({ loaded: 'yes' }), 'fileDefinitions[0].loaded', 'must be a boolean', 'yes'],
      [
        SEED,
        file({ createDate: '2020-13-01' }),
        'fileDefinitions[0].createDate',
        'must be a date',
        '2020-13-01',
      ],
      [SEED, { metadata: { createdDate: 'x' } }, 'metadata.createdDate', 'must be a date', 'x'],
      [SEED, { metadata: {} }, 'metadata.createdDate', 'may not be null', 'null'],
      [CURRENT, { id: 'abc' }, 'id', `must match "${UUID}"`, 'abc'],
      [CURRENT, { metaJobExecutionId: '1' }, 'metaJobExecutionId', `must match "${UUID}"`, '1'],
      [
        CURRENT,
        { status: 'DONE' },
        'status',
        'must be one of [NEW, IN_PROGRESS, LOADED, COMPLETED, ERROR]',
        'DONE',
      ],
      [CURRENT, file({ id: 'abc' }), 'fileDefinitions[0].id', `must match "${UUID}"`, 'abc'],
      [
        CURRENT,
        file({ status: 'LOADED' }),
        'fileDefinitions[0].status',
        'must be one of [NEW, UPLOADING, UPLOADED, ERROR]',
        'LOADED',
      ],
      [CURRENT, file({ size: 'big' }), 'fileDefinitions[0].size', 'must be an integer', 'big'],
      [
        CURRENT,
        file({ size: -1 }),
        'fileDefinitions[0].size',
        'must be greater than or equal to 0',
        '-1',
      ],
      [CURRENT, file({ size: 1.5 }), 'fileDefinitions[0].size', 'must be an integer', '1.5'],
      [
        CURRENT,
        file({ uploadedDate: 'x' }),
        'fileDefinitions[0].uploadedDate',
        'must be a date',
        'x',
      ],
      [CURRENT, file({ uiKey: ['k'] }), 'fileDefinitions[0].uiKey', 'must be a string', '["k"]'],
      [
        CURRENT,
        file({ uploadDefinitionId: 'x' }),
        'fileDefinitions[0].uploadDefinitionId',
        `must match "${UUID}"`,
        'x',
      ],
    ])('are refused with the place: %s %j', async (target, body, key, message, value) => {
      const refused = { message, type: '1', code: '-1', parameters: [{ key, value }] };
      const stored = await create('a.mrc');
      expect(violationOf(await world.ask('POST', target, { body }))).toEqual(refused);
      expect(violationOf(await world.ask('PUT', `${target}/${stored.id}`, { body }))).toEqual(
        refused,
      );
      expect(await read(stored.id)).toEqual(stored);
    });

    it.each(['toString', '__proto__', 'constructor', 'tenantId', 'uiKeys'])(
      'are refused for a property that nobody knows: %s',
      async (name) => {
        const body = JSON.parse(`{"fileDefinitions":[{"name":"a.mrc","${name}":"v"}]}`) as object;
        for (const target of [SEED, CURRENT])
          expect(violationOf(await world.ask('POST', target, { body }))).toMatchObject({
            message: expect.stringContaining(
              `Unrecognized field "${name}", not marked as ignorable (`,
            ),
            type: '1',
            code: '-1',
            parameters: [{ key: `fileDefinitions[0].${name}`, value: 'v' }],
          });
      },
    );

    it('are told every fault at once', async () => {
      const body = { status: 1, fileDefinitions: [{}, { name: 'a.mrc', colour: 'red' }], x: 1 };
      const { status, json } = await world.ask('POST', SEED, { body });
      expect(status).toBe(422);
      expect(json.total_records).toBe(4);
      const keys = (json.errors as { parameters: { key: string }[] }[]).map(
        ({ parameters }) => parameters[0]?.key,
      );
      expect(keys).toEqual(['status', 'fileDefinitions[0].name', 'fileDefinitions[1].colour', 'x']);
    });

    it.each([[[]], ['x'], [1], [null]])(
      'are refused when the whole is no object: %j',
      async (body) => {
        for (const target of [SEED, CURRENT])
          expect(
            violationOf(await world.ask('POST', target, { body: body as unknown as object })),
          ).toMatchObject({
            message: 'must be an object',
            parameters: [{ key: '' }],
          });
      },
    );

    it('take what the server owns without a word, and dates in any form', async () => {
      const body = {
        createDate: 1_600_000_000_000,
        fileDefinitions: [
          { name: 'a.mrc', sourcePath: 'x', size: '3', createDate: '2020-01-02 03:04:05Z' },
        ],
        metadata: { createdDate: '2020-01-01' },
      };
      const { status, json } = await world.ask('POST', CURRENT, { body });
      expect(status).toBe(201);
      expect(json.fileDefinitions[0]).not.toHaveProperty('sourcePath');
      expect(json.fileDefinitions[0]).toMatchObject({ size: 3 });
      expect(json.createDate > '2026').toBe(true);
    });
  });
});
