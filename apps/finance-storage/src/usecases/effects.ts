import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { BudgetLinks, type Pair } from '../db/budget-links.js';
import type { EntityRow, Values } from '../db/entities.js';
import { StatusCascades } from '../db/status-cascades.js';
import type { Entity } from '../domain/entities.js';
import { budgetMismatch } from '../domain/entity-rules.js';
import { ChangeEvents } from './change-events.js';

/**
 * What a change of one entity does to others, and what it needs of them (finance-storage, section 5), in the transaction of
 * the change.
 */
@Injectable()
export class Effects {
  constructor(
    private readonly links: BudgetLinks,
    private readonly cascades: StatusCascades,
    private readonly events: ChangeEvents,
  ) {}

  /**
   * Before a row is held: its pair of fund and fiscal year, and the one that it shall have. Who holds the pairs first cannot
   * wait for another who holds a row of theirs and waits for the pairs.
   */
  async holding(tx: TenantTx, { name, table }: Entity, id: string, values?: Values): Promise<void> {
    if (name !== 'Budget' && name !== 'GroupFundFiscalYear') return;
    const stored = await this.links.rowPair(tx, table, id);
    if (!stored) return;
    await this.links.hold(tx, values ? [stored, pairOf(values)] : [stored]);
  }

  /** Before a new row is written: its values, completed. */
  async creating<V extends Values>(tx: TenantTx, { name }: Entity, values: V): Promise<V> {
    if (name === 'Budget') await this.links.hold(tx, [pairOf(values)]);
    if (name !== 'GroupFundFiscalYear') return values;
    await this.links.hold(tx, [pairOf(values)]);
    if (values['budgetId'] === undefined)
      return { ...values, budgetId: await this.links.budgetOf(tx, pairOf(values)) };
    await this.checkBudget(tx, values);
    return values;
  }

  async created(tx: TenantTx, { name }: Entity, row: EntityRow): Promise<void> {
    if (name === 'Budget') await this.link(tx, row.id, rowPair(row));
  }

  /** Before a row is changed. @throws Failure 422 */
  async changing(tx: TenantTx, { name }: Entity, values: Values, before: EntityRow): Promise<void> {
    if (name === 'GroupFundFiscalYear' && values['budgetId'] !== undefined)
      await this.checkBudget(tx, values);
    if (name === 'Budget') await this.links.hold(tx, [pairOf(values), rowPair(before)]);
  }

  async changed(
    tx: TenantTx,
    { name }: Entity,
    [before, after]: readonly [EntityRow, EntityRow],
    userName: string,
  ): Promise<void> {
    if (name === 'Budget' && isOtherPair(before, after)) {
      await this.unlink(tx, after.id);
      await this.link(tx, after.id, rowPair(after));
    }
    if (name === 'Ledger' && before['ledger_status'] !== after['ledger_status'])
      await this.passOnToFunds(tx, after, userName);
    if (name === 'Fund' && before['fund_status'] !== after['fund_status'])
      await this.passOnToBudgets(tx, [after.id], String(after['fund_status']), userName);
  }

  /** Before a row goes. */
  async removing(tx: TenantTx, { name }: Entity, row: EntityRow): Promise<void> {
    if (name !== 'Budget') return;
    await this.links.hold(tx, [rowPair(row)]);
    await this.unlink(tx, row.id);
  }

  /** What is unknown is a reference, which the database refuses. */
  private async checkBudget(tx: TenantTx, values: Values): Promise<void> {
    const budgetId = String(values['budgetId']);
    const pair = await this.links.pairOf(tx, budgetId);
    const wanted = pairOf(values);
    if (!pair || (pair.fundId === wanted.fundId && pair.fiscalYearId === wanted.fiscalYearId))
      return;
    if (await this.links.exists(tx, wanted)) throw budgetMismatch({ budgetId, ...wanted });
  }

  private async link(tx: TenantTx, budgetId: string, pair: Pair): Promise<void> {
    const rows = await this.links.link(tx, budgetId, pair);
    await this.events.addAll(tx, 'GroupFundFiscalYear', rows, 'budgetId');
  }

  private async unlink(tx: TenantTx, budgetId: string): Promise<void> {
    const rows = await this.links.unlink(tx, budgetId);
    await this.events.addAll(tx, 'GroupFundFiscalYear', rows, 'budgetId');
  }

  private async passOnToFunds(tx: TenantTx, ledger: EntityRow, userName: string): Promise<void> {
    const status = String(ledger['ledger_status']);
    const funds = await this.cascades.fundsOf(tx, ledger.id, status, userName);
    await this.events.addAll(tx, 'Fund', funds, 'fundStatus');
    const ids = funds.map(({ id }) => id);
    await this.passOnToBudgets(tx, ids, status, userName);
  }

  private async passOnToBudgets(
    tx: TenantTx,
    fundIds: readonly string[],
    status: string,
    userName: string,
  ): Promise<void> {
    if (fundIds.length === 0) return;
    const budgets = await this.cascades.budgetsOf(tx, fundIds, status, userName);
    await this.events.addAll(tx, 'Budget', budgets, 'budgetStatus');
  }
}

const pairOf = (values: Values): Pair => ({
  fundId: String(values['fundId']),
  fiscalYearId: String(values['fiscalYearId']),
});

const rowPair = (row: EntityRow): Pair => ({
  fundId: String(row['fund_id']),
  fiscalYearId: String(row['fiscal_year_id']),
});

const isOtherPair = (before: EntityRow, after: EntityRow): boolean =>
  before['fund_id'] !== after['fund_id'] || before['fiscal_year_id'] !== after['fiscal_year_id'];
