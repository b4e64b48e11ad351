import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { ALWAYS, FinanceWorld, type Library, type Made } from './finance-world.js';

/** A new status of a ledger or fund is passed on (finance-storage, 5.3). */
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
  readonly inactive: Made;
  /** Of the library's fund: two years that contain today, one of them closed, and a year long past. */
  readonly now: Made;
  readonly alsoNow: Made;
  readonly closed: Made;
  readonly past: Made;
}

async function scene(): Promise<Scene> {
  at += 1;
  const library = await world.library(`scene ${at}`);
  const { fund, year, ledger } = library;
  const yearOf = (code: string, periods: object): Promise<Made> =>
    world.make('fiscal-years', { code: `${code} ${at}`, name: code, ...periods });
  const budgetOf = (fiscalYear: Made, budgetStatus: string, ofFund = fund): Promise<Made> =>
    world.make('budgets', {
      name: 'b',
      budgetStatus,
      fundId: ofFund.id,
      fiscalYearId: fiscalYear.id,
    });
  const inactive = await world.make('funds', {
    code: `inactive ${at}`,
    name: 'inactive',
    fundStatus: 'Inactive',
    ledgerId: ledger.id,
  });
  const made = {
    inactive,
    now: await budgetOf(year, 'Planned'),
    alsoNow: await budgetOf(await yearOf('also', ALWAYS), 'Active'),
    closed: await budgetOf(await yearOf('third', ALWAYS), 'Closed'),
    past: await budgetOf(
      await yearOf('past', { periodStart: '2001-01-01', periodEnd: '2001-12-31' }),
      'Active',
    ),
  };
  await world.events();
  return { ...library, ...made };
}

const statusOf = async (path: string, property: string, one: Made): Promise<readonly unknown[]> => {
  const stored = await world.get(path, one);
  return [stored[property], stored._version];
};

async function statuses({ fund, inactive, now, alsoNow, closed, past }: Scene): Promise<object> {
  const ofBudget = (one: Made): Promise<readonly unknown[]> =>
    statusOf('budgets', 'budgetStatus', one);
  return {
    fund: await statusOf('funds', 'fundStatus', fund),
    inactive: await statusOf('funds', 'fundStatus', inactive),
    now: await ofBudget(now),
    alsoNow: await ofBudget(alsoNow),
    closed: await ofBudget(closed),
    past: await ofBudget(past),
  };
}

const UNTOUCHED = {
  fund: ['Active', 1],
  inactive: ['Inactive', 1],
  now: ['Planned', 1],
  alsoNow: ['Active', 1],
  closed: ['Closed', 1],
  past: ['Active', 1],
};

describe('a new status of a ledger', () => {
  it('is that of its funds and of their budgets of today, but for closed ones', async () => {
    const all = await scene();
    const bystander = await world.library(`bystander ${at}`);
    await world.events();
    const put = await world.ask('PUT', `/ledgers/${all.ledger.id}`, {
      body: { ...all.ledger, ledgerStatus: 'Frozen' },
    });
    expect(put.status).toBe(204);
    expect(await statuses(all)).toEqual({
      ...UNTOUCHED,
      fund: ['Frozen', 2],
      inactive: ['Frozen', 2],
      now: ['Frozen', 2],
      alsoNow: ['Frozen', 2],
    });
    expect(await statusOf('funds', 'fundStatus', bystander.fund)).toEqual(['Active', 1]);
    const told = (await world.events()).map(({ type, id, _version, changed }) =>
      [type, id, _version, ...changed].join(' '),
    );
    expect(told.sort()).toEqual(
      [
        `LedgerUpdated ${all.ledger.id} 2 ledgerStatus`,
        `FundUpdated ${all.fund.id} 2 fundStatus`,
        `FundUpdated ${all.inactive.id} 2 fundStatus`,
        `BudgetUpdated ${all.now.id} 2 budgetStatus`,
        `BudgetUpdated ${all.alsoNow.id} 2 budgetStatus`,
      ].sort(),
    );
    const { metadata } = await world.get('budgets', all.now);
    const { createdDate, updatedDate } = metadata as Record<string, string>;
    expect((updatedDate ?? '') > (createdDate ?? '')).toBe(true);
  });

  it('passes by funds that have it already, with their budgets', async () => {
    const all = await scene();
    await world.ask('PUT', `/ledgers/${all.ledger.id}`, {
      body: { ...all.ledger, ledgerStatus: 'Inactive' },
    });
    expect(await statuses(all)).toMatchObject({ fund: ['Inactive', 2], inactive: ['Inactive', 1] });
  });

  it.each([
    ['another version', { ledgerStatus: 'Frozen', _version: 5 }, 409],
    ['a name that is taken', { ledgerStatus: 'Frozen', name: 'taken' }, 400],
    ['the same status', { description: 'new' }, 204],
  ])('has no effect with %s', async (_why, change, status) => {
    const all = await scene();
    await world.ask('POST', '/ledgers', {
      body: { code: 'taken', name: 'taken', ledgerStatus: 'Active', fiscalYearOneId: all.year.id },
    });
    await world.events();
    const put = await world.ask('PUT', `/ledgers/${all.ledger.id}`, {
      body: { ...all.ledger, ...change },
    });
    expect(put.status).toBe(status);
    expect(await statuses(all)).toEqual(UNTOUCHED);
    expect(await world.events()).toHaveLength(status === 204 ? 1 : 0);
  });
});

describe('a new status of a fund', () => {
  it('is that of its budgets of today, but for closed ones', async () => {
    const all = await scene();
    const put = await world.ask('PUT', `/funds/${all.fund.id}`, {
      body: { ...all.fund, fundStatus: 'Inactive' },
    });
    expect(put.status).toBe(204);
    expect(await statuses(all)).toEqual({
      ...UNTOUCHED,
      fund: ['Inactive', 2],
      now: ['Inactive', 2],
      alsoNow: ['Inactive', 2],
    });
  });

  it('leaves a budget that has it already', async () => {
    const all = await scene();
    const frozen = { ...all.fund, fundStatus: 'Frozen' };
    await world.ask('PUT', `/budgets/${all.now.id}`, {
      body: { ...all.now, budgetStatus: 'Frozen' },
    });
    await world.ask('PUT', `/funds/${all.fund.id}`, { body: frozen });
    expect(await statuses(all)).toMatchObject({ now: ['Frozen', 2], alsoNow: ['Frozen', 2] });
  });

  it('has no effect with another version', async () => {
    const all = await scene();
    const put = await world.ask('PUT', `/funds/${all.fund.id}`, {
      body: { ...all.fund, fundStatus: 'Inactive', _version: 2 },
    });
    expect(put.status).toBe(409);
    expect(await statuses(all)).toEqual(UNTOUCHED);
    expect(await world.events()).toEqual([]);
  });
});

describe('statuses that are changed at the same time', () => {
  const ROUNDS = 25;

  /** @returns status of the answer to a PUT of what is stored, changed */
  async function put(path: string, { id }: Made, change: object): Promise<number> {
    const got = await world.ask('GET', `/${path}/${id}`);
    const body = { ...(got.json as object), ...change };
    return (await world.ask('PUT', `/${path}/${id}`, { body })).status;
  }

  it('of a ledger, its funds and their budgets wait for each other and never fail', async () => {
    const all = await scene();
    const { ledger, fund, inactive, now, alsoNow, year } = all;
    const answers = new Set<number>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const status = ['Active', 'Frozen', 'Inactive'][round % 3];
      const other = ['Frozen', 'Inactive', 'Active'][round % 3];
      const body = { name: 'b', budgetStatus: 'Active', fundId: inactive.id };
      const posted = world.ask('POST', '/budgets', { body: { ...body, fiscalYearId: year.id } });
      const statuses = await Promise.all([
        put('ledgers', ledger, { ledgerStatus: status }),
        put('funds', fund, { fundStatus: other }),
        put('funds', inactive, { fundStatus: other }),
        put('budgets', now, { budgetStatus: other }),
        put('budgets', alsoNow, { fundId: round % 2 === 0 ? inactive.id : fund.id }),
        posted.then(async ({ status: made, json }) =>
          made === 201 ? (await world.ask('DELETE', `/budgets/${(json as Made).id}`)).status : made,
        ),
      ]);
      for (const one of statuses) answers.add(one);
    }
    expect([...answers].filter((one) => one !== 204 && one !== 409)).toEqual([]);
  }, 60_000);
});
