import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { ImportWorld } from './import-world.js';
import { LOGS } from './logs-world.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

describe('profiles and users of import jobs', () => {
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

  const JOBS = `${LOGS}/jobExecutions`;

  it('are those of ended jobs, each once, by name', async () => {
    const empty = { jobProfilesInfo: [], totalRecords: 0 };
    expect((await world.get(`${JOBS}/jobProfiles`)).json).toEqual(empty);
    const ids = [
      '36a83bc5-9fef-4baa-a36d-7a0f34351dfa',
      'e34d7b92-9b83-11eb-a8b3-0242ac130003',
      'e34d7b92-9b83-11eb-a8b3-0242ac130003',
    ];
    const made = async (profileId: string, ended: boolean): Promise<void> => {
      const body = { sourceType: 'ONLINE', userId: '', jobProfileInfo: { id: profileId } };
      const { json } = await world.ask('POST', '/change-manager/jobExecutions', { body });
      const path = `/change-manager/jobExecutions/${json.parentJobExecutionId}/records`;
      if (ended) await world.ask('DELETE', path);
    };
    for (const id of ids) await made(id, true);
    await made('6eefa4c6-bbf7-4845-ad82-de7fc5abd0e3', false);
    const { json } = await world.get(`${JOBS}/jobProfiles`);
    expect(json).toEqual({
      jobProfilesInfo: [
        {
          id: ids[1],
          name: 'Default - Create instance and SRS MARC Bib',
          dataType: 'MARC',
          hidden: false,
        },
        { id: ids[0], name: 'Quire - Create MARC records', dataType: 'MARC', hidden: false },
      ],
      totalRecords: 2,
    });
    expect(Object.keys(json)[0]).toBe('jobProfilesInfo');
    expect((await world.get(`${JOBS}/jobProfiles?limit=1&offset=1`)).json).toEqual({
      jobProfilesInfo: [json.jobProfilesInfo[1]],
      totalRecords: 2,
    });
    expect((await world.get(`${JOBS}/jobProfiles?limit=x`)).status).toBe(400);
  });

  it('are named, by last and first name, with nothing for what is not known', async () => {
    await world.change(
      `update job_execution set user_last_name = null where tenant_id = $1 and profile_id = $2`,
      ['36a83bc5-9fef-4baa-a36d-7a0f34351dfa'],
    );
    await world.change(
      `update job_execution set user_id = $3, user_first_name = 'Bob', user_last_name = 'aaron' where tenant_id = $1 and profile_id = $2`,
      ['36a83bc5-9fef-4baa-a36d-7a0f34351dfa', UNKNOWN_ID],
    );
    const { json } = await world.get(`${JOBS}/users`);
    expect(json).toEqual({
      jobExecutionUsersInfo: [
        { userId: UNKNOWN_ID, jobUserFirstName: 'Bob', jobUserLastName: 'aaron' },
        {
          userId: '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10',
          jobUserFirstName: 'Ann',
          jobUserLastName: 'Archer',
        },
      ],
      totalRecords: 2,
    });
    await world.change(
      `update job_execution set user_first_name = null where tenant_id = $1 and user_id = $2`,
      [UNKNOWN_ID],
    );
    const again = await world.get(`${JOBS}/users?limit=1`);
    expect(again.json.jobExecutionUsersInfo[0].jobUserFirstName).toBe('');
    expect((await world.get(`${JOBS}/users?offset=-1`)).status).toBe(400);
    for (const path of ['users', 'jobProfiles'])
      expect((await world.get(`${JOBS}/${path}`, { permissions: [] })).status).toBe(403);
  });
});
