import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { bulk, csv, FY2026, FY2027, fundOf, GFFY, HIST, named, rowOf, SCI } from './bulk-world.js';
import { FinanceWorld } from './finance-world.js';

/** What a row without and with a budget is said to have. */
const PLAIN = ['groupId', 'fiscalYearId', 'fundId'];
const LINKED = ['budgetId', ...PLAIN];

describe('bulk work tells of every row that it changed', () => {
  let database: TestDatabase;
  let world: FinanceWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await FinanceWorld.start(database.url, true);
  });

  beforeEach(() => world.events());

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('and of no other', async () => {
    const { results } = await bulk(world, [
      { op: 'add', ...named('SCI', 'ENDOW') },
      { op: 'add', ...named('HIST', 'H-CAN') },
      { op: 'move', ...named('HIST', 'H-EUR'), toGroupCode: 'SCI' },
      { op: 'remove', ...named('HIST', 'H-USA') },
      { op: 'remove', ...named('SCI', 'H-USA') },
      { op: 'add', ...named('SCI', 'NEXT-RES') },
    ]);
    const told = await world.events();
    expect(told).toHaveLength(4);
    expect(told).toEqual(
      expect.arrayContaining([
        {
          type: 'GroupFundFiscalYearCreated',
          id: results[0]?.id,
          _version: 1,
          changed: expect.arrayContaining(LINKED),
        },
        {
          type: 'GroupFundFiscalYearUpdated',
          id: rowOf('HIST/H-EUR/FY2026'),
          _version: 2,
          changed: ['groupId'],
        },
        {
          type: 'GroupFundFiscalYearDeleted',
          id: rowOf('HIST/H-USA/FY2026'),
          _version: 1,
          changed: expect.arrayContaining(LINKED),
        },
        {
          type: 'GroupFundFiscalYearCreated',
          id: results[5]?.id,
          _version: 1,
          changed: PLAIN,
        },
      ]),
    );
  });

  it('not of a dry run, nor of what was refused', async () => {
    const operations = [{ op: 'add', ...named('SCI', 'EXCH') }];
    await bulk(world, operations, { dryRun: true });
    const broken = [...operations, { op: 'add', ...named('SCI', 'NONE') }];
    const answer = await world.ask('POST', `${GFFY}/bulk`, { body: { operations: broken } });
    expect(answer.status).toBe(422);
    expect(await world.events()).toEqual([]);
  });

  it('also when it is a copy, a table, or one row by what it ties', async () => {
    await world.ask('POST', `${GFFY}/copy`, {
      body: { fromFiscalYearId: FY2026, toFiscalYearId: FY2027, groupIds: [SCI] },
    });
    expect((await world.events()).map(({ type }) => type)).toEqual(
      Array(3).fill('GroupFundFiscalYearCreated'),
    );
    await csv(world, 'fiscalYear,FY2027\nfund,SCI\nENDOW,\n');
    expect(await world.events()).toMatchObject([{ type: 'GroupFundFiscalYearDeleted' }]);
    const key = `${GFFY}/by-key/${HIST}/${fundOf('ENDOW')}/${FY2027}`;
    for (const method of ['PUT', 'PUT', 'DELETE', 'DELETE'] as const) await world.ask(method, key);
    expect((await world.events()).map(({ type }) => type)).toEqual([
      'GroupFundFiscalYearCreated',
      'GroupFundFiscalYearDeleted',
    ]);
  });

  it('and links what it makes while a budget is made for the same fund and year', async () => {
    const codes = ['H-CAN', 'H-GEN', 'H-LAT', 'H-MEA', 'H-ASI'];
    await Promise.all(
      codes.flatMap((code) => [
        world.make('budgets', {
          name: code,
          budgetStatus: 'Planned',
          fundId: fundOf(code),
          fiscalYearId: FY2027,
        }),
        bulk(world, [
          { op: 'add', ...named('HIST', code, 'FY2027') },
          { op: 'add', ...named('SCI', code, 'FY2027') },
        ]),
      ]),
    );
    const unlinked = await world.rows(
      `select from group_fund_fiscal_year r join budget b on b.tenant_id = $1 and b.fund_id = r.fund_id
         and b.fiscal_year_id = r.fiscal_year_id
       where r.tenant_id = $1 and r.budget_id is distinct from b.id`,
    );
    expect(unlinked).toEqual([]);
    const linked = await world.ask(
      'GET',
      `${GFFY}?limit=0&query=${encodeURIComponent('budget.name==(H-CAN or H-GEN or H-LAT or H-MEA or H-ASI)')}`,
    );
    expect(linked.json).toMatchObject({ totalRecords: 10 });
  });
});
