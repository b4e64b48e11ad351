import { TenantKey } from '@quire/object-store/tenant-key';
import { readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { testDatabase } from '@quire/testing/database';
import { ObjectIntents } from '../src/intents.js';
import { ALMA, BERTA, openDesk, type Desk } from './desk.js';

const HOUR_MS = 3_600_000;
const key = (number: number, tenantId = 'alma') =>
  TenantKey.of('export', tenantId, `00000000-0000-4000-8000-00000000000${number}`);

const intents = new ObjectIntents();
let desk: Desk;

beforeAll(async () => {
  desk = await openDesk(await testDatabase(), 'intents_spec');
});
afterAll(() => desk[Symbol.asyncDispose]());

const write = (work: (tx: TenantTx) => Promise<unknown>, scope = ALMA) =>
  withTenant(desk.source, scope, work);

const overdue = (olderThanMs: number, limit?: number, scope = ALMA) =>
  readTenant(desk.source, scope, (tx) => intents.overdue(tx, olderThanMs, limit));

/** Time passes only in the rows. */
const age = (one: TenantKey, minutes: number) =>
  write((tx) =>
    tx.execute(`update object_intent set at = now() - $2 * interval '1 minute' where key = $1`, [
      one.toString(),
      minutes,
    ]),
  );

beforeEach(() => write((tx) => tx.execute('delete from object_intent')));

describe('an intent to write an object', () => {
  it('is overdue when nobody has referred to the object for as long as told, the oldest first', async () => {
    for (const [number, minutes] of [
      [1, 61],
      [2, 120],
      [3, 59],
    ] as const) {
      await write((tx) => intents.announce(tx, key(number)));
      await age(key(number), minutes);
    }
    expect(await overdue(HOUR_MS)).toEqual([key(2).toString(), key(1).toString()]);
    expect(await overdue(HOUR_MS, 1)).toEqual([key(2).toString()]);
  });

  it('is settled in the transaction that refers to the object, and stands when that fails', async () => {
    for (const number of [1, 2, 3]) await write((tx) => intents.announce(tx, key(number)));
    await write((tx) => intents.settle(tx, key(1), key(2).toString()));
    const failed = write(async (tx) => {
      await intents.settle(tx, key(3));
      throw new Error('not stored after all');
    });
    await expect(failed).rejects.toThrow('not stored after all');
    expect(await overdue(-HOUR_MS)).toEqual([key(3).toString()]);
  });

  it('is the affair of its tenant', async () => {
    await write((tx) => intents.announce(tx, key(1)));
    await write((tx) => intents.settle(tx, key(1)), BERTA);
    expect(await overdue(-HOUR_MS, 100, BERTA)).toEqual([]);
    expect(await overdue(-HOUR_MS)).toEqual([key(1).toString()]);
  });

  it('does not mind being settled twice', async () => {
    await write((tx) => intents.announce(tx, key(1)));
    await write((tx) => intents.settle(tx, key(1)));
    await expect(write((tx) => intents.settle(tx, key(1)))).resolves.toBeUndefined();
  });
});
