import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { ALWAYS, FinanceWorld, UNKNOWN_ID, type Library, type Made } from './finance-world.js';

/** Budgets and group-fund-fiscal-years of one fund and year find each other (finance-storage, 5.1 and 5.2). */
const GFFY = 'group-fund-fiscal-years';

let database: TestDatabase;
let world: FinanceWorld;
let at = 0;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

interface Scene extends Library {
  readonly pair: { readonly fundId: string; readonly fiscalYearId: string };
  readonly otherYear: Made;
  /** Of the fund, in the first year. */
  readonly relation: Made;
  /** Of the fund, in the other year. */
  readonly otherRelation: Made;
}

async function scene(): Promise<Scene> {
  at += 1;
  const library = await world.library(`scene ${at}`);
  const { fund, year, group } = library;
  const code = `other ${at}`;
  const otherYear = await world.make('fiscal-years', { code, name: code, ...ALWAYS });
  const ids = { groupId: group.id, fundId: fund.id };
  const relation = await world.make(GFFY, { ...ids, fiscalYearId: year.id });
  const otherRelation = await world.make(GFFY, { ...ids, fiscalYearId: otherYear.id });
  const pair = { fundId: fund.id, fiscalYearId: year.id };
  await world.events();
  return { ...library, pair, otherYear, relation, otherRelation };
}

const newBudget = (pair: object): Promise<Made> =>
  world.make('budgets', { name: 'b', budgetStatus: 'Active', initialAllocation: 1, ...pair });

const linkOf = async (relation: Made): Promise<readonly unknown[]> => {
  const { budgetId, _version } = await world.get(GFFY, relation);
  return [budgetId, _version];
};

describe('a new budget', () => {
  it('is named by every group-fund-fiscal-year of its fund and year', async () => {
    const { pair, relation, otherRelation } = await scene();
    const group = await world.make('groups', {
      code: `2-${at}`,
      name: `2-${at}`,
      status: 'Active',
    });
    const second = await world.make(GFFY, { ...pair, groupId: group.id });
    await world.events();
    const budget = await newBudget(pair);
    expect(await linkOf(relation)).toEqual([budget.id, 2]);
    expect(await linkOf(second)).toEqual([budget.id, 2]);
    expect(await linkOf(otherRelation)).toEqual([undefined, 1]);
    const events = await world.events();
    expect(events.filter(({ type }) => type === 'BudgetCreated')).toEqual([
      { type: 'BudgetCreated', id: budget.id, _version: 1, changed: expect.any(Array) as unknown },
    ]);
    const updated = events.filter(({ type }) => type === 'GroupFundFiscalYearUpdated');
    expect(updated.map(({ id }) => id).sort()).toEqual([relation.id, second.id].sort());
    for (const one of updated) expect(one).toMatchObject({ _version: 2, changed: ['budgetId'] });
  });

  it('is named by what comes after it', async () => {
    const { pair, relation, group } = await scene();
    await world.ask('DELETE', `/${GFFY}/${relation.id}`);
    const budget = await newBudget(pair);
    const made = await world.make(GFFY, { ...pair, groupId: group.id, budgetId: null });
    expect(made).toMatchObject({ budgetId: budget.id, _version: 1 });
  });
});

describe('a budget that goes', () => {
  it('is named no longer', async () => {
    const { pair, relation, otherRelation } = await scene();
    const budget = await newBudget(pair);
    await world.events();
    expect((await world.ask('DELETE', `/budgets/${budget.id}`)).status).toBe(204);
    expect(await linkOf(relation)).toEqual([undefined, 3]);
    expect(await linkOf(otherRelation)).toEqual([undefined, 1]);
    const told = (await world.events()).map(({ type, id, _version }) => [type, id, _version]);
    expect(told.sort()).toEqual(
      [
        ['BudgetDeleted', budget.id, 1],
        ['GroupFundFiscalYearUpdated', relation.id, 3],
      ].sort(),
    );
  });
});

describe('a budget of another fund or year', () => {
  it('leaves those of the old pair and is named by those of the new one', async () => {
    const { pair, otherYear, relation, otherRelation } = await scene();
    const budget = await newBudget(pair);
    await world.events();
    const put = await world.ask('PUT', `/budgets/${budget.id}`, {
      body: { ...budget, fiscalYearId: otherYear.id },
    });
    expect(put.status).toBe(204);
    expect(await linkOf(relation)).toEqual([undefined, 3]);
    expect(await linkOf(otherRelation)).toEqual([budget.id, 2]);
    const told = (await world.events()).map(({ type, id, changed }) => [type, id, ...changed]);
    expect(told.sort()).toEqual(
      [
        ['BudgetUpdated', budget.id, 'fiscalYearId'],
        ['GroupFundFiscalYearUpdated', relation.id, 'budgetId'],
        ['GroupFundFiscalYearUpdated', otherRelation.id, 'budgetId'],
      ].sort(),
    );
  });

  it('touches nothing when the pair stays, and its event names no amount', async () => {
    const { pair, relation } = await scene();
    const budget = await newBudget(pair);
    await world.events();
    await world.ask('PUT', `/budgets/${budget.id}`, {
      body: { ...budget, name: 'renamed', initialAllocation: 4711 },
    });
    expect(await linkOf(relation)).toEqual([budget.id, 2]);
    const [event, ...others] = await world.events();
    expect(others).toEqual([]);
    expect(event).toEqual({
      type: 'BudgetUpdated',
      id: budget.id,
      _version: 2,
      changed: ['name', 'initialAllocation'],
    });
    expect(JSON.stringify(event)).not.toContain('4711');
  });

  it('changes nothing at all with another version', async () => {
    const { pair, otherYear, relation, otherRelation } = await scene();
    const budget = await newBudget(pair);
    await world.events();
    const put = await world.ask('PUT', `/budgets/${budget.id}`, {
      body: { ...budget, fiscalYearId: otherYear.id, _version: 8 },
    });
    expect(put.status).toBe(409);
    expect(await linkOf(relation)).toEqual([budget.id, 2]);
    expect(await linkOf(otherRelation)).toEqual([undefined, 1]);
    expect(await world.events()).toEqual([]);
  });
});

describe('a changed group-fund-fiscal-year', () => {
  it('is made and stays without a budget when it is sent as null', async () => {
    const { pair, relation, group } = await scene();
    await world.ask('DELETE', `/${GFFY}/${relation.id}`);
    const body = { ...pair, groupId: group.id, budgetId: null };
    const made = await world.ask('POST', `/${GFFY}`, { body });
    expect(made.status).toBe(201);
    expect(made.json).not.toHaveProperty('budgetId');
    const { id } = made.json as Made;
    const put = await world.ask('PUT', `/${GFFY}/${id}`, { body: { ...body, _version: 1 } });
    expect([put.status, await linkOf({ id, _version: 1 })]).toEqual([204, [undefined, 2]]);
  });

  it('names the budget that was sent, or none', async () => {
    const { pair, relation, group } = await scene();
    const budget = await newBudget(pair);
    const target = `/${GFFY}/${relation.id}`;
    const body = { ...pair, groupId: group.id };
    const none = await world.ask('PUT', target, { body: { ...body, _version: 2 } });
    expect(none.status).toBe(204);
    expect(await linkOf(relation)).toEqual([undefined, 3]);
    const again = await world.ask('PUT', target, {
      body: { ...body, _version: 3, budgetId: budget.id.toUpperCase() },
    });
    expect(again.status).toBe(204);
    expect(await linkOf(relation)).toEqual([budget.id, 4]);
  });

  it('cannot name the budget of another fund or year, nor can a new one', async () => {
    const { pair, otherYear, relation, group } = await scene();
    const budget = await newBudget({ ...pair, fiscalYearId: otherYear.id });
    const body = { ...pair, groupId: group.id, budgetId: budget.id };
    const post = await world.ask('POST', `/${GFFY}`, { body });
    const put = await world.ask('PUT', `/${GFFY}/${relation.id}`, {
      body: { ...body, _version: 1 },
    });
    for (const answer of [post, put]) {
      expect(answer.status).toBe(422);
      expect(answer.json).toEqual({
        errors: [
          {
            message: `Budget ${budget.id} does not belong to fund ${pair.fundId} and fiscal year ${pair.fiscalYearId}`,
            type: 'error',
            code: 'finance.budget.mismatch',
            parameters: [
              { key: 'budgetId', value: budget.id },
              { key: 'fundId', value: pair.fundId },
              { key: 'fiscalYearId', value: pair.fiscalYearId },
            ],
          },
        ],
        total_records: 1,
      });
    }
  });

  it('is checked against its budget only when fund and year exist, and before what is unique', async () => {
    const { pair, otherYear, relation, group } = await scene();
    const budget = await newBudget(pair);
    const body = { groupId: group.id, ...pair, budgetId: budget.id };
    for (const [property, column] of [
      ['fundId', 'fundid'],
      ['fiscalYearId', 'fiscalyearid'],
    ] as const) {
      const answer = await world.ask('POST', `/${GFFY}`, {
        body: { ...body, [property]: UNKNOWN_ID },
      });
      expect([answer.status, answer.text]).toEqual([
        400,
        expect.stringContaining(`Cannot set group_fund_fiscal_year.${column} = ${UNKNOWN_ID}`),
      ]);
    }
    const taken = { ...body, fiscalYearId: otherYear.id, id: relation.id };
    expect((await world.ask('POST', `/${GFFY}`, { body: taken })).status).toBe(422);
    const stale = await world.ask('PUT', `/${GFFY}/${relation.id}`, { body: taken });
    expect(stale.status).toBe(409);
  });
});

describe('events', () => {
  it('tell of every change of every entity what it was', async () => {
    const { year, ledger, fundType, fund, group, relation } = await scene();
    const cases = [
      ['fiscal-years', 'FiscalYear', year],
      ['ledgers', 'Ledger', ledger],
      ['fund-types', 'FundType', fundType],
      ['funds', 'Fund', fund],
      ['groups', 'Group', group],
    ] as const;
    for (const [path, entity, one] of cases) {
      const stored = await world.get(path, one);
      const body = { ...stored, name: `${String(stored['name'])} renamed` };
      await world.ask('PUT', `/${path}/${one.id}`, { body });
      expect(await world.events()).toEqual([
        { type: `${entity}Updated`, id: one.id, _version: 2, changed: ['name'] },
      ]);
    }
    await world.ask('DELETE', `/${GFFY}/${relation.id}`);
    expect(await world.events()).toEqual([
      {
        type: 'GroupFundFiscalYearDeleted',
        id: relation.id,
        _version: 1,
        changed: ['groupId', 'fiscalYearId', 'fundId'],
      },
    ]);
    const made = await world.make('fund-types', { name: 'told' });
    expect(await world.events()).toEqual([
      { type: 'FundTypeCreated', id: made.id, _version: 1, changed: ['name'] },
    ]);
    await world.ask('POST', '/fund-types', { body: { name: 'told' } });
    expect(await world.events()).toEqual([]);
  });
});
