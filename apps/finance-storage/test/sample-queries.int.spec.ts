import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { budget, fiscalYear, fund, group } from '../src/domain/entities.js';
import { sampleId } from '../src/domain/sample-data.js';
import { FinanceWorld } from './finance-world.js';

/** The queries of finance-storage, 6.1 and 6.2, on the sample data. `<fund H-AFR>` stands for its id. */
const HITS: readonly (readonly [path: string, query: string, hits: number])[] = [
  ['group-fund-fiscal-years', 'cql.allRecords=1', 13],
  ['group-fund-fiscal-years', 'group.name==History', 13],
  ['group-fund-fiscal-years', 'group.name==history', 13],
  ['group-fund-fiscal-years', 'group.name==Hist*', 13],
  ['group-fund-fiscal-years', 'fiscalYear.code==FY202?', 13],
  ['group-fund-fiscal-years', 'fund.name=="*History*"', 13],
  ['group-fund-fiscal-years', 'budget.budgetStatus==(Active or Closed)', 13],
  ['group-fund-fiscal-years', 'budgetId=""', 13],
  ['group-fund-fiscal-years', 'fiscalYear.periodEnd <= 2026-12-31', 13],
  ['group-fund-fiscal-years', 'groupId<>not-a-uuid', 13],
  ['group-fund-fiscal-years', 'group.name==History or fund.code==X', 13],
  ['group-fund-fiscal-years', 'group.name==NonExistent', 0],
  ['group-fund-fiscal-years', 'group.code==SCI', 0],
  ['group-fund-fiscal-years', 'fiscalYear.code==NonExistent', 0],
  ['group-fund-fiscal-years', 'fund.code==NonExistent', 0],
  ['group-fund-fiscal-years', 'fund.name==European', 0],
  ['group-fund-fiscal-years', 'fundType.name==NonExistent', 0],
  ['group-fund-fiscal-years', 'ledger.ledgerStatus==Frozen', 0],
  ['group-fund-fiscal-years', 'budgetId==""', 0],
  [
    'group-fund-fiscal-years',
    'group.name == History and fund.fundStatus == Active and fiscalYear.periodEnd < 2020-01-01 and fundType.name == Monographs and ledger.name == One-time',
    0,
  ],
  ['group-fund-fiscal-years', 'fundId==not-a-uuid', 0],
  ['group-fund-fiscal-years', 'fiscalYear.code==FY2026', 12],
  ['group-fund-fiscal-years', 'fund.fundStatus==Active', 12],
  ['group-fund-fiscal-years', 'ledger.name==One-time', 12],
  ['group-fund-fiscal-years', 'group.name==History and fiscalYear.code==FY2026', 12],
  ['group-fund-fiscal-years', 'fiscalYear.periodEnd > 2025-12-31', 12],
  ['group-fund-fiscal-years', 'fiscalYear.code==FY2025', 1],
  ['group-fund-fiscal-years', 'fund.fundStatus==Inactive', 1],
  ['group-fund-fiscal-years', 'fund.name=="European History"', 1],
  ['group-fund-fiscal-years', 'fundType.name==Monographs and ledger.name=="Main Library"', 1],
  ['group-fund-fiscal-years', 'ledger.name=="Main Library"', 1],
  ['group-fund-fiscal-years', 'budget.budgetStatus==Closed', 1],
  ['group-fund-fiscal-years', 'budget.name==H-AFR-FY2025', 1],
  ['group-fund-fiscal-years', 'budgetId==<budget H-AFR-FY2026>', 1],
  [
    'group-fund-fiscal-years',
    'group.code==HIST and fiscalYear.periodEnd < 2027-01-01 and fund.fundStatus==Inactive and ledger.name==One-time',
    1,
  ],
  ['group-fund-fiscal-years', 'fiscalYear.periodEnd < 2026-01-01', 1],
  ['group-fund-fiscal-years', 'fiscalYear.periodEnd == 2025', 1],
  [
    'group-fund-fiscal-years',
    'group.name == History and fund.fundStatus == Active and fiscalYear.periodEnd < 2027-01-01 and fundType.name == Monographs and ledger.name == "Main Library"',
    1,
  ],
  ['group-fund-fiscal-years', 'fundId==<fund H-AFR> and fiscalYearId==<FY2025>', 1],
  ['group-fund-fiscal-years', 'fund.name=European', 2],
  ['group-fund-fiscal-years', 'fund.name="european history"', 2],
  ['group-fund-fiscal-years', 'fund.externalAccountNo==9-H-AFR', 2],
  ['group-fund-fiscal-years', 'fundType.name==Approvals', 2],
  [
    'group-fund-fiscal-years',
    'group.code==HIST and fundType.name==Approvals and ledger.name==One-time',
    2,
  ],
  ['group-fund-fiscal-years', 'fundId==<fund H-AFR>', 2],
  [
    'group-fund-fiscal-years',
    'fund.code==H-AFR or fund.code==H-EUR and fiscalYear.code==FY2026',
    2,
  ],
  ['group-fund-fiscal-years', 'fund.code==(H-AFR or H-EUR) not fiscalYear.code==FY2025', 2],
  ['group-fund-fiscal-years', 'fundType.name=*', 4],
  ['group-fund-fiscal-years', 'cql.allRecords=1 NOT fundType.name=*', 9],
  ['groups', 'groupFundFY.fundId==<fund H-AFR>', 1],
  ['groups', 'groupFundFY.id=*', 1],
  ['groups', 'cql.allRecords=1 NOT groupFundFY.id=*', 1],
  ['groups', 'name==(History or "natural sciences")', 2],
  ['funds', 'groupFundFY.id=*', 12],
  ['funds', 'name=history', 12],
  ['funds', 'code==H-*', 12],
  ['funds', 'cql.allRecords=1 NOT groupFundFY.id=*', 8],
  ['funds', 'budget.budgetStatus==Planned', 1],
  ['funds', 'ledger.name==Ongoing', 5],
  ['funds', 'fundType.name==Gifts', 2],
  ['funds', 'fundStatus==Inactive', 2],
  ['ledgers', 'fund.code==ENDOW', 1],
  ['ledgers', 'ledgerStatus==(Active or Frozen)', 5],
  ['ledgers', 'cql.allRecords=1 NOT fund.id=*', 0],
  ['fiscal-years', 'periodStart >= 2025-01-01', 3],
  ['fiscal-years', 'periodEnd < 2024-01-01', 4],
  ['fiscal-years', 'series==FY', 8],
  ['budgets', 'fiscalYear.code==FY2026', 17],
  ['budgets', 'fund.code==H-AFR', 2],
  ['budgets', 'ledger.name==Ongoing', 5],
  ['budgets', 'budgetStatus==Active', 18],
  ['fund-types', 'name==One-time', 1],
  ['fund-types', 'name=*', 12],
];

const ERRORS: readonly (readonly [query: string, column: number, reason: string])[] = [
  [
    'group.name == History and and fund.fundStatus == Active and fiscalYear.periodEnd < 2020-01-01 and fundType.name == Monographs and ledger.name == One-time',
    27,
    'expected index or term, got and',
  ],
  ['invalid-query', 1, 'cql.serverChoice requested, but no serverChoiceIndexes defined.'],
  ['group.colour==red', 1, "unknown index 'group.colour'"],
  ['fund.name==European and', 24, 'expected index or term, got EOF'],
];

const filled = (query: string): string =>
  query
    .replaceAll('<fund H-AFR>', sampleId(fund, 'H-AFR'))
    .replaceAll('<FY2025>', sampleId(fiscalYear, 'FY2025'))
    .replaceAll('<budget H-AFR-FY2026>', sampleId(budget, 'H-AFR-FY2026'));

describe('the sample data', () => {
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

  it('has the ids that the document gives', () => {
    expect(sampleId(group, 'HIST')).toBe('cb0bbc5b-a6a7-5781-9c77-d3e209ac80e0');
    expect(sampleId(fund, 'H-AFR')).toBe('2abe0f09-511c-56c2-b653-1fb57285dc98');
    expect(sampleId(fiscalYear, 'FY2026')).toBe('568fcb81-d551-5907-904e-65c3a74a7d05');
  });

  it.each(HITS)('%s: %s finds %d', async (path, query, hits) => {
    const target = `/${path}?limit=100&query=${encodeURIComponent(filled(query))}`;
    const answer = await world.ask('GET', target);
    expect([answer.status, answer.text]).toEqual([
      200,
      expect.stringContaining(`"totalRecords":${hits}}`),
    ]);
  });

  it.each(ERRORS)('%s is wrong at column %d', async (query, column, reason) => {
    const target = `/group-fund-fiscal-years?query=${encodeURIComponent(query)}`;
    const answer = await world.ask('GET', target);
    const text = `unable to list group-fund-fiscal-years -- malformed parameter 'query', syntax error at column ${column}: ${reason}`;
    expect([answer.status, answer.text.split('\n')[0]]).toEqual([400, text]);
  });
});
