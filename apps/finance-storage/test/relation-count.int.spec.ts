import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource, type QueryRunner } from 'typeorm';
import { FinanceWorld, OTHER_TENANT, TENANT } from './finance-world.js';

/** The kept number of a tenant's group-fund-fiscal-years is theirs, whoever writes beside whom. */
const TABLE = 'finance_storage.group_fund_fiscal_year';
const WRITERS = 4;
const ROUNDS = 15;

let database: TestDatabase;
let world: FinanceWorld;
let admin: DataSource;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

interface Numbers {
  readonly kept: number;
  readonly rows: number;
  readonly parts: number;
}

/** Of one tenant, from one snapshot. */
async function numbers(tenant: string, by: DataSource | QueryRunner = admin): Promise<Numbers> {
  const [found] = (await by.query(
    `select (select coalesce(sum(n), 0)::int from ${TABLE}_count where tenant_id = $1) as kept,
       (select count(*)::int from ${TABLE} where tenant_id = $1) as rows,
       (select count(*)::int from ${TABLE}_count where tenant_id = $1) as parts`,
    [tenant],
  )) as [Numbers];
  return found;
}

/** Several rows in one statement, of groups, funds and years that nobody checks. */
const insertion = (tenant: string, rows: number): string =>
  `insert into ${TABLE} (tenant_id, id, group_id, fund_id, fiscal_year_id)
   select '${tenant}', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid() from generate_series(1, ${rows})`;
const deletion = (tenant: string, rows: number): string =>
  `delete from ${TABLE} where tenant_id = '${tenant}' and id in
     (select id from ${TABLE} where tenant_id = '${tenant}' order by random() limit ${rows} for update skip locked)`;

it('follows what is made and removed by requests, and what is refused', async () => {
  const { group, fund, year } = await world.library('Counted');
  const body = { groupId: group.id, fundId: fund.id, fiscalYearId: year.id };
  const total = async (): Promise<unknown> =>
    (await world.ask('GET', '/group-fund-fiscal-years')).json.totalRecords as unknown;
  expect(await total()).toBe(0);
  const made = await world.make('group-fund-fiscal-years', body);
  expect(await total()).toBe(1);
  const again = await world.ask('POST', '/group-fund-fiscal-years', { body });
  expect([again.status, await total()]).toEqual([400, 1]);
  await world.ask('PUT', `/group-fund-fiscal-years/${made.id}`, { body: made });
  expect(await total()).toBe(1);
  await world.ask('DELETE', `/group-fund-fiscal-years/${made.id}`);
  expect(await total()).toBe(0);
});

it('is right in every snapshot while writers go to and fro, and comes down to few parts', async () => {
  const wrong: Numbers[] = [];
  let writing = true;
  async function write(writer: number): Promise<void> {
    const runner = admin.createQueryRunner();
    await runner.query('set session_replication_role = replica');
    for (let round = 0; round < ROUNDS; round += 1) {
      await runner.query('begin');
      await runner.query(insertion(TENANT, 1 + writer));
      await runner.query('savepoint half');
      await runner.query(deletion(TENANT, 2));
      if (round % 3 === 0) await runner.query('rollback to savepoint half');
      await runner.query(insertion(OTHER_TENANT, 1));
      await runner.query(round % 4 === 1 ? 'rollback' : 'commit');
    }
    await runner.query('reset session_replication_role');
    await runner.release();
  }
  async function watch(): Promise<void> {
    while (writing) {
      const seen = await numbers(TENANT);
      if (seen.kept !== seen.rows) wrong.push(seen);
    }
  }
  const watching = watch();
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  writing = false;
  await watching;
  expect(wrong).toEqual([]);
  for (const tenant of [TENANT, OTHER_TENANT]) {
    const { kept, rows, parts } = await numbers(tenant);
    expect(rows).toBeGreaterThan(10);
    expect([kept, parts]).toEqual([rows, expect.any(Number)]);
    expect(parts).toBeLessThan(3 * WRITERS);
  }
}, 60_000);

it('makes no writer wait for another', async () => {
  const [first, second] = [admin.createQueryRunner(), admin.createQueryRunner()];
  for (const runner of [first, second]) {
    await runner.query("set session_replication_role = replica; set lock_timeout = '2s'; begin");
    await runner.query(insertion(TENANT, 1));
  }
  for (const runner of [first, second]) {
    await runner.query('rollback; reset session_replication_role; reset lock_timeout');
    await runner.release();
  }
  const { kept, rows } = await numbers(TENANT);
  expect(kept).toBe(rows);
});
