import { decimalJson } from '@quire/contracts/decimals';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { ALWAYS, FinanceWorld, type Answer, type Library, type Made } from './finance-world.js';

/** Amounts are exact decimals; the computed ones follow from the stored ones (finance-storage, 2.1). */
let database: TestDatabase;
let world: FinanceWorld;
let library: Library;
let at = 0;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  library = await world.library('amounts');
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const VECTOR = {
  initialAllocation: 100,
  allocationTo: 20,
  allocationFrom: 10,
  netTransfers: -5,
  encumbered: 80,
  awaitingPayment: 10,
  expenditures: 40,
  credits: 5,
};
const COMPUTED = {
  allocated: 110,
  totalFunding: 105,
  unavailable: 125,
  available: -20,
  cashBalance: 70,
  overExpended: 0,
  overEncumbrance: 20,
};

const newFund = async (ledgerId = library.ledger.id): Promise<Made> => {
  at += 1;
  return world.make('funds', { code: `f${at}`, name: 'f', fundStatus: 'Active', ledgerId });
};

async function bodyOf(amounts: object): Promise<object> {
  const { id } = await newFund();
  return {
    name: 'b',
    budgetStatus: 'Active',
    fundId: id,
    fiscalYearId: library.year.id,
    ...amounts,
  };
}

describe('amounts of a budget', () => {
  it('are those of the vector, in every answer', async () => {
    const body = await bodyOf(VECTOR);
    const made = await world.make('budgets', body);
    expect(made).toMatchObject({ ...VECTOR, ...COMPUTED });
    expect(await world.get('budgets', made)).toMatchObject({ ...VECTOR, ...COMPUTED });
    const list = await world.ask('GET', `/budgets?query=id==${made.id}`);
    expect(list.json).toMatchObject({ budgets: [{ ...VECTOR, ...COMPUTED }] });
    const batch = await world.ask('POST', '/budgets/batch', { body: { ids: [made.id] } });
    expect(batch.json).toMatchObject({ budgets: [{ ...VECTOR, ...COMPUTED }] });
  });

  it('are nothing when nothing is sent, and computed ones that are sent mean nothing', async () => {
    const sent = { allocated: 999, available: 'x', overExpended: {} };
    const made = await world.make('budgets', await bodyOf(sent));
    const all = [...Object.keys(VECTOR), ...Object.keys(COMPUTED)];
    expect(made).toMatchObject(Object.fromEntries(all.map((name) => [name, 0])));
    const put = await world.ask('PUT', `/budgets/${made.id}`, {
      body: { ...(await world.get('budgets', made)), allocated: 5, initialAllocation: 7 },
    });
    expect(put.status).toBe(204);
    expect(await world.get('budgets', made)).toMatchObject({ allocated: 7, available: 7 });
  });

  it.each([
    [
      'spent more than funded',
      { initialAllocation: 10, expenditures: 15, awaitingPayment: 5 },
      { overExpended: 10, overEncumbrance: 0, available: -10, unavailable: 20 },
    ],
    [
      'funded below nothing',
      { netTransfers: -10, encumbered: 5 },
      { totalFunding: -10, available: -15, overExpended: 0, overEncumbrance: 5 },
    ],
    [
      'credited more than spent',
      { initialAllocation: 10, credits: 4 },
      { unavailable: 0, available: 14, cashBalance: 14 },
    ],
  ])('of one that is %s', async (_what, amounts, expected) => {
    expect(await world.make('budgets', await bodyOf(amounts))).toMatchObject(expected);
  });

  it('are exact, without exponents or zeros at the end', async () => {
    const amounts = {
      initialAllocation: '99999999999.9999',
      allocationTo: '0.1000',
      allocationFrom: 0.3,
      netTransfers: '1e3',
      allowableEncumbrance: '123456789012345',
    };
    const answer = await world.ask('POST', '/budgets', { body: await bodyOf(amounts) });
    expect(answer.status).toBe(201);
    for (const part of [
      '"initialAllocation":99999999999.9999,',
      '"allocationTo":0.1,',
      '"netTransfers":1000,',
      '"allowableEncumbrance":123456789012345,',
      '"allocated":99999999999.7999,',
      '"totalFunding":100000000999.7999,',
    ])
      expect(answer.text).toContain(part);
  });

  /** Written as they are: `JSON.stringify` would lose digits before they are sent. */
  it.each([
    '1234567890123456',
    '0.12345',
    '99999999999.99999999999',
    '0.1000000000000000001',
    '1e15',
  ])('have at most 15 digits: %s', async (amount) => {
    const body = await bodyOf({
      credits: decimalJson(amount),
    });
    const answer = await world.ask('POST', '/budgets', { body });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      errors: [
        {
          message: 'must have at most 15 digits, 4 of them decimals',
          parameters: [{ key: 'credits' }],
        },
      ],
    });
  });

  it('can be searched when they are stored, not when they are computed', async () => {
    const made = await world.make('budgets', await bodyOf({ encumbered: 4321.5 }));
    const found = await world.ask('GET', '/budgets?query=encumbered==4321.5');
    expect(found.json).toMatchObject({ budgets: [{ id: made.id }], totalRecords: 1 });
    const computed = await world.ask('GET', '/budgets?query=allocated==1');
    expect([computed.status, computed.text.split('\n')[0]]).toEqual([
      400,
      expect.stringContaining("unknown index 'allocated'"),
    ]);
  });
});

describe('sums of a ledger', () => {
  async function ledgerOf(fiscalYearOneId: string): Promise<Made> {
    at += 1;
    const code = `ledger ${at}`;
    return world.make('ledgers', { code, name: code, ledgerStatus: 'Active', fiscalYearOneId });
  }
  const yearOf = (code: string, more: object): Promise<Made> =>
    world.make('fiscal-years', { code, name: code, ...ALWAYS, ...more });
  const fill = async (ledger: Made, year: Made, amounts: object): Promise<void> => {
    const fund = await newFund(ledger.id);
    const body = { name: 'b', budgetStatus: 'Active', fundId: fund.id, fiscalYearId: year.id };
    await world.make('budgets', { ...body, ...amounts });
  };
  const summary = (ledger: Made, more = '?summary=true'): Promise<Answer> =>
    world.ask('GET', `/ledgers/${ledger.id}${more}`);

  it('are those of the budgets of its funds, each exact, shown only when asked for', async () => {
    const year = await yearOf('s1', {});
    const ledger = await ledgerOf(year.id);
    await fill(ledger, year, VECTOR);
    await fill(ledger, year, { initialAllocation: '99999999999.9999', credits: 3 });
    const answer = await summary(ledger);
    expect(answer.text).toContain('"initialAllocation":100000000099.9999,');
    // The second has less than nothing spent, which does not make up for what the first one spent.
    expect(answer.json).toMatchObject({
      unavailable: 125,
      credits: 8,
      overEncumbrance: 20,
      expenditures: 40,
    });
    const list = await world.ask('GET', `/ledgers?summary=TRUE&query=id==${ledger.id}`);
    expect(list.text).toContain('"initialAllocation":100000000099.9999,');
    for (const plain of [
      await summary(ledger, ''),
      await summary(ledger, '?summary=false'),
      await world.ask('GET', `/ledgers?query=id==${ledger.id}`),
    ])
      for (const name of [...Object.keys(VECTOR), ...Object.keys(COMPUTED)])
        expect(plain.text).not.toContain(`"${name}"`);
    const put = await world.ask('PUT', `/ledgers/${ledger.id}`, { body: answer.json as object });
    expect([put.status, put.text]).toEqual([204, '']);
  });

  it('are nothing without budgets', async () => {
    const ledger = await ledgerOf((await yearOf('s2', {})).id);
    const all = [...Object.keys(VECTOR), ...Object.keys(COMPUTED)];
    expect((await summary(ledger)).json).toMatchObject(
      Object.fromEntries(all.map((name) => [name, 0])),
    );
  });

  it('are of the year of the series that contains now, the latest if there are several', async () => {
    const past = { periodStart: '2001-01-01', periodEnd: '2001-12-31' };
    const first = await yearOf('s3 past', { ...past, series: 'S3' });
    const ledger = await ledgerOf(first.id);
    const early = await yearOf('s3 early', { series: 'S3' });
    const late = await yearOf('s3 late', { series: 'S3', periodStart: '2010-01-01' });
    const other = await yearOf('s3 other', { series: 'OTHER', periodStart: '2015-01-01' });
    for (const [year, initialAllocation] of [
      [first, 1],
      [early, 10],
      [late, 100],
      [other, 1000],
    ] as const)
      await fill(ledger, year, { initialAllocation });
    expect((await summary(ledger)).json).toMatchObject({ allocated: 100 });
  });

  it.each([
    ['of no series', {}],
    ['of a series without a year that contains now', { series: 'S4' }],
  ])('are of the first year, %s', async (_what, series) => {
    at += 1;
    const past = { periodStart: '2001-01-01', periodEnd: '2001-12-31' };
    const first = await yearOf(`s4 ${at}`, { ...past, ...series });
    const now = await yearOf(`s4 now ${at}`, {});
    const ledger = await ledgerOf(first.id);
    await fill(ledger, first, { initialAllocation: 1 });
    await fill(ledger, now, { initialAllocation: 10 });
    expect((await summary(ledger)).json).toMatchObject({ allocated: 1 });
  });

  it('are asked for with true or false and nothing else', async () => {
    const text =
      "'summary' parameter is incorrect. parameter value {maybe} is not valid: must be true or false";
    for (const target of [
      '/ledgers?summary=maybe',
      `/ledgers/${library.ledger.id}?summary=maybe`,
    ]) {
      const answer = await world.ask('GET', target);
      expect([answer.status, answer.text]).toEqual([400, text]);
    }
    expect((await world.ask('GET', '/groups?summary=maybe')).status).toBe(200);
  });
});
