import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ObjectNotFound } from '@quire/object-store/object-store';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import {
  CURRENT,
  ImportWorld,
  OTHER_PROFILE_ID,
  PROFILE_ID,
  violationOf,
  type Answer,
} from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
/** Enough requests for anything that a service notices by itself. */
const TRIES_MAX = 2000;

describe('uploads', () => {
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

  describe('of the bytes of a file', () => {
    it('keep them exactly and show that they are there', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc', 'b.mrc');
      const [file] = fileDefinitions;
      const { status, json } = await world.uploadTo(id, file.id, RECORD);
      expect(status).toBe(200);
      expect(json.status).toBe('IN_PROGRESS');
      expect(json.fileDefinitions[0]).toEqual({
        ...file,
        loaded: true,
        sourcePath: expect.any(String),
      });
      const job = await world.job(file.jobExecutionId);
      expect(job).toMatchObject({ status: 'FILE_UPLOADED', uiStatus: 'INITIALIZATION' });
      expect((await world.uploadTo(id, fileDefinitions[1].id, RECORD)).json.status).toBe('LOADED');
      expect((await world.get(`${CURRENT}/${id}`)).json.fileDefinitions[0]).toMatchObject({
        status: 'UPLOADED',
        size: 1,
        uploadedDate: expect.any(String),
      });
    });

    it('take the last of two uploads', async () => {
      const drafted = await world.draft();
      await world.upload(drafted, Buffer.alloc(5000, ' '));
      const old = await world.objectOf(drafted.fileId);
      expect((await world.upload(drafted, RECORD)).status).toBe(200);
      await expect(world.isolated.store.get(old)).rejects.toThrow(ObjectNotFound);
      await world.expectNoIntents();
      const stored = await world.isolated.store.get(await world.objectOf(drafted.fileId));
      expect(await buffer(stored)).toEqual(RECORD);
      const [file] = await world.rows<{ bytes: string; frames: string; problem: string | null }>(
        'select * from upload_file where tenant_id = $1 and id = $2',
        [drafted.fileId],
      );
      expect(file).toMatchObject({ bytes: String(RECORD.length), frames: '1', problem: null });
      const chunks = await world.rows(
        'select from job_chunk where tenant_id = $1 and job_id = $2',
        [drafted.jobId],
      );
      expect(chunks).toHaveLength(1);
    });

    it('take an empty body', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc');
      const { status, json } = await world.uploadTo(id, fileDefinitions[0].id, Buffer.alloc(0));
      expect([status, json.status]).toEqual([200, 'LOADED']);
    });

    it('need to be told which file', async () => {
      for (const [query, name] of [
        ['fileId=x', 'uploadDefinitionId'],
        ['uploadDefinitionId=x', 'fileId'],
      ] as const)
        expect(
          await world.ask('POST', `/data-import/upload/file?${query}`, { bytes: RECORD }),
        ).toMatchObject({
          status: 400,
          text: `'${name}' parameter is incorrect. parameter value {null} is not valid: must not be null`,
        });
    });

    it('refuse another content type', async () => {
      const { id, fileId } = await world.draft();
      const answer = await world.ask('POST', `${CURRENT}/${id}/files/${fileId}`, { body: {} });
      expect(answer).toMatchObject({
        status: 400,
        text: 'Content-type header must be ["application/octet-stream"] but it is "application/json"',
      });
    });

    const uploadsTo = (fileId: string): Promise<object[]> =>
      world.rows('select from file_upload where tenant_id = $1 and file_id = $2', [fileId]);

    /** Breaks off when the service has begun to take it: before that there is nothing to give up. */
    const broken = (fileId: string): Readable =>
      Readable.from(
        (async function* () {
          yield Buffer.alloc(200_000, 'x');
          while ((await uploadsTo(fileId)).length === 0);
          throw new Error('the client goes away');
        })(),
      );

    it('show an upload that breaks off as an error, and can be given it again', async () => {
      const drafted = await world.draft();
      await expect(world.upload(drafted, broken(drafted.fileId))).rejects.toThrow();
      const fileNow = async (): Promise<Answer['json']> =>
        (await world.get(`${CURRENT}/${drafted.id}`)).json;
      let definition = await fileNow();
      for (let tries = 0; tries < TRIES_MAX && definition.status !== 'ERROR'; tries += 1)
        definition = await fileNow();
      expect(definition).toMatchObject({ status: 'ERROR', fileDefinitions: [{ status: 'ERROR' }] });
      expect((await world.read(drafted.id)).status).toBe('NEW');
      expect((await world.upload(drafted, RECORD)).json.status).toBe('LOADED');
      expect(await statusOfJob(drafted.jobId)).toBe('FILE_UPLOADED');
    });

    it('keep what they have when a second upload breaks off', async () => {
      const drafted = await world.draft();
      await world.upload(drafted, RECORD);
      await expect(world.upload(drafted, broken(drafted.fileId))).rejects.toThrow();
      let uploads = await uploadsTo(drafted.fileId);
      for (let tries = 0; tries < TRIES_MAX && uploads.length > 0; tries += 1)
        uploads = await uploadsTo(drafted.fileId);
      expect(uploads).toEqual([]);
      expect((await world.get(`${CURRENT}/${drafted.id}`)).json).toMatchObject({
        status: 'LOADED',
      });
      expect((await world.process(drafted)).status).toBe(204);
      expect(await world.sent.of(drafted.jobId, 1)).toMatchObject([{ count: 1 }]);
    });
  });

  describe('announced in the current family', () => {
    it('show what the web UI looks for', async () => {
      const file = { name: 'a.mrc', uiKey: 'a.mrc1', size: 209 };
      const { status, headers, json } = await world.ask('POST', CURRENT, {
        body: { fileDefinitions: [file] },
      });
      expect(status).toBe(201);
      expect(headers['location']).toMatch(new RegExp(`${CURRENT}/${json.id}$`));
      expect(json.fileDefinitions[0]).toMatchObject({ ...file, status: 'NEW' });
      expect((await world.get(`${CURRENT}/${json.id}`)).json).toEqual(json);
    });

    it('refuse a file that says it is larger than files may be', async () => {
      const body = { fileDefinitions: [{ name: 'a.mrc', size: 2 * 1024 * 1024 + 1 }] };
      expect(violationOf(await world.ask('POST', CURRENT, { body }))).toMatchObject({
        message: 'upload.fileSize.invalid',
      });
    });
  });

  describe('handed over by processFiles', () => {
    const ask = (id: string, body: object): Promise<Answer> =>
      world.ask('POST', `${CURRENT}/${id}/processFiles`, { body });

    it('need both parts of the request', async () => {
      const { id } = await world.draft();
      for (const [body, key] of [
        [{ jobProfileInfo: { id: PROFILE_ID } }, 'uploadDefinition'],
        [{ uploadDefinition: {} }, 'jobProfileInfo'],
        [{ uploadDefinition: {}, jobProfileInfo: {} }, 'jobProfileInfo.id'],
      ] as const)
        expect(violationOf(await ask(id, body))).toMatchObject({
          message: 'may not be null',
          parameters: [{ key }],
        });
    });

    it('refuse another id in the body, an unknown profile, and a definition without bytes', async () => {
      const { id } = await world.draft();
      const unknown = randomUUID();
      const jobProfileInfo = { id: PROFILE_ID };
      expect(await ask(id, { uploadDefinition: { id: unknown }, jobProfileInfo })).toMatchObject({
        status: 400,
        text: 'Upload definition id in body and path differ',
      });
      expect(violationOf(await world.process({ id }, { id: unknown }))).toMatchObject({
        message: `JobProfile with id '${unknown}' was not found`,
        parameters: [{ key: 'jobProfileInfo.id', value: unknown }],
      });
      expect(await ask(id, { uploadDefinition: {}, jobProfileInfo })).toMatchObject({
        status: 400,
        text: `No uploaded files in uploadDefinition ${id}`,
      });
    });

    it('take what the other family gave, and leave files without bytes for later', async () => {
      const { id, fileDefinitions } = await world.create('a.mrc', 'b.mrc');
      const [first, second] = fileDefinitions;
      await world.uploadTo(id, first.id, RECORD);
      const body = { uploadDefinition: await world.read(id), jobProfileInfo: { id: PROFILE_ID } };
      expect(await ask(id, body)).toMatchObject({ status: 204, text: '' });
      expect((await world.read(id)).status).toBe('COMPLETED');
      expect(await statusOfJob(first.jobExecutionId)).toBe('PARSING_IN_PROGRESS');
      expect(await statusOfJob(second.jobExecutionId)).toBe('NEW');
      await world.uploadTo(id, second.id, RECORD);
      expect((await ask(id, body)).status).toBe(204);
      expect(await statusOfJob(second.jobExecutionId)).toBe('PARSING_IN_PROGRESS');
    });

    it('change nothing the second time, and refuse another profile then', async () => {
      const drafted = await world.draft();
      await world.upload(drafted, RECORD);
      await world.process(drafted);
      const before = await world.job(drafted.jobId);
      expect((await world.process(drafted)).status).toBe(204);
      expect(await world.job(drafted.jobId)).toEqual(before);
      expect(await world.process(drafted, { id: OTHER_PROFILE_ID })).toMatchObject({
        status: 400,
        text: `JobExecution already associated to JobProfile with id '${PROFILE_ID}'`,
      });
    });
  });
});
