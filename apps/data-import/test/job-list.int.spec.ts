import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import {
  ImportWorld,
  OTHER_TENANT,
  OTHER_USER_ID,
  PROFILE_ID,
  type Answer,
} from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });

describe('the list of import jobs', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
    await world.draft('winter.mrc');
    await world.draft('Spring 100%.mrc');
    await world.draft('theirs.mrc', { userId: OTHER_USER_ID });
    const { jobId } = await world.start(RECORD, 'running.mrc');
    await world.sent.of(jobId, 1);
    await world.ask('POST', '/data-import/uploadDefinitions', {
      body: { fileDefinitions: [{ name: 'child 1.mrc' }, { name: 'child 2.mrc' }] },
    });
    const done = await world.start(RECORD, 'done.mrc');
    await world.saved((await world.sent.of(done.jobId, 1))[0]!);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const list = (query: string, tenant?: string): Promise<Answer> =>
    world.get(`/metadata-provider/jobExecutions?${query}`, tenant === undefined ? {} : { tenant });
  const names = async (query: string): Promise<string[]> => {
    const { status, json } = await list(query);
    expect(status).toBe(200);
    return (json.jobExecutions as { fileName: string }[]).map(({ fileName }) => fileName);
  };

  it('has one entry for each file, none for the parent of several, and none of another tenant', async () => {
    const { json } = await list('limit=100');
    expect(json.jobExecutions).toHaveLength(7);
    expect(json.totalRecords).toBe(7);
    expect(Object.keys(json)).toEqual(['jobExecutions', 'totalRecords']);
    expect((await list('', OTHER_TENANT)).json).toEqual({ jobExecutions: [], totalRecords: 0 });
  });

  it('numbers jobs from one, each once', async () => {
    const { json } = await list('sortBy=hrid,asc');
    const numbers = (json.jobExecutions as { hrId: number }[]).map(({ hrId }) => hrId);
    expect(numbers[0]).toBe(1);
    expect(new Set(numbers).size).toBe(7);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  it("begins with the caller's own, the newest first", async () => {
    const found = await names('');
    expect(found[0]).toBe('done.mrc');
    expect(found.slice(-3)).toEqual(['Spring 100%.mrc', 'winter.mrc', 'theirs.mrc']);
  });

  it('is filtered by status, in any case and more than once', async () => {
    expect(await names('statusAny=PARSING_IN_PROGRESS')).toEqual(['running.mrc']);
    expect(await names('uiStatusAny=RUNNING&uiStatusAny=running_complete')).toEqual([
      'done.mrc',
      'running.mrc',
    ]);
    expect(await names('statusNot=NEW&STATUSANY=NEW')).toEqual([]);
  });

  it('is filtered by patterns, either of which may match', async () => {
    expect(await names('fileName=SPRING*')).toEqual(['Spring 100%.mrc']);
    expect(await names('filename=*100%25*')).toEqual(['Spring 100%.mrc']);
    expect(await names('fileName=*_*')).toEqual([]);
    expect(await names('fileName=winter')).toEqual([]);
    expect((await names('hrId=2&fileName=winter*')).sort()).toEqual([
      'Spring 100%.mrc',
      'winter.mrc',
    ]);
  });

  it('is filtered by user, profile, kind and names that are not wanted', async () => {
    expect(await names(`userId=${OTHER_USER_ID}`)).toEqual(['theirs.mrc']);
    expect(await names(`profileIdAny=${PROFILE_ID}`)).toEqual(['done.mrc', 'running.mrc']);
    // The two children began in one transaction: which is first is their ids' affair.
    expect((await names(`profileIdNotAny=${PROFILE_ID}&fileName=*r*`)).sort()).toEqual([
      'Spring 100%.mrc',
      'child 1.mrc',
      'child 2.mrc',
      'theirs.mrc',
      'winter.mrc',
    ]);
    const others = 'subordinationTypeNotAny=CHILD&fileNameNotAny=winter.mrc';
    expect(
      await names(`${others}&fileNameNotAny=theirs.mrc&profileIdNotAny=${PROFILE_ID}`),
    ).toEqual(['Spring 100%.mrc']);
    expect(await names('excludeJobProfileName=default*&statusNot=NEW')).toEqual([]);
  });

  it('is filtered by the time at which jobs ended', async () => {
    const { json } = await list('fileName=done.mrc');
    const [{ completedDate }] = json.jobExecutions as [{ completedDate: string }];
    const year = (change: number): string =>
      String(new Date(completedDate).getUTCFullYear() + change);
    expect(await names(`completedAfter=${year(-1)}-01-01`)).toEqual(['done.mrc']);
    expect(await names(`completedAfter=${year(1)}-01-01`)).toEqual([]);
    expect(await names(`completedBefore=${year(1)}-01-01T00:00:00Z`)).toEqual(['done.mrc']);
  });

  it('is sorted and paged as asked', async () => {
    const sorted = await names('sortBy=file_name,asc&limit=3');
    expect(sorted).toEqual(['child 1.mrc', 'child 2.mrc', 'done.mrc']);
    expect(await names('sortBy=file_name,desc&limit=2&offset=1')).toEqual([
      'theirs.mrc',
      'Spring 100%.mrc',
    ]);
    expect((await names('sortBy=completed_date,desc'))[0]).toBe('done.mrc');
    expect((await list('limit=0')).json).toEqual({ jobExecutions: [], totalRecords: 7 });
    expect((await list('totalRecords=none&limit=1')).json).not.toHaveProperty('totalRecords');
  });

  interface ListedJob {
    readonly id: string;
    readonly hrId: number;
    readonly status: string;
    readonly fileName?: string;
    readonly startedDate: string;
    readonly completedDate?: string;
    readonly jobProfileInfo?: { readonly name: string };
    readonly progress: { readonly current: number; readonly total: number };
    readonly runBy: { readonly firstName: string; readonly lastName: string };
  }

  it.each<[string, (job: ListedJob) => string | number | undefined]>([
    ['completed_date', (job) => job.completedDate],
    ['started_date', (job) => job.startedDate],
    ['progress_total', (job) => job.progress.total],
    ['status', (job) => job.status],
    ['hrid', (job) => job.hrId],
    ['file_name', (job) => job.fileName?.toLowerCase()],
    ['job_profile_name', (job) => job.jobProfileInfo?.name.toLowerCase()],
    ['job_user_first_name', (job) => job.runBy.firstName.toLowerCase()],
    ['job_user_last_name', (job) => job.runBy.lastName.toLowerCase()],
  ])('is sorted by %s both ways, without case, empty values last', async (field, keyOf) => {
    for (const order of ['asc', 'desc']) {
      const { json } = await list(`sortBy=${field},${order}&limit=100`);
      const jobs = json.jobExecutions as ListedJob[];
      expect(jobs).toHaveLength(7);
      const sign = order === 'asc' ? 1 : -1;
      const compare = (a: ListedJob, b: ListedJob): number => {
        const [x, y] = [keyOf(a), keyOf(b)];
        if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? 1 : -1;
        if (x !== y) return sign * (x < y ? -1 : 1);
        // Jobs of one status stand by their progress, the other way round.
        return field === 'status' ? sign * (b.progress.current - a.progress.current) : 0;
      };
      const ties = (a: ListedJob, b: ListedJob): number =>
        b.startedDate.localeCompare(a.startedDate) || a.id.localeCompare(b.id);
      expect(jobs).toEqual([...jobs].sort((a, b) => compare(a, b) || ties(a, b)));
    }
  });

  it('is sorted by several fields, one after the other', async () => {
    const found = await names('sortBy=status,desc&sortBy=file_name,desc');
    expect(found).toEqual([
      'running.mrc',
      'winter.mrc',
      'theirs.mrc',
      'Spring 100%.mrc',
      'child 2.mrc',
      'child 1.mrc',
      'done.mrc',
    ]);
  });

  it('has no job whose logs were deleted', async () => {
    const body = { sourceType: 'ONLINE', userId: '' };
    const { json } = await world.ask('POST', '/change-manager/jobExecutions', { body });
    const id = (json as { parentJobExecutionId: string }).parentJobExecutionId;
    expect(await names('fileName=no*')).toEqual(['No file name']);
    await world.ask('DELETE', `/change-manager/jobExecutions/${id}/records`);
    await world.ask('DELETE', '/change-manager/jobExecutions', { body: { ids: [id] } });
    expect(await names('fileName=no*')).toEqual([]);
    expect(await names('statusAny=CANCELLED')).toEqual([]);
  });

  it.each(['size,asc', 'file_name,up', 'file_name,asc,x', ''])(
    'refuses to sort by %j',
    async (value) => {
      const { status, text } = await list(`sortBy=${value}`);
      expect(status).toBe(400);
      expect(text).toContain(
        `The specified parameter for sorting jobExecutions is invalid: '${value}'. Valid sortable fields are: [completed_date, started_date, progress_total, status, hrid, file_name, job_profile_name, job_user_first_name, job_user_last_name]. Valid sorting order values are: asc, desc.`,
      );
    },
  );

  it.each([
    'statusAny=OPEN',
    'statusNot=OPEN',
    'userId=x',
    'completedAfter=soon',
    'uiStatusAny=OPEN',
    'limit=-1',
    'totalRecords=some',
    'fileName=%00',
    'hrId=1%00',
    'excludeJobProfileName=%00*',
    'fileNameNotAny=a&fileNameNotAny=%00',
  ])('refuses a bad parameter: %s', async (query) => {
    const { status, text } = await list(query);
    expect(status).toBe(400);
    expect(text).toContain(`'${query.split('=')[0]}' parameter is incorrect`);
  });
});
