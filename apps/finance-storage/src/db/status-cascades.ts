import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import type { Touched } from './budget-links.js';
import { NEXT_VERSION, stampSets } from './entities.js';

/** A new status of a ledger or fund is passed on to what belongs to it today (finance-storage, 5.3). */
@Injectable()
export class StatusCascades {
  fundsOf(tx: TenantTx, ledgerId: string, status: string, userName: string): Promise<Touched[]> {
    const params: unknown[] = [tx.tenantId, ledgerId, status];
    const sets = [
      'fund_status = $3',
      NEXT_VERSION,
      ...stampSets(params, tx.scope.actorId, userName),
    ];
    return tx.query<Touched>(
      `update fund set ${sets.join(', ')} where tenant_id = $1 and ledger_id = $2 and fund_status <> $3
       returning id, version`,
      params,
    );
  }

  /** Budgets of these funds in every fiscal year that contains today, but for closed ones. */
  budgetsOf(
    tx: TenantTx,
    fundIds: readonly string[],
    status: string,
    userName: string,
  ): Promise<Touched[]> {
    const params: unknown[] = [tx.tenantId, fundIds, status];
    const sets = [
      'budget_status = $3',
      NEXT_VERSION,
      ...stampSets(params, tx.scope.actorId, userName),
    ];
    return tx.query<Touched>(
      `update budget set ${sets.join(', ')} where tenant_id = $1 and fund_id = any ($2::uuid[])
         and budget_status not in ('Closed', $3) and fiscal_year_id in (
           select id from fiscal_year where tenant_id = $1 and period_start <= now() and period_end >= now())
       returning id, version`,
      params,
    );
  }
}
