import type { GroupFundFiscalYear } from '@quire/contracts/finance';
import { uuidV5 } from '@quire/contracts/ids';
import {
  asked,
  FINANCE,
  GFFY,
  makeBudget,
  makeGffy,
  makeReferences,
  type Gffys,
  type Stored,
} from './src/finance.js';
import { PASSWORD, World, type Answer, type Person } from './src/world.js';

const UNKNOWN = '11111111-1111-4111-8111-111111111111';
const SAMPLES = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';
const sampleId = (path: string, key: string): string =>
  uuidV5(SAMPLES, `https://quire.example/sample/${path}/${key}`);

/** The query that seed 003 prints, with its two `and`. */
const PRINTED =
  'group.name == History and and fund.fundStatus == Active and fiscalYear.periodEnd < 2020-01-01 and fundType.name == Monographs and ledger.name == One-time';
const MEANT = PRINTED.replace('and and', 'and');

/** The examples that seed 003 prints. */
const LINKED = {
  id: '44cebc14-3061-4608-897a-e63c90a2fa60',
  budgetId: '47ac60b4-159d-4e1c-9acb-8293df67d16d',
  groupId: 'f33ed99b-852a-4f90-9891-5efe0feab165',
  fiscalYearId: 'ac2164c7-ba3d-1bc2-a12c-e35ceccbfaf2',
  fundId: '6e2fbba3-d557-4480-bca3-b6f5c645de04',
};
const UNLINKED = {
  id: '8a6743b2-6936-4a1e-b30b-ebc3994a339b',
  groupId: '66f84ff8-68e1-4f10-8814-35bcd34c32a0',
  fiscalYearId: 'a4ee40d4-5176-4b76-aa46-2e17e9161795',
  fundId: '6e2fbba3-d557-4480-bca3-b6f5c645de04',
};

let world: World;
let person: Person;

beforeAll(async () => {
  world = await World.open({ QUIRE_SAMPLE: 'true' });
  person = await world.as();
});

afterAll(() => world[Symbol.asyncDispose]());

const list = (parameters = ''): Promise<Gffys> => person.get<Gffys>(`${GFFY}?${parameters}`);
const hits = async (query: string): Promise<number> =>
  (await person.get<Gffys>(asked(GFFY, query))).totalRecords;

/** Before anything else is made: the counts are those of the sample data. */
describe('a library that starts with QUIRE_SAMPLE=true', () => {
  it('has the sample data of finance-storage, with the ids that examples name', async () => {
    for (const [path, count] of [
      ['fiscal-years', 8],
      ['fund-types', 12],
      ['ledgers', 5],
      ['groups', 2],
      ['funds', 20],
      ['budgets', 21],
      ['group-fund-fiscal-years', 13],
    ] as const)
      expect([path, await person.get(`${FINANCE}/${path}?limit=0`)]).toMatchObject([
        path,
        { totalRecords: count },
      ]);
    const group = await person.get(`${FINANCE}/groups/cb0bbc5b-a6a7-5781-9c77-d3e209ac80e0`);
    expect(group).toMatchObject({ code: 'HIST', name: 'History', _version: 1 });
  });

  it('asks the example query of the seed as it is printed, and is told where it errs', async () => {
    expect(await person.send('GET', asked(GFFY, PRINTED))).toMatchObject({
      status: 400,
      text: expect.stringMatching(
        /^unable to list group-fund-fiscal-years -- malformed parameter 'query', syntax error at column 27: expected index or term, got and\n/,
      ) as string,
    });
  });

  it('asks it as it is meant, and finds what there is', async () => {
    expect(await hits(MEANT)).toBe(0);
    const found = MEANT.replace('2020-01-01', '2027-01-01').replace('One-time', '"Main Library"');
    expect(await hits(found)).toBe(1);
  });

  it.each([
    ['', 10, 13],
    ['limit=0', 0, 13],
    ['limit=5&offset=10', 3, 13],
    ['limit=5&offset=20', 0, 13],
    ['limit=5&offset=20&totalRecords=exact', 0, 13],
    ['limit=5&totalRecords=none', 5, undefined],
    ['limit=2147483647', 13, 13],
  ])('pages: ?%s gives %d items of %p', async (parameters, items, total) => {
    const page = await list(parameters);
    expect([page.groupFundFiscalYears.length, page.totalRecords]).toEqual([items, total]);
  });

  it('pages by key until nothing comes', async () => {
    const seen: string[] = [];
    for (let last = ''; ; last = seen.at(-1) ?? '') {
      const query = `${last === '' ? '' : `id>"${last}" and `}(cql.allRecords=1) sortBy id`;
      const page = await list(`limit=5&query=${encodeURIComponent(query)}`);
      if (page.groupFundFiscalYears.length === 0) break;
      seen.push(...page.groupFundFiscalYears.map(({ id }) => id));
    }
    expect(seen).toHaveLength(13);
    expect(seen).toEqual([...new Set(seen)].sort());
  });

  it('sees what a row refers to, when it asks for that, and sends it back as it came', async () => {
    const query = encodeURIComponent('fiscalYear.code==FY2026 and fundType.name==Monographs');
    const page = await list(`query=${query}&expand=fund,ledger,budget`);
    const [row] = page.groupFundFiscalYears;
    expect(page.groupFundFiscalYears).toHaveLength(1);
    expect(row).toMatchObject({
      expanded: {
        fund: { id: sampleId('funds', 'H-OCE'), code: 'H-OCE', externalAccountNo: '9-H-OCE' },
        ledger: { code: 'MAIN-LIB', name: 'Main Library', ledgerStatus: 'Active' },
        budget: { name: 'H-OCE-FY2026', budgetStatus: 'Active', available: 10_000 },
      },
    });
    const path = `${GFFY}/${row?.id ?? ''}`;
    const { expanded, ...plain } = row as GroupFundFiscalYear;
    expect(Object.keys(expanded as object).sort()).toEqual(['budget', 'fund', 'ledger']);
    expect(await person.get(path)).toEqual(plain);
    expect((await person.send('PUT', path, { json: row })).status).toBe(204);
    expect(await person.get(path)).toEqual({ ...plain, _version: 2 });
  });

  it.each(['', `/${sampleId('group-fund-fiscal-years', 'HIST/H-AFR/FY2026')}`])(
    'asks for a relation that there is not: %s?expand=vendor',
    async (path) => {
      expect(await person.send('GET', `${GFFY}${path}?expand=vendor`)).toMatchObject({
        status: 400,
        text: `'expand' parameter is incorrect. parameter value {vendor} is not valid: must match "group|fund|fiscalYear|budget|ledger|fundType"`,
      });
    },
  );
});

describe('the examples of the seed', () => {
  beforeAll(async () => {
    await makeReferences(person, LINKED);
    await makeReferences(person, UNLINKED);
    await makeBudget(person, { ...LINKED, id: LINKED.budgetId });
  });

  it.each([LINKED, UNLINKED])('are stored as they are printed: %j', async (printed) => {
    const made = await person.send('POST', GFFY, { json: printed });
    expect([made.status, made.json]).toEqual([201, { ...printed, _version: 1 }]);
    const path = `${GFFY}/${printed.id}`;
    expect(made.headers.get('location')).toBe(path);
    expect(await person.get(path)).toEqual({ ...printed, _version: 1 });
    expect((await person.send('PUT', path, { json: { ...printed, _version: 1 } })).status).toBe(
      204,
    );
    expect(await person.get(path)).toEqual({ ...printed, _version: 2 });
  });

  it('come as the collection that is printed', async () => {
    expect(await person.get(asked(GFFY, `fundId==${LINKED.fundId} sortBy id`))).toEqual({
      groupFundFiscalYears: [
        { ...LINKED, _version: 2 },
        { ...UNLINKED, _version: 2 },
      ],
      totalRecords: 2,
    });
  });
});

describe('two people who change one relation', () => {
  const put = (row: Stored<GroupFundFiscalYear>, change: object = {}): Promise<Answer> =>
    person.send('PUT', `${GFFY}/${row.id}`, { json: { ...row, ...change } });
  const conflict = (id: string, stored: number, sent: string) => ({
    status: 409,
    text: `Cannot update record ${id} because it has been changed (optimistic locking): Stored _version is ${stored}, _version of request is ${sent}`,
  });

  it('do not undo each other’s work', async () => {
    const row = await makeGffy(person);
    expect((await put(row)).status).toBe(204);
    expect(await put(row)).toMatchObject(conflict(row.id, 2, '1'));
    expect(await put(row, { _version: undefined })).toMatchObject(conflict(row.id, 2, '<NULL>'));
    expect(await put(row, { _version: -1 })).toMatchObject(conflict(row.id, 2, '<NULL>'));
    expect((await put(row, { _version: 2 })).status).toBe(204);
  });

  it('at the same moment: one is first, the others are told', async () => {
    const row = await makeGffy(person);
    const answers = await Promise.all(Array.from({ length: 8 }, () => put(row)));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      204,
      ...Array<number>(7).fill(409),
    ]);
    expect(await person.get(`${GFFY}/${row.id}`)).toMatchObject({ _version: 2 });
  });
});

describe('another library', () => {
  let stranger: Person;

  beforeAll(async () => {
    const operator = await world.as('supertenant');
    const admin = { username: 'other', password: PASSWORD };
    await operator.post('/_/proxy/tenants', { id: 'other', admin });
    stranger = await world.as('other', 'other');
  });

  it('has none of our sample data', async () => {
    for (const path of ['groups', 'funds', 'fund-types', 'group-fund-fiscal-years'])
      expect(await stranger.get(`${FINANCE}/${path}`)).toMatchObject({ totalRecords: 0 });
  });

  it('gets the answers of an unknown id for ours', async () => {
    const row = await makeGffy(person);
    for (const id of [row.id, UNKNOWN]) {
      const path = `${GFFY}/${id}`;
      const notFound = { status: 404, text: 'Not found' };
      expect(await stranger.send('GET', path)).toMatchObject(notFound);
      expect(await stranger.send('PUT', path, { json: row })).toMatchObject(notFound);
      expect(await stranger.send('DELETE', path)).toMatchObject(notFound);
      expect(await stranger.get(asked(GFFY, `id==${id}`))).toMatchObject({ totalRecords: 0 });
    }
    expect(await person.get(`${GFFY}/${row.id}`)).toEqual(row);
  });

  it('cannot refer to what is ours', async () => {
    const { groupId, fundId, fiscalYearId } = await makeGffy(person);
    const own = await makeReferences(stranger);
    for (const [json, column, value, target] of [
      [{ ...own, groupId }, 'groupid', groupId, 'groups'],
      [{ ...own, fundId }, 'fundid', fundId, 'fund'],
      [{ ...own, fiscalYearId }, 'fiscalyearid', fiscalYearId, 'fiscal_year'],
    ] as const)
      expect(await stranger.send('POST', GFFY, { json })).toMatchObject({
        status: 400,
        text: `Cannot set group_fund_fiscal_year.${column} = ${value} because it does not exist in ${target}.id.`,
      });
  });

  it('makes the same ids and codes as we did, and both stay', async () => {
    const row = await makeGffy(person);
    await makeReferences(stranger, row);
    expect(await stranger.post(GFFY, row)).toEqual(row);
    expect((await stranger.send('DELETE', `${GFFY}/${row.id}`)).status).toBe(204);
    expect(await person.get(`${GFFY}/${row.id}`)).toEqual(row);
  });
});

describe('whoever may not', () => {
  const may = 'finance-storage.group-fund-fiscal-years';

  it.each([
    ['GET', GFFY, `${may}.collection.get`],
    ['POST', GFFY, `${may}.item.post`],
    ['GET', `${GFFY}/${UNKNOWN}`, `${may}.item.get`],
    ['PUT', `${GFFY}/${UNKNOWN}`, `${may}.item.put`],
    ['DELETE', `${GFFY}/${UNKNOWN}`, `${may}.item.delete`],
    ['GET', `${FINANCE}/funds`, 'finance-storage.funds.collection.get'],
  ])('%s %s is told which permission it takes', async (method, path, permission) => {
    const operator = await world.as('supertenant');
    const { status, text } = await operator.send(method, path);
    expect(status).toBe(403);
    expect(text).toMatch(
      new RegExp(
        `^Access for user 'admin' \\([0-9a-f-]{36}\\) requires permission: ${permission}$`,
      ),
    );
    const headers = { 'x-okapi-tenant': 'library' };
    expect(await world.send(method, path, { headers })).toMatchObject({
      status: 401,
      text: `Token missing, access requires permission: ${permission}`,
    });
  });
});

/** Last: the world of the others ends here. */
describe('a second start', () => {
  it('loads nothing again: what was deleted stays deleted', async () => {
    const path = `${GFFY}/${sampleId('group-fund-fiscal-years', 'HIST/H-USA/FY2026')}`;
    expect((await person.send('DELETE', path)).status).toBe(204);
    await world.quire.stop();
    await using again = await World.open(world.settings);
    const returned = await again.as();
    expect((await returned.send('GET', path)).status).toBe(404);
    const history = asked(GFFY, 'group.code==HIST');
    expect((await returned.get<Gffys>(history)).totalRecords).toBe(12);
  });
});
