import { uuidV5 } from '@quire/contracts/ids';
import {
  budget,
  fiscalYear,
  fund,
  fundType,
  group,
  groupFundFiscalYear,
  ledger,
  type Entity,
} from './entities.js';

/** The sample data of finance-storage, section 6: the same ids in every tenant, so that examples can name them. */
export interface SampleEntity {
  readonly entity: Entity;
  readonly values: Readonly<Record<string, unknown>> & { readonly id: string };
}

const URL_NAMESPACE = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';
const CURRENT_YEAR = 'FY2026';

export const sampleId = ({ path }: Entity, key: string): string =>
  uuidV5(URL_NAMESPACE, `https://quire.example/sample/${path}/${key}`);

const sample = (entity: Entity, key: string, values: object): SampleEntity => ({
  entity,
  values: { id: sampleId(entity, key), ...values },
});

const FUND_TYPES = [
  'Approvals',
  'Books',
  'Electronic',
  'Endowments',
  'Exchange',
  'Faculty',
  'Gifts',
  'Grants',
  'Monographs',
  'One-time',
  'Ongoing',
  'Serials',
];

/** Code, name, status and year one. */
const LEDGERS = [
  ['ONETIME', 'One-time', 'Active', CURRENT_YEAR],
  ['MAIN-LIB', 'Main Library', 'Active', CURRENT_YEAR],
  ['ONGOING', 'Ongoing', 'Frozen', CURRENT_YEAR],
  ['NEXT', 'Next', 'Active', 'FY2027'],
  ['LAST', 'Last', 'Active', 'FY2025'],
] as const;

interface SampleFund {
  readonly code: string;
  readonly name: string;
  readonly type?: string;
  readonly ledger?: string;
  readonly status?: string;
}

const HISTORY_FUNDS: readonly SampleFund[] = [
  { code: 'H-AFR', name: 'African History', type: 'Approvals' },
  { code: 'H-ASI', name: 'Asian History', type: 'Faculty' },
  { code: 'H-CAN', name: 'Canadian History' },
  { code: 'H-EUR', name: 'European History' },
  { code: 'H-EEU', name: 'Eastern European History' },
  { code: 'H-IBE', name: 'Iberian History', status: 'Inactive' },
  { code: 'H-LAT', name: 'Latin American History' },
  { code: 'H-MEA', name: 'Middle Eastern History' },
  { code: 'H-GEN', name: 'General History' },
  { code: 'H-MIS', name: 'History Miscellany' },
  { code: 'H-OCE', name: 'Oceanian History', type: 'Monographs', ledger: 'MAIN-LIB' },
  { code: 'H-USA', name: 'United States History' },
];

const OTHER_FUNDS: readonly SampleFund[] = [
  { code: 'ENDOW', name: 'Endowment Purchases', ledger: 'ONGOING', type: 'Endowments' },
  { code: 'EXCH', name: 'Exchanges', ledger: 'ONGOING', type: 'Exchange' },
  { code: 'GIFT-SER', name: 'Gift Serials', ledger: 'ONGOING', type: 'Gifts' },
  { code: 'GIFT-ONE', name: 'Gift Books', type: 'Gifts' },
  { code: 'GRANT', name: 'Grant Serials', ledger: 'ONGOING', type: 'Grants', status: 'Inactive' },
  { code: 'UNIV', name: 'University Allocation', ledger: 'ONGOING', type: 'Serials' },
  { code: 'NEXT-RES', name: 'Next Year Reserve', ledger: 'NEXT' },
  { code: 'LAST-REST', name: 'Last Year Rest', ledger: 'LAST' },
];

/** Fund, year and status; the history funds' own come besides. */
const OTHER_BUDGETS = [
  ['H-AFR', 'FY2025', 'Active'],
  ['ENDOW', CURRENT_YEAR, 'Active'],
  ['EXCH', CURRENT_YEAR, 'Active'],
  ['GIFT-SER', CURRENT_YEAR, 'Active'],
  ['GIFT-ONE', CURRENT_YEAR, 'Active'],
  ['UNIV', CURRENT_YEAR, 'Active'],
  ['GRANT', 'FY2021', 'Active'],
  ['NEXT-RES', 'FY2027', 'Planned'],
  ['LAST-REST', 'FY2025', 'Frozen'],
] as const;

export const sampleFundTypes = (): readonly SampleEntity[] =>
  FUND_TYPES.map((name) => sample(fundType, name, { name }));

/** All of it, in the order in which it can be made; group-fund-fiscal-years find their budgets. */
export function sampleData(): readonly SampleEntity[] {
  return [
    ...sampleFundTypes(),
    ...years(),
    ...ledgers(),
    ...[...HISTORY_FUNDS, ...OTHER_FUNDS].map(fundOf),
    ...budgets(),
    sample(group, 'HIST', { code: 'HIST', name: 'History', status: 'Active' }),
    sample(group, 'SCI', { code: 'SCI', name: 'Natural Sciences', status: 'Active' }),
    ...HISTORY_FUNDS.map(({ code }) => relation(code, CURRENT_YEAR)),
    relation('H-AFR', 'FY2025'),
  ];
}

function years(): readonly SampleEntity[] {
  return [2020, 2021, 2022, 2023, 2024, 2025, 2026, 2027].map((year) =>
    sample(fiscalYear, `FY${year}`, {
      code: `FY${year}`,
      name: `Fiscal Year ${year}`,
      series: 'FY',
      currency: 'EUR',
      periodStart: `${year}-01-01T00:00:00Z`,
      periodEnd: `${year}-12-31T23:59:59Z`,
    }),
  );
}

function ledgers(): readonly SampleEntity[] {
  return LEDGERS.map(([code, name, ledgerStatus, yearOne]) =>
    sample(ledger, code, {
      code,
      name,
      ledgerStatus,
      fiscalYearOneId: sampleId(fiscalYear, yearOne),
      restrictEncumbrance: code !== 'ONETIME',
      restrictExpenditures: code !== 'ONETIME',
      currency: 'EUR',
    }),
  );
}

function fundOf({ code, name, type, ledger: of = 'ONETIME', status }: SampleFund): SampleEntity {
  return sample(fund, code, {
    code,
    name,
    fundStatus: status ?? 'Active',
    ledgerId: sampleId(ledger, of),
    ...(type === undefined ? {} : { fundTypeId: sampleId(fundType, type) }),
    externalAccountNo: `9-${code}`,
  });
}

function budgets(): readonly SampleEntity[] {
  const own = HISTORY_FUNDS.map(({ code }) => [
    code,
    CURRENT_YEAR,
    code === 'H-IBE' ? 'Closed' : 'Active',
  ]);
  return [...own, ...OTHER_BUDGETS].map(([code = '', year = '', budgetStatus]) =>
    sample(budget, `${code}-${year}`, {
      name: `${code}-${year}`,
      budgetStatus,
      fundId: sampleId(fund, code),
      fiscalYearId: sampleId(fiscalYear, year),
      initialAllocation: '10000',
    }),
  );
}

function relation(code: string, year: string): SampleEntity {
  return sample(groupFundFiscalYear, `HIST/${code}/${year}`, {
    groupId: sampleId(group, 'HIST'),
    fundId: sampleId(fund, code),
    fiscalYearId: sampleId(fiscalYear, year),
  });
}
