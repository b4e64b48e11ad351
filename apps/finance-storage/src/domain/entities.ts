import { fieldsOf, type ContractClass, type Field } from '@quire/contracts/fields';
import {
  Budget,
  FiscalYear,
  Fund,
  FundType,
  Group,
  GroupFundFiscalYear,
  Ledger,
} from '@quire/contracts/finance';
import type { FinanceEntityName } from '@quire/contracts/finance-events';

/**
 * The seven entities: one contract class each, and what the class does not say (finance-storage, sections 1 to 3). Columns,
 * queries, constraint texts and events follow from these descriptions; what an entity does besides stands in its use case.
 */
export interface Entity {
  readonly name: FinanceEntityName;
  /** Last segment of its path, and the name of the collection in error texts. */
  readonly path: string;
  /** The list in a collection. */
  readonly key: string;
  readonly table: string;
  readonly contract: ContractClass;
  /** Sets of properties whose values are unique, in the order in which a violation is named. */
  readonly unique: readonly (readonly string[])[];
  /** Tables that properties refer to. */
  readonly references: Readonly<Record<string, string>>;
  /** Values of properties that a body leaves out. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Has metadata. */
  readonly stamped: boolean;
}

export const groupFundFiscalYear: Entity = {
  name: 'GroupFundFiscalYear',
  path: 'group-fund-fiscal-years',
  key: 'groupFundFiscalYears',
  table: 'group_fund_fiscal_year',
  contract: GroupFundFiscalYear,
  unique: [['groupId', 'fundId', 'fiscalYearId']],
  references: {
    budgetId: 'budget',
    groupId: 'groups',
    fiscalYearId: 'fiscal_year',
    fundId: 'fund',
  },
  defaults: {},
  stamped: false,
};

export const group: Entity = {
  name: 'Group',
  path: 'groups',
  key: 'groups',
  table: 'groups',
  contract: Group,
  unique: [['code'], ['name']],
  references: {},
  defaults: {},
  stamped: true,
};

export const fiscalYear: Entity = {
  name: 'FiscalYear',
  path: 'fiscal-years',
  key: 'fiscalYears',
  table: 'fiscal_year',
  contract: FiscalYear,
  unique: [['code']],
  references: {},
  defaults: {},
  stamped: true,
};

export const ledger: Entity = {
  name: 'Ledger',
  path: 'ledgers',
  key: 'ledgers',
  table: 'ledger',
  contract: Ledger,
  unique: [['name'], ['code']],
  references: { fiscalYearOneId: 'fiscal_year' },
  defaults: { restrictEncumbrance: true, restrictExpenditures: true },
  stamped: true,
};

export const fundType: Entity = {
  name: 'FundType',
  path: 'fund-types',
  key: 'fundTypes',
  table: 'fund_type',
  contract: FundType,
  unique: [['name']],
  references: {},
  defaults: {},
  stamped: false,
};

export const fund: Entity = {
  name: 'Fund',
  path: 'funds',
  key: 'funds',
  table: 'fund',
  contract: Fund,
  unique: [['code']],
  references: { ledgerId: 'ledger', fundTypeId: 'fund_type' },
  defaults: { restrictByLocations: false },
  stamped: true,
};

/** Amounts that are stored; the others are computed from them (section 2.1). */
export const STORED_AMOUNTS = [
  'initialAllocation',
  'allocationTo',
  'allocationFrom',
  'netTransfers',
  'encumbered',
  'awaitingPayment',
  'expenditures',
  'credits',
] as const;

export const budget: Entity = {
  name: 'Budget',
  path: 'budgets',
  key: 'budgets',
  table: 'budget',
  contract: Budget,
  unique: [['fundId', 'fiscalYearId']],
  references: { fundId: 'fund', fiscalYearId: 'fiscal_year' },
  defaults: Object.fromEntries(STORED_AMOUNTS.map((amount) => [amount, '0'])),
  stamped: true,
};

/** In the order in which they can be made. */
export const ENTITIES: readonly Entity[] = [
  fiscalYear,
  ledger,
  fundType,
  fund,
  budget,
  group,
  groupFundFiscalYear,
];

/** Properties that a column keeps: all that a client may set, but for the id and the version. */
export const storedFields = ({ contract }: Entity): readonly Field[] =>
  fieldsOf(contract).filter(
    ({ name, readOnly }) => readOnly !== true && name !== 'id' && name !== '_version',
  );

const columns = new Map<string, string>();

/** `fiscalYearOneId` → `fiscal_year_one_id`. Only for properties of the contracts: each is remembered. */
export function columnOf(property: string): string {
  const column =
    columns.get(property) ?? property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  columns.set(property, column);
  return column;
}
