import type { ExportJobExecution } from '@quire/contracts/data-export';
import { generateMarc } from '@quire/testing/marc';
import {
  DEFAULT_EXPORT_PROFILE,
  importEnds,
  instanceIds,
  runExport,
  startImport,
} from './src/steps.js';
import { World, type Person } from './src/world.js';

const MAPPING = '25d81cbe-9686-11ea-bb37-0242ac130002';
const UNKNOWN = [1, 2, 3].map((n) => `dddddddd-dddd-4ddd-8ddd-00000000000${n}`);
/** With three that are unknown and two that come twice: 25 lines with ids; and one that is no id. */
const KNOWN = 20;

interface Listed {
  readonly totalRecords: number;
  readonly [list: string]: unknown;
}

describe('a systems librarian looks at what was exported', () => {
  let world: World;
  let person: Person;
  let job: ExportJobExecution;
  let ids: string[];

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    const records = Buffer.concat([...generateMarc(11, KNOWN)]);
    const imported = await importEnds(person, await startImport(person, records));
    ids = await instanceIds(person, imported.id);
    const [first = '', second = ''] = ids;
    job = await runExport(person, [...ids, ...UNKNOWN, first, second, 'no id'].join('\n'));
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  const jobs = 'job-executions';
  it.each<[path: string, list: string, query: string, found: number, more?: string]>([
    [jobs, 'jobExecutions', 'id=={X}', 1],
    [jobs, 'jobExecutions', 'id="{X}"', 1],
    [jobs, 'jobExecutions', 'id={X}', 1],
    [jobs, 'jobExecutions', '(id=={X})', 1],
    [jobs, 'jobExecutions', 'status=(IN_PROGRESS)', 0, '&limit=50'],
    [jobs, 'jobExecutions', 'status="IN_PROGRESS"', 0],
    [jobs, 'jobExecutions', 'status=(IN_PROGRESS) and jobProfileId=="{P}"', 0],
    [jobs, 'jobExecutions', 'status=(IN_PROGRESS) sortBy startedDate/sort.descending', 0],
    [
      jobs,
      'jobExecutions',
      'status=(COMPLETED OR COMPLETED_WITH_ERRORS OR FAIL) sortBy completedDate/sort.descending',
      1,
      '&limit=25',
    ],
    [jobs, 'jobExecutions', 'status==SUCCESS', 0],
    [jobs, 'jobExecutions', 'status=SUCCESS', 0],
    [jobs, 'jobExecutions', 'hrId={N}', 1],
    [jobs, 'jobExecutions', 'hrid={N}', 1],
    [jobs, 'jobExecutions', '(hrid=="{N}")', 1],
    [
      jobs,
      'jobExecutions',
      '(completedDate>="2024-01-01T00:00:00.000" and completedDate<="2024-01-31T23:59:59.999")',
      0,
    ],
    [
      jobs,
      'jobExecutions',
      '(startedDate>="2024-01-01T00:00:00.000" and startedDate<="2124-01-31T23:59:59.999")',
      1,
    ],
    [jobs, 'jobExecutions', 'jobProfileId=={P}', 1, '&limit=1'],
    [jobs, 'jobExecutions', `mappingProfileId==${MAPPING}`, 1, '&limit=1'],
    [jobs, 'jobExecutions', 'runById="{U}"', 1],
    [
      jobs,
      'jobExecutions',
      '(id=={X}) sortby runByFirstName/sort.ascending  runByLastName/sort.ascending total/number',
      1,
    ],
    ...['hrid/number/sort.descending total/number', 'failed/number', 'exported/number'].map(
      (keys): [string, string, string, number] => [
        jobs,
        'jobExecutions',
        `(id=={X}) sortby ${keys}`,
        1,
      ],
    ),
    [jobs, 'jobExecutions', '(id=={X}) sortby jobProfileName startedDate', 1],
    ['job-profiles', 'jobProfiles', '', 4],
    ['job-profiles', 'jobProfiles', '', 4, '&limit=1000'],
    ['job-profiles', 'jobProfiles', 'id=={P}', 1],
    ['job-profiles', 'jobProfiles', 'name=="Default instances export job profile"', 1],
    ['job-profiles', 'jobProfiles', 'name="x*"', 0],
    ['job-profiles', 'jobProfiles', `mappingProfileId==${MAPPING}`, 1],
    ...['name', 'updatedDate', 'updatedByFirstName updatedByLastName', 'description'].map(
      (keys): [string, string, string, number] => [
        'job-profiles',
        'jobProfiles',
        `cql.allRecords=1 sortby ${keys}`,
        4,
      ],
    ),
    ['mapping-profiles', 'mappingProfiles', '', 3, '&limit=10000'],
    ['mapping-profiles', 'mappingProfiles', `id==${MAPPING}`, 1],
    ...['name', 'recordTypes', 'format', 'updatedDate', 'updatedByFirstName updatedByLastName'].map(
      (keys): [string, string, string, number] => [
        'mapping-profiles',
        'mappingProfiles',
        `cql.allRecords=1 sortby ${keys}`,
        3,
      ],
    ),
    ['logs', 'errorLogs', 'jobExecutionId=={X}', 5, '&limit=10000'],
    ['logs', 'errorLogs', '(jobExecutionId=={X})', 5, '&limit=10000'],
    ['logs', 'errorLogs', 'jobExecutionId={X}', 5, '&limit=10000'],
  ])('by what real clients ask: %s %s %s', async (path, list, query, found, more = '') => {
    const filled = query
      .replaceAll('{X}', job.id)
      .replaceAll('{P}', DEFAULT_EXPORT_PROFILE)
      .replaceAll('{N}', String(job.hrId))
      .replaceAll('{U}', job.runBy?.userId ?? '');
    const asked = filled === '' ? '' : `query=${encodeURIComponent(filled)}`;
    const answer = await person.get<Listed>(`/data-export/${path}?${asked}${more}`);
    expect(answer[list]).toHaveLength(found);
    expect(answer.totalRecords).toBe(found);
  });

  it('by the same words in the dialect of 2020', async () => {
    const answer = await person.send('GET', '/data-export/job-executions?query=status==SUCCESS', {
      headers: { 'x-quire-dialect': '2020' },
    });
    expect(answer.json).toMatchObject({
      jobExecutions: [{ id: job.id, status: 'SUCCESS', hrId: String(job.hrId) }],
      totalRecords: 1,
    });
  });

  it('and deletes what is not needed any more', async () => {
    expect((await person.send('DELETE', `/data-export/job-executions/${job.id}`)).status).toBe(204);
    const gone = await person.send('GET', `/data-export/job-executions/${job.id}/accounting`);
    expect(gone).toMatchObject({ status: 404, text: 'job-execution not found' });
  });
});
