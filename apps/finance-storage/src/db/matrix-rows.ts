import { Injectable } from '@nestjs/common';
import { uuidArray } from '@quire/postgres/bulk';
import type { Listing } from '@quire/postgres/pages';
import type { TenantRead } from '@quire/postgres/tenant';
import { fiscalYear, fund } from '../domain/entities.js';
import { computedAmounts } from './budget-amounts.js';
import type { EntityRow } from './entities.js';
import { selected } from './entity-columns.js';
import { listingOf } from './entity-queries.js';

export interface CodedRow {
  readonly id: string;
  readonly code: string;
  readonly name: string;
}

export interface BudgetOfFund {
  readonly id: string;
  /** A decimal as text. */
  readonly available: string;
}

/** Which funds are in which groups in one fiscal year (finance-storage, 8.4). */
@Injectable()
export class MatrixRows {
  /** The funds, by their codes unless a query asks for another order. */
  readonly listing: Listing = {
    ...listingOf(fund),
    collection: 'matrix',
    defaultOrder: `${fund.table}.code_head collate "C", ${fund.table}.id`,
  };

  year(tx: TenantRead, id: string): Promise<EntityRow | undefined> {
    return tx.one<EntityRow>(
      `select ${selected(fiscalYear)} from fiscal_year where tenant_id = $1 and id = $2`,
      [tx.tenantId, id],
    );
  }

  /** All of them: a group without funds is where funds can be put. */
  groups(tx: TenantRead): Promise<CodedRow[]> {
    return tx.query<CodedRow>(
      'select id, code, name from groups where tenant_id = $1 order by code_head collate "C", id',
      [tx.tenantId],
    );
  }

  /** Of each fund, the ids of its rows by group. */
  async cells(
    tx: TenantRead,
    fiscalYearId: string,
    fundIds: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const rows = await tx.query<{ fund_id: string; group_id: string; id: string }>(
      `select q.fund_id, r.group_id, r.id from unnest($2::uuid[]) as q (fund_id)
       cross join lateral (select id, group_id from group_fund_fiscal_year
         where tenant_id = $1 and fund_id = q.fund_id and fiscal_year_id = $3 offset 0) as r`,
      [tx.tenantId, uuidArray(fundIds), fiscalYearId],
    );
    const cells = new Map<string, Map<string, string>>();
    for (const { fund_id: fundId, group_id: groupId, id } of rows) {
      const ofFund = cells.get(fundId) ?? new Map<string, string>();
      cells.set(fundId, ofFund.set(groupId, id));
    }
    return cells;
  }

  /** Of each fund, its budget of the year. */
  async budgets(
    tx: TenantRead,
    fiscalYearId: string,
    fundIds: readonly string[],
  ): Promise<ReadonlyMap<string, BudgetOfFund>> {
    const available = computedAmounts((column) => `budget.${column}`)['available'] ?? '';
    const rows = await tx.query<BudgetOfFund & { fund_id: string }>(
      `select q.fund_id, b.id, b.available from unnest($2::uuid[]) as q (fund_id)
       cross join lateral (select id, trim_scale(${available})::text as available from budget
         where tenant_id = $1 and fund_id = q.fund_id and fiscal_year_id = $3 limit 1) as b`,
      [tx.tenantId, uuidArray(fundIds), fiscalYearId],
    );
    return new Map(
      rows.map(({ fund_id: fundId, id, available: amount }) => [fundId, { id, available: amount }]),
    );
  }
}
