import { dataField } from '@quire/marc/iso2709/write';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  DEFAULT_PROFILE,
  ExportWorld,
  gate,
  idOf,
  idsOf,
  recordOf,
  TENANT,
  until,
  type Job,
} from './export-world.js';

const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
const AUTHORITY_PROFILE = '56944b1c-f3f9-475b-bed0-7387c33620ce';
const ACTIONS = ['cancel', 'resume', 'retry-failed'];

describe('a job that was started', () => {
  let database: TestDatabase;
  let world: ExportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url, { leaseRenewMs: 100 });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });
  beforeEach(() => {
    world.has([idOf(0)]);
    world.sources.before = () => Promise.resolve('fine');
    world.sources.requests.length = 0;
  });

  const act = (id: string, action: string) =>
    world.ask('POST', `/data-export/job-executions/${id}/${action}`);
  const start = async (fileDefinitionId: string, more: object = {}): Promise<string> => {
    const body = { fileDefinitionId, jobProfileId: DEFAULT_PROFILE, ...more };
    const answer = await world.ask('POST', '/data-export/export', { body });
    return answer.headers.get('x-job-execution-id') ?? '';
  };
  const codes = async (jobId: string) => (await world.logs(jobId)).map((log) => log.code);
  const states = async (jobId: string) =>
    (
      await world.rows<{ state: string }>(
        `select state from slice where job_id = '${jobId}' order by slice_no`,
      )
    ).map((row) => row.state);
  const idsOfSlices = (from: number) => idsOf(30_000, from);

  /** A job of three slices of which the first is done and the others can go no further. */
  const halted = async (lines: readonly string[], request: object = {}) => {
    const held = gate();
    const first = new Set(lines.slice(0, 10_000));
    world.sources.before = async (ids) => {
      if (first.has(ids[0] ?? '')) return 'fine';
      await held.opened;
      return 'busy';
    };
    const { id } = await world.uploaded(lines.join('\n'));
    const jobId = await start(id, request);
    await until(async () => (await states(jobId)).includes('DONE'));
    return { definitionId: id, jobId, held };
  };

  it.each(ACTIONS)('%s needs a job that is there', async (action) => {
    expect(await act(UNKNOWN, action)).toMatchObject({
      status: 404,
      text: 'job-execution not found',
    });
    expect((await act('nonsense', action)).status).toBe(400);
    const path = `/data-export/job-executions/${UNKNOWN}/${action}`;
    expect((await world.ask('POST', path, { permissions: [] })).status).toBe(403);
  });

  describe('is cancelled', () => {
    it('and ends FAIL with its counts, and its workers stop', async () => {
      const lines = idsOfSlices(100_000);
      world.has(lines.slice(0, 5));
      const { jobId, held } = await halted(lines);
      const answer = await act(jobId, 'cancel');
      expect(answer.status).toBe(202);
      expect(answer.json).toMatchObject({
        id: jobId,
        status: 'FAIL',
        progress: { exported: 5, failed: 9995, total: 30_000 },
      });
      expect(answer.json.completedDate).toBeDefined();
      expect(await codes(jobId)).toEqual(['error.messagePlaceholder']);
      expect((await world.logs(jobId))[0]?.values).toEqual(['Job was cancelled by admin']);
      expect(await states(jobId)).toEqual(['DONE', 'DROPPED', 'DROPPED']);
      held.open();
      const other = await world.exported(lines[0] ?? '');
      expect(other.status).toBe('COMPLETED');
      expect(await world.job(jobId)).toEqual(answer.json);
    });

    it('while its ids are looked for, and none is added any more', async () => {
      const held = gate();
      world.sources.list = async () => {
        await held.opened;
        return idsOf(3);
      };
      const body = { type: 'cql', recordType: 'INSTANCE', criteria: 'title = nod' };
      const { json } = await world.ask('POST', '/data-export/quick-export', { body });
      await until(() => world.sources.lists.length > 0);
      expect((await act(json.jobExecutionId, 'cancel')).status).toBe(202);
      held.open();
      expect(await world.rows('select from id_selection')).toEqual([]);
      expect(await world.job(json.jobExecutionId)).toMatchObject({
        status: 'FAIL',
        progress: { exported: 0, failed: 0, total: 0 },
      });
    });

    it('once: a job that does not run is left as it is', async () => {
      const uploaded = await world.uploaded(idOf(0));
      const ended = await world.exported(idOf(0));
      for (const id of [uploaded.jobExecutionId, ended.id])
        expect(await act(id, 'cancel')).toMatchObject({
          status: 409,
          text: `Job execution with id ${id} is not in progress`,
        });
    });
  });

  describe('is resumed', () => {
    it('by a new job that does only the rest, and the file is whole', async () => {
      const lines = idsOfSlices(200_000);
      const there = [lines[3], lines[9999], lines[10_000], lines[29_999]] as string[];
      world.has(there);
      const { jobId, held, definitionId } = await halted([...lines, 'junk', lines[3] ?? '']);
      await act(jobId, 'cancel');
      held.open();
      const done = new Set(lines.slice(0, 10_000));
      let askedAgain = 0;
      world.sources.before = (ids) => {
        if (done.has(ids[0] ?? '')) askedAgain += 1;
        return Promise.resolve('fine');
      };
      const before = await world.job(jobId);
      const answer = await act(jobId, 'resume');
      expect(answer.status).toBe(201);
      const next = answer.json.jobExecutionId as string;
      expect(answer.json).toEqual({
        jobExecutionId: next,
        jobExecutionHrId: expect.any(Number) as number,
      });
      expect(answer.headers.get('location')).toBe(`/api/data-export/job-executions/${next}`);
      const job = await world.ended(next);
      expect(job).toMatchObject({
        hrId: answer.json.jobExecutionHrId,
        status: 'COMPLETED_WITH_ERRORS',
        progress: { exported: 4, failed: 29_998, total: 30_002 },
      });
      expect(askedAgain).toBe(0);
      expect((await world.file(job)).toString()).toBe(there.map((id) => recordOf(id)).join(''));
      expect(job.exportedFiles?.[0]?.fileId).not.toBe(before.exportedFiles?.[0]?.fileId);
      expect((await codes(next)).toSorted()).toEqual([
        'error.duplicatedIds',
        'error.invalidUuidFormat',
        'error.someRecordsFailed',
        'error.uuidsNotFound',
      ]);
      const missing = (await world.logs(next)).find((log) => log.code === 'error.uuidsNotFound');
      expect(missing?.values[0]?.startsWith(`${lines[0] ?? ''}, ${lines[1] ?? ''}`)).toBe(true);
      // The old job stays as it ended, without the slices that changed hands.
      expect(await world.job(jobId)).toEqual(before);
      expect(await states(jobId)).toEqual(['DROPPED', 'DROPPED']);
      expect(await act(jobId, 'resume')).toMatchObject({
        status: 409,
        text: `Nothing to resume for job execution with id ${jobId}`,
      });
      const definition = await world.ask('GET', `/data-export/file-definitions/${definitionId}`);
      expect(definition.json.jobExecutionId).toBe(next);
      expect(await start(definitionId)).toBe(next);
    });

    it('with what was written of its lines, and in the form it had', async () => {
      const lines = idsOfSlices(300_000);
      const dead = lines[0] ?? '';
      world.has(lines.slice(1, 3));
      world.sources.records.set(`${TENANT}:${dead}`, { bytes: recordOf(dead), deleted: true });
      const request = {
        idType: 'authority',
        jobProfileId: AUTHORITY_PROFILE,
        outputFormat: 'MARCXML',
      };
      const { jobId, held } = await halted(lines, request);
      await act(jobId, 'cancel');
      held.open();
      world.sources.before = () => Promise.resolve('fine');
      const { json } = await act(jobId, 'resume');
      const job = await world.ended(json.jobExecutionId);
      expect(job.progress).toEqual({ exported: 2, failed: 29_998, total: 30_000 });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`test-${job.hrId}.xml`);
      expect((await world.file(job)).toString()).toMatch(/^<\?xml.*<\/collection>\n$/s);
      const logs = await world.logs(job.id);
      expect(logs.filter((log) => log.code === 'error.setToDeletion')).toMatchObject([
        { affected: { id: dead } },
      ]);
      expect(logs.filter((log) => log.code === 'error.profileUsedToNonDeleted')).toHaveLength(1);
      const outcomes = await world.rows(
        `select class, count(*)::int as n from export_outcome where job_id = '${job.id}' group by 1 order by 1`,
      );
      expect(outcomes).toEqual([
        { class: 'FAULTY', n: 1 },
        { class: 'NOT_FOUND', n: 29_997 },
      ]);
    });

    it('only after FAIL, and only if something is done and something is left', async () => {
      const completed = await world.exported(idOf(0));
      const nothingDone = await world.exported('', {});
      const allDone = await world.exported(UNKNOWN);
      const { jobExecutionId: fresh } = await world.uploaded(idOf(0));
      expect([completed, nothingDone, allDone].map((job) => job.status)).toEqual([
        'COMPLETED',
        'FAIL',
        'FAIL',
      ]);
      for (const id of [completed.id, nothingDone.id, allDone.id, fresh])
        expect(await act(id, 'resume')).toMatchObject({
          status: 409,
          text: `Nothing to resume for job execution with id ${id}`,
        });
    });
  });

  describe('is retried', () => {
    it('with the lines that were not found or gave no record, and no others', async () => {
      const [good, later, long] = [idOf(0), idOf(400_001), idOf(400_002)];
      world.has([good]);
      const filler = dataField('500', '  ', [['a', 'x'.repeat(10_000)]]);
      world.has([long], (id) => recordOf(id, [filler]));
      const lines = ['junk', good, later, good, long, UNKNOWN];
      const first = await world.exported(lines.join('\n'), {}, { fileName: 'may.csv' });
      expect(first.progress).toEqual({ exported: 1, failed: 5, total: 6 });
      world.has([later, long]);
      const answer = await act(first.id, 'retry-failed');
      expect(answer.status).toBe(201);
      const next = answer.json.jobExecutionId as string;
      expect(answer.headers.get('location')).toBe(`/api/data-export/job-executions/${next}`);
      const job = await world.ended(next);
      expect(job).toMatchObject({
        hrId: answer.json.jobExecutionHrId,
        status: 'COMPLETED_WITH_ERRORS',
        progress: { exported: 2, failed: 1, total: 3 },
      });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`may-${job.hrId}.mrc`);
      expect((await world.file(job)).toString()).toBe(
        [later, long].map((id) => recordOf(id)).join(''),
      );
      // Lines keep their numbers, so that they match what an editor shows.
      const input = `select ordinal from export_id e join job_execution j on j.input_id = e.input_id where j.id = '${next}' order by 1`;
      expect(await world.rows(input)).toEqual([{ ordinal: 3 }, { ordinal: 5 }, { ordinal: 6 }]);
      expect((await world.job(first.id)).progress).toEqual(first.progress);
    });

    it('with the profile and the options it had', async () => {
      const jobProfileId = await world.profile({ suppress999ff: true });
      const id = idOf(400_010);
      const job = await world.exported(`${idOf(0)}\n${id}`, {
        ...{ jobProfileId, outputFormat: 'MARCXML' },
      });
      world.has([id]);
      const { json } = await act(job.id, 'retry-failed');
      const again = await world.ended(json.jobExecutionId);
      expect(again).toMatchObject({ status: 'COMPLETED', jobProfileId, progress: { total: 1 } });
      expect(again.exportedFiles?.[0]?.fileName).toMatch(/\.xml$/);
      expect((await world.file(again)).toString()).not.toContain(id);
    });

    it('only when it has ended and such lines are there', async () => {
      const fine = await world.exported(`${idOf(0)}\njunk\n${idOf(0)}`);
      const { jobExecutionId: fresh } = await world.uploaded(idOf(0));
      for (const id of [fine.id, fresh])
        expect(await act(id, 'retry-failed')).toMatchObject({
          status: 409,
          text: `Nothing to retry for job execution with id ${id}`,
        });
    });
  });

  it('shows a sign of life while a worker holds a slice, though nothing is counted', async () => {
    const held = gate();
    world.sources.before = async () => {
      await held.opened;
      return 'fine';
    };
    const { id } = await world.uploaded(idOf(0));
    const jobId = await start(id);
    const dates = new Set<unknown>();
    await until(async () => {
      const job: Job = await world.job(jobId);
      expect(job.progress).toEqual({ exported: 0, failed: 0, total: 1 });
      dates.add(job['lastUpdatedDate']);
      return dates.size > 3;
    });
    held.open();
    expect((await world.ended(jobId)).status).toBe('COMPLETED');
  });
});
