import { testDatabase } from '@quire/testing/database';
import { Turns } from '../src/turns.js';
import { openDesk, until, type Desk } from './desk.js';

const NO_LOCK = `not exists (select from pg_locks join pg_database on oid = database
  where locktype = 'advisory' and datname = current_database())`;

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk(await testDatabase(), 'turns_spec');
});
afterAll(() => desk[Symbol.asyncDispose]());

describe('turns of scheduled work', () => {
  it('are taken by one replica at a time; the other skips its own', async () => {
    await using one = new Turns(desk.source);
    await using other = new Turns(desk.source);
    const done: string[] = [];
    const turn = await one.take('sweeps', async () => {
      done.push('one');
      expect(await other.take('sweeps', () => Promise.resolve(void done.push('other')))).toBe(
        false,
      );
      expect(await other.take('retention', () => Promise.resolve())).toBe(true);
    });
    expect(turn).toBe(true);
    expect(done).toEqual(['one']);
    expect(await other.take('sweeps', () => Promise.resolve(void done.push('other')))).toBe(true);
    expect(done).toEqual(['one', 'other']);
  });

  it('are free again when their work failed, or their process has gone', async () => {
    await using one = new Turns(desk.source);
    await using other = new Turns(desk.source);
    const failing = one.take('sweeps', () => Promise.reject(new Error('disk full')));
    await expect(failing).rejects.toThrow('disk full');
    // The one is still there and could hold it.
    expect(await other.take('sweeps', () => other[Symbol.asyncDispose]())).toBe(true);
    // The database sees a little later that the connection is gone.
    await until(desk.source, NO_LOCK);
    expect(await one.take('sweeps', () => Promise.resolve())).toBe(true);
  });
});
