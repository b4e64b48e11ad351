import { testDatabase } from '@quire/testing/database';
import type { DataSource } from 'typeorm';
import { Dispatcher } from '../src/dispatcher.js';
import { openDesk, SILENT, until, type Desk } from './desk.js';

const NEVER_MS = 2_000_000_000;
const LOCK = 'dispatcher_spec.dispatch';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk(await testDatabase(), 'dispatcher_spec');
});
afterAll(() => desk[Symbol.asyncDispose]());

const dispatcher = (
  round: () => Promise<boolean>,
  source: DataSource = desk.source,
  sweepMs = NEVER_MS,
) => new Dispatcher({ source, lockName: LOCK, round, log: SILENT, sweepMs });

/** Work that waits, released one piece a round; `empty` resolves when a round finds none. */
class Waiting {
  released = 0;
  private found = Promise.withResolvers<void>();

  constructor(public pieces: number) {}

  readonly round = (): Promise<boolean> => {
    if (this.pieces === 0) {
      this.found.resolve();
      return Promise.resolve(false);
    }
    this.pieces -= 1;
    this.released += 1;
    return Promise.resolve(true);
  };

  async empty(): Promise<void> {
    this.found = Promise.withResolvers();
    await this.found.promise;
  }
}

const lockIsFree = async () => {
  const [row] = await desk.source.query<{ free: boolean }[]>(
    `select not exists (select from pg_locks where locktype = 'advisory'
       and database = (select oid from pg_database where datname = current_database())) as free`,
  );
  return row?.free;
};

describe('a dispatcher', () => {
  it('repeats its round until nothing is released, and gives the lock back', async () => {
    const waiting = new Waiting(5);
    const one = dispatcher(waiting.round);
    one.start();
    await waiting.empty();
    await one.stop();
    expect(waiting.released).toBe(5);
    expect(await lockIsFree()).toBe(true);
  });

  it('looks again when it is woken, also in the middle of a round', async () => {
    const waiting = new Waiting(0);
    const inRound = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let rounds = 0;
    await using one = dispatcher(async () => {
      rounds += 1;
      if (rounds > 1) return waiting.round();
      const found = await waiting.round();
      inRound.resolve();
      await goOn.promise;
      return found;
    });
    one.start();
    await inRound.promise;
    // The round has already seen that there was nothing.
    waiting.pieces = 2;
    one.wake();
    const empty = waiting.empty();
    goOn.resolve();
    await empty;
    expect(waiting.released).toBe(2);
  });

  it('holds the lock for the whole round, so that replicas never release at once', async () => {
    let inside = 0;
    let most = 0;
    const waiting = new Waiting(40);
    const round = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await desk.source.query('select 1');
      inside -= 1;
      return waiting.round();
    };
    await using one = dispatcher(round, await desk.open(2));
    await using two = dispatcher(round, await desk.open(2));
    const empty = waiting.empty();
    one.start();
    two.start();
    await empty;
    expect(waiting.released).toBe(40);
    expect(most).toBe(1);
  });

  it('that did not get the lock looks again soon, not only at its next sweep', async () => {
    const inRound = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    await using one = dispatcher(async () => {
      inRound.resolve();
      await goOn.promise;
      return false;
    });
    one.start();
    await inRound.promise;
    const waiting = new Waiting(1);
    await using two = dispatcher(waiting.round, await desk.open(2, 'second replica'));
    const empty = waiting.empty();
    two.start();
    try {
      await until(
        desk.source,
        `exists (select from pg_stat_activity where application_name = 'second replica' and state = 'idle'
           and query like 'select pg_try_advisory_lock%')`,
      );
    } finally {
      goOn.resolve();
    }
    await empty;
    expect(waiting.released).toBe(1);
  });

  it('gives the lock back after a round that failed, and tries again', async () => {
    const waiting = new Waiting(1);
    let rounds = 0;
    const one = dispatcher(
      () => {
        rounds += 1;
        return rounds === 1 ? Promise.reject(new Error('no')) : waiting.round();
      },
      desk.source,
      1,
    );
    const empty = waiting.empty();
    one.start();
    await empty;
    await one.stop();
    expect(waiting.released).toBe(1);
    expect(await lockIsFree()).toBe(true);
  });

  it('stops after the round in hand, although more waits', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let rounds = 0;
    const one = dispatcher(async () => {
      rounds += 1;
      begun.resolve();
      await goOn.promise;
      return true;
    });
    one.start();
    await begun.promise;
    const stop = one.stop();
    goOn.resolve();
    await stop;
    expect(rounds).toBe(1);
    expect(await lockIsFree()).toBe(true);
  });
});
