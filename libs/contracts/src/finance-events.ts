import { defineEvent, type EventDefinition } from './define-event.js';
import { Int, ListOfText, Text, Uuid } from './fields.js';

/**
 * Changes of the entities of finance-storage (finance-storage, section 9): which one and which properties, never an amount.
 */
export class FinanceChangePayload {
  @Text() readonly tenantId: string;
  @Uuid() readonly id: string;
  @Int() readonly _version: number;
  /** Names of the properties; of a created or deleted entity all that it has. */
  @ListOfText() readonly changed: readonly string[];
}

export const FINANCE_ENTITIES = [
  'GroupFundFiscalYear',
  'Group',
  'FiscalYear',
  'Ledger',
  'FundType',
  'Fund',
  'Budget',
] as const;
export type FinanceEntityName = (typeof FINANCE_ENTITIES)[number];
export type FinanceChange = 'Created' | 'Updated' | 'Deleted';

function changesOf<N extends FinanceEntityName>(
  entity: N,
  topic: string,
): Readonly<Record<FinanceChange, EventDefinition<FinanceChangePayload>>> {
  const define = (change: FinanceChange): EventDefinition<FinanceChangePayload> =>
    defineEvent(`${entity}${change}`, {
      service: 'finance-storage',
      topic,
      payload: FinanceChangePayload,
      key: ({ tenantId, id }) => `${tenantId}:${id}`,
      subject: ({ id }) => id,
    });
  return { Created: define('Created'), Updated: define('Updated'), Deleted: define('Deleted') };
}

export const FINANCE_CHANGES = {
  GroupFundFiscalYear: changesOf(
    'GroupFundFiscalYear',
    'quire.finance-storage.group-fund-fiscal-year.v1',
  ),
  Group: changesOf('Group', 'quire.finance-storage.group.v1'),
  FiscalYear: changesOf('FiscalYear', 'quire.finance-storage.fiscal-year.v1'),
  Ledger: changesOf('Ledger', 'quire.finance-storage.ledger.v1'),
  FundType: changesOf('FundType', 'quire.finance-storage.fund-type.v1'),
  Fund: changesOf('Fund', 'quire.finance-storage.fund.v1'),
  Budget: changesOf('Budget', 'quire.finance-storage.budget.v1'),
} as const;

/** For the catalogue. */
export const FINANCE_EVENTS: readonly EventDefinition<FinanceChangePayload>[] = Object.values(
  FINANCE_CHANGES,
).flatMap((changes) => Object.values(changes));
