import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import { bulk, FY2026, fundOf, GFFY, named, SCI, stored } from './bulk-world.js';
import { FinanceWorld } from './finance-world.js';

const ID = '6b1f0a52-8c55-4a0e-9d0a-0f6b8a1d2c3e';

describe('what others write at the same time', () => {
  let database: TestDatabase;
  let world: FinanceWorld;
  let other: Client;

  beforeAll(async () => {
    database = await testDatabase();
    world = await FinanceWorld.start(database.url, true);
    other = new Client({ connectionString: database.url });
    await other.connect();
    await other.query('set search_path to finance_storage, public');
  });

  afterAll(async () => {
    await other.end();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  /** `write` is not committed before the call waits for it. */
  async function during<T>(write: string, call: () => Promise<T>): Promise<T> {
    await other.query(`begin; ${write}`);
    const answer = call();
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    for (let rows = 0; rows === 0; await delay(5)) rows = (await other.query(waits)).rowCount ?? 0;
    await other.query('commit');
    return answer;
  }

  const insert = (fund: string): string =>
    `insert into group_fund_fiscal_year (tenant_id, id, group_id, fund_id, fiscal_year_id)
     values ('library', '${ID}', '${SCI}', '${fundOf(fund)}', '${FY2026}')`;
  const remove = `delete from group_fund_fiscal_year where id = '${ID}'`;

  it('is seen by bulk work, which plans again', async () => {
    const operations = [
      { op: 'add', ...named('SCI', 'H-CAN') },
      { op: 'add', ...named('SCI', 'H-EUR') },
    ];
    const answer = await during(insert('H-CAN'), () => bulk(world, operations));
    expect(answer.results).toMatchObject([
      { status: 'unchanged', id: ID },
      { status: 'created', _version: 1 },
    ]);
    const removal = [{ op: 'remove', id: ID }];
    expect(await during(remove, () => bulk(world, removal))).toMatchObject({
      summary: { unchanged: 1, deleted: 0 },
    });
  });

  it('may take away a group that bulk work wants, which is unknown then', async () => {
    const group = await world.make('groups', { code: 'GOING', name: 'Going', status: 'Active' });
    const before = await stored(world);
    const body = { operations: [{ op: 'add', ...named('GOING', 'H-CAN') }] };
    const answer = await during(`delete from groups where id = '${group.id}'`, () =>
      world.ask('POST', `${GFFY}/bulk`, { body }),
    );
    expect([answer.status, answer.text]).toEqual([
      422,
      expect.stringContaining('groupid = GOING because it does not exist in groups.code.'),
    ]);
    expect(await stored(world)).toEqual(before);
  });

  it('may make or remove a row first that is named by what it ties', async () => {
    const key = `${GFFY}/by-key/${SCI}/${fundOf('H-GEN')}/${FY2026}`;
    const made = await during(insert('H-GEN'), () => world.ask('PUT', key));
    expect([made.status, made.text]).toEqual([204, '']);
    const removed = await during(remove, () => world.ask('DELETE', key));
    expect([removed.status, removed.text]).toEqual([204, '']);
  });
});
