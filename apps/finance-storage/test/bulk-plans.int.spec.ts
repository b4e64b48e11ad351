import { randomUUID } from 'node:crypto';
import type { TenantRead } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { Relations } from '../src/db/relations.js';
import { YearCopies } from '../src/db/year-copies.js';
import type { Relation, Triple } from '../src/domain/bulk-plan.js';
import { ENTITIES } from '../src/domain/entities.js';
import { COPY_ROWS_MAX } from '../src/usecases/fiscal-year-copies.js';
import { fillTenant, FUNDS, idOf, YEARS } from './big-finance.js';
import { GFFY, type BulkAnswered } from './bulk-world.js';
import { FinanceWorld, TENANT } from './finance-world.js';

/**
 * What bulk work reads of a tenant that the planner does not know, because nothing was analysed: what it asks for, and not the
 * whole table once for each row.
 */
let database: TestDatabase;
let world: FinanceWorld;
let admin: DataSource;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  for (const { table } of ENTITIES)
    await admin.query(`alter table finance_storage.${table} set (autovacuum_enabled = false)`);
}, 60_000);

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

/** Rows of all tables, so far, by this transaction and what of its connection is not reported yet. */
async function rowsReadIn(tx: TenantRead): Promise<number> {
  const read = await tx.one<{ n: string }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::text as n from pg_stat_xact_user_tables
     where schemaname = 'finance_storage'`,
  );
  return Number(read?.n);
}

const triplesOf = (tx: TenantRead, fiscalYearId: string): Promise<Triple[]> =>
  tx.query<Triple & Record<string, unknown>>(
    `select group_id as "groupId", fund_id as "fundId", fiscal_year_id as "fiscalYearId" from group_fund_fiscal_year
     where tenant_id = $1 and fiscal_year_id = $2 order by id limit 1000`,
    [tx.tenantId, fiscalYearId],
  );

/** First, while the tables are small. */
it('rows that are made find what they refer to by its index, though their connection met small tables', async () => {
  const { year, ledger, group } = await world.library('small');
  const funds = (from: number, to: number): Promise<unknown> =>
    admin.query(
      `insert into finance_storage.fund
         (tenant_id, id, code, name, fund_status, ledger_id, restrict_by_locations, created_at, updated_at)
       select '${TENANT}', gen_random_uuid(), 'X' || n, 'X' || n, 'Active', '${ledger.id}', false, now(), now()
       from generate_series(${from}, ${to}) as n`,
    );
  const relationsOf = async (tx: TenantRead, from: number): Promise<Relation[]> => {
    const rows = await tx.query<{ id: string }>(
      'select id from fund where tenant_id = $1 and code collate "C" >= $2 and code like $3 order by code limit 1000',
      [tx.tenantId, `X${from}`, 'X%'],
    );
    return rows.map(({ id: fundId }) => ({
      id: randomUUID(),
      version: 1,
      groupId: group.id,
      fundId,
      fiscalYearId: year.id,
    }));
  };
  await funds(10, 19);
  const read = await world.write(async (tx) => {
    expect(await new Relations().insert(tx, await relationsOf(tx, 10))).toBe(10);
    await funds(2000, 6999);
    const rows = await relationsOf(tx, 2000);
    const before = await rowsReadIn(tx);
    expect(await new Relations().insert(tx, rows)).toBe(1_000);
    return (await rowsReadIn(tx)) - before;
  });
  expect(read).toBeLessThanOrEqual(1_000 * 4 * 3);
}, 60_000);

describe('of 100,000 group-fund-fiscal-years', () => {
  beforeAll(() => fillTenant(admin, TENANT), 60_000);

  it('rows and budgets are found by what they tie: those of their fund are read, not those of their year', async () => {
    const fiscalYearId = await idOf(admin, 'year', 3);
    const read = await world.write(async (tx) => {
      const triples = await triplesOf(tx, fiscalYearId);
      const before = await rowsReadIn(tx);
      expect(await new Relations().ofTriples(tx, triples, true)).toHaveLength(1_000);
      expect((await new Relations().budgetsOf(tx, triples)).size).toBe(1_000);
      return (await rowsReadIn(tx)) - before;
    });
    expect(read).toBeLessThanOrEqual(1_000 * 2 * (YEARS + 1));
  }, 60_000);

  it('those of two years are read once to copy one to the other', async () => {
    const copy = {
      fromFiscalYearId: await idOf(admin, 'year', 3),
      toFiscalYearId: await idOf(admin, 'year', 4),
      fundStatus: ['Active'],
    };
    const read = await world.read(async (tx) => {
      const before = await rowsReadIn(tx);
      const { fundIds, rows } = await new YearCopies().funds(tx, copy);
      expect(rows).toBe(FUNDS - 50);
      for await (const batch of new YearCopies().rows(tx, copy, fundIds, 1_000))
        expect(batch.every(({ id, budget_id: budgetId }) => id !== null && budgetId !== null)).toBe(
          true,
        );
      return (await rowsReadIn(tx)) - before;
    });
    // Rows and funds twice, target rows and budgets once; there is no order of the rows of one year but that of all.
    expect(read).toBeLessThanOrEqual(6 * FUNDS + FUNDS * YEARS);
  }, 60_000);

  it('too many to copy at once are refused, and groups divide them', async () => {
    const target = await world.make('fiscal-years', {
      code: 'COPY',
      name: 'Copy',
      periodStart: '2090-01-01',
      periodEnd: '2090-12-31',
    });
    const body = { fromFiscalYearId: await idOf(admin, 'year', 3), toFiscalYearId: target.id };
    await fillYear(body.fromFiscalYearId, COPY_ROWS_MAX + 1);
    const copy = (more: object): ReturnType<FinanceWorld['ask']> =>
      world.ask('POST', `${GFFY}/copy`, { body: { ...body, ...more } });
    for (const dryRun of [false, true]) {
      const { status, text } = await copy({ dryRun });
      expect([status, text]).toEqual([
        413,
        `Expected a maximum of ${COPY_ROWS_MAX} records to prevent out of memory but got ${COPY_ROWS_MAX + 1}`,
      ]);
    }
    const [two] = await world.rows<{ ids: string[]; rows: number }>(
      `select array_agg(group_id) as ids, sum(n)::int as rows from (
         select group_id, count(*) as n from group_fund_fiscal_year as r join fund on fund.id = fund_id and fund_status = 'Active'
         where r.tenant_id = $1 and fiscal_year_id = $2 group by group_id order by group_id limit 2) as groups`,
      [body.fromFiscalYearId],
    );
    const answer = await copy({ groupIds: two?.ids });
    const { summary, results } = answer.json as BulkAnswered;
    expect(results).toHaveLength(two?.rows ?? 0);
    expect(summary).toMatchObject({ created: two?.rows, unchanged: 0 });
  }, 120_000);
});

/** Active funds of the year come to be in further groups, until the year has so many rows of them. */
async function fillYear(yearId: string, rows: number): Promise<void> {
  const table = 'finance_storage.group_fund_fiscal_year';
  await admin.query(`alter table ${table} disable trigger all`);
  await admin.query(
    `insert into ${table} (tenant_id, id, group_id, fund_id, fiscal_year_id)
     select '${TENANT}', gen_random_uuid(), g.id, f.id, '${yearId}'
     from finance_storage.groups as g cross join finance_storage.fund as f
     where f.fund_status = 'Active' and not exists (select from ${table} as r
       where r.group_id = g.id and r.fund_id = f.id and r.fiscal_year_id = '${yearId}')
     limit ${rows - FUNDS + 50}`,
  );
  await admin.query(`alter table ${table} enable trigger all`);
}
