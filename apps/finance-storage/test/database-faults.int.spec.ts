import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { PostgresProxy } from '@quire/testing/postgres-proxy';
import { FinanceWorld } from './finance-world.js';

/** Faults of the way to the database (reliability, F6, F18, F20), which every service bears with the same code. */
let database: TestDatabase;
let proxy: PostgresProxy;
let world: FinanceWorld;

beforeAll(async () => {
  database = await testDatabase();
  proxy = await PostgresProxy.open(database.url);
  world = await FinanceWorld.start(proxy.url);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await database.close();
});

const groupOf = (name: string) => ({ id: randomUUID(), code: name, name, status: 'Active' });
const post = (body: object, headers: Record<string, string> = {}) =>
  world.ask('POST', '/groups', { body, headers });
async function groupsNamed(name: string): Promise<number> {
  const query = encodeURIComponent(`name==${name}`);
  return (await world.ask('GET', `/groups?query=${query}`)).json.totalRecords as number;
}

describe('a POST whose connection to the database is cut after its COMMIT', () => {
  it('is no success; repeated with the same id it is told that it exists, and made one row and one event', async () => {
    await world.events();
    const group = groupOf('cut-once');
    const cut = proxy.cutAfterCommitOf('cut-once');
    const lost = await post(group);
    await cut;
    expect([lost.status, lost.headers['retry-after']]).toEqual([503, '5']);
    const again = await post(group);
    expect([again.status, again.text]).toEqual([400, expect.stringContaining('already exists')]);
    expect(await groupsNamed('cut-once')).toBe(1);
    expect((await world.events()).map(({ type, id }) => [type, id])).toEqual([
      ['GroupCreated', group.id],
    ]);
  });

  it('is answered with what was stored when it is repeated with its Idempotency-Key', async () => {
    await world.events();
    const group = groupOf('cut-with-key');
    const key = { 'idempotency-key': 'cut-1' };
    const cut = proxy.cutAfterCommitOf('cut-with-key');
    expect((await post(group, key)).status).toBe(503);
    await cut;
    const again = await post(group, key);
    expect([again.status, again.json.id, again.headers['idempotent-replayed']]).toEqual([
      201,
      group.id,
      'true',
    ]);
    expect(await groupsNamed('cut-with-key')).toBe(1);
    expect(await world.events()).toHaveLength(1);
  });
});

describe('a database that is away', () => {
  // Promised are 2 s and 10 s (reliability, F18). These find what never comes, on a machine that runs all specs at once.
  const READY_LOSS_MS_MAX = 10_000;
  const BACK_MS_MAX = 30_000;
  const ready = async (): Promise<string | undefined> =>
    (await world.isolated.services.get('finance-storage')?.health.ready())?.status;
  const msUntil = async (isSo: () => Promise<boolean>): Promise<number> => {
    const since = performance.now();
    while (!(await isSo()) && performance.now() - since < 2 * BACK_MS_MAX) await delay(20);
    return performance.now() - since;
  };

  it('makes the service unready and its API answer 503 with Retry-After, and is used again by itself', async () => {
    expect(await ready()).toBe('UP');
    for (let round = 0; round < 2; round += 1) {
      // Under load: these are in the middle of it.
      const load = Array.from({ length: 20 }, (_, at) => post(groupOf(`load-${round}-${at}`)));
      await proxy.goAway();
      expect(await msUntil(async () => (await ready()) === 'DOWN')).toBeLessThan(READY_LOSS_MS_MAX);
      for (const { status, headers } of await Promise.all(load))
        expect([status, headers['retry-after']]).toEqual(
          status === 201 ? [201, undefined] : [503, '5'],
        );
      for (const answer of [await world.ask('GET', '/groups'), await post(groupOf('away'))])
        expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);

      await proxy.comeBack();

      const works = async (): Promise<boolean> =>
        (await world.ask('GET', '/groups')).status === 200 && (await ready()) === 'UP';
      expect(await msUntil(works)).toBeLessThan(BACK_MS_MAX);
    }
    expect(await groupsNamed('away')).toBe(0);
    expect((await post(groupOf('back'))).status).toBe(201);
  });
});
