import { badParameter, type Query } from '@quire/contracts/paging';
import { aText, many, oneOf, type QueryParameter } from '@quire/contracts/query-parameters';
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

/** `expand`: related entities shown with a row, some of their properties (finance-storage, section 7). */
export interface Expansion {
  readonly entity: Entity;
  /** The column of the row, or of its fund, that names the related row; absent: there are several, which no column names. */
  readonly column?: string;
  /** The related row is that of the row's fund. */
  readonly overFund?: boolean;
  readonly properties: readonly string[];
}

const GROUP = ['id', 'code', 'name', 'status'];
const FUND = ['id', 'code', 'name', 'fundStatus', 'externalAccountNo'];
const FISCAL_YEAR = ['id', 'code', 'name', 'periodStart', 'periodEnd', 'series'];
const BUDGET = ['id', 'name', 'budgetStatus', 'allocated', 'available'];
const LEDGER = ['id', 'code', 'name', 'ledgerStatus'];
const FUND_TYPE = ['id', 'name'];

export const EXPANSIONS: Readonly<Record<string, Readonly<Record<string, Expansion>>>> = {
  [groupFundFiscalYear.name]: {
    group: { entity: group, column: 'group_id', properties: GROUP },
    fund: { entity: fund, column: 'fund_id', properties: FUND },
    fiscalYear: { entity: fiscalYear, column: 'fiscal_year_id', properties: FISCAL_YEAR },
    budget: { entity: budget, column: 'budget_id', properties: BUDGET },
    ledger: { entity: ledger, column: 'ledger_id', overFund: true, properties: LEDGER },
    fundType: { entity: fundType, column: 'fund_type_id', overFund: true, properties: FUND_TYPE },
  },
  [budget.name]: {
    fund: { entity: fund, column: 'fund_id', properties: FUND },
    fiscalYear: { entity: fiscalYear, column: 'fiscal_year_id', properties: FISCAL_YEAR },
  },
  [fund.name]: {
    ledger: { entity: ledger, column: 'ledger_id', properties: LEDGER },
    fundType: { entity: fundType, column: 'fund_type_id', properties: FUND_TYPE },
    // Those that the fund is in, in any year.
    groups: { entity: group, properties: GROUP },
  },
};

/** What {@link expandedOf} reads. */
export function expandParameter(entity: Entity): QueryParameter {
  const names = Object.keys(EXPANSIONS[entity.name] ?? {});
  if (names.length === 0) return aText('expand', { description: 'There is nothing to show.' });
  const description = 'Shows what the row refers to; also as one value with commas.';
  return many(oneOf('expand', names, { description }));
}

/** @throws Failure 400 for a name that the entity has no relation of */
export function expandedOf(entity: Entity, query: Query): readonly string[] {
  const sent = query['expand'];
  if (sent === undefined || sent === '') return [];
  const known = EXPANSIONS[entity.name] ?? {};
  const names = (typeof sent === 'string' ? [sent] : sent).flatMap((one) => one.split(','));
  const wanted = names.map((name) => name.trim()).filter((name) => name !== '');
  for (const name of wanted) {
    if (Object.hasOwn(known, name)) continue;
    throw badParameter('expand', name, `must match "${Object.keys(known).join('|')}"`);
  }
  return [...new Set(wanted)];
}
