import { compileList, Page } from '@quire/postgres/pages';
import type { TenantRead } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { fillTenant, idOf } from './big-finance.js';
import { FinanceWorld, TENANT } from './finance-world.js';
import { listingOf } from '../src/db/entity-queries.js';
import { ENTITIES } from '../src/domain/entities.js';

/**
 * What a first page with its total reads of 100,000 group-fund-fiscal-years and budgets and 5,000 funds: those of the answer,
 * whether the planner knows the tenant or not. Which index it names does not matter.
 */
const GFFY = 'group-fund-fiscal-years';

let database: TestDatabase;
let world: FinanceWorld;
let admin: DataSource;
let ids: Readonly<Record<string, string>>;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  for (const { table } of ENTITIES)
    await admin.query(`alter table finance_storage.${table} set (autovacuum_enabled = false)`);
  await fillTenant(admin, TENANT);
  ids = {
    fund: await idOf(admin, 'fund', 77),
    group: await idOf(admin, 'group', 77),
    year: await idOf(admin, 'year', 3),
    budget: await idOf(admin, 'budget', '77 3'),
    unit: await idOf(admin, 'unit', 15),
    relation: await idOf(admin, 'relation', '77 3'),
  };
}, 120_000);

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

/** Entity, query and number of matches; `<x>` stands for an id. */
const NARROW: readonly (readonly [string, string, number])[] = [
  [GFFY, 'id==<relation>', 1],
  [GFFY, 'fundId==<fund>', 20],
  [GFFY, 'groupId==<group>', 500],
  [GFFY, 'budgetId==<budget>', 1],
  [GFFY, 'fiscalYearId==<year>', 5000],
  [GFFY, 'group.name=="group 77"', 500],
  [GFFY, 'group.name=="group 77*"', 500],
  [GFFY, 'group.name==NonExistent', 0],
  [GFFY, 'group.code==G77', 500],
  [GFFY, 'group.acqUnitIds==<unit>', 500],
  [GFFY, 'fund.code==F77', 20],
  [GFFY, 'fund.code==NonExistent', 0],
  [GFFY, 'fund.name=="fund 77 history"', 20],
  [GFFY, 'fund.name==European', 0],
  [GFFY, 'fund.externalAccountNo==9-F77', 20],
  [GFFY, 'fund.name=77', 20],
  [GFFY, 'fund.name="fund 77"', 20],
  [GFFY, 'fund.fundStatus==Inactive', 1000],
  [GFFY, 'fund.tags.tagList=="tag 77"', 20],
  [GFFY, 'fund.acqUnitIds==<unit>', 20],
  [GFFY, 'fiscalYear.code==FY2026', 5000],
  [GFFY, 'fiscalYear.code==NonExistent', 0],
  [GFFY, 'fiscalYear.code==FY201?9', 0],
  [GFFY, 'fiscalYear.periodEnd < 2011', 5000],
  [GFFY, 'fiscalYear.periodEnd <= 2010-12-31', 5000],
  [GFFY, 'fiscalYear.periodEnd > 2028-12-31', 5000],
  [GFFY, 'fiscalYear.periodEnd == 2011', 5000],
  [GFFY, 'budget.name==F77-FY2015', 1],
  [GFFY, 'budget.budgetStatus==Closed', 20],
  [GFFY, 'budget.budgetStatus==Planned', 0],
  [GFFY, 'ledger.name=="Ledger 3"', 5000],
  [GFFY, 'ledger.ledgerStatus==Frozen', 5000],
  [GFFY, 'fundType.name=="Type 3"', 2000],
  [GFFY, 'fundType.name==NonExistent', 0],
  [GFFY, 'fundType.name=="Type 3" and ledger.name=="Ledger 3"', 1000],
  [GFFY, 'group.name=="group 77" and fiscalYear.code==FY2026', 25],
  [
    GFFY,
    'group.name=="group 77" and fund.fundStatus==Active and fiscalYear.periodEnd < 2010 and fundType.name=="Type 27" and ledger.name=="Ledger 17"',
    0,
  ],
  [GFFY, 'fundId==<fund> and fiscalYearId==<year>', 1],
  [GFFY, 'group.name=="group 77" or fund.code==X', 500],
  [GFFY, 'group.name=="group 77" or fund.code==F78', 520],
  [GFFY, 'fund.code==F77 or fund.code==F78', 40],
  [GFFY, 'fund.code==(F77 or F78) not fiscalYear.code==FY2025', 38],
  ['funds', 'code==F77', 1],
  ['funds', 'name=="fund 77*"', 11],
  ['funds', 'name=77', 1],
  ['funds', 'fundStatus==Inactive', 50],
  ['funds', 'tags.tagList=="tag 77"', 1],
  ['funds', 'acqUnitIds==<unit>', 1],
  ['funds', 'ledger.name=="Ledger 3"', 250],
  ['funds', 'fundType.name=="Type 3"', 100],
  ['funds', 'budget.budgetStatus==Closed', 1],
  ['funds', 'groupFundFY.id==<relation>', 1],
  ['budgets', 'name==F77-FY2015', 1],
  ['budgets', 'name==F77-*', 20],
  ['budgets', 'name=F77', 20],
  ['budgets', 'budgetStatus==Closed', 20],
  ['budgets', 'fundId==<fund>', 20],
  ['budgets', 'fiscalYearId==<year>', 5000],
  ['budgets', 'fund.code==F77', 20],
  ['groups', 'groupFundFY.fundId==<fund>', 1],
  ['ledgers', 'fund.code==F77', 1],
  ['fund-types', 'fund.code==F77', 1],
];

/** Two indexes could serve; without statistics the planner may take that of the fiscal year. */
const KNOWN: typeof NARROW = [
  [
    GFFY,
    'group.name=="group 77" and fund.fundStatus==Active and fiscalYear.periodEnd < 2012 and fundType.name=="Type 27" and ledger.name=="Ledger 17"',
    50,
  ],
  [
    GFFY,
    'group.code==G7 and fiscalYear.periodEnd < 2012 and fund.fundStatus==Inactive and ledger.name=="Ledger 7"',
    2,
  ],
  [GFFY, 'group.code==G77 and fundType.name=="Type 27" and ledger.name=="Ledger 17"', 500],
  [GFFY, 'fund.code==F77 or fund.code==F78 and fiscalYear.code==FY2026', 2],
];

/** No index knows the middle of a name, or what a fund has not: the funds are read, but not what refers to them. */
const OF_ALL_FUNDS: typeof NARROW = [
  [GFFY, 'cql.allRecords=1 NOT fundType.name=*', 0],
  [GFFY, 'fund.name=="*d 77 h*"', 20],
  [GFFY, 'fund.name=="*d 77 h*" or group.code==G77', 520],
];

/** Nearly every row matches: the page is found by its order, and the total is kept or an estimate. */
const BROAD: readonly string[] = [
  'cql.allRecords=1',
  'fund.fundStatus==Active',
  'cql.allRecords=1 NOT fund.fundStatus==Inactive',
  'budget.budgetStatus==(Active or Closed)',
  'cql.allRecords=1 NOT budget.budgetStatus==Closed',
  'budgetId=""',
  'groupId<>not-a-uuid',
  'fundType.name=*',
  'ledger.name=*',
  'id>"08000000-0000-0000-0000-000000000000" and (cql.allRecords=1) sortBy id',
  'cql.allRecords=1 sortBy fund.name',
  'fund.fundStatus==Active sortBy fund.code',
  'cql.allRecords=1 sortBy group.name/sort.descending fund.code',
];

/** Where the estimate is low, that there are more than are counted exactly is counted. */
const COUNTED: readonly string[] = [
  'group.name==Group*',
  'fund.name=="*History*"',
  'fiscalYear.code==FY20??',
  'fiscalYear.periodEnd <= 2026-12-31',
];
const COUNTED_ROWS = 20_000;

const LARGEST = ['group_fund_fiscal_year', 'budget'];
/** Of 5,000 funds of an unknown tenant the planner expects 25, so that it may as well read them all: 4 ms. */
const LARGE = [...LARGEST, 'fund'];
/**
 * Small tables may be read whole, and of related rows as many as show that there are too many; of a page of many the planner may
 * walk along the order for a while.
 */
const SLACK_ROWS = 3_500;

const FIRST_PAGE = { offset: 0, limit: 10, totalRecords: 'auto' } as const;

/** @returns rows of the tables that a first page and its total read */
async function readBy(path: string, query: string, tables: readonly string[]): Promise<number> {
  const entity = ENTITIES.find((one) => one.path === path);
  if (!entity) throw new Error(`There is no ${path}.`);
  const text = query.replaceAll(/<(\w+)>/g, (_, name: string) => ids[name] ?? '');
  const list = compileList(listingOf(entity), text, TENANT);
  return world.read(async (tx) => {
    const before = await rowsReadIn(tx, tables);
    for await (const rows of new Page(list, FIRST_PAGE).batches(tx))
      expect(rows.length).toBeGreaterThan(0);
    return (await rowsReadIn(tx, tables)) - before;
  });
}

/** So far, by this transaction and what of its connection is not reported yet. */
async function rowsReadIn(tx: TenantRead, tables: readonly string[]): Promise<number> {
  const read = await tx.one<{ n: string }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::text as n from pg_stat_xact_user_tables
     where schemaname = 'finance_storage' and relname = any ($1::text[])`,
    [tables],
  );
  return Number(read?.n);
}

async function expectFew(queries: typeof NARROW, tables: readonly string[]): Promise<void> {
  const long: unknown[] = [];
  for (const [path, query, matches] of queries) {
    const read = await readBy(path, query, tables);
    if (read > 4 * matches + SLACK_ROWS) long.push([path, query, matches, read]);
  }
  expect(long).toEqual([]);
}

it('an index finds the rows of a tenant that the planner does not know', async () => {
  await expectFew([...NARROW, ...OF_ALL_FUNDS], LARGEST);
}, 60_000);

it('an index finds the rows of one that it knows, and those of broad queries by their order', async () => {
  await admin.query('analyze');
  await expectFew([...NARROW, ...KNOWN], LARGE);
  await expectFew(OF_ALL_FUNDS, LARGEST);
  const long: unknown[] = [];
  for (const query of [...BROAD, ...COUNTED]) {
    const most = SLACK_ROWS + (COUNTED.includes(query) ? COUNTED_ROWS : 0);
    const read = await readBy(GFFY, query, LARGEST);
    if (read > most) long.push([query, read]);
  }
  expect(long).toEqual([]);
}, 60_000);
