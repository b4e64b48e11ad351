import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import {
  ImportWorld,
  OTHER_PROFILE_ID,
  PROFILE_ID,
  USER_ID,
  violationOf,
  type Answer,
} from './import-world.js';
import { JOBS, manualJobs } from './manual-jobs.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

describe('the change manager', () => {
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

  const { post, put, made, events } = manualJobs(() => world);

  describe('sets a status by hand', () => {
    const set = (id: string, status: string, more: object = {}): Promise<Answer> =>
      put(`${id}/status`, { status, ...more });

    it('that shows in uiStatus and is written down with who set it', async () => {
      const job = await made();
      for (const [status, uiStatus] of [
        ['PROCESSING_FINISHED', 'READY_FOR_PREVIEW'],
        ['NEW', 'INITIALIZATION'],
        ['PARSING_IN_PROGRESS', 'RUNNING'],
        ['PARSING_IN_PROGRESS', 'RUNNING'],
        ['COMMITTED', 'RUNNING_COMPLETE'],
      ])
        expect(await set(job.id, status!)).toMatchObject({
          status: 200,
          json: { status, uiStatus },
        });
      const ended = await world.job(job.id);
      expect(ended).toMatchObject({
        result: 'SUCCESS',
        progress: { current: 0, total: 0 },
        completedDate: expect.any(String),
      });
      expect(await events(job.id)).toEqual([
        { from_status: 'NEW', to_status: 'PROCESSING_FINISHED', actor: USER_ID },
        { from_status: 'PROCESSING_FINISHED', to_status: 'NEW', actor: USER_ID },
        { from_status: 'NEW', to_status: 'PARSING_IN_PROGRESS', actor: USER_ID },
        { from_status: 'PARSING_IN_PROGRESS', to_status: 'COMMITTED', actor: USER_ID },
      ]);
      expect(await set(job.id, 'COMMITTED')).toMatchObject({ status: 200, json: ended });
    });

    it('with the default profile when it runs and none was chosen', async () => {
      const job = await made();
      const { json } = await set(job.id, 'PARSING_IN_PROGRESS');
      expect(json.jobProfileInfo).toMatchObject({ id: OTHER_PROFILE_ID, name: expect.any(String) });
      expect(json.jobProfileSnapshotWrapper.profileId).toBe(OTHER_PROFILE_ID);
    });

    it('never to PARENT, never away from it', async () => {
      const { json } = await post({
        files: [{ name: 'a' }, { name: 'b' }],
        sourceType: 'FILES',
        userId: '',
      });
      const id = json.parentJobExecutionId as string;
      expect(await set(json.jobExecutions[0].id, 'PARENT')).toMatchObject({
        status: 400,
        text: 'Cannot update JobExecution status to PARENT',
      });
      const text = `JobExecution ${id} current status is PARENT and cannot be updated`;
      expect(await set(id, 'ERROR')).toMatchObject({ status: 400, text });
      expect(await world.ask('DELETE', `${JOBS}/${id}/records`)).toMatchObject({
        status: 400,
        text,
      });
    });

    it.each(['COMMITTED', 'ERROR', 'DISCARDED', 'CANCELLED'])(
      'not away from %s, which is final',
      async (status) => {
        const { id } = await made();
        expect((await set(id, status)).status).toBe(200);
        expect(await set(id, 'NEW')).toMatchObject({
          status: 400,
          text: `JobExecution ${id} current status is ${status} and cannot be updated to NEW`,
        });
      },
    );

    it('of a job with a file only to an end without success', async () => {
      const { jobId, fileId } = await world.start(RECORD);
      await world.sent.of(jobId, 1);
      for (const status of ['NEW', 'PARSING_FINISHED', 'COMMITTED'])
        expect(await set(jobId, status)).toMatchObject({
          status: 400,
          text: `JobExecution ${jobId} current status is PARSING_IN_PROGRESS and cannot be updated to ${status}`,
        });
      expect((await set(jobId, 'DISCARDED')).status).toBe(200);
      // A chunk that is on its way still reads the bytes.
      const object = await world.objectOf(fileId);
      expect(await world.isolated.store.stat(object)).toBe(RECORD.length);
    });

    it('of a job that was discarded before it began, with its bytes', async () => {
      const drafted = await world.draft();
      await world.upload(drafted, RECORD);
      const object = await world.objectOf(drafted.fileId);
      expect((await set(drafted.jobId, 'DISCARDED')).json.status).toBe('DISCARDED');
      expect(await world.isolated.store.stat(object)).toBeUndefined();
      expect(
        await world.rows('select from object_intent where tenant_id = $1 and key = $2', [
          object.toString(),
        ]),
      ).toEqual([]);
      expect((await world.upload(drafted, RECORD)).status).toBe(400);
      expect((await world.process(drafted)).status).toBe(204);
      expect((await world.job(drafted.jobId)).status).toBe('DISCARDED');
    });

    it('of FILE_PROCESSING_ERROR with nothing to do when nothing was done', async () => {
      const { id } = await made();
      const { json } = await set(id, 'ERROR', { errorStatus: 'FILE_PROCESSING_ERROR' });
      expect(json).toMatchObject({
        status: 'ERROR',
        errorStatus: 'FILE_PROCESSING_ERROR',
        progress: { current: 0, total: 0 },
      });
      const other = await set((await made()).id, 'ERROR');
      expect(other.json).not.toHaveProperty('errorStatus');
      expect(other.json.progress.total).toBe(100);
    });

    it.each([
      [{}, 'status', 'may not be null'],
      [{ status: 'OPEN' }, 'status', expect.stringMatching(/^must be one of \[PARENT, NEW/)],
      [
        { status: 'ERROR', errorStatus: 'BAD' },
        'errorStatus',
        expect.stringMatching(/^must be one of \[SNAPSHOT_UPDATE_ERROR/),
      ],
    ])('from a body of its schema only: %j', async (body, key, message) => {
      const { id } = await made();
      expect(violationOf(await put(`${id}/status`, body))).toMatchObject({
        message,
        parameters: [{ key }],
      });
    });
  });

  describe('sets a profile', () => {
    it('once, and again the same', async () => {
      const job = await made();
      const { status, json } = await put(`${job.id}/jobProfile`, { id: PROFILE_ID, name: 'x' });
      expect(status).toBe(200);
      expect(json).toMatchObject({ hrId: job.hrId, jobProfileInfo: { id: PROFILE_ID } });
      expect(json.jobProfileInfo.name).toBe('Default - Create instance and SRS MARC Bib');
      expect(json.jobProfileSnapshotWrapper.profileId).toBe(PROFILE_ID);
      expect(await put(`${job.id}/jobProfile`, { id: PROFILE_ID })).toMatchObject({
        status: 200,
        json,
      });
      expect(await put(`${job.id}/jobProfile`, { id: OTHER_PROFILE_ID })).toMatchObject({
        status: 400,
        text: `JobExecution already associated to JobProfile with id '${OTHER_PROFILE_ID}'`,
      });
      expect(await world.job(job.id)).toEqual(json);
    });

    it('that there is, and leaves the job alone otherwise', async () => {
      const job = await made();
      const answer = await put(`${job.id}/jobProfile`, { id: UNKNOWN_ID });
      expect(violationOf(answer)).toMatchObject({
        message: `JobProfile with id '${UNKNOWN_ID}' was not found`,
      });
      expect(violationOf(await put(`${job.id}/jobProfile`, {}))).toMatchObject({
        message: 'may not be null',
        parameters: [{ key: 'id' }],
      });
      expect(await world.job(job.id)).toEqual(job);
    });
  });

  describe('cancels', () => {
    const cancel = (id: string): Promise<Answer> => world.ask('DELETE', `${JOBS}/${id}/records`);

    it('a running job at once; what is on its way is still counted', async () => {
      const { jobId } = await world.start(RECORD);
      const [chunk] = await world.sent.of(jobId, 1);
      expect(await cancel(jobId)).toMatchObject({ status: 204, text: '' });
      const cancelled = await world.job(jobId);
      expect(cancelled).toMatchObject({
        status: 'CANCELLED',
        uiStatus: 'CANCELLED',
        completedDate: expect.any(String),
        progress: { current: 0, total: 1 },
      });
      expect(cancelled).not.toHaveProperty('result');
      await world.saved(chunk!);
      expect(await world.job(jobId)).toEqual({
        ...cancelled,
        progress: { jobExecutionId: jobId, current: 1, total: 1 },
      });
    });

    it('nothing of a job that has ended', async () => {
      const { jobId } = await world.start(RECORD);
      await world.saved((await world.sent.of(jobId, 1))[0]!);
      const ended = await world.job(jobId);
      expect((await cancel(jobId)).status).toBe(204);
      expect(await world.job(jobId)).toEqual(ended);
    });

    it('chunks that were not released', async () => {
      const { jobId } = await world.start(RECORD);
      await world.sent.of(jobId, 1);
      await world.change(
        `update job_chunk set state = 'WAITING' where tenant_id = $1 and job_id = $2`,
        [jobId],
      );
      await cancel(jobId);
      expect(
        await world.rows('select state from job_chunk where tenant_id = $1 and job_id = $2', [
          jobId,
        ]),
      ).toEqual([{ state: 'DROPPED' }]);
    });
  });

  describe('deletes logs', () => {
    const remove = (body: object): Promise<Answer> => world.ask('DELETE', JOBS, { body });

    it('of ended jobs only, and hides them at once', async () => {
      const ended = await made();
      await put(`${ended.id}/status`, { status: 'ERROR' });
      const open = await made();
      const answer = await remove({
        ids: [open.id, UNKNOWN_ID, (ended.id as string).toUpperCase(), open.id],
      });
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({
        jobExecutionDetails: [
          { jobExecutionId: open.id, isDeleted: false },
          { jobExecutionId: ended.id, isDeleted: true },
        ],
      });
      expect((await world.get(`${JOBS}/${ended.id}`)).status).toBe(404);
      expect((await put(`${ended.id}/status`, { status: 'ERROR' })).status).toBe(404);
      expect((await remove({ ids: [ended.id] })).json).toEqual({ jobExecutionDetails: [] });
      const { json } = await world.get(
        '/metadata-provider/jobExecutions?statusAny=ERROR&limit=999',
      );
      const ids = (json.jobExecutions as { id: string }[]).map(({ id }) => id);
      expect(ids).not.toContain(ended.id);
      expect(json.totalRecords).toBe(ids.length);
    });

    it.each([{}, { ids: [] }, { ids: null }])('of none for %j', async (body) => {
      expect(await remove(body)).toMatchObject({
        status: 200,
        json: { jobExecutionDetails: [] },
      });
    });

    it('by UUIDs, in a body', async () => {
      expect(violationOf(await remove({ ids: ['x'] }))).toMatchObject({
        message: expect.stringMatching(/^must match "/),
        parameters: [{ key: 'ids[0]', value: 'x' }],
      });
      expect((await world.ask('DELETE', JOBS)).status).toBe(400);
    });
  });
});
