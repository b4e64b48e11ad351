import { FINANCE, GFFY } from './src/finance.js';
import { PASSWORD, World, type Answer, type Person } from './src/world.js';

/** The ids of the sample data that examples name (finance-storage, 6). */
const HIST = 'cb0bbc5b-a6a7-5781-9c77-d3e209ac80e0';
const ENABLE = [{ id: 'finance-storage-0.1.0', action: 'enable' }];

let world: World;
let operator: Person;

beforeAll(async () => {
  world = await World.open();
  operator = await world.as('supertenant');
});

afterAll(() => world[Symbol.asyncDispose]());

const install = (tenant: string, parameters: string, json: unknown = ENABLE): Promise<Answer> =>
  operator.send('POST', `/_/proxy/tenants/${tenant}/install${parameters}`, { json });
const SAMPLE = '?tenantParameters=loadSample=true,loadReference=true';
const REFERENCE = '?tenantParameters=loadReference%3Dtrue';

/** @returns a person of a new library */
async function library(id: string): Promise<Person> {
  await operator.post('/_/proxy/tenants', { id, admin: { username: id, password: PASSWORD } });
  return world.as(id, id);
}

const PATHS = ['fiscal-years', 'fund-types', 'ledgers', 'groups', 'funds', 'budgets'] as const;
const NONE = [0, 0, 0, 0, 0, 0, 0];
const ALL = [8, 12, 5, 2, 20, 21, 13];

/** How many of each entity a library has, group-fund-fiscal-years last. */
const counts = (person: Person): Promise<number[]> =>
  Promise.all(
    [...PATHS.map((path) => `${FINANCE}/${path}`), GFFY].map(
      async (path) => (await person.get<{ totalRecords: number }>(`${path}?limit=0`)).totalRecords,
    ),
  );

describe('an install with loadSample=true', () => {
  it('answers the list that was sent, and loads the sample data into that library alone', async () => {
    const person = await library('college');
    const other = await library('school');
    expect(await counts(person)).toEqual(NONE);
    const { status, json } = await install('college', SAMPLE);
    expect([status, json]).toEqual([200, ENABLE]);
    expect(await counts(person)).toEqual(ALL);
    expect(await person.get(`${FINANCE}/groups/${HIST}`)).toMatchObject({ code: 'HIST' });
    expect(await counts(other)).toEqual(NONE);
  });

  it('done again changes nothing that is there and brings back what was deleted', async () => {
    const person = await library('twice');
    await install('twice', SAMPLE);
    const path = `${FINANCE}/groups/${HIST}`;
    const group = await person.get<object>(path);
    const changed = { ...group, name: 'History and more' };
    expect((await person.send('PUT', path, { json: changed })).status).toBe(204);
    const own = await person.post<{ id: string }>(`${FINANCE}/fund-types`, { name: 'Own' });
    const { groupFundFiscalYears: rows } = await person.get<{
      groupFundFiscalYears: { id: string }[];
    }>(GFFY);
    const gone = `${GFFY}/${rows[0]?.id ?? ''}`;
    expect((await person.send('DELETE', gone)).status).toBe(204);
    const before = await person.get<object>(path);
    const answers = await Promise.all([install('twice', SAMPLE), install('twice', SAMPLE)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await person.get(path)).toEqual(before);
    expect(await person.get(`${FINANCE}/fund-types/${own.id}`)).toMatchObject({ name: 'Own' });
    expect((await person.send('GET', gone)).status).toBe(200);
    expect(await counts(person)).toEqual(ALL.map((count, at) => (at === 1 ? count + 1 : count)));
  });

  it('is refused where something of the library’s own stands in the way, and loads nothing then', async () => {
    const person = await library('own');
    await person.post(`${FINANCE}/fund-types`, { name: 'books' });
    const { status, text } = await install('own', SAMPLE);
    expect([status, text]).toEqual([400, 'name value already exists in table fund_type: Books']);
    expect(await counts(person)).toEqual([0, 1, 0, 0, 0, 0, 0]);
  });
});

describe('an install', () => {
  it('with loadReference=true loads the fund types alone', async () => {
    const person = await library('reference');
    expect((await install('reference', REFERENCE)).status).toBe(200);
    expect(await counts(person)).toEqual([0, 12, 0, 0, 0, 0, 0]);
  });

  it.each([
    ['that says nothing of data', '', ENABLE],
    ['that simulates', `${SAMPLE}&simulate=true`, ENABLE],
    ['of modules that are not ours', SAMPLE, [{ id: 'mod-users-19.4.0', action: 'enable' }]],
    ['of another service', SAMPLE, [{ id: 'data-export', action: 'enable' }]],
    ['of a module that is not ours out of the way', SAMPLE, [{ id: 'mod-x', action: 'disable' }]],
    ['of nothing', SAMPLE, []],
    ['with parameters of others', '?tenantParameters=centralTenantId=x&purge=true', ENABLE],
    ['with loadSample=false', '?tenantParameters=loadSample=false', ENABLE],
  ])('%s loads nothing', async (_, parameters, json) => {
    const person = await world.as();
    const answer = await install('library', parameters, json);
    expect([answer.status, answer.json]).toEqual([200, json]);
    expect(await counts(person)).toEqual(NONE);
  });

  it('with async=true says where the modules of the library are seen', async () => {
    const { status, headers, json } = await install('library', '?async=true');
    const path = '/_/proxy/tenants/library/modules';
    expect([status, headers.get('location'), json]).toEqual([201, path, ENABLE]);
    const modules = [
      { id: 'gateway-0.1.0' },
      { id: 'data-export-0.1.0' },
      { id: 'data-import-0.1.0' },
      { id: 'source-record-storage-0.1.0' },
      { id: 'finance-storage-0.1.0' },
    ];
    expect(await operator.get(path)).toEqual(modules);
    const person = await world.as();
    expect(await person.get(path)).toEqual(modules);
    expect(await operator.get('/_/proxy/tenants/supertenant/modules')).toEqual([]);
    await library('stranger');
    const foreign = await person.send('GET', '/_/proxy/tenants/stranger/modules');
    expect([foreign.status, foreign.text]).toEqual([
      403,
      expect.stringContaining('requires permission: okapi.proxy.tenants.modules.list'),
    ]);
    const unknown = await operator.send('GET', '/_/proxy/tenants/nobody/modules');
    expect([unknown.status, unknown.text]).toEqual([404, 'Tenant nobody not found']);
  });

  it.each([
    ['nobody', '', ENABLE, 404, 'Tenant nobody not found'],
    ['No-Tenant', '', ENABLE, 404, 'Tenant No-Tenant not found'],
    ['supertenant', SAMPLE, ENABLE, 400, 'Tenant supertenant holds no library data'],
    [
      'library',
      '?purge=true',
      [{ id: 'finance-storage-0.1.0', action: 'disable' }],
      400,
      'Module finance-storage-0.1.0 can not be disabled: every tenant has all services',
    ],
    [
      'library',
      '?tenantParameters=loadSample=yes',
      ENABLE,
      400,
      `'tenantParameters' parameter is incorrect. parameter value {loadSample=yes} is not valid: loadSample must be true or false`,
    ],
    [
      'library',
      '?tenantParameters=loadSample',
      ENABLE,
      400,
      `'tenantParameters' parameter is incorrect. parameter value {loadSample} is not valid: must be a list of <name>=<value>`,
    ],
    [
      'library',
      '?simulate=perhaps',
      ENABLE,
      400,
      `'simulate' parameter is incorrect. parameter value {perhaps} is not valid: must be true or false`,
    ],
  ])('of %s%s is refused: %j', async (tenant, parameters, json, status, text) => {
    const answer = await install(tenant, parameters, json);
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  it.each([
    [{}, '', 'must be an array'],
    [[{ action: 'enable' }], '[0].id', 'may not be null'],
    [[...ENABLE, { id: 'x', action: 'remove' }], '[1].action', 'must be one of [enable, disable]'],
    [['finance-storage'], '[0]', 'must be an object'],
  ])('of the body %j is a 422', async (json, key, message) => {
    const answer = await install('library', SAMPLE, json);
    expect([answer.status, answer.json]).toMatchObject([
      422,
      { errors: [{ message, type: '1', code: '-1', parameters: [{ key }] }], total_records: 1 },
    ]);
  });

  it('needs a token of supertenant with the permission', async () => {
    const path = '/_/proxy/tenants/library/install';
    const person = await world.as();
    const answer = await person.send('POST', path, { json: ENABLE });
    const may = 'okapi.proxy.tenants.install.post';
    expect([answer.status, answer.text]).toEqual([
      403,
      expect.stringMatching(new RegExp(`requires permission: ${may}$`)),
    ]);
    const headers = { 'x-okapi-tenant': 'supertenant' };
    const nobody = await world.send('POST', path, { headers, json: ENABLE });
    expect([nobody.status, nobody.text]).toEqual([
      401,
      `Token missing, access requires permission: ${may}`,
    ]);
  });
});
