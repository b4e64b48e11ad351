import { readTenant } from '@quire/postgres/tenant';
import { testDatabase } from '@quire/testing/database';
import { LeaseKeeper } from '../src/lease-keeper.js';
import { ALMA, openDesk, until, type Desk } from './desk.js';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk(await testDatabase(), 'lease_spec');
});
afterAll(() => desk[Symbol.asyncDispose]());

const beat = (keeper: LeaseKeeper) =>
  keeper.renew(ALMA, (tx) =>
    tx.one<{ pid: number; tenant: string; name: string }>(
      `select pg_backend_pid() as pid, current_tenant() as tenant, current_setting('application_name') as name`,
    ),
  );

describe('the keeper of leases', () => {
  it('renews although every connection of the pool is taken', async () => {
    const pool = await desk.open(1);
    await using keeper = new LeaseKeeper(pool);
    await readTenant(pool, ALMA, async (tx) => {
      const taken = await tx.one<{ pid: number }>('select pg_backend_pid() as pid');
      const renewed = await beat(keeper);
      expect(renewed?.tenant).toBe('alma');
      expect(renewed?.name).toBe('lease_spec.leases');
      expect(renewed?.pid).not.toBe(taken?.pid);
    });
  });

  it('uses one connection for all leases', async () => {
    await using keeper = new LeaseKeeper(desk.source);
    const beats = await Promise.all([beat(keeper), beat(keeper), beat(keeper)]);
    expect(new Set(beats.map((one) => one?.pid)).size).toBe(1);
  });

  it('opens another connection when its own was cut', async () => {
    await using keeper = new LeaseKeeper(desk.source);
    const cut = keeper.renew(ALMA, (tx) =>
      tx.query('select pg_terminate_backend(pg_backend_pid())'),
    );
    await expect(cut).rejects.toThrow();
    expect((await beat(keeper))?.tenant).toBe('alma');
  });

  it('closes its connection, also when it was never used', async () => {
    const unused = new LeaseKeeper(desk.source);
    await unused[Symbol.asyncDispose]();
    const keeper = new LeaseKeeper(desk.source);
    const pid = (await beat(keeper))?.pid;
    const there = `exists (select from pg_stat_activity where pid = ${pid})`;
    await until(desk.source, there);
    await keeper[Symbol.asyncDispose]();
    await until(desk.source, `not ${there}`);
  });
});
