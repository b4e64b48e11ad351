import {
  DateTime,
  Decimal,
  Flag,
  Int,
  ListOf,
  ListOfText,
  ListOfUuid,
  Mapping,
  Nested,
  OneOf,
  Text,
  Uuid,
} from './fields.js';
import { Metadata } from './metadata.js';

/** Bodies of finance-storage (seed 003, `shared/spec/finance-storage.md`, sections 1 and 2). */

/** As seed 003 prints it. */
export const FINANCE_UUID_PATTERN =
  '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$';
const pattern = FINANCE_UUID_PATTERN;

export const FINANCE_STATUSES = ['Active', 'Frozen', 'Inactive'] as const;
export type FinanceStatus = (typeof FINANCE_STATUSES)[number];
export const BUDGET_STATUSES = ['Active', 'Frozen', 'Inactive', 'Planned', 'Closed'] as const;
export type BudgetStatus = (typeof BUDGET_STATUSES)[number];

/** What every entity has. */
class Entity {
  @Uuid({ pattern, optional: true }) readonly id?: string;
  /** Of the stored object, which a PUT must name (conventions, section 13). */
  @Int({ optional: true, min: -1, max: 2_147_483_647 }) readonly _version?: number;
}

/** A fund is in a group for a fiscal year (section 1.1). */
export class GroupFundFiscalYear extends Entity {
  /** Of this fund and fiscal year. */
  @Uuid({ pattern, optional: true }) readonly budgetId?: string;
  @Uuid({ pattern }) readonly groupId: string;
  @Uuid({ pattern }) readonly fiscalYearId: string;
  @Uuid({ pattern }) readonly fundId: string;
  /** Related entities that a GET was asked to show (section 7). */
  @Mapping({ readOnly: true }) readonly expanded?: object;
}

class StampedEntity extends Entity {
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class Group extends StampedEntity {
  @Text() readonly code: string;
  @Text() readonly name: string;
  @OneOf(FINANCE_STATUSES) readonly status: FinanceStatus;
  @Text({ optional: true }) readonly description?: string;
  @ListOfUuid({ pattern, optional: true }) readonly acqUnitIds?: readonly string[];
}

export class FiscalYear extends StampedEntity {
  @Text() readonly code: string;
  @Text() readonly name: string;
  @DateTime() readonly periodStart: string;
  @DateTime() readonly periodEnd: string;
  @Text({ optional: true }) readonly series?: string;
  @Text({ optional: true }) readonly currency?: string;
  @Text({ optional: true }) readonly description?: string;
  @ListOfUuid({ pattern, optional: true }) readonly acqUnitIds?: readonly string[];
  /** Sums of the business layer, which we leave out. */
  @Mapping({ readOnly: true }) readonly financialSummary?: object;
}

export class Ledger extends StampedEntity {
  @Text() readonly code: string;
  @Text() readonly name: string;
  @Uuid({ pattern }) readonly fiscalYearOneId: string;
  @OneOf(FINANCE_STATUSES) readonly ledgerStatus: FinanceStatus;
  /** True unless said. */
  @Flag({ optional: true }) readonly restrictEncumbrance?: boolean;
  /** True unless said. */
  @Flag({ optional: true }) readonly restrictExpenditures?: boolean;
  @Text({ optional: true }) readonly description?: string;
  @Text({ optional: true }) readonly currency?: string;
  @ListOfUuid({ pattern, optional: true }) readonly acqUnitIds?: readonly string[];
  // Sums over the budgets of this year, shown when a GET asks for them (section 2.1).
  @Decimal({ readOnly: true }) readonly initialAllocation?: string;
  @Decimal({ readOnly: true }) readonly allocationTo?: string;
  @Decimal({ readOnly: true }) readonly allocationFrom?: string;
  @Decimal({ readOnly: true }) readonly netTransfers?: string;
  @Decimal({ readOnly: true }) readonly encumbered?: string;
  @Decimal({ readOnly: true }) readonly awaitingPayment?: string;
  @Decimal({ readOnly: true }) readonly expenditures?: string;
  @Decimal({ readOnly: true }) readonly credits?: string;
  @Decimal({ readOnly: true }) readonly allocated?: string;
  @Decimal({ readOnly: true }) readonly totalFunding?: string;
  @Decimal({ readOnly: true }) readonly unavailable?: string;
  @Decimal({ readOnly: true }) readonly available?: string;
  @Decimal({ readOnly: true }) readonly cashBalance?: string;
  @Decimal({ readOnly: true }) readonly overExpended?: string;
  @Decimal({ readOnly: true }) readonly overEncumbrance?: string;
}

export class FundType extends Entity {
  @Text() readonly name: string;
}

export class FundLocation {
  @Uuid({ pattern }) readonly locationId: string;
  @Text({ optional: true }) readonly tenantId?: string;
}

export class FinanceTags {
  @ListOfText({ optional: true }) readonly tagList?: readonly string[];
}

export class Fund extends StampedEntity {
  @Text({ pattern: '^[^:]+$' }) readonly code: string;
  @Text() readonly name: string;
  @OneOf(FINANCE_STATUSES) readonly fundStatus: FinanceStatus;
  @Uuid({ pattern }) readonly ledgerId: string;
  @Uuid({ pattern, optional: true }) readonly fundTypeId?: string;
  @Text({ optional: true }) readonly description?: string;
  @Text({ optional: true }) readonly externalAccountNo?: string;
  @ListOfUuid({ pattern, optional: true }) readonly allocatedFromIds?: readonly string[];
  @ListOfUuid({ pattern, optional: true }) readonly allocatedToIds?: readonly string[];
  @ListOfUuid({ pattern, optional: true }) readonly acqUnitIds?: readonly string[];
  @ListOfUuid({ pattern, optional: true }) readonly donorOrganizationIds?: readonly string[];
  /** False unless said. */
  @Flag({ optional: true }) readonly restrictByLocations?: boolean;
  @ListOf(() => FundLocation, { optional: true }) readonly locations?: readonly FundLocation[];
  @Nested(() => FinanceTags, { optional: true }) readonly tags?: FinanceTags;
  @Mapping({ readOnly: true }) readonly expanded?: object;
}

/** Amounts are decimals as text (section 2.1); the read-only ones are computed on every read. */
export class Budget extends StampedEntity {
  @Text() readonly name: string;
  @OneOf(BUDGET_STATUSES) readonly budgetStatus: BudgetStatus;
  @Uuid({ pattern }) readonly fundId: string;
  @Uuid({ pattern }) readonly fiscalYearId: string;
  @Decimal({ optional: true, min: 0 }) readonly allowableEncumbrance?: string;
  @Decimal({ optional: true, min: 0 }) readonly allowableExpenditure?: string;
  @ListOfUuid({ pattern, optional: true }) readonly acqUnitIds?: readonly string[];
  @Nested(() => FinanceTags, { optional: true }) readonly tags?: FinanceTags;
  @Decimal({ optional: true }) readonly initialAllocation?: string;
  @Decimal({ optional: true }) readonly allocationTo?: string;
  @Decimal({ optional: true }) readonly allocationFrom?: string;
  @Decimal({ optional: true }) readonly netTransfers?: string;
  @Decimal({ optional: true }) readonly encumbered?: string;
  @Decimal({ optional: true }) readonly awaitingPayment?: string;
  @Decimal({ optional: true }) readonly expenditures?: string;
  @Decimal({ optional: true }) readonly credits?: string;
  @Decimal({ readOnly: true }) readonly allocated?: string;
  @Decimal({ readOnly: true }) readonly totalFunding?: string;
  @Decimal({ readOnly: true }) readonly unavailable?: string;
  @Decimal({ readOnly: true }) readonly available?: string;
  @Decimal({ readOnly: true }) readonly cashBalance?: string;
  @Decimal({ readOnly: true }) readonly overExpended?: string;
  @Decimal({ readOnly: true }) readonly overEncumbrance?: string;
  @Mapping({ readOnly: true }) readonly expanded?: object;
}

/** Most ids in one body (conventions, section 16). */
const IDS_MAX = 32_767;

/** Asks for the group-fund-fiscal-years of funds (section 1.3). */
export class GroupFundFiscalYearBatch {
  @ListOfUuid({ pattern, min: 1, max: IDS_MAX }) readonly fundIds: readonly string[];
  @Uuid({ pattern, optional: true }) readonly fiscalYearId?: string;
  @Uuid({ pattern, optional: true }) readonly groupId?: string;
}

/** Asks for funds or budgets by their ids (section 2). */
export class FinanceIds {
  @ListOfUuid({ pattern, max: IDS_MAX }) readonly ids: readonly string[];
}
