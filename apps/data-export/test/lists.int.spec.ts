import { withTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DEFAULT_PROFILE, ExportWorld, idOf, TENANT, USER, type Job } from './export-world.js';

const MAPPING = '25d81cbe-9686-11ea-bb37-0242ac130002';
const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';

describe('the lists of data-export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  let done: Job;
  let mixed: Job;
  let failed: Job;
  const list = (path: string, query: Record<string, string> = {}, ask: object = {}) => {
    const text = new URLSearchParams(query).toString();
    return world.ask('GET', `/data-export/${path}${text === '' ? '' : `?${text}`}`, ask);
  };
  const jobsOf = async (query: string, ask: object = {}): Promise<string[]> => {
    const answer = await list('job-executions', { query, limit: '50' }, ask);
    if (answer.status !== 200) throw new Error(answer.text);
    return (answer.json.jobExecutions as Job[]).map((job) => job.id);
  };

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    world.has([idOf(0), idOf(1)]);
    done = await world.exported(idOf(0));
    mixed = await world.exported(`${idOf(0)}\njunk\n${idOf(1)}`);
    failed = await world.exported('junk');
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  describe('of jobs', () => {
    it('shows the newest first', async () => {
      const answer = await list('job-executions');
      const ids = (answer.json.jobExecutions as Job[]).map((job) => job.id);
      expect(ids).toEqual([failed.id, mixed.id, done.id]);
      expect(Object.keys(answer.json)).toEqual(['jobExecutions', 'totalRecords']);
      expect(answer.json.totalRecords).toBe(3);
      expect(answer.headers.get('vary')).toBe('X-Quire-Dialect');
    });

    it('shows a job with every property of the contract', async () => {
      const [job] = (await list('job-executions', { query: `id==${mixed.id}` })).json.jobExecutions;
      expect(job).toEqual({
        id: mixed.id,
        hrId: 2,
        exportedFiles: [{ fileId: expect.any(String), fileName: 'test-2.mrc' }],
        jobProfileId: DEFAULT_PROFILE,
        jobProfileName: 'Default instances export job profile',
        progress: { exported: 2, failed: 1, total: 3 },
        completedDate: expect.stringMatching(/\+00:00$/),
        startedDate: expect.stringMatching(/\+00:00$/),
        lastUpdatedDate: expect.stringMatching(/\+00:00$/),
        runBy: { firstName: '', lastName: 'Admin', userId: USER },
        status: 'COMPLETED_WITH_ERRORS',
        metadata: expect.objectContaining({ createdByUserId: USER, createdByUsername: 'admin' }),
      });
      expect(job).toEqual(await world.job(mixed.id));
    });

    it('answers what real clients ask for one job (8.4)', async () => {
      const { id } = done;
      for (const query of [`id==${id}`, `id="${id}"`, `id=${id}`, `(id==${id})`])
        expect(await jobsOf(query)).toEqual([id]);
      for (const query of ['hrId=1', 'hrid=1', '(hrid=="1")'])
        expect(await jobsOf(query)).toEqual([id]);
    });

    it('answers what real clients ask by status (8.4)', async () => {
      expect(await jobsOf('status=(IN_PROGRESS)')).toEqual([]);
      expect(await jobsOf('status="IN_PROGRESS"')).toEqual([]);
      expect(await jobsOf(`status=(IN_PROGRESS) and jobProfileId=="${DEFAULT_PROFILE}"`)).toEqual(
        [],
      );
      expect(await jobsOf('status=(IN_PROGRESS) sortBy startedDate/sort.descending')).toEqual([]);
      const ended =
        'status=(COMPLETED OR COMPLETED_WITH_ERRORS OR FAIL) sortBy completedDate/sort.descending';
      expect(await jobsOf(ended)).toEqual([failed.id, mixed.id, done.id]);
    });

    it('takes SUCCESS for what it meant to the script that asks', async () => {
      for (const query of ['status==SUCCESS', 'status=SUCCESS']) {
        expect(await jobsOf(query)).toEqual([done.id]);
        expect(await jobsOf(query, { dialect: '2020' })).toEqual([mixed.id, done.id]);
      }
    });

    it('answers what real clients ask by date, profile and person (8.4)', async () => {
      const never =
        '(completedDate>="2024-01-01T00:00:00.000" and completedDate<="2024-01-31T23:59:59.999")';
      expect(await jobsOf(never)).toEqual([]);
      expect(await jobsOf(never.replaceAll('completed', 'started'))).toEqual([]);
      expect(await jobsOf('(completedDate>="2024-01-01T00:00:00.000")')).toHaveLength(3);
      expect(await jobsOf(`jobProfileId==${DEFAULT_PROFILE}`)).toHaveLength(3);
      expect(await jobsOf(`mappingProfileId==${MAPPING}`)).toHaveLength(3);
      expect(await jobsOf(`runById="${USER}"`)).toHaveLength(3);
      expect(
        await jobsOf(`exportedFiles.fileId==${done.exportedFiles?.[0]?.fileId ?? ''}`),
      ).toEqual([done.id]);
      expect(await jobsOf('fileName==test-3.mrc')).toEqual([failed.id]);
    });

    it.each([
      [
        '(cql.allRecords=1) sortby runByFirstName/sort.ascending  runByLastName/sort.ascending total/number',
        'total',
      ],
      ['cql.allRecords=1 sortby hrid/number/sort.descending total/number', 'hrid'],
      ['cql.allRecords=1 sortby failed/number exported/number', 'failed'],
      ['cql.allRecords=1 sortby jobProfileName startedDate', 'startedDate'],
    ])('sorts: %s', async (query, by) => {
      const ids = await jobsOf(query);
      const orders: Record<string, Job[]> = {
        hrid: [failed, mixed, done],
        startedDate: [done, mixed, failed],
      };
      expect(ids).toHaveLength(3);
      if (by in orders) expect(ids).toEqual(orders[by]?.map((job) => job.id));
      if (by === 'failed') expect(ids[0]).toBe(done.id);
      if (by === 'total') expect(ids[2]).toBe(mixed.id);
    });

    it('pages, counts and leaves the count out', async () => {
      const page = await list('job-executions', { limit: '1', offset: '1' });
      expect(page.json.jobExecutions[0].id).toBe(mixed.id);
      expect(page.json.totalRecords).toBe(3);
      expect((await list('job-executions', { limit: '0' })).json).toEqual({
        jobExecutions: [],
        totalRecords: 3,
      });
      const none = await list('job-executions', { totalRecords: 'none', limit: '2147483647' });
      expect(Object.keys(none.json)).toEqual(['jobExecutions']);
      expect(none.json.jobExecutions).toHaveLength(3);
      const behind = await list('job-executions', { offset: '2147483647' });
      expect(behind.json.jobExecutions).toEqual([]);
    });

    it.each([
      ['limit=-1', /'limit' parameter is incorrect\. parameter value \{-1\}/],
      ['offset=x', /'offset' parameter is incorrect/],
      ['lang=x1', /must match "\[a-zA-Z\]\{2\}"/],
      ['totalRecords=maybe', /must match "exact\|estimated\|none\|auto"/],
      ['query=a==1&query=b==1', /passed more than once/],
      [
        'query=nosuch==1',
        /^unable to list job-executions -- malformed parameter 'query', syntax error at column 1: unknown index 'nosuch'/,
      ],
      [
        'query=(',
        /^unable to list job-executions -- malformed parameter 'query', syntax error at column 2: /,
      ],
    ])('refuses %s', async (query, text) => {
      const answer = await world.ask('GET', `/data-export/job-executions?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(text);
    });

    it('does not know an unknown job, whatever its id looks like', async () => {
      for (const id of [UNKNOWN, 'nonsense'])
        expect(await world.ask('GET', `/data-export/job-executions/${id}`)).toMatchObject({
          status: 404,
          text: 'job-execution not found',
        });
    });

    it('speaks the dialect of the tenant, unless the request says another', async () => {
      const source = world.isolated.sources.get('data-export');
      if (!source) throw new Error('no source');
      const scope = { tenantId: TENANT, actorId: USER };
      const set = (sql: string) => withTenant(source, scope, (tx) => tx.execute(sql, [TENANT]));
      await set(`insert into setting values ($1, 'exportDialect', '"2020"')`);
      try {
        const old = await list('job-executions', { query: `id==${mixed.id}` });
        expect(old.json.jobExecutions[0]).toMatchObject({
          status: 'SUCCESS',
          hrId: '2',
          progress: { exported: 2, failed: 1, total: '3' },
        });
        expect(old.headers.get('x-quire-dialect')).toBe('2020');
        const now = await list('job-executions', {}, { dialect: 'default' });
        expect(now.json.jobExecutions[0].hrId).toBe(3);
      } finally {
        await set('delete from setting where tenant_id = $1');
      }
    });
  });

  describe('of logs', () => {
    it('shows the rows of a job, oldest first', async () => {
      for (const query of [
        `jobExecutionId==${mixed.id}`,
        `(jobExecutionId==${mixed.id})`,
        `jobExecutionId=${mixed.id}`,
      ]) {
        const answer = await list('logs', { query, limit: '10000' });
        expect(answer.json.totalRecords).toBe(2);
        expect(answer.json.errorLogs[0]).toEqual({
          id: expect.any(String),
          jobExecutionId: mixed.id,
          createdDate: expect.stringMatching(/\+00:00$/),
          logLevel: 'ERROR',
          errorMessageCode: 'error.invalidUuidFormat',
          errorMessageValues: ['junk'],
          metadata: expect.objectContaining({ createdByUserId: USER }),
        });
      }
      const bad = await list('logs', { query: 'x==' });
      expect(bad.text).toMatch(/^unable to list logs -- malformed parameter 'query'/);
    });
  });

  describe('of profiles', () => {
    it('begin with the built-in ones in their order', async () => {
      const jobs = await list('job-profiles');
      expect(jobs.json.totalRecords).toBe(4);
      expect(jobs.json.jobProfiles[0]).toEqual({
        id: DEFAULT_PROFILE,
        name: 'Default instances export job profile',
        default: true,
        destination: 'fileSystem',
        description: 'Default instances export job profile',
        userInfo: { firstName: 'System', lastName: 'Process', userName: 'system_process' },
        mappingProfileId: MAPPING,
        locked: false,
        metadata: {
          createdDate: '2020-07-28T00:00:00.000+00:00',
          createdByUserId: '00000000-0000-0000-0000-000000000000',
          createdByUsername: 'system_process',
          updatedDate: '2020-07-28T00:00:00.000+00:00',
          updatedByUserId: '00000000-0000-0000-0000-000000000000',
          updatedByUsername: 'system_process',
        },
      });
      const mappings = await list('mapping-profiles');
      expect(mappings.json.mappingProfiles[0]).toMatchObject({
        id: MAPPING,
        recordTypes: ['INSTANCE'],
        transformations: [],
        outputFormat: 'MARC',
        suppress999ff: false,
        default: true,
      });
      await world.isolated.enable(TENANT);
      expect((await list('job-profiles')).json.totalRecords).toBe(4);
    });

    it.each([
      ['job-profiles', { limit: '1000' }, 4],
      ['job-profiles', { query: `id==${DEFAULT_PROFILE}` }, 1],
      ['job-profiles', { query: 'name=="Default instances export job profile"' }, 1],
      ['job-profiles', { query: 'name="x*"' }, 0],
      ['job-profiles', { query: `mappingProfileId==${MAPPING}` }, 1],
      ['job-profiles', { query: 'cql.allRecords=1 sortby name' }, 4],
      [
        'job-profiles',
        {
          query:
            'cql.allRecords=1 sortby updatedDate updatedByFirstName updatedByLastName description',
        },
        4,
      ],
      ['mapping-profiles', { limit: '10000' }, 3],
      ['mapping-profiles', { query: `id==${MAPPING}` }, 1],
      [
        'mapping-profiles',
        { query: 'cql.allRecords=1 sortby name recordTypes format updatedDate' },
        3,
      ],
      [
        'mapping-profiles',
        { query: 'default==true sortby updatedByFirstName updatedByLastName' },
        3,
      ],
    ])('answer what real clients ask: %s %j', async (path, query, count) => {
      const answer = await list(path, query);
      expect(answer.status).toBe(200);
      expect(answer.json.totalRecords).toBe(count);
    });

    it('call the first one by its name of 2020 in that dialect', async () => {
      const query = { query: 'name=="Default job profile"' };
      expect((await list('job-profiles', query)).json.totalRecords).toBe(0);
      const old = await list('job-profiles', query, { dialect: '2020' });
      expect(old.json.jobProfiles[0]).toMatchObject({
        id: DEFAULT_PROFILE,
        name: 'Default job profile',
        description: 'Default job profile',
      });
    });
  });

  describe('of profiles that are made', () => {
    const mappings = '/data-export/mapping-profiles';
    const jobs = '/data-export/job-profiles';

    it('show what was sent and who sent it', async () => {
      const made = await world.ask('POST', mappings, {
        body: {
          name: 'Slim',
          recordTypes: ['SRS'],
          fieldsSuppression: '900, 910',
          suppress999ff: 'true',
        },
        firstName: 'Ada',
      });
      expect(made.status).toBe(201);
      expect(made.headers.get('location')).toBe(`/api${mappings}/${made.json.id}`);
      expect(made.json).toMatchObject({
        name: 'Slim',
        recordTypes: ['SRS'],
        transformations: [],
        outputFormat: 'MARC',
        fieldsSuppression: '900, 910',
        suppress999ff: true,
        default: false,
        userInfo: { firstName: 'Ada', lastName: 'Admin', userName: 'admin' },
      });
      const read = await world.ask('GET', `${mappings}/${made.json.id}`);
      expect(read.json).toEqual(made.json);
      const job = await world.ask('POST', jobs, {
        body: { ...made.json, id: undefined, recordTypes: undefined, name: 'x' },
      });
      expect(job.status).toBe(422);
      const fine = await world.ask('POST', jobs, {
        body: { name: 'Slim job', mappingProfileId: made.json.id, destination: 'fileSystem' },
      });
      expect(fine.headers.get('location')).toBe(`/api${jobs}/${fine.json.id}`);
      expect((await world.ask('GET', `${jobs}/${fine.json.id}`)).json).toEqual(fine.json);
      const listed = (await list('job-profiles')).json.jobProfiles as { id: string }[];
      expect(listed.at(-1)?.id).toBe(fine.json.id);
    });

    it('refuse a name or an id that is taken, and a mapping profile that is not there', async () => {
      const body = { name: ' default INSTANCES export job profile ', mappingProfileId: MAPPING };
      const name = await world.ask('POST', jobs, { body });
      expect(name.status).toBe(422);
      expect(name.json.errors[0].message).toBe(
        `name value already exists in table job_profiles: ${body.name}`,
      );
      const id = await world.ask('POST', jobs, {
        body: { ...body, name: 'y', id: DEFAULT_PROFILE },
      });
      expect(id.json.errors[0].message).toBe(
        `id value already exists in table job_profiles: ${DEFAULT_PROFILE}`,
      );
      const none = await world.ask('POST', jobs, {
        body: { name: 'z', mappingProfileId: UNKNOWN },
      });
      expect(none.status).toBe(422);
      expect(none.json.errors[0].message).toBe(
        `Cannot set job_profiles.mappingProfileId = ${UNKNOWN} because it does not exist in mapping_profiles.id.`,
      );
      const taken = await world.ask('POST', mappings, {
        body: { name: 'Default instance mapping profile', recordTypes: ['SRS'] },
      });
      expect(taken.json.errors[0].message).toMatch(
        /^name value already exists in table mapping_profiles/,
      );
    });

    it.each([
      [
        { name: 'a', recordTypes: ['SRS', 'INSTANCE'] },
        403,
        'SRS record type cannot be combined together with INSTANCE record type',
      ],
      [
        { name: 'a', recordTypes: ['ITEM'], fieldsSuppression: '900' },
        422,
        'Suppression field can not be used only for Item record type',
      ],
      [
        {
          name: 'a',
          recordTypes: ['SRS'],
          transformations: [{ fieldId: 'x', recordType: 'INSTANCE' }],
        },
        422,
        "Transformation doesn't exist for provided fieldId: x",
      ],
    ])('refuse %j', async (body, status, text) => {
      expect(await world.ask('POST', mappings, { body })).toMatchObject({ status, text });
    });

    it.each([
      [{ name: 'a', recordTypes: ['SRS'], fieldsSuppression: '9x0' }, 'suppressionFields[0]'],
      [{ name: 'a' }, 'recordTypes'],
      [{ recordTypes: ['SRS'] }, 'name'],
      [{ name: 'a'.repeat(1001), recordTypes: ['SRS'] }, 'name'],
      [
        {
          name: 'a',
          recordTypes: ['SRS'],
          transformations: [{ fieldId: 'x', recordType: 'ITEM', transformation: '1' }],
        },
        'transformations[0].transformation',
      ],
    ])('refuse %j at its place', async (body, key) => {
      const answer = await world.ask('POST', mappings, { body });
      expect(answer.status).toBe(422);
      expect(answer.json.errors[0].parameters[0].key).toBe(key);
    });

    it('are locked only by who may', async () => {
      const body = { name: 'Locked', recordTypes: ['SRS'], locked: true };
      expect(await world.ask('POST', mappings, { body })).toMatchObject({
        status: 403,
        text: 'You do not have permission to lock this profile.',
      });
    });

    it.each([
      [jobs, 'JobProfile'],
      [mappings, 'Mapping profile'],
    ])('are 404 below %s when nobody made them', async (path, what) => {
      for (const id of [UNKNOWN, 'nonsense'])
        expect(await world.ask('GET', `${path}/${id}`)).toMatchObject({
          status: 404,
          text: `${what} not found with id ${id}`,
        });
    });
  });
});
