import {
  Anything,
  Flag,
  Int,
  ListOf,
  ListOfEnum,
  ListOfUuid,
  Nested,
  OneOf,
  Text,
  Uuid,
} from './fields.js';
import {
  FINANCE_STATUSES,
  FINANCE_UUID_PATTERN as pattern,
  type FinanceStatus,
} from './finance.js';

/** Bodies of bulk work on group-fund-fiscal-years (finance-storage, section 8). */
export const BULK_MODES = ['atomic', 'each'] as const;
export type BulkMode = (typeof BULK_MODES)[number];
export const BULK_OPS = ['add', 'remove', 'move'] as const;
export type BulkOp = (typeof BULK_OPS)[number];
export const BULK_STATUSES = [
  'created',
  'deleted',
  'moved',
  'merged',
  'unchanged',
  'failed',
] as const;
export type BulkStatus = (typeof BULK_STATUSES)[number];
export const BULK_OPERATIONS_MAX = 2000;

/** Names a row by its id or by group, fund and fiscal year, each by id or code. */
export class BulkOperation {
  @OneOf(BULK_OPS) readonly op: BulkOp;
  /** Of the row; of a new one, the id that it shall have. */
  @Uuid({ pattern, optional: true }) readonly id?: string;
  /** Checked, when sent, before a row is changed; -1 is none. */
  @Int({ optional: true, min: -1, max: 2_147_483_647 }) readonly _version?: number;
  @Uuid({ pattern, optional: true }) readonly groupId?: string;
  @Text({ optional: true }) readonly groupCode?: string;
  @Uuid({ pattern, optional: true }) readonly fundId?: string;
  @Text({ optional: true }) readonly fundCode?: string;
  @Uuid({ pattern, optional: true }) readonly fiscalYearId?: string;
  @Text({ optional: true }) readonly fiscalYearCode?: string;
  /** Of a move: where to. */
  @Uuid({ pattern, optional: true }) readonly toGroupId?: string;
  @Text({ optional: true }) readonly toGroupCode?: string;
}

export class BulkChange {
  /** `atomic` unless said: all or nothing. */
  @OneOf(BULK_MODES, { optional: true }) readonly mode?: BulkMode;
  /** True: nothing is changed, the answer is that of the change. */
  @Flag({ optional: true }) readonly dryRun?: boolean;
  @ListOf(() => BulkOperation, { min: 1, max: BULK_OPERATIONS_MAX })
  readonly operations: readonly BulkOperation[];
}

/** Each group-fund-fiscal-year of one fiscal year is added for another one (section 8.2). */
export class FiscalYearCopy {
  @Uuid({ pattern }) readonly fromFiscalYearId: string;
  @Uuid({ pattern }) readonly toFiscalYearId: string;
  /** Only of these groups. */
  @ListOfUuid({ pattern, optional: true, min: 1, max: 32_767 })
  readonly groupIds?: readonly string[];
  /** Only of funds with one of these; `Active` unless said. */
  @ListOfEnum(FINANCE_STATUSES, { optional: true, min: 1, max: 3 })
  readonly fundStatus?: readonly FinanceStatus[];
  @Flag({ optional: true }) readonly dryRun?: boolean;
}

export class BulkSummary {
  @Int() readonly created: number;
  @Int() readonly deleted: number;
  @Int() readonly moved: number;
  @Int() readonly merged: number;
  @Int() readonly unchanged: number;
  @Int() readonly failed: number;
}

export class BulkResult {
  @Int() readonly index: number;
  @OneOf(BULK_OPS) readonly op: BulkOp;
  @OneOf(BULK_STATUSES) readonly status: BulkStatus;
  /** Of the row that there is now, or was; absent when there is none, and of one that a dry run would make. */
  @Uuid({ pattern, optional: true }) readonly id?: string;
  @Int({ optional: true }) readonly _version?: number;
  /** As an entry of a 422 (conventions, 15.2). */
  @Anything({ optional: true }) readonly error?: unknown;
}

export class BulkAnswer {
  @Flag() readonly dryRun: boolean;
  @Nested(() => BulkSummary) readonly summary: BulkSummary;
  /** In the order sent. */
  @ListOf(() => BulkResult) readonly results: readonly BulkResult[];
}
