import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { uuidArray } from '@quire/postgres/bulk';
import type { Move, Relation, Triple } from '../domain/bulk-plan.js';
import { pairKey } from '../domain/bulk-plan.js';
import type { Known, NamedTable } from '../domain/bulk-references.js';
import type { Pair } from './budget-links.js';
import { NEXT_VERSION } from './entities.js';

/**
 * Many group-fund-fiscal-years at once: a fixed number of statements, whatever their number. Rows are found by look-ups of
 * their own for each key (`lateral … limit 1`), because of a tenant without statistics the planner expects one row and would
 * read all of it; what is changed is named by the place of the rows found, which nobody moves while they are held.
 */
@Injectable()
export class Relations {
  /** Which of the ids there are, and whose code it is. Codes are the same whatever the case and accents. */
  async known(
    tx: TenantRead,
    table: NamedTable,
    { ids, codes }: { readonly ids: readonly string[]; readonly codes: readonly string[] },
  ): Promise<Known> {
    const there =
      ids.length === 0
        ? []
        : await tx.query<{ id: string }>(idsSql(table), [tx.tenantId, uuidArray(ids)]);
    const named =
      codes.length === 0
        ? []
        : await tx.query<{ code: string; id: string }>(codesSql(table), [tx.tenantId, codes]);
    return {
      ids: new Set([...there, ...named].map(({ id }) => id)),
      codes: new Map(named.map(({ code, id }) => [code, id])),
    };
  }

  /** @param hold nobody else changes them before the transaction has ended */
  ofIds(tx: TenantRead, ids: readonly string[], hold: boolean): Promise<Relation[]> {
    return this.found(tx, [uuidArray(ids)], {
      keys: 'unnest($2::uuid[]) as q (id)',
      on: 'id = q.id',
      hold,
    });
  }

  ofTriples(tx: TenantRead, triples: readonly Triple[], hold: boolean): Promise<Relation[]> {
    return this.found(tx, tripleArrays(triples), {
      keys: 'unnest($2::uuid[], $3::uuid[], $4::uuid[]) as q (group_id, fund_id, fiscal_year_id)',
      on: `group_id = q.group_id and fund_id = q.fund_id and ${SAME_YEAR}`,
      hold,
    });
  }

  /** The budgets of pairs, by `pairKey`. */
  async budgetsOf(tx: TenantRead, pairs: readonly Pair[]): Promise<ReadonlyMap<string, string>> {
    const rows = await tx.query<{ id: string; fund_id: string; fiscal_year_id: string }>(
      `select b.id, q.fund_id, q.fiscal_year_id from unnest($2::uuid[], $3::uuid[]) as q (fund_id, fiscal_year_id)
       cross join lateral (select id from budget where tenant_id = $1 and fund_id = q.fund_id
         and ${SAME_YEAR} limit 1) as b`,
      [
        tx.tenantId,
        uuidArray(pairs.map(({ fundId }) => fundId)),
        uuidArray(pairs.map(({ fiscalYearId }) => fiscalYearId)),
      ],
    );
    return new Map(
      rows.map((row) => [
        pairKey({ fundId: row.fund_id, fiscalYearId: row.fiscal_year_id }),
        row.id,
      ]),
    );
  }

  async insert(tx: TenantTx, rows: readonly Relation[]): Promise<number> {
    if (rows.length >= FRESH_PLANS_ROWS) await tx.execute('discard plans');
    return tx.execute(
      `insert into group_fund_fiscal_year (tenant_id, group_id, fund_id, fiscal_year_id, id, budget_id)
       select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[])`,
      [
        tx.tenantId,
        ...tripleArrays(rows),
        uuidArray(rows.map(({ id }) => id)),
        uuidArray(rows.map(({ budgetId }) => budgetId ?? null)),
      ],
    );
  }

  move(tx: TenantTx, moves: readonly Move[]): Promise<number> {
    return tx.execute(
      `update group_fund_fiscal_year set ${NEXT_VERSION},
         group_id = ($4::uuid[])[array_position($2::uuid[], id)] where ctid = any (array(${PLACES}))`,
      [
        tx.tenantId,
        ...versions(moves.map(({ before }) => before)),
        uuidArray(moves.map(({ after }) => after.groupId)),
      ],
    );
  }

  remove(tx: TenantTx, rows: readonly Relation[]): Promise<number> {
    return tx.execute(`delete from group_fund_fiscal_year where ctid = any (array(${PLACES}))`, [
      tx.tenantId,
      ...versions(rows),
    ]);
  }

  private async found(
    tx: TenantRead,
    params: readonly unknown[],
    { keys, on, hold }: { readonly keys: string; readonly on: string; readonly hold: boolean },
  ): Promise<Relation[]> {
    const rows = await tx.query<RelationRow>(
      `select r.* from ${keys} cross join lateral (
         select id, version, group_id, fund_id, fiscal_year_id, budget_id from group_fund_fiscal_year
         where tenant_id = $1 and ${on} limit 1 ${hold ? 'for update' : ''}) as r`,
      [tx.tenantId, ...params],
    );
    return rows.map((row) => ({
      id: row.id,
      version: row.version,
      groupId: row.group_id,
      fundId: row.fund_id,
      fiscalYearId: row.fiscal_year_id,
      budgetId: row.budget_id ?? undefined,
    }));
  }
}

/**
 * A connection keeps the plans of its foreign keys. Those it made while a table was small read all of it for each new row, until
 * the table is analysed: 420 µs a row among 5,000 funds, 80 with new plans. For a few rows that does not matter.
 */
const FRESH_PLANS_ROWS = 200;

/**
 * In a form that no index serves: without statistics, the planner takes the index of fiscal years for as good as that of what
 * ties a row, and each look-up would read a whole year.
 */
const SAME_YEAR = '(fiscal_year_id = q.fiscal_year_id) is true';

interface RelationRow {
  readonly id: string;
  readonly version: number;
  readonly group_id: string;
  readonly fund_id: string;
  readonly fiscal_year_id: string;
  readonly budget_id: string | null;
}

const PLACES = `select r.ctid from unnest($2::uuid[], $3::int[]) as q (id, version) cross join lateral (
  select ctid from group_fund_fiscal_year where tenant_id = $1 and id = q.id and version = q.version limit 1) as r`;

const versions = (rows: readonly Relation[]): unknown[] => [
  uuidArray(rows.map(({ id }) => id)),
  rows.map(({ version }) => version),
];

const tripleArrays = (triples: readonly Triple[]): Buffer[] => [
  uuidArray(triples.map(({ groupId }) => groupId)),
  uuidArray(triples.map(({ fundId }) => fundId)),
  uuidArray(triples.map(({ fiscalYearId }) => fiscalYearId)),
];

const idsSql = (table: NamedTable): string =>
  `select q.id from unnest($2::uuid[]) as q (id)
   cross join lateral (select from ${table} where tenant_id = $1 and id = q.id limit 1) as found`;

/** By the head, which has an index that row-level security lets through; whole codes are compared afterwards. */
const codesSql = (table: NamedTable): string =>
  `with sent as materialized (
     select code, cql_head(code) as head, fold(code) as folded from unnest($2::text[]) as code)
   select sent.code, found.id from sent cross join lateral (
     select id from ${table} where tenant_id = $1 and code_head collate "C" = sent.head
       and fold(${table}.code) = sent.folded limit 1) as found`;
