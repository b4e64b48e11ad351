import { Injectable } from '@nestjs/common';
import { uuidArray } from '@quire/postgres/bulk';
import type { TenantRead } from '@quire/postgres/tenant';

/** Which group-fund-fiscal-years are copied, and where to (finance-storage, 8.2). */
export interface YearCopy {
  readonly fromFiscalYearId: string;
  readonly toFiscalYearId: string;
  readonly groupIds?: readonly string[] | undefined;
  readonly fundStatus: readonly string[];
}

export interface CopiedRow {
  readonly group_id: string;
  readonly fund_id: string;
  /** Of the fund in the second year. */
  readonly budget_id: string | null;
  /** Of the row that the second year has. */
  readonly id: string | null;
  readonly version: number | null;
}

/**
 * Group-fund-fiscal-years of one year beside those of another: one pass over both, whatever their number. Nested loops are
 * ruled out for the rest of the transaction: the planner prefers them where statistics are missing or know nothing of the
 * second year, and each row would read a whole year.
 */
@Injectable()
export class YearCopies {
  /** The funds, and how many rows they have together. */
  async funds(
    tx: TenantRead,
    copy: YearCopy,
  ): Promise<{ readonly fundIds: readonly string[]; readonly rows: number }> {
    await tx.query(NO_NESTED_LOOPS);
    const funds = await tx.query<{ fund_id: string; rows: number }>(
      `select g.fund_id, count(*)::int as rows ${FROM} ${WHERE} group by g.fund_id`,
      params(tx, copy),
    );
    return {
      fundIds: funds.map((fund) => fund.fund_id),
      rows: funds.reduce((sum, { rows }) => sum + rows, 0),
    };
  }

  /** In the order of the ids of the first year. */
  async *rows(
    tx: TenantRead,
    copy: YearCopy,
    fundIds: readonly string[],
    batchRows: number,
  ): AsyncGenerator<CopiedRow[]> {
    await tx.query(NO_NESTED_LOOPS);
    yield* tx.cursor<CopiedRow & Record<string, unknown>>(
      `select g.group_id, g.fund_id, b.id as budget_id, r.id, r.version ${FROM}
         left join budget as b on b.tenant_id = $1 and b.fund_id = g.fund_id and b.fiscal_year_id = $5
         left join group_fund_fiscal_year as r on r.tenant_id = $1 and r.group_id = g.group_id
           and r.fund_id = g.fund_id and r.fiscal_year_id = $5
       ${WHERE} and g.fund_id = any ($6::uuid[])
       order by g.id`,
      [...params(tx, copy), copy.toFiscalYearId, uuidArray(fundIds)],
      batchRows,
    );
  }
}

const NO_NESTED_LOOPS = `select set_config('enable_nestloop', 'off', true)`;

const FROM = `from group_fund_fiscal_year as g join fund as f on f.tenant_id = $1 and f.id = g.fund_id`;
const WHERE = `where g.tenant_id = $1 and g.fiscal_year_id = $2 and f.fund_status = any ($3::text[])
  and ($4::uuid[] is null or g.group_id = any ($4::uuid[]))`;

const params = (
  tx: TenantRead,
  { fromFiscalYearId, fundStatus, groupIds }: YearCopy,
): unknown[] => [tx.tenantId, fromFiscalYearId, fundStatus, groupIds ?? null];
