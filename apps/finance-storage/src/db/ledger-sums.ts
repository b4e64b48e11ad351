import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';
import { columnOf, STORED_AMOUNTS } from '../domain/entities.js';
import { computedAmounts } from './budget-amounts.js';
import type { EntityRow } from './entities.js';

/**
 * What the budgets of a ledger's funds come to in its current fiscal year (finance-storage, 2.1): the year that contains now
 * and is of the same series as the ledger's first one; if there is none, the first one itself.
 */
@Injectable()
export class LedgerSums {
  /** @returns the rows, each with its sums under the names of the columns of a budget */
  async added(tx: TenantRead, ledgers: readonly EntityRow[]): Promise<EntityRow[]> {
    const sums = await tx.query<EntityRow>(SUMS, [tx.tenantId, ledgers.map(({ id }) => id)]);
    const byId = new Map(sums.map((row) => [row.id, row]));
    return ledgers.map((ledger) => ({ ...ledger, ...byId.get(ledger.id) }));
  }
}

const own = (column: string): string => `budget.${column}`;
const AMOUNTS = [
  ...STORED_AMOUNTS.map((name) => [columnOf(name), own(columnOf(name))] as const),
  ...Object.entries(computedAmounts(own)),
];

const SUMS = `
  select ledger.id, ${AMOUNTS.map(
    ([column, sql]) => `trim_scale(coalesce(sum(${sql}), 0))::text as ${column}`,
  ).join(', ')}
  from ledger
  join lateral (
    select coalesce((
      select year.id from fiscal_year as year
      where year.tenant_id = $1 and year.series = one.series
        and year.period_start <= now() and year.period_end >= now()
      order by year.period_start desc, year.id limit 1), one.id) as id
    from fiscal_year as one where one.tenant_id = $1 and one.id = ledger.fiscal_year_one_id
  ) as current on true
  left join fund on fund.tenant_id = $1 and fund.ledger_id = ledger.id
  left join budget on budget.tenant_id = $1 and budget.fund_id = fund.id and budget.fiscal_year_id = current.id
  where ledger.tenant_id = $1 and ledger.id = any ($2::uuid[])
  group by ledger.id`;
