import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { groupFundFiscalYear } from '../src/domain/entities.js';
import { sampleId } from '../src/domain/sample-data.js';
import { FinanceWorld } from './finance-world.js';

const GFFY = '/group-fund-fiscal-years';

describe('related entities of group-fund-fiscal-years', () => {
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

  interface Item {
    readonly [property: string]: unknown;
    readonly expanded?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  }

  async function items(query: string, more = ''): Promise<Item[]> {
    const answer = await world.ask(
      'GET',
      `${GFFY}?limit=100&query=${encodeURIComponent(query)}${more}`,
    );
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    return (answer.json as { groupFundFiscalYears: Item[] }).groupFundFiscalYears;
  }

  it('sort them, by name of the fund', async () => {
    const rows = await items('cql.allRecords=1 sortBy fund.name', '&expand=fund');
    const codes = rows.map((row) => row.expanded?.['fund']?.['code']);
    expect([codes[0], codes[1], codes.at(-1)]).toEqual(['H-AFR', 'H-AFR', 'H-USA']);
  });

  it('sort them, by several keys in different directions', async () => {
    const rows = await items('cql.allRecords=1 sortBy fiscalYear.code/sort.descending fund.code');
    const wanted = [rows[0], rows.at(-1)].map((row) => row?.['id']);
    expect(wanted).toEqual([
      sampleId(groupFundFiscalYear, 'HIST/H-AFR/FY2026'),
      sampleId(groupFundFiscalYear, 'HIST/H-AFR/FY2025'),
    ]);
  });

  it('sort those that have none to the end', async () => {
    const rows = await items('cql.allRecords=1 sortBy fundType.name', '&expand=fundType');
    const names = rows.map((row) => row.expanded?.['fundType']?.['name']);
    expect(names.slice(0, 5)).toEqual([
      'Approvals',
      'Approvals',
      'Faculty',
      'Monographs',
      undefined,
    ]);
    expect(names.slice(4)).toEqual(Array<undefined>(9).fill(undefined));
  });

  it('are shown when they are asked for, only those that are there', async () => {
    const rows = await items(
      'fiscalYear.code==FY2026 and fundType.name==Monographs',
      '&expand=fund,ledger,budget',
    );
    expect(rows).toHaveLength(1);
    expect(Object.keys(rows[0]?.expanded ?? {})).toEqual(['fund', 'ledger', 'budget']);
    expect(rows[0]).toMatchObject({
      expanded: { ledger: { name: 'Main Library' }, budget: { available: 10_000 } },
    });
    const [plain] = await items('fund.code==H-CAN', '&expand=fundType,group');
    expect(plain?.expanded).toEqual({
      group: { id: expect.any(String), code: 'HIST', name: 'History', status: 'Active' },
    });
  });

  it('are not shown when nobody asks', async () => {
    const [row] = await items('fund.code==H-CAN');
    expect(Object.keys(row ?? {}).sort()).toEqual(
      ['id', '_version', 'budgetId', 'groupId', 'fiscalYearId', 'fundId'].sort(),
    );
  });

  it('go with a single one too, and a PUT takes back what a GET gave', async () => {
    const path = `${GFFY}/${sampleId(groupFundFiscalYear, 'HIST/H-EUR/FY2026')}`;
    const json = (await world.ask('GET', `${path}?expand=group,fundType`)).json as Item;
    expect(json.expanded).toMatchObject({ group: { code: 'HIST' } });
    const put = await world.ask('PUT', path, { body: json });
    expect([put.status, put.text]).toEqual([204, '']);
  });

  it.each([GFFY, `${GFFY}/${sampleId(groupFundFiscalYear, 'HIST/H-EUR/FY2026')}`])(
    'refuse a name that is none: %s',
    async (path) => {
      const answer = await world.ask('GET', `${path}?expand=fund,vendor`);
      expect([answer.status, answer.text]).toEqual([
        400,
        `'expand' parameter is incorrect. parameter value {vendor} is not valid: must match "group|fund|fiscalYear|budget|ledger|fundType"`,
      ]);
    },
  );

  it('of funds are the groups that they are in', async () => {
    const answer = await world.ask(
      'GET',
      '/funds?query=code==(ENDOW%20or%20H-EUR)%20sortBy%20code&expand=groups,ledger',
    );
    expect(answer.json).toMatchObject({
      funds: [
        { code: 'ENDOW', expanded: { groups: [], ledger: { code: 'ONGOING' } } },
        { code: 'H-EUR', expanded: { groups: [{ code: 'HIST' }] } },
      ],
    });
  });
});
