import { randomUUID } from 'node:crypto';
import { ObjectNotFound } from '@quire/object-store/object-store';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import {
  CURRENT,
  ImportWorld,
  OTHER_TENANT,
  PROFILE_ID,
  SEED,
  USER_ID,
  violationOf,
  type Answer,
} from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });

describe('upload definitions', () => {
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

  const statusOfJob = async (id: string): Promise<string> => String((await world.job(id)).status);

  describe('created in the seed family', () => {
    it('have ids and states of the server, whatever was sent', async () => {
      const sentId = randomUUID();
      const { status, headers, json } = await world.ask('POST', SEED, {
        body: {
          id: sentId,
          status: 'COMPLETED',
          metaJobExecutionId: sentId,
          fileDefinitions: [{ id: 'x', name: 'dir/a.mrc', loaded: true, jobExecutionId: 'y' }],
        },
      });
      expect(status).toBe(201);
      expect(json.id).not.toBe(sentId);
      expect(headers['location']).toMatch(new RegExp(`${SEED}/${json.id}$`));
      expect(json).toMatchObject({
        status: 'NEW',
        metadata: { createdByUserId: USER_ID, createdByUsername: 'ann' },
      });
      expect(json.createDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
      const [file] = json.fileDefinitions;
      expect(file).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'dir/a.mrc',
        jobExecutionId: json.metaJobExecutionId,
        uploadDefinitionId: json.id,
        loaded: false,
        createDate: json.createDate,
      });
      expect(await world.read(json.id)).toEqual(json);
      expect(await world.job(file.jobExecutionId)).toMatchObject({
        parentJobId: file.jobExecutionId,
        subordinationType: 'PARENT_SINGLE',
        status: 'NEW',
        uiStatus: 'INITIALIZATION',
        fileName: 'a.mrc',
        sourcePath: 'dir/a.mrc',
        runBy: { firstName: 'Ann', lastName: 'Archer' },
        progress: { jobExecutionId: file.jobExecutionId, current: 0, total: 100 },
        userId: USER_ID,
      });
    });

    it('may have no file yet', async () => {
      for (const body of [{}, { fileDefinitions: [] }]) {
        const { status, json } = await world.ask('POST', SEED, { body });
        expect(status).toBe(201);
        expect(json).toMatchObject({ status: 'NEW', fileDefinitions: [] });
        expect(await statusOfJob(json.metaJobExecutionId)).toBe('PARENT');
      }
    });

    it('keep two files of one name apart', async () => {
      const { id, metaJobExecutionId, fileDefinitions } = await world.create('a.mrc', 'a.mrc');
      const [first, second] = fileDefinitions;
      expect(first.id).not.toBe(second.id);
      expect(first.jobExecutionId).not.toBe(second.jobExecutionId);
      for (const { jobExecutionId } of fileDefinitions)
        expect(await world.job(jobExecutionId)).toMatchObject({
          subordinationType: 'CHILD',
          parentJobId: metaJobExecutionId,
        });
      expect((await world.uploadTo(id, second.id, RECORD)).status).toBe(200);
      expect((await world.read(id)).fileDefinitions).toMatchObject([
        { id: first.id, loaded: false },
        { id: second.id, loaded: true },
      ]);
    });

    it.each([
      ['missing', {}, 'may not be null', 'null'],
      ['null', { name: null }, 'may not be null', 'null'],
      ['empty', { name: '' }, 'may not be empty', ''],
      ['only a path', { name: 'a/' }, 'may not be empty', 'a/'],
      [
        'with a control character',
        { name: 'a\u0007' },
        'must not contain control characters',
        'a\u0007',
      ],
      ['too long', { name: 'a'.repeat(256) }, 'size must be between 1 and 255', 'a'.repeat(256)],
    ])('refuse a file name that is %s', async (_, file, message, value) => {
      const refused = { message, type: '1', code: '-1' };
      const body = { fileDefinitions: [{ name: 'a.mrc' }, file] };
      const [created, added] = [
        await world.ask('POST', SEED, { body }),
        await world.ask('POST', `${SEED}/file`, {
          body: { ...file, uploadDefinitionId: (await world.create('a.mrc')).id },
        }),
      ];
      expect(violationOf(created)).toEqual({
        ...refused,
        parameters: [{ key: 'fileDefinitions[1].name', value }],
      });
      expect(violationOf(added)).toEqual({ ...refused, parameters: [{ key: 'name', value }] });
    });

    it('refuse files whose extension is blocked', async () => {
      const body = { fileDefinitions: [{ name: 'a.mrc' }, { name: 'scan.PDF' }] };
      for (const target of [SEED, CURRENT])
        expect(violationOf(await world.ask('POST', target, { body }))).toMatchObject({
          message: 'validation.uploadDefinition.fileExtension.blocked',
          code: 'scan.PDF',
        });
    });

    it('refuse more than a thousand files', async () => {
      const body = { fileDefinitions: Array.from({ length: 1001 }, () => ({ name: 'a.mrc' })) };
      expect((await world.ask('POST', SEED, { body })).status).toBe(422);
    });

    it('refuse properties of the other family and of none', async () => {
      const ofCurrent = { fileDefinitions: [{ name: 'a.mrc', uiKey: 'k' }] };
      const ofSeed = { fileDefinitions: [{ name: 'a.mrc', loaded: true }] };
      for (const [target, body, key] of [
        [SEED, ofCurrent, 'fileDefinitions[0].uiKey'],
        [CURRENT, ofSeed, 'fileDefinitions[0].loaded'],
        [SEED, { colour: 'red' }, 'colour'],
      ] as const)
        expect(violationOf(await world.ask('POST', target, { body }))).toMatchObject({
          message: expect.stringContaining('Unrecognized field'),
          parameters: [{ key }],
        });
    });

    it('need the permission of the call', async () => {
      const { status } = await world.ask('POST', SEED, {
        body: {},
        permissions: ['data-import.upload.definition.get'],
      });
      expect(status).toBe(403);
    });
  });

  describe('listed', () => {
    const list = (query: string, tenant?: string): Promise<Answer> =>
      world.get(`${SEED}?${query}`, tenant === undefined ? {} : { tenant });
    const asking = (query: string): string => `query=${encodeURIComponent(query)}`;

    const idsOf = (json: { uploadDefinitions: { id: string }[] }): string[] =>
      json.uploadDefinitions.map(({ id }) => id);

    it('come newest first, with the list before the count', async () => {
      const older = await world.create('older.mrc');
      const newer = await world.create('newer.mrc');
      const { status, json, text } = await list('limit=2');
      expect(status).toBe(200);
      expect(idsOf(json)).toEqual([newer.id, older.id]);
      expect(json.uploadDefinitions[0]).toEqual(newer);
      expect(json.totalRecords).toBeGreaterThanOrEqual(2);
      expect(Object.keys(JSON.parse(text) as object)).toEqual([
        'uploadDefinitions',
        'totalRecords',
      ]);
      expect((await list('limit=0')).json).toEqual({
        uploadDefinitions: [],
        totalRecords: json.totalRecords,
      });
      expect((await list('offset=100000')).json).toEqual({
        uploadDefinitions: [],
        totalRecords: json.totalRecords,
      });
    });

    it('are found by what they and their files are called', async () => {
      const name = `${randomUUID()} summer list.mrc`;
      const made = await world.create('a.mrc', name);
      const [, file] = made.fileDefinitions;
      for (const query of [
        `id==${made.id}`,
        `id==${String(made.id).toUpperCase()}`,
        `metaJobExecutionId==${made.metaJobExecutionId}`,
        `fileDefinitions.id==${file.id}`,
        `fileDefinitions.jobExecutionId==${file.jobExecutionId}`,
        `fileDefinitions.name=="${name}"`,
        `id==${made.id} and status==NEW and metadata.createdByUserId==${USER_ID}`,
      ])
        expect([query, (await list(asking(query))).json]).toEqual([
          query,
          { uploadDefinitions: [made], totalRecords: 1 },
        ]);
    });

    it('are none for an id that names nothing, of another tenant, or is none', async () => {
      const { id } = await world.create('a.mrc');
      const empty = { status: 200, json: { uploadDefinitions: [], totalRecords: 0 } };
      expect(await list(asking(`id==${randomUUID()}`))).toMatchObject(empty);
      expect(await list(asking('id==abc'))).toMatchObject(empty);
      expect(await list(asking(`id==${id}`), OTHER_TENANT)).toMatchObject(empty);
      expect(await list('', OTHER_TENANT)).toMatchObject(empty);
    });

    it.each([
      [
        'limit=-1',
        "'limit' parameter is incorrect. parameter value {-1} is not valid: must be greater than or equal to 0",
      ],
      [
        'offset=-5',
        "'offset' parameter is incorrect. parameter value {-5} is not valid: must be greater than or equal to 0",
      ],
      [
        'limit=x',
        "'limit' parameter is incorrect. parameter value {x} is not valid: must be an integer between 0 and 2147483647",
      ],
      [
        'limit=2147483648',
        "'limit' parameter is incorrect. parameter value {2147483648} is not valid: must be less than or equal to 2147483647",
      ],
      [
        'lang=e1',
        `'lang' parameter is incorrect. parameter value {e1} is not valid: must match "[a-zA-Z]{2}"`,
      ],
      [
        'query=id==1&query=id==2',
        "'query' parameter is incorrect. parameter has been passed more than once",
      ],
    ])('refuse a bad parameter: %s', async (query, text) => {
      expect(await list(query)).toMatchObject({ status: 400, text });
    });

    it.each([
      ['status==', 9],
      ['colour==red', 1],
      ['id==1 and (status==NEW', 23],
    ])('name the column at which a query breaks: %s', async (query, column) => {
      const { status, text, headers } = await list(asking(query));
      expect([status, text.replace(/: [^:]*$/, '')]).toEqual([
        400,
        `unable to list definition -- malformed parameter 'query', syntax error at column ${column}`,
      ]);
      expect(headers['content-type']).toMatch(/^text\/plain/);
    });
  });

  describe('that nobody knows', () => {
    it.each(['abc', randomUUID(), `${'9'.repeat(300)}`, "'; drop"])(
      'are 404 in the seed family: %s',
      async (id) => {
        const path = encodeURIComponent(id);
        const expected = async (answer: Promise<Answer>, text: string): Promise<void> => {
          expect(await answer).toMatchObject({ status: 404, text });
        };
        await expected(world.get(`${SEED}/${path}`), `Upload Definition with id '${id}' not found`);
        await expected(
          world.ask('PUT', `${SEED}/${path}`, { body: {} }),
          `UploadDefinition with id '${id}' not found`,
        );
        await expected(
          world.ask('POST', `${SEED}/file`, { body: { name: 'a.mrc', uploadDefinitionId: id } }),
          `UploadDefinition with id '${id}' not found`,
        );
        await expected(
          world.ask('DELETE', `${SEED}/file/abc?uploadDefinitionId=${path}`),
          `Upload definition with id '${id}' not found`,
        );
        await expected(
          world.uploadTo(path, randomUUID(), RECORD),
          `Upload Definition was not found. ID: ${id}`,
        );
        const known = (await world.create('a.mrc')).id;
        await expected(
          world.ask('DELETE', `${SEED}/file/${path}?uploadDefinitionId=${known}`),
          'File not found',
        );
        await expected(
          world.uploadTo(known, path, RECORD),
          `FileDefinition not found. FileDefinition ID: ${id}`,
        );
      },
    );

    it('are 404 in the current family, and 400 where something is to be changed and the id is none', async () => {
      const id = randomUUID();
      const answers = async (one: string): Promise<[number, string][]> => {
        const body = { uploadDefinition: {}, jobProfileInfo: { id: PROFILE_ID } };
        const all = [
          await world.get(`${CURRENT}/${one}`),
          await world.ask('POST', `${CURRENT}/${one}/files/${randomUUID()}`, { bytes: RECORD }),
          await world.ask('POST', `${CURRENT}/${one}/processFiles`, { body }),
        ];
        return all.map(({ status, text }) => [status, text]);
      };
      expect(await answers(id)).toEqual([
        [404, `Upload Definition with id '${id}' not found`],
        [404, `Upload Definition was not found. ID: ${id}`],
        [404, `Upload definition not found by id: ${id}`],
      ]);
      expect((await answers('abc')).map(([status]) => status)).toEqual([404, 400, 400]);
    });

    it('include those of another tenant', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc');
      const [{ id: fileId, jobExecutionId }] = fileDefinitions;
      const tenant = OTHER_TENANT;
      const body = { uploadDefinition: { id }, jobProfileInfo: { id: PROFILE_ID } };
      const file = `uploadDefinitionId=${id}&fileId=${fileId}`;
      for (const answer of [
        await world.get(`${SEED}/${id}`, { tenant }),
        await world.get(`${CURRENT}/${id}`, { tenant }),
        await world.get(`/change-manager/jobExecutions/${jobExecutionId}`, { tenant }),
        await world.ask('PUT', `${SEED}/${id}`, { tenant, body: {} }),
        await world.ask('POST', `/data-import/upload/file?${file}`, { tenant, bytes: RECORD }),
        await world.ask('DELETE', `${SEED}/file/${fileId}?uploadDefinitionId=${id}`, { tenant }),
        await world.ask('POST', `${CURRENT}/${id}/processFiles`, { tenant, body }),
      ])
        expect(answer.status).toBe(404);
      expect((await world.read(id)).fileDefinitions).toHaveLength(1);
    });
  });

  describe('changed by PUT', () => {
    const put = (id: string, body: object): Promise<Answer> =>
      world.ask('PUT', `${SEED}/${id}`, { body });

    it('keep their files when no list is sent, and their own facts whatever is sent', async () => {
      const made = await world.create('a.mrc', 'b.mrc');
      const { status, json } = await put(made.id, {
        id: randomUUID(),
        metaJobExecutionId: randomUUID(),
        createDate: '2001-01-01',
      });
      expect(status).toBe(200);
      expect(json).toEqual({ ...made, metadata: json.metadata });
      expect(json.metadata.createdDate).toBe(made.metadata.createdDate);
    });

    it('show a status as sent until the next event of a file', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc', 'b.mrc');
      expect((await put(id, { status: 'COMPLETED' })).json.status).toBe('COMPLETED');
      expect((await world.read(id)).status).toBe('COMPLETED');
      expect((await world.uploadTo(id, fileDefinitions[0].id, RECORD)).json.status).toBe(
        'IN_PROGRESS',
      );
      expect((await put(id, { status: 'OPEN' })).status).toBe(422);
    });

    it('get the list of files that is sent: known ones stay, others come and go', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc', 'b.mrc', 'c.mrc');
      const [first, second, third] = fileDefinitions;
      await world.uploadTo(id, second.id, RECORD);
      const { status, json } = await put(id, {
        fileDefinitions: [
          { ...third },
          { id: second.id, name: 'renamed.mrc' },
          { name: 'new.mrc' },
        ],
      });
      expect(status).toBe(200);
      expect(json.status).toBe('IN_PROGRESS');
      const [renamed, kept, added] = json.fileDefinitions;
      expect(kept).toEqual(third);
      expect(renamed).toMatchObject({
        id: second.id,
        name: 'renamed.mrc',
        loaded: true,
        jobExecutionId: second.jobExecutionId,
      });
      expect(added).toMatchObject({ name: 'new.mrc', loaded: false, uploadDefinitionId: id });
      expect(json.fileDefinitions).toHaveLength(3);
      expect(await statusOfJob(first.jobExecutionId)).toBe('DISCARDED');
      expect(await statusOfJob(second.jobExecutionId)).toBe('FILE_UPLOADED');
      expect(await statusOfJob(added.jobExecutionId)).toBe('NEW');
    });

    it('get several new files in the order in which they were sent', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc');
      const names = ['z.mrc', 'm.mrc', 'k.mrc', 'c.mrc', 'b.mrc'];
      const body = { fileDefinitions: [...names.map((name) => ({ name })), fileDefinitions[0]] };
      const { json } = await put(id, body);
      const shown = json.fileDefinitions as { name: string }[];
      expect(shown.map(({ name }) => name)).toEqual(['a.mrc', ...names]);
    });

    it('keep files that are processed, and stay completed', async () => {
      const drafted = await world.draft();
      await world.upload(drafted, RECORD);
      await world.process(drafted);
      const { id, fileId } = drafted;
      expect(await put(id, { fileDefinitions: [] })).toMatchObject({
        status: 400,
        text: `Cannot remove file ${fileId} - it is already being processed`,
      });
      expect((await put(id, { status: 'NEW' })).json.status).toBe('COMPLETED');
      const added = { fileDefinitions: [{ id: fileId, name: 'a.mrc' }, { name: 'late.mrc' }] };
      expect(await put(id, added)).toMatchObject({
        status: 400,
        text: `Cannot add file to uploadDefinition ${id} - linked files are already being processed`,
      });
    });
  });

  describe('with a file more or less', () => {
    it('have the new one at the end, with a job of its own', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc');
      await world.uploadTo(id, fileDefinitions[0].id, RECORD);
      const { status, headers, json } = await world.ask('POST', `${SEED}/file`, {
        body: { id: fileDefinitions[0].id, name: 'b.mrc', uploadDefinitionId: id },
      });
      expect(status).toBe(201);
      expect(headers['location']).toMatch(new RegExp(`${SEED}/${id}$`));
      expect(json.status).toBe('IN_PROGRESS');
      const [first, second] = json.fileDefinitions;
      expect(first.id).toBe(fileDefinitions[0].id);
      expect(second).toMatchObject({ name: 'b.mrc', loaded: false });
      expect(second.id).not.toBe(first.id);
      expect(second.jobExecutionId).not.toBe(first.jobExecutionId);
    });

    it('must be named', async () => {
      const answer = await world.ask('POST', `${SEED}/file`, { body: { name: 'b.mrc' } });
      expect(violationOf(answer)).toMatchObject({
        message: 'may not be null',
        parameters: [{ key: 'uploadDefinitionId', value: 'null' }],
      });
      expect(await world.ask('DELETE', `${SEED}/file/x`)).toMatchObject({
        status: 400,
        text: "'uploadDefinitionId' parameter is incorrect. parameter value {null} is not valid: must not be null",
      });
    });

    it('get none once processing has started', async () => {
      const drafted = await world.draft();
      await world.upload(drafted, RECORD);
      await world.process(drafted);
      const { id, fileId } = drafted;
      expect(
        await world.ask('POST', `${SEED}/file`, {
          body: { name: 'b.mrc', uploadDefinitionId: id },
        }),
      ).toMatchObject({
        status: 400,
        text: `Cannot add file to uploadDefinition ${id} - linked files are already being processed`,
      });
      expect(await world.upload(drafted, RECORD)).toMatchObject({
        status: 400,
        text: `Cannot upload file ${fileId} - it is already being processed`,
      });
    });

    it('lose the one that is removed, its job and its bytes', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc', 'b.mrc');
      const [first, second] = fileDefinitions;
      await world.uploadTo(id, first.id, RECORD);
      const key = await world.objectOf(first.id);
      const answer = await world.ask('DELETE', `${SEED}/file/${first.id}?uploadDefinitionId=${id}`);
      expect(answer).toMatchObject({ status: 204, text: '' });
      expect(await world.read(id)).toMatchObject({
        status: 'NEW',
        fileDefinitions: [{ id: second.id }],
      });
      expect(await statusOfJob(first.jobExecutionId)).toBe('DISCARDED');
      await expect(world.isolated.store.get(key)).rejects.toThrow(ObjectNotFound);
      await world.expectNoIntents();
    });
  });
});
