import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { FinanceWorld } from './finance-world.js';

const NOW_YEAR = { periodStart: '2020-01-01', periodEnd: '2099-12-31T23:59:59Z' };

describe('entities are made in the order of their references', () => {
  let database: TestDatabase;
  let world: FinanceWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await FinanceWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('and a budget links the group-fund-fiscal-years of its fund and year', async () => {
    const year = await world.make('fiscal-years', { code: 'FY', name: 'Year', ...NOW_YEAR });
    const ledger = await world.make('ledgers', {
      code: 'L',
      name: 'Ledger',
      fiscalYearOneId: year.id,
      ledgerStatus: 'Active',
    });
    expect(ledger).toMatchObject({ restrictEncumbrance: true, _version: 1 });
    const fund = await world.make('funds', {
      code: 'F',
      name: 'Fund',
      fundStatus: 'Active',
      ledgerId: ledger.id,
      tags: { tagList: ['Urgent'] },
    });
    const group = await world.make('groups', { code: 'G', name: 'History', status: 'Active' });
    const ids = { groupId: group.id, fundId: fund.id, fiscalYearId: year.id };
    const relation = await world.make('group-fund-fiscal-years', { ...ids, _version: 7 });
    expect(relation).toEqual({ id: relation.id, _version: 1, ...ids });
    const budget = await world.make('budgets', {
      name: 'F-FY',
      budgetStatus: 'Active',
      fundId: fund.id,
      fiscalYearId: year.id,
      initialAllocation: 100,
      allocationTo: 20,
      allocationFrom: 10,
      netTransfers: -5,
      encumbered: 80,
      awaitingPayment: 10,
      expenditures: 40,
      credits: 5,
      allocated: 999,
    });
    expect(budget).toMatchObject({
      allocated: 110,
      totalFunding: 105,
      unavailable: 125,
      available: -20,
      cashBalance: 70,
      overExpended: 0,
      overEncumbrance: 20,
    });
    const linked = await world.ask('GET', `/group-fund-fiscal-years/${relation.id}`);
    expect(linked.json).toMatchObject({ budgetId: budget.id, _version: 2 });
    for (const query of [
      'group.name==history and fund.fundStatus == Active and ledger.name==Ledger',
      'fund.tags.tagList==urgent',
      'budget.budgetStatus==(Active or Closed)',
      'fundType.name=* not group.code==G or fiscalYear.periodEnd > 2098',
    ]) {
      const found = await world.ask(
        'GET',
        `/group-fund-fiscal-years?query=${encodeURIComponent(query)}`,
      );
      expect([query, found.text]).toEqual([query, expect.stringContaining('"totalRecords":1')]);
    }
  });
});
