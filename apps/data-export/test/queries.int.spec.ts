import type { Dialect } from '@quire/contracts/scope';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DEFAULT_PROFILE, ExportWorld, idOf, USER, type Job } from './export-world.js';

const DEFAULT_MAPPING = '25d81cbe-9686-11ea-bb37-0242ac130002';
const SYSTEM = '00000000-0000-0000-0000-000000000000';
const CUSTOM_MAPPING = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
const CUSTOM_PROFILE = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';

/** What a query is asked of, the query, and the names of what it finds, in order when it sorts. */
type Case = readonly [query: string, found: readonly string[]];

describe('queries of data-export (8.2 and 8.4)', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  /** `done`, `mixed` and `failed`, in the order of their making; the mixed one by the custom profile. */
  const jobs: Record<string, Job> = {};

  const found = async (
    collection: { readonly path: string; readonly key: string },
    query: string,
    dialect?: Dialect,
  ): Promise<{ id: string; [property: string]: unknown }[]> => {
    const parameters = new URLSearchParams({ query, limit: '10000' });
    const target = `/data-export/${collection.path}?${parameters.toString()}`;
    const answer = await world.ask('GET', target, dialect === undefined ? {} : { dialect });
    if (answer.status !== 200) throw new Error(`${query}: ${answer.text}`);
    return answer.json[collection.key] as { id: string }[];
  };
  const ofJobs = async (query: string, dialect?: Dialect): Promise<string[]> => {
    const names = new Map(Object.entries(jobs).map(([name, { id }]) => [id, name]));
    const rows = await found({ path: 'job-executions', key: 'jobExecutions' }, query, dialect);
    return rows.map(({ id }) => names.get(id) ?? id);
  };
  /** `X` stands for the id of the job, `F` for that of its file. */
  const filled = (query: string): string =>
    query
      .replaceAll('{X}', jobs['done']?.id ?? '')
      .replaceAll('{F}', jobs['done']?.exportedFiles?.[0]?.fileId ?? '');
  const isSorted = (query: string): boolean => /sortby/i.test(query);

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    world.has([idOf(0), idOf(1)]);
    const mapping = { id: CUSTOM_MAPPING, name: 'Own mapping', recordTypes: ['SRS', 'ITEM'] };
    const profile = { id: CUSTOM_PROFILE, name: 'Own profile', mappingProfileId: CUSTOM_MAPPING };
    const body = { ...mapping, outputFormat: 'MARC_JSON', description: 'made here' };
    await world.ask('POST', '/data-export/mapping-profiles', { body, firstName: 'Ada' });
    await world.ask('POST', '/data-export/job-profiles', {
      body: { ...profile, description: 'made here', destination: 'elsewhere' },
      firstName: 'Ada',
    });
    jobs['done'] = await world.exported(idOf(0));
    const mixed = `${idOf(0)}\njunk\n${idOf(1)}`;
    jobs['mixed'] = await world.exported(mixed, { jobProfileId: CUSTOM_PROFILE });
    jobs['failed'] = await world.exported('junk');
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  describe('of job executions', () => {
    const ALL = ['failed', 'mixed', 'done'];
    const never = '"2024-01-01T00:00:00.000"';
    it.each<Case>([
      // Of real clients.
      ['id=={X}', ['done']],
      ['id="{X}"', ['done']],
      ['id={X}', ['done']],
      ['(id=={X})', ['done']],
      ['status=(IN_PROGRESS)', []],
      ['status="IN_PROGRESS"', []],
      ['status=(IN_PROGRESS) and jobProfileId=="{X}"', []],
      ['status=(IN_PROGRESS) sortBy startedDate/sort.descending', []],
      [
        'status=(COMPLETED OR COMPLETED_WITH_ERRORS OR FAIL) sortBy completedDate/sort.descending',
        ALL,
      ],
      ['status==SUCCESS', ['done']],
      ['status=SUCCESS', ['done']],
      ['hrId=2', ['mixed']],
      ['hrid=2', ['mixed']],
      ['(hrid=="2")', ['mixed']],
      [`(completedDate>=${never} and completedDate<="2024-01-31T23:59:59.999")`, []],
      [`(startedDate>=${never} and startedDate<="2024-01-31T23:59:59.999")`, []],
      [`(completedDate>=${never} and completedDate<="2124-01-31T23:59:59.999")`, ALL],
      [`jobProfileId==${CUSTOM_PROFILE}`, ['mixed']],
      [`mappingProfileId==${CUSTOM_MAPPING}`, ['mixed']],
      [`runById="${USER}"`, ALL],
      [
        '(cql.allRecords=1) sortby runByFirstName/sort.ascending  runByLastName/sort.ascending total/number',
        ['mixed'],
      ],
      ['(status==FAIL) sortby hrid/number/sort.descending total/number', ['failed']],
      ['cql.allRecords=1 sortby hrid/number/sort.descending total/number', ALL],
      ['cql.allRecords=1 sortby exported/number/sort.descending', ['mixed', 'done', 'failed']],
      ['cql.allRecords=1 sortby failed/number hrid/number', ['done', 'mixed', 'failed']],
      ['cql.allRecords=1 sortby jobProfileName/sort.descending hrid', ['mixed', 'done', 'failed']],
      ['cql.allRecords=1 sortby startedDate', ['done', 'mixed', 'failed']],
      // The other fields, and their other names.
      [`runBy.userId==${USER}`, ALL],
      ['exportedFiles.fileId=={F}', ['done']],
      [`metadata.createdByUserId==${USER}`, ALL],
      ['total>1', ['mixed']],
      ['progress.total==3', ['mixed']],
      ['exported==2', ['mixed']],
      ['progress.exported=0', ['failed']],
      ['failed==0', ['done']],
      ['progress.failed>=1', ['failed', 'mixed']],
      ['status==COMPLETED_WITH_ERRORS', ['mixed']],
      ['status<>FAIL', ['mixed', 'done']],
      ['jobProfileName=="own PROFILE"', ['mixed']],
      ['jobProfileName=own', ['mixed']],
      ['fileName=="test-3.mrc"', ['failed']],
      ['exportedFiles.fileName=="test-1*"', ['done']],
      ['runByFirstName==""', ALL],
      ['runBy.firstName==Ada', []],
      ['runByLastName==admin', ALL],
      ['runBy.lastName==Admin not hrId==1', ['failed', 'mixed']],
      [`lastUpdatedDate>${never} sortby lastUpdatedDate`, ['done', 'mixed', 'failed']],
      [`metadata.createdDate>${never}`, ALL],
      [`metadata.updatedDate>${never}`, ALL],
    ])('%s', async (query, names) => {
      const ids = await ofJobs(filled(query));
      // Of a query that sorts by what is the same for all, the first differing key counts from the end.
      if (query.includes('runByFirstName/sort.ascending  ')) {
        expect(ids).toHaveLength(3);
        expect(ids.slice(-1)).toEqual(names);
      } else expect(ids).toEqual(names);
    });

    it('take SUCCESS for both happy ends in the dialect of 2020', async () => {
      for (const query of ['status==SUCCESS', 'status=SUCCESS'])
        expect(await ofJobs(query, '2020')).toEqual(['mixed', 'done']);
      expect(await ofJobs('status==COMPLETED', '2020')).toEqual(['done']);
    });
  });

  const BUILT_IN_JOBS = [
    'Default instances export job profile',
    'Default holdings export job profile',
    'Default authority export job profile',
    'Deleted authority export job profile',
  ];
  const BUILT_IN_MAPPINGS = [
    'Default instance mapping profile',
    'Default holdings mapping profile',
    'Default authority mapping profile',
  ];
  /** Fields that job and mapping profiles have in common. */
  const shared = (own: string, builtIn: readonly string[]): Case[] => [
    ['description=="made here"', [own]],
    ['description=made', [own]],
    [`updatedByUserId==${USER}`, [own]],
    [`metadata.updatedByUserId==${SYSTEM}`, builtIn],
    ['updatedByFirstName==Ada', [own]],
    ['userInfo.firstName==System', builtIn],
    ['updatedByLastName==Process', builtIn],
    ['userInfo.lastName==Admin', [own]],
    ['userInfo.userName==admin', [own]],
    ['default==false', [own]],
    ['default==true', builtIn],
    ['locked==true', []],
    ['updatedDate>2025-01-01', [own]],
    ['metadata.updatedDate<2025-01-01', builtIn],
    ['metadata.createdDate>2025-01-01', [own]],
    ['name="x*"', []],
    ['cql.allRecords=1 sortby updatedByFirstName updatedByLastName', [own, ...builtIn]],
  ];

  describe.each<[string, string, Case[]]>([
    [
      'job-profiles',
      'jobProfiles',
      [
        ['', [...BUILT_IN_JOBS, 'Own profile']],
        [`id==${DEFAULT_PROFILE}`, BUILT_IN_JOBS.slice(0, 1)],
        ['name=="Default instances export job profile"', BUILT_IN_JOBS.slice(0, 1)],
        [`mappingProfileId==${DEFAULT_MAPPING}`, BUILT_IN_JOBS.slice(0, 1)],
        ['destination==elsewhere', ['Own profile']],
        ['cql.allRecords=1 sortby name', [...BUILT_IN_JOBS, 'Own profile'].toSorted()],
        ['cql.allRecords=1 sortby updatedDate/sort.descending name', ['Own profile']],
        ['cql.allRecords=1 sortby description/sort.descending', ['Own profile']],
        ...shared('Own profile', BUILT_IN_JOBS),
      ],
    ],
    [
      'mapping-profiles',
      'mappingProfiles',
      [
        ['', [...BUILT_IN_MAPPINGS, 'Own mapping']],
        [`id==${DEFAULT_MAPPING}`, BUILT_IN_MAPPINGS.slice(0, 1)],
        ['cql.allRecords=1 sortby name', [...BUILT_IN_MAPPINGS, 'Own mapping'].toSorted()],
        ['cql.allRecords=1 sortby recordTypes/sort.descending', ['Own mapping']],
        ['cql.allRecords=1 sortby format/sort.descending', ['Own mapping']],
        ['cql.allRecords=1 sortby updatedDate/sort.descending', ['Own mapping']],
        ['recordTypes==ITEM', ['Own mapping']],
        ['recordTypes=SRS', ['Own mapping']],
        ['recordTypes=(HOLDINGS OR AUTHORITY)', BUILT_IN_MAPPINGS.slice(1)],
        ['format==MARC_JSON', ['Own mapping']],
        ['outputFormat==MARC', BUILT_IN_MAPPINGS],
        ...shared('Own mapping', BUILT_IN_MAPPINGS),
      ],
    ],
  ])('of %s', (path, key, cases) => {
    it.each(cases)('%s', async (query, names) => {
      const rows = (await found({ path, key }, query)).map(({ name }) => name);
      if (!isSorted(query)) expect(rows).toEqual(names);
      else if (names.length > 1 && query.endsWith('name')) expect(rows).toEqual(names);
      else expect(rows[0]).toBe(query.includes('updatedByFirstName') ? names[0] : names.at(-1));
    });
  });

  it('of profiles know the first one by its name of 2020 in that dialect', async () => {
    const profiles = { path: 'job-profiles', key: 'jobProfiles' };
    for (const field of ['name', 'description']) {
      const query = `${field}=="Default job profile"`;
      expect(await found(profiles, query)).toEqual([]);
      const [old] = await found(profiles, query, '2020');
      expect(old).toMatchObject({ id: DEFAULT_PROFILE, [field]: 'Default job profile' });
    }
    const sorted = await found(profiles, 'cql.allRecords=1 sortby name', '2020');
    expect(sorted[2]?.name).toBe('Default job profile');
  });

  describe('of logs', () => {
    const logs = { path: 'logs', key: 'errorLogs' };
    const codes = async (query: string): Promise<unknown[]> =>
      (await found(logs, query)).map(({ errorMessageCode }) => errorMessageCode);
    const bad = 'error.invalidUuidFormat';
    const some = 'error.someRecordsFailed';
    const none = 'error.binaryFile.notGenerated';

    it.each<Case>([
      ['jobExecutionId=={M}', [bad, some]],
      ['(jobExecutionId=={M})', [bad, some]],
      ['jobExecutionId={M}', [bad, some]],
      ['', [bad, some, bad, none]],
      ['logLevel==ERROR', [bad, some, bad, none]],
      ['logLevel==WARNING', []],
      [`errorMessageCode==${some}`, [some]],
      ['errorMessageValues=junk', [bad, bad]],
      ['affectedRecord.id==x', []],
      ['affectedRecord.hrid=="in*"', []],
      ['affectedRecord.title=title', []],
      ['createdDate>2025-01-01 sortby createdDate errorMessageCode', [bad, some, none, bad]],
    ])('%s', async (query, expected) => {
      const rows = await codes(query.replaceAll('{M}', jobs['mixed']?.id ?? ''));
      if (isSorted(query)) expect(rows.toSorted()).toEqual([...expected].toSorted());
      else expect(rows).toEqual(expected);
    });
  });

  it.each(['job-executions', 'job-profiles', 'mapping-profiles', 'logs'])(
    'of %s that are none are refused with their place',
    async (path) => {
      const start = `unable to list ${path} -- malformed parameter 'query', syntax error at column `;
      for (const [query, column] of [
        ['nosuch==1', 1],
        ['id==x and (', 12],
        ['sortby', undefined],
        ['id==', 5],
      ] as const) {
        const answer = await world.ask(
          'GET',
          `/data-export/${path}?query=${encodeURIComponent(query)}`,
        );
        expect(answer.status).toBe(400);
        expect(answer.text.startsWith(`${start}${column ?? ''}`)).toBe(true);
      }
      const ignored = await world.ask(
        'GET',
        `/data-export/${path}?query=${encodeURIComponent('cql.allRecords=1 sortby nosuch')}`,
      );
      expect(ignored.status).toBe(200);
    },
  );
});
