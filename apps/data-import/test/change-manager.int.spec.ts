import { randomUUID } from 'node:crypto';
import { testClock } from '@quire/testing/clock';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { gatewayStub, People } from './gateway-stub.js';
import {
  ImportWorld,
  OTHER_PROFILE_ID,
  OTHER_TENANT,
  OTHER_USER_ID,
  PROFILE_ID,
  USER_ID,
  violationOf,
} from './import-world.js';
import { JOBS, manualJobs, ONLINE } from './manual-jobs.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const NOT_A_UUID = /^Invalid UUID format of id, should be/;

describe('the change manager', () => {
  let database: TestDatabase;
  let world: ImportWorld;
  const people = new People();
  const clock = testClock(new Date());

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url, {}, clock, {
      neighbours: [gatewayStub(people)],
    });
    people.add({ id: OTHER_USER_ID, username: 'bob', lastName: 'Bauer', active: true });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const { post, put, made } = manualJobs(() => world);

  describe('makes', () => {
    it('one job for one file, named by the last segment of its path', async () => {
      const answer = await post({
        files: [{ name: 'C:\\marc\\winter.mrc' }],
        sourceType: 'FILES',
        userId: '',
      });
      expect(answer.status).toBe(201);
      const { parentJobExecutionId: id, jobExecutions } = answer.json;
      expect(answer.headers.location).toBe(`/api${JOBS}/${id}`);
      expect(Object.keys(answer.json)).toEqual(['parentJobExecutionId', 'jobExecutions']);
      expect(jobExecutions).toEqual([
        {
          id,
          hrId: expect.any(Number),
          parentJobId: id,
          subordinationType: 'PARENT_SINGLE',
          sourcePath: 'C:\\marc\\winter.mrc',
          fileName: 'winter.mrc',
          runBy: { firstName: 'Ann', lastName: 'Archer' },
          progress: { jobExecutionId: id, current: 0, total: 100 },
          startedDate: expect.stringMatching(/\+00:00$/),
          status: 'NEW',
          uiStatus: 'INITIALIZATION',
          userId: USER_ID,
          jobPartNumber: 1,
          totalJobParts: 1,
          totalRecordsInFile: 0,
        },
      ]);
      expect((await world.get(`${JOBS}/${id}`)).json).toEqual(jobExecutions[0]);
    });

    it('a child for each of several files in their order, then their parent', async () => {
      const names = ['a.mrc', 'b.mrc', 'a.mrc'];
      const files = names.map((name) => ({ name }));
      const { json } = await post({ files, sourceType: 'FILES', userId: USER_ID });
      const jobs = json.jobExecutions as Record<string, unknown>[];
      const parent = jobs.at(-1)!;
      expect(jobs.slice(0, -1).map((job) => [job.fileName, job.subordinationType])).toEqual(
        names.map((name) => [name, 'CHILD']),
      );
      expect(new Set(jobs.map((job) => job.parentJobId))).toEqual(
        new Set([json.parentJobExecutionId]),
      );
      expect(parent).toMatchObject({
        id: json.parentJobExecutionId,
        subordinationType: 'PARENT_MULTIPLE',
        status: 'PARENT',
        uiStatus: 'PARENT',
      });
      expect(parent).not.toHaveProperty('fileName');
      const numbers = jobs.map((job) => job.hrId as number);
      expect(numbers).toEqual([0, 1, 2, 3].map((more) => numbers[0]! + more));
      const children = await world.get(`${JOBS}/${parent.id as string}/children`);
      expect(children.json.totalRecords).toBe(3);
      expect(children.json.jobExecutions).toEqual(jobs.slice(0, -1));
    });

    it('a job without a file, with the profile that was sent and its snapshot', async () => {
      const jobProfileInfo = { id: PROFILE_ID, name: 'mine', dataType: 'EDIFACT' };
      const job = await made({ ...ONLINE, jobProfileInfo, jobPartNumber: '2', totalJobParts: 3 });
      expect(job).toMatchObject({
        subordinationType: 'PARENT_SINGLE',
        fileName: 'No file name',
        sourcePath: 'No file name',
        jobPartNumber: 2,
        totalJobParts: 3,
        jobProfileInfo: {
          id: PROFILE_ID,
          name: 'Default - Create instance and SRS MARC Bib',
          dataType: 'MARC',
          hidden: false,
        },
      });
      const { json } = await world.get(`/data-import-profiles/profileSnapshots/${PROFILE_ID}`);
      expect(job.jobProfileSnapshotWrapper).toEqual(json);
    });

    it('a composite parent, and composite children of it', async () => {
      const composite = { files: [{ name: 'big.mrc' }], sourceType: 'COMPOSITE', userId: USER_ID };
      const parent = await made(composite);
      expect(parent).toMatchObject({ subordinationType: 'COMPOSITE_PARENT', status: 'NEW' });
      const second = await made({ ...composite, parentJobId: parent.id, jobPartNumber: 2 });
      const { json } = await post({ ...composite, parentJobId: parent.id });
      expect(json.parentJobExecutionId).toBe(parent.id);
      expect(json.jobExecutions[0]).toMatchObject({
        subordinationType: 'COMPOSITE_CHILD',
        parentJobId: parent.id,
      });
      const children = await world.get(`${JOBS}/${parent.id}/children`);
      expect(children.json.jobExecutions).toEqual([json.jobExecutions[0], second]);
      expect(await post({ ...composite, parentJobId: UNKNOWN_ID })).toMatchObject({
        status: 400,
        text: `JobExecution with id '${UNKNOWN_ID}' was not found`,
      });
    });

    it.each(['FILES', 'COMPOSITE'])('nothing from %s without a file', async (sourceType) => {
      for (const files of [undefined, []])
        expect(await post({ files, sourceType, userId: USER_ID })).toMatchObject({
          status: 400,
          text: 'Received files must not be empty',
        });
    });

    it('nothing with a profile that there is not', async () => {
      const answer = await post({ ...ONLINE, jobProfileInfo: { id: UNKNOWN_ID } });
      expect(violationOf(answer)).toMatchObject({
        message: `JobProfile with id '${UNKNOWN_ID}' was not found`,
      });
    });

    it.each([
      [{ userId: USER_ID }, 'sourceType', 'may not be null'],
      [{ sourceType: 'ONLINE' }, 'userId', 'may not be null'],
      [
        { sourceType: 'BATCH', userId: '' },
        'sourceType',
        'must be one of [FILES, ONLINE, COMPOSITE]',
      ],
      [{ sourceType: 'ONLINE', userId: 'ann' }, 'userId', expect.stringMatching(/^must match "/)],
      [{ sourceType: 'FILES', userId: '', files: [{}] }, 'files[0].name', 'may not be null'],
      [
        { sourceType: 'ONLINE', userId: '', colour: 'red' },
        'colour',
        expect.stringMatching(/^Unrecognized field "colour"/),
      ],
      [
        { sourceType: 'COMPOSITE', userId: '', files: [{ name: 'a' }, { name: 'b' }] },
        'files',
        'size must be between 1 and 1',
      ],
    ])('nothing from a body that breaks its schema: %j', async (body, key, message) => {
      expect(violationOf(await post(body))).toMatchObject({
        message,
        type: '1',
        code: '-1',
        parameters: [{ key }],
      });
    });

    it('nothing from what is no JSON, or no body', async () => {
      const bytes = Buffer.from('{');
      expect((await world.ask('POST', JOBS, { bytes })).status).toBe(400);
      expect((await world.ask('POST', JOBS)).text).toBe(
        'HV000116: The object to be validated must not be null.',
      );
    });
  });

  describe('names for whom a job is', () => {
    it('by the gateway when it is somebody else, asked once a minute', async () => {
      people.asked = 0;
      const theirs = { sourceType: 'ONLINE', userId: OTHER_USER_ID.toUpperCase() };
      for (let count = 0; count < 2; count += 1)
        expect(await made(theirs)).toMatchObject({
          userId: OTHER_USER_ID,
          runBy: { firstName: '', lastName: 'Bauer' },
        });
      expect(people.asked).toBe(1);
      clock.advance(60_001);
      await made(theirs);
      expect(people.asked).toBe(2);
    });

    it('by username and SYSTEM when nothing more is known', async () => {
      const id = randomUUID();
      people.add({ id, username: 'robot', active: true });
      const job = await made({ sourceType: 'ONLINE', userId: id });
      expect(job.runBy).toEqual({ firstName: 'robot', lastName: 'SYSTEM' });
    });

    it('and refuses an unknown user', async () => {
      expect(await post({ sourceType: 'ONLINE', userId: UNKNOWN_ID })).toMatchObject({
        status: 400,
        text: `No user found by user id :${UNKNOWN_ID}`,
      });
    });

    it('and says 503 while the gateway does not answer', async () => {
      people.away = true;
      const answer = await post({ sourceType: 'ONLINE', userId: UNKNOWN_ID });
      people.away = false;
      expect(answer).toMatchObject({ status: 503, text: 'Service unavailable, retry in 5 s' });
      expect(answer.headers['retry-after']).toBe('5');
    });
  });

  describe('finds no job', () => {
    it.each([
      ['GET', ''],
      ['GET', '/children'],
      ['PUT', ''],
      ['PUT', '/status'],
      ['PUT', '/jobProfile'],
      ['DELETE', '/records'],
    ] as const)('%s {id}%s', async (method, path) => {
      const whole = { ...(await made()), status: 'ERROR' };
      const body = { '': whole, '/status': { status: 'ERROR' }, '/jobProfile': { id: PROFILE_ID } }[
        path as string
      ];
      const ask = body === undefined ? {} : { body };
      const text = `JobExecution with id '${UNKNOWN_ID}' was not found`;
      expect(await world.ask(method, `${JOBS}/${UNKNOWN_ID}${path}`, ask)).toMatchObject({
        status: 404,
        text,
      });
      const foreign = { ...ask, tenant: OTHER_TENANT };
      expect(await world.ask(method, `${JOBS}/${whole.id}${path}`, foreign)).toMatchObject({
        status: 404,
        text: `JobExecution with id '${whole.id}' was not found`,
      });
      const malformed = await world.ask(method, `${JOBS}/job-1${path}`, ask);
      if (method === 'GET')
        expect(malformed).toMatchObject({
          status: 404,
          text: `JobExecution with id 'job-1' was not found`,
        });
      else
        expect(malformed).toMatchObject({ status: 400, text: expect.stringMatching(NOT_A_UUID) });
    });

    it('to be deleted by itself: there is no such route', async () => {
      const { id } = await made();
      expect(await world.ask('DELETE', `${JOBS}/${id}`)).toMatchObject({
        status: 404,
        text: 'No suitable module found for path and tenant',
      });
      expect((await world.ask('POST', `${JOBS}/${id}`)).status).toBe(405);
    });
  });

  describe('updates a job', () => {
    it('by all that it gave, with whatever else a client adds', async () => {
      const job = await made({ ...ONLINE, jobProfileInfo: { id: PROFILE_ID } });
      const { status, json } = await put(job.id, { ...job, colour: 'red' });
      expect([status, json]).toEqual([200, job]);
      const { json: parent } = await post({
        files: [{ name: 'a' }, { name: 'b' }],
        sourceType: 'FILES',
        userId: '',
      });
      const multiple = parent.jobExecutions[2];
      expect(await put(multiple.id, multiple)).toMatchObject({ status: 200, json: multiple });
    });

    it('in its names while it has no file, and in its profile until work starts', async () => {
      const job = await made();
      const sent = { ...job, fileName: 'from-a-script.mrc', jobProfileInfo: { id: PROFILE_ID } };
      const { json } = await put(job.id, { ...sent, hrId: 1, runBy: { firstName: 'Eve' } });
      expect(json).toMatchObject({
        fileName: 'from-a-script.mrc',
        sourcePath: 'No file name',
        hrId: job.hrId,
        runBy: job.runBy,
        jobProfileInfo: { id: PROFILE_ID },
      });
      const other = await put(job.id, { ...json, jobProfileInfo: { id: OTHER_PROFILE_ID } });
      expect(other.json.jobProfileInfo.id).toBe(OTHER_PROFILE_ID);
      await put(`${job.id}/status`, { status: 'PARSING_IN_PROGRESS' });
      const running = await put(job.id, {
        ...json,
        status: 'PARSING_IN_PROGRESS',
        jobProfileInfo: { id: PROFILE_ID },
      });
      expect(running.json.jobProfileInfo.id).toBe(OTHER_PROFILE_ID);
      const unknown = await put((await made()).id, {
        ...(await made()),
        jobProfileInfo: { id: UNKNOWN_ID },
      });
      expect(violationOf(unknown)).toMatchObject({
        message: `JobProfile with id '${UNKNOWN_ID}' was not found`,
      });
    });

    it('but not in the names of an uploaded file', async () => {
      const { jobId } = await world.draft('mine.mrc');
      const job = await world.job(jobId);
      const { json } = await put(jobId, { ...job, fileName: 'x', sourcePath: 'y' });
      expect(json).toEqual(job);
    });

    it('in its status by the rules of the status by hand', async () => {
      const job = await made();
      const ended = await put(job.id, {
        ...job,
        status: 'ERROR',
        errorStatus: 'RECORD_UPDATE_ERROR',
      });
      expect(ended.json).toMatchObject({
        status: 'ERROR',
        uiStatus: 'ERROR',
        errorStatus: 'RECORD_UPDATE_ERROR',
        result: 'FAILED',
        completedDate: expect.any(String),
      });
      expect(await put(job.id, job)).toMatchObject({
        status: 400,
        text: `JobExecution ${job.id} current status is ERROR and cannot be updated to NEW`,
      });
    });

    it.each(['id', 'parentJobId', 'subordinationType', 'status', 'uiStatus', 'userId'])(
      'only when %s is there',
      async (key) => {
        const job = await made();
        expect(violationOf(await put(job.id, { ...job, [key]: null }))).toMatchObject({
          message: 'may not be null',
          parameters: [{ key, value: 'null' }],
        });
      },
    );
  });

  it('lists all children unless told otherwise, also none', async () => {
    const { json } = await post({
      files: Array.from({ length: 12 }, (_, index) => ({ name: `${index}.mrc` })),
      sourceType: 'FILES',
      userId: '',
    });
    const path = `${JOBS}/${json.parentJobExecutionId}/children`;
    expect((await world.get(path)).json.jobExecutions).toHaveLength(12);
    const page = await world.get(`${path}?limit=2&offset=3`);
    expect(page.json).toMatchObject({
      jobExecutions: [{ fileName: '3.mrc' }, { fileName: '4.mrc' }],
      totalRecords: 12,
    });
    const single = await made();
    expect((await world.get(`${JOBS}/${single.id}/children`)).json).toEqual({
      jobExecutions: [],
      totalRecords: 0,
    });
    expect((await world.get(`${path}?limit=-1`)).status).toBe(400);
  });

  it('lets nobody in without the permission of the call', async () => {
    const { id } = await made();
    for (const [method, path] of [
      ['POST', ''],
      ['DELETE', ''],
      ['GET', `/${id}`],
      ['PUT', `/${id}`],
      ['GET', `/${id}/children`],
      ['PUT', `/${id}/status`],
      ['PUT', `/${id}/jobProfile`],
      ['DELETE', `/${id}/records`],
    ] as const)
      expect((await world.ask(method, `${JOBS}${path}`, { permissions: [] })).status).toBe(403);
  });
});
