import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import { tooLarge } from '@quire/contracts/failure';
import type { BulkAnswer, BulkResult, FiscalYearCopy } from '@quire/contracts/finance-bulk';
import { FIRST_VERSION } from '@quire/contracts/locking';
import type { Caller } from '@quire/contracts/scope';
import { readTenant, withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { BudgetLinks } from '../db/budget-links.js';
import { Relations } from '../db/relations.js';
import { YearCopies, type CopiedRow, type YearCopy } from '../db/year-copies.js';
import { propertiesOf, type Relation } from '../domain/bulk-plan.js';
import { unknown } from '../domain/bulk-references.js';
import { ChangeEvents } from './change-events.js';
import { untilNotOvertaken } from './overtaking.js';

/**
 * What the 30 s of a request hold with some to spare: 200,000 rows and their events take 17 s of one core of the database, most of
 * it foreign keys and indexes, and 4 s of ours. Groups divide what is more.
 */
export const COPY_ROWS_MAX = 200_000;
const BATCH_ROWS = 5_000;

/** The group-fund-fiscal-years of one fiscal year, added for another one (finance-storage, 8.2). */
@Injectable()
export class FiscalYearCopies {
  constructor(
    private readonly source: DataSource,
    private readonly relations: Relations,
    private readonly copies: YearCopies,
    private readonly links: BudgetLinks,
    private readonly events: ChangeEvents,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /**
   * @throws Failure 422 of an unknown year or group, 413 of more than {@link COPY_ROWS_MAX} rows, 503 when others were quicker
   *   again and again
   */
  copy(caller: Caller, { dryRun = false, ...sent }: FiscalYearCopy): Promise<BulkAnswer> {
    const copy = { ...sent, fundStatus: sent.fundStatus ?? ['Active'] };
    if (dryRun) return readTenant(this.source, caller, (tx) => this.answer(tx, copy));
    return untilNotOvertaken(() =>
      withTenant(this.source, caller, (tx) => this.answer(tx, copy, tx)),
    );
  }

  /** @param writing absent: of a dry run, which only reads */
  private async answer(tx: TenantRead, copy: YearCopy, writing?: TenantTx): Promise<BulkAnswer> {
    await this.check(tx, copy);
    const { fundIds, rows } = await this.copies.funds(tx, copy);
    if (rows > COPY_ROWS_MAX) throw tooMany(rows);
    const fiscalYearId = copy.toFiscalYearId;
    const pairs = fundIds.map((fundId) => ({ fundId, fiscalYearId }));
    if (writing && pairs.length > 0) await this.links.hold(writing, pairs);
    const results: BulkResult[] = [];
    let created = 0;
    for await (const batch of this.copies.rows(tx, copy, fundIds, BATCH_ROWS)) {
      const made: Relation[] = [];
      for (const row of batch) {
        const relation = row.id === null ? this.made(row, fiscalYearId) : undefined;
        if (relation) made.push(relation);
        results.push(
          resultOf(results.length, relation ?? row, { made: !!relation, dry: !writing }),
        );
      }
      if (writing && made.length > 0) await this.write(writing, made);
      created += made.length;
    }
    const unchanged = results.length - created;
    const summary = { created, deleted: 0, moved: 0, merged: 0, unchanged, failed: 0 };
    return { dryRun: !writing, summary, results };
  }

  private async check(tx: TenantRead, copy: YearCopy): Promise<void> {
    const { fromFiscalYearId, toFiscalYearId, groupIds = [] } = copy;
    const ids = [fromFiscalYearId, toFiscalYearId];
    const years = await this.relations.known(tx, 'fiscal_year', { ids, codes: [] });
    for (const name of ['fromFiscalYearId', 'toFiscalYearId'] as const)
      if (!years.ids.has(copy[name])) throw unknown('fiscalYear', ['id', copy[name]], name);
    const groups = await this.relations.known(tx, 'groups', { ids: groupIds, codes: [] });
    for (const [at, id] of groupIds.entries())
      if (!groups.ids.has(id)) throw unknown('group', ['id', id], `groupIds[${at}]`);
  }

  private made(row: CopiedRow, fiscalYearId: string): Relation {
    return {
      id: this.ids.next(),
      version: FIRST_VERSION,
      groupId: row.group_id,
      fundId: row.fund_id,
      fiscalYearId,
      budgetId: row.budget_id ?? undefined,
    };
  }

  private async write(tx: TenantTx, rows: readonly Relation[]): Promise<void> {
    await this.relations.insert(tx, rows);
    await this.events.addEach(tx, ['GroupFundFiscalYear', 'Created'], rows, propertiesOf);
  }
}

/** The id of a row that a dry run would make is not known. */
const resultOf = (
  index: number,
  { id, version }: Pick<CopiedRow, 'id' | 'version'>,
  { made, dry }: { readonly made: boolean; readonly dry: boolean },
): BulkResult => ({
  index,
  op: 'add',
  status: made ? 'created' : 'unchanged',
  ...(id === null || (made && dry) ? {} : { id }),
  ...(version === null ? {} : { _version: version }),
});

/** In the words of conventions, 15.3. */
const tooMany = (rows: number): Error =>
  tooLarge(
    `Expected a maximum of ${COPY_ROWS_MAX} records to prevent out of memory but got ${rows}`,
  );
