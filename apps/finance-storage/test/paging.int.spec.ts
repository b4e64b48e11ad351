import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { FinanceWorld, OTHER_TENANT, type Answer } from './finance-world.js';

/** Pages and totals of the sample data (finance-storage, 6.3). */
const PATH = '/group-fund-fiscal-years';

let database: TestDatabase;
let world: FinanceWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url, true);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

interface Page {
  readonly groupFundFiscalYears: readonly { readonly id: string }[];
  readonly totalRecords?: number;
}
const pageOf = ({ status, text, json }: Answer): Page => {
  expect([status, text]).toEqual([200, text]);
  expect(text).toMatch(/^\{"groupFundFiscalYears":\[/);
  return json as Page;
};

describe('a page', () => {
  it.each([
    ['', 10, 13],
    ['limit=0', 0, 13],
    ['limit=5&offset=10', 3, 13],
    ['limit=5&offset=20', 0, 13],
    ['limit=5&offset=20&totalRecords=exact', 0, 13],
    ['limit=5&totalRecords=none', 5, undefined],
    ['limit=0&totalRecords=none', 0, undefined],
    ['limit=2147483647', 13, 13],
    ['limit=2147483647&offset=2147483647', 0, 13],
    ['limit=5&totalRecords=AUTO', 5, 13],
    ['limit=5&query=fiscalYear.code==FY2026', 5, 12],
    ['limit=5&query=fiscalYear.code==FY2026&totalRecords=exact', 5, 12],
    ['query=', 10, 13],
    ['perPage=3&stats=true&lang=xyz', 10, 13],
  ])('%s has %d items', async (parameters, items, total) => {
    const page = pageOf(await world.ask('GET', `${PATH}?${parameters}`));
    expect([page.groupFundFiscalYears.length, page.totalRecords]).toEqual([items, total]);
  });

  it('may have an estimated total', async () => {
    const page = pageOf(await world.ask('GET', `${PATH}?totalRecords=estimated&limit=100`));
    expect(page.totalRecords).toBe(13);
  });

  it.each([
    [
      'totalRecords=foo',
      '\'totalRecords\' parameter is incorrect. parameter value {foo} is not valid: must match "exact|estimated|none|auto"',
    ],
    [
      'limit=-1',
      "'limit' parameter is incorrect. parameter value {-1} is not valid: must be greater than or equal to 0",
    ],
    [
      'limit=abc',
      "'limit' parameter is incorrect. parameter value {abc} is not valid: must be an integer between 0 and 2147483647",
    ],
    [
      'offset=2147483648',
      "'offset' parameter is incorrect. parameter value {2147483648} is not valid: must be less than or equal to 2147483647",
    ],
    ['limit=1&limit=2', "'limit' parameter is incorrect. parameter has been passed more than once"],
  ])('is refused with %s', async (parameters, text) => {
    const answer = await world.ask('GET', `${PATH}?${parameters}`);
    expect([answer.status, answer.text]).toEqual([400, text]);
  });

  it('comes behind the last id, until there is none', async () => {
    const ids: string[] = [];
    for (;;) {
      const last = ids.at(-1);
      const query =
        last === undefined
          ? 'cql.allRecords=1 sortBy id'
          : `id>"${last}" and (cql.allRecords=1) sortBy id`;
      const target = `${PATH}?limit=5&query=${encodeURIComponent(query)}`;
      const { groupFundFiscalYears: rows } = pageOf(await world.ask('GET', target));
      if (rows.length === 0) break;
      ids.push(...rows.map(({ id }) => id));
    }
    expect(new Set(ids).size).toBe(13);
    expect(ids).toEqual([...ids].sort());
  });

  it('has only what is of the tenant', async () => {
    const page = pageOf(await world.ask('GET', PATH, { tenant: OTHER_TENANT }));
    expect(page).toEqual({ groupFundFiscalYears: [], totalRecords: 0 });
  });

  it('of every entity has its own key and the order of ids', async () => {
    for (const [path, key, total] of [
      ['groups', 'groups', 2],
      ['fiscal-years', 'fiscalYears', 8],
      ['ledgers', 'ledgers', 5],
      ['fund-types', 'fundTypes', 12],
      ['funds', 'funds', 20],
      ['budgets', 'budgets', 21],
    ] as const) {
      const { json } = await world.ask('GET', `/${path}?limit=100`);
      const list = json as Record<string, { id: string }[]> & { totalRecords: number };
      expect(Object.keys(list)).toEqual([key, 'totalRecords']);
      const ids = (list[key] ?? []).map(({ id }) => id);
      expect([ids.length, list.totalRecords]).toEqual([total, total]);
      expect(ids).toEqual([...ids].sort());
    }
  });
});

describe('a body that is no JSON', () => {
  it('is refused when there is none', async () => {
    const answer = await world.ask('POST', PATH);
    expect([answer.status, answer.text]).toEqual([
      400,
      'HV000116: The object to be validated must not be null.',
    ]);
  });

  it.each([null, [], 'x', 5])('or is no object: %j', async (body) => {
    const answer = await world.ask('POST', PATH, { body });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      errors: [{ message: 'must be an object', parameters: [{ key: '' }] }],
    });
  });

  it('or is nested deeper than 64', async () => {
    let deep: object = {};
    for (let level = 0; level < 70; level += 1) deep = { expanded: deep };
    const answer = await world.ask('POST', PATH, { body: deep });
    expect([answer.status, answer.text]).toEqual([400, 'JSON is nested deeper than 64']);
  });
});
