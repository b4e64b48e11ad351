import type { BulkMode, BulkOperation, BulkStatus } from '@quire/contracts/finance-bulk';
import { brokenRule, Failure, invalid, violation, type Violation } from '@quire/contracts/failure';
import { changeVersion, FIRST_VERSION, nextVersion } from '@quire/contracts/locking';
import type { BulkReferences, Part } from './bulk-references.js';

/**
 * What a list of operations does to the group-fund-fiscal-years that are there (finance-storage, 8.1): decided in memory,
 * one after the other, each seeing what those before it did. What is to be written comes out in batches. Within one no row
 * and no triple is touched twice, so that its deletions, moves and insertions can be three statements; a body that names
 * each row once is one batch.
 */
export interface Relation {
  readonly id: string;
  readonly version: number;
  readonly groupId: string;
  readonly fundId: string;
  readonly fiscalYearId: string;
  readonly budgetId?: string | undefined;
  /** The id is not the client's, and not stored yet. */
  readonly made?: boolean;
}

/** The properties that a row has, for its events. */
export const propertiesOf = ({ budgetId }: Relation): string[] => [
  ...(budgetId === undefined ? [] : ['budgetId']),
  'groupId',
  'fiscalYearId',
  'fundId',
];

export type Triple = Pick<Relation, 'groupId' | 'fundId' | 'fiscalYearId'>;

export const tripleKey = ({ groupId, fundId, fiscalYearId }: Triple): string =>
  `${groupId}/${fundId}/${fiscalYearId}`;
export const pairKey = ({ fundId, fiscalYearId }: Omit<Triple, 'groupId'>): string =>
  `${fundId}/${fiscalYearId}`;

export interface Move {
  readonly before: Relation;
  readonly after: Relation;
}

export interface Batch {
  readonly deleted: Relation[];
  readonly moved: Move[];
  readonly created: Relation[];
}

export interface Outcome {
  readonly status: BulkStatus;
  /** The row that there is now, or that was removed. */
  readonly row?: Relation | undefined;
  readonly error?: Violation | undefined;
}

export interface BulkState {
  readonly rows: readonly Relation[];
  /** Budgets by {@link pairKey}. */
  readonly budgets: ReadonlyMap<string, string>;
  readonly newId: () => string;
}

export class BulkPlan {
  readonly batches: Batch[] = [];
  readonly outcomes: Outcome[] = [];
  private readonly byId: Map<string, Relation>;
  private readonly byTriple: Map<string, Relation>;
  private touched = new Set<string>();

  constructor(
    private readonly references: BulkReferences,
    private readonly state: BulkState,
  ) {
    this.byId = new Map(state.rows.map((row) => [row.id, row]));
    this.byTriple = new Map(state.rows.map((row) => [tripleKey(row), row]));
  }

  /** @throws Failure 422 of the first problem, when all or nothing is wanted */
  run(operations: readonly BulkOperation[], mode: BulkMode): this {
    for (const [index, operation] of operations.entries())
      this.outcomes.push(this.outcomeOf(operation, index, mode));
    return this;
  }

  private outcomeOf(operation: BulkOperation, index: number, mode: BulkMode): Outcome {
    try {
      return this[operation.op](operation, `operations[${index}]`);
    } catch (error) {
      if (mode === 'atomic' || !(error instanceof Failure)) throw error;
      return { status: 'failed', row: this.byId.get(operation.id ?? ''), error: firstOf(error) };
    }
  }

  private add(operation: BulkOperation, at: string): Outcome {
    const triple = this.tripleOf(operation, at);
    refuseTarget(operation, at);
    const there = this.byTriple.get(tripleKey(triple));
    if (there) return { status: 'unchanged', row: there };
    const { id } = operation;
    if (id !== undefined && this.byId.has(id)) throw sameId(id, at);
    this.references.check(triple, at);
    const row: Relation = {
      ...triple,
      id: id ?? this.state.newId(),
      version: FIRST_VERSION,
      budgetId: this.state.budgets.get(pairKey(triple)),
      ...(id === undefined ? { made: true } : {}),
    };
    this.batch(row.id, tripleKey(row)).created.push(row);
    this.put(row);
    return { status: 'created', row };
  }

  private remove(operation: BulkOperation, at: string): Outcome {
    refuseTarget(operation, at);
    const row = this.located(operation, at);
    if (!row) return { status: 'unchanged' };
    checkVersion(operation, row, at);
    this.take(row);
    return { status: 'deleted', row };
  }

  private move(operation: BulkOperation, at: string): Outcome {
    const to = this.references.required(operation, 'toGroup', at);
    const row = this.located(operation, at, to);
    const place = row ?? this.placeOf(operation, at);
    const target = place && this.byTriple.get(tripleKey({ ...place, groupId: to }));
    if (target && (!row || target.id === row.id)) return { status: 'unchanged', row: target };
    if (!row) throw notThere(operation, at);
    checkVersion(operation, row, at);
    this.references.checkGroup(to, 'toGroup', at);
    if (target) {
      this.take(row);
      return { status: 'merged', row: target };
    }
    const after: Relation = { ...row, groupId: to, version: nextVersion(row.version) };
    this.batch(row.id, tripleKey(row), tripleKey(after)).moved.push({ before: row, after });
    this.byTriple.delete(tripleKey(row));
    this.put(after);
    return { status: 'moved', row: after };
  }

  /** The row that an operation names, if it is there. Of a move that was done before, the source is no longer the row's. */
  private located(operation: BulkOperation, at: string, to?: string): Relation | undefined {
    const { id } = operation;
    if (id === undefined) return this.byTriple.get(tripleKey(this.tripleOf(operation, at)));
    const row = this.byId.get(id);
    if (!row) return undefined;
    for (const part of ['group', 'fund', 'fiscalYear'] as const) {
      const named = this.references.named(operation, part, at);
      const isDone = part === 'group' && row.groupId === to;
      if (named !== undefined && named !== row[`${part}Id`] && !isDone)
        throw otherRow(id, part, `${at}.${part}Id`);
    }
    return row;
  }

  /** Fund and fiscal year of a row that is not there. */
  private placeOf(operation: BulkOperation, at: string): Omit<Triple, 'groupId'> | undefined {
    const fundId = this.references.named(operation, 'fund', at);
    const fiscalYearId = this.references.named(operation, 'fiscalYear', at);
    return fundId === undefined || fiscalYearId === undefined
      ? undefined
      : { fundId, fiscalYearId };
  }

  private tripleOf(operation: BulkOperation, at: string): Triple {
    const part = (name: Part): string => this.references.required(operation, name, at);
    return { groupId: part('group'), fundId: part('fund'), fiscalYearId: part('fiscalYear') };
  }

  private put(row: Relation): void {
    this.byId.set(row.id, row);
    this.byTriple.set(tripleKey(row), row);
  }

  private take(row: Relation): void {
    this.batch(row.id, tripleKey(row)).deleted.push(row);
    this.byId.delete(row.id);
    this.byTriple.delete(tripleKey(row));
  }

  private batch(...keys: readonly string[]): Batch {
    let batch = this.batches.at(-1);
    if (!batch || keys.some((key) => this.touched.has(key))) {
      batch = { deleted: [], moved: [], created: [] };
      this.batches.push(batch);
      this.touched = new Set();
    }
    for (const key of keys) this.touched.add(key);
    return batch;
  }
}

const firstOf = ({ details, message, code }: Failure): Violation =>
  details.errors?.[0] ?? { message, type: 'error', code, parameters: [] };

function refuseTarget({ op, toGroupId, toGroupCode }: BulkOperation, at: string): void {
  const name = toGroupId !== undefined ? 'toGroupId' : 'toGroupCode';
  const value = toGroupId ?? toGroupCode;
  if (value === undefined) return;
  throw invalid(violation(`must be null where op is ${op}`, `${at}.${name}`, value));
}

function checkVersion({ _version }: BulkOperation, row: Relation, at: string): void {
  if (_version === undefined || _version === -1) return;
  try {
    changeVersion({ id: row.id, stored: row.version, sent: _version });
  } catch (error) {
    const message = error instanceof Failure ? error.message : String(error);
    throw invalid(brokenRule(message, 'finance.version.conflict', `${at}._version`, _version));
  }
}

const sameId = (id: string, at: string): Failure =>
  invalid(
    brokenRule(
      `id value already exists in table group_fund_fiscal_year: ${id}`,
      'finance.duplicate',
      `${at}.id`,
      id,
    ),
  );

const otherRow = (id: string, part: string, key: string): Failure =>
  invalid(
    brokenRule(
      `The group-fund-fiscal-year ${id} has another ${part}`,
      'finance.bulk.otherRow',
      key,
      id,
    ),
  );

const notThere = ({ id }: BulkOperation, at: string): Failure =>
  invalid(
    brokenRule(
      'There is no such group-fund-fiscal-year to move',
      'finance.bulk.notFound',
      id === undefined ? at : `${at}.id`,
      id,
    ),
  );
