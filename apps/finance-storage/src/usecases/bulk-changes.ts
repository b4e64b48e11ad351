import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type {
  BulkAnswer,
  BulkMode,
  BulkOperation,
  BulkResult,
  BulkStatus,
  BulkSummary,
} from '@quire/contracts/finance-bulk';
import type { Caller } from '@quire/contracts/scope';
import { readTenant, withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { BudgetLinks } from '../db/budget-links.js';
import { Relations } from '../db/relations.js';
import {
  BulkPlan,
  propertiesOf,
  type Batch,
  type Relation,
  type Triple,
  tripleKey,
} from '../domain/bulk-plan.js';
import {
  BulkReferences,
  PARTS,
  TABLE_OF,
  type NamedTable,
  type Part,
} from '../domain/bulk-references.js';
import { ChangeEvents } from './change-events.js';
import { Overtaken, untilNotOvertaken } from './overtaking.js';

export interface BulkTask {
  readonly mode: BulkMode;
  readonly dryRun: boolean;
  /** Lists of operations, each carried out before the next is asked for. */
  readonly operations: (tx: TenantRead) => AsyncIterable<readonly BulkOperation[]>;
}

/** Bulk work on group-fund-fiscal-years (finance-storage, section 8): planned in memory, written in few statements. */
@Injectable()
export class BulkChanges {
  constructor(
    private readonly source: DataSource,
    private readonly relations: Relations,
    private readonly links: BudgetLinks,
    private readonly events: ChangeEvents,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** @throws Failure 422 of the first problem where all or nothing is wanted, 503 when others were quicker again and again */
  async run(caller: Caller, task: BulkTask): Promise<BulkAnswer> {
    if (task.dryRun) return readTenant(this.source, caller, (tx) => this.answer(tx, task));
    return untilNotOvertaken(() =>
      withTenant(this.source, caller, (tx) => this.answer(tx, task, tx)),
    );
  }

  /** @param writing absent: of a dry run, which only reads */
  private async answer(tx: TenantRead, task: BulkTask, writing?: TenantTx): Promise<BulkAnswer> {
    const results: BulkResult[] = [];
    for await (const operations of task.operations(tx)) {
      const plan = await this.plan(tx, operations, task.mode, writing);
      for (const batch of writing ? plan.batches : []) await this.write(writing, batch);
      for (const [at, operation] of operations.entries())
        results.push(resultOf(plan, [at, results.length], operation, task.dryRun));
    }
    return { dryRun: task.dryRun, summary: summaryOf(results), results };
  }

  private async plan(
    tx: TenantRead,
    operations: readonly BulkOperation[],
    mode: BulkMode,
    writing: TenantTx | undefined,
  ): Promise<BulkPlan> {
    const references = await this.references(tx, operations);
    const ids = distinct(operations.flatMap(({ id }) => (id === undefined ? [] : [id])));
    const triples = named(operations, references);
    const ofIds = ids.length > 0 ? await this.relations.ofIds(tx, ids, false) : [];
    const pairs = [...triples, ...ofIds];
    if (writing && pairs.length > 0) await this.links.hold(writing, pairs);
    const hold = writing !== undefined;
    const held = hold && ids.length > 0 ? await this.relations.ofIds(tx, ids, true) : ofIds;
    const wanted = [...triples, ...targetsOf(operations, references, held)];
    const rows = wanted.length > 0 ? await this.relations.ofTriples(tx, unique(wanted), hold) : [];
    const budgets = await this.relations.budgetsOf(tx, unique(triples));
    const state = { rows: [...held, ...rows], budgets, newId: () => this.ids.next() };
    return new BulkPlan(references, state).run(operations, mode);
  }

  private async references(
    tx: TenantRead,
    operations: readonly BulkOperation[],
  ): Promise<BulkReferences> {
    const known = (table: NamedTable): ReturnType<Relations['known']> => {
      const parts = PARTS.filter((part) => TABLE_OF[part] === table);
      return this.relations.known(tx, table, {
        ids: valuesOf(operations, parts, 'Id'),
        codes: valuesOf(operations, parts, 'Code'),
      });
    };
    return new BulkReferences({
      groups: await known('groups'),
      fund: await known('fund'),
      fiscal_year: await known('fiscal_year'),
    });
  }

  /** Deletions first: they make room. */
  private async write(tx: TenantTx | undefined, batch: Batch): Promise<void> {
    if (!tx) return;
    const { deleted, moved, created } = batch;
    const after = moved.map((move) => move.after);
    if (deleted.length > 0) all(await this.relations.remove(tx, deleted), deleted);
    if (moved.length > 0) all(await this.relations.move(tx, moved), moved);
    if (created.length > 0) all(await this.relations.insert(tx, created), created);
    await this.events.addEach(tx, ['GroupFundFiscalYear', 'Deleted'], deleted, propertiesOf);
    await this.events.addEach(tx, ['GroupFundFiscalYear', 'Updated'], after, () => ['groupId']);
    await this.events.addEach(tx, ['GroupFundFiscalYear', 'Created'], created, propertiesOf);
  }
}

function all(written: number, wanted: readonly unknown[]): void {
  if (written !== wanted.length) throw new Overtaken('A row was changed by somebody else.');
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

const unique = (triples: readonly Triple[]): Triple[] => [
  ...new Map(triples.map((one) => [tripleKey(one), one])).values(),
];

const valuesOf = (
  operations: readonly BulkOperation[],
  parts: readonly Part[],
  by: 'Id' | 'Code',
): string[] =>
  distinct(
    operations.flatMap((operation) => parts.flatMap((part) => operation[`${part}${by}`] ?? [])),
  );

/** The triples that operations name, and those that they want to move to. What names nothing is the plan's to refuse. */
function named(operations: readonly BulkOperation[], references: BulkReferences): Triple[] {
  return operations.flatMap((operation) => {
    const [fundId, fiscalYearId] = (['fund', 'fiscalYear'] as const).map((part) =>
      references.find(operation, part),
    );
    if (fundId === undefined || fiscalYearId === undefined) return [];
    return (['group', 'toGroup'] as const).flatMap((part) => {
      const groupId = references.find(operation, part);
      return groupId === undefined ? [] : [{ groupId, fundId, fiscalYearId }];
    });
  });
}

/** Where rows that go by their ids would come to lie: stored ones, and those that the same list adds. */
function targetsOf(
  operations: readonly BulkOperation[],
  references: BulkReferences,
  rows: readonly Relation[],
): Triple[] {
  const places = new Map<string, Omit<Triple, 'groupId'>>(rows.map((row) => [row.id, row]));
  for (const operation of operations) {
    const fundId = references.find(operation, 'fund');
    const fiscalYearId = references.find(operation, 'fiscalYear');
    const { op, id } = operation;
    if (op !== 'add' || id === undefined || places.has(id)) continue;
    if (fundId !== undefined && fiscalYearId !== undefined)
      places.set(id, { fundId, fiscalYearId });
  }
  return operations.flatMap((operation) => {
    const place = places.get(operation.id ?? '');
    const groupId = references.find(operation, 'toGroup');
    if (!place || groupId === undefined) return [];
    return [{ groupId, fundId: place.fundId, fiscalYearId: place.fiscalYearId }];
  });
}

function resultOf(
  { outcomes }: BulkPlan,
  [at, index]: readonly [at: number, index: number],
  { op, id }: BulkOperation,
  dryRun: boolean,
): BulkResult {
  const { status, row, error } = outcomes[at] ?? { status: 'failed' };
  const shownId = dryRun && row?.made === true ? undefined : (row?.id ?? id);
  return {
    index,
    op,
    status,
    ...(shownId === undefined ? {} : { id: shownId }),
    ...(row ? { _version: row.version } : {}),
    ...(error ? { error } : {}),
  };
}

function summaryOf(results: readonly BulkResult[]): BulkSummary {
  const count = (status: BulkStatus): number =>
    results.filter((result) => result.status === status).length;
  return {
    created: count('created'),
    deleted: count('deleted'),
    moved: count('moved'),
    merged: count('merged'),
    unchanged: count('unchanged'),
    failed: count('failed'),
  };
}
