import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { NEXT_VERSION } from './entities.js';

/** A row that was changed along with another one. */
export interface Touched {
  readonly id: string;
  readonly version: number;
}

export interface Pair {
  readonly fundId: string;
  readonly fiscalYearId: string;
}

/** The budget that group-fund-fiscal-years name: that of their fund and fiscal year (finance-storage, 5.1). */
@Injectable()
export class BudgetLinks {
  async budgetOf(tx: TenantRead, { fundId, fiscalYearId }: Pair): Promise<string | undefined> {
    const row = await tx.one<{ id: string }>(
      'select id from budget where tenant_id = $1 and fund_id = $2 and fiscal_year_id = $3',
      [tx.tenantId, fundId, fiscalYearId],
    );
    return row?.id;
  }

  /** Undefined: there is no such budget. */
  async pairOf(tx: TenantRead, budgetId: string): Promise<Pair | undefined> {
    const row = await tx.one<PairRow>(
      'select fund_id, fiscal_year_id from budget where tenant_id = $1 and id = $2 for key share',
      [tx.tenantId, budgetId],
    );
    return row && { fundId: row.fund_id, fiscalYearId: row.fiscal_year_id };
  }

  /** The pair of a row that is not held yet; undefined: there is no such row. */
  async rowPair(tx: TenantRead, table: string, id: string): Promise<Pair | undefined> {
    const row = await tx.one<PairRow>(
      `select fund_id, fiscal_year_id from ${table} where tenant_id = $1 and id = $2`,
      [tx.tenantId, id],
    );
    return row && { fundId: row.fund_id, fiscalYearId: row.fiscal_year_id };
  }

  /** There are both. */
  async exists(tx: TenantRead, { fundId, fiscalYearId }: Pair): Promise<boolean> {
    const row = await tx.one(
      `select from fund join fiscal_year on fiscal_year.tenant_id = $1 and fiscal_year.id = $3
       where fund.tenant_id = $1 and fund.id = $2`,
      [tx.tenantId, fundId, fiscalYearId],
    );
    return row !== undefined;
  }

  /**
   * Budgets and group-fund-fiscal-years of one pair are made and changed one after the other: two at once would not see each
   * other and stay unlinked.
   */
  async hold(tx: TenantTx, pairs: readonly Pair[]): Promise<void> {
    const keys = pairs.map(
      ({ fundId, fiscalYearId }) => `${tx.tenantId}:${fundId}:${fiscalYearId}`,
    );
    await tx.execute(HOLD, [[...new Set(keys)], tx.tenantId]);
  }

  link(tx: TenantTx, budgetId: string, { fundId, fiscalYearId }: Pair): Promise<Touched[]> {
    return tx.query<Touched>(
      `update group_fund_fiscal_year set budget_id = $4, ${NEXT_VERSION}
       where tenant_id = $1 and fund_id = $2 and fiscal_year_id = $3 and budget_id is distinct from $4
       returning id, version`,
      [tx.tenantId, fundId, fiscalYearId, budgetId],
    );
  }

  unlink(tx: TenantTx, budgetId: string): Promise<Touched[]> {
    return tx.query<Touched>(
      `update group_fund_fiscal_year set budget_id = null, ${NEXT_VERSION}
       where tenant_id = $1 and budget_id = $2 returning id, version`,
      [tx.tenantId, budgetId],
    );
  }
}

interface PairRow {
  readonly fund_id: string;
  readonly fiscal_year_id: string;
}

/**
 * In one order, whoever asks: by the number that is locked, because keys share it. A tenant has 256 numbers: the server has
 * room for some thousand locks, and bulk work holds thousands of pairs.
 */
const HOLD = `
  select pg_advisory_xact_lock(number) from (
    select distinct hashtextextended($2 || ':' || (hashtextextended(key, 0) & 255), 0) as number from unnest($1::text[]) as key
    order by number offset 0) as numbers`;
