import { withTenant } from '@quire/postgres/tenant';
import { testDatabase } from '@quire/testing/database';
import type { Envelope, EventBus, GivenUpReason, PublishResult } from '../src/event-bus.js';
import { InProcessBus } from '../src/in-process.bus.js';
import { OUTBOX_CHANNEL } from '../src/outbox.js';
import { Relay } from '../src/relay.js';
import { ALMA, SILENT, slice, until, Workshop } from './workshop.js';

const NEVER_MS = 3_600_000;

let shop: Workshop;
let running: { readonly relay: Relay; readonly bus: EventBus }[];

beforeAll(async () => {
  shop = await Workshop.open(await testDatabase(), 'relay_spec');
});
afterAll(() => shop[Symbol.asyncDispose]());

beforeEach(async () => {
  await shop.clear();
  running = [];
});
afterEach(async () => {
  for (const { bus, relay } of running) {
    await bus.close(0);
    await relay.stop();
  }
});

function start(bus: EventBus, pollMs?: number): Relay {
  const relay = shop.relay(bus, pollMs);
  running.push({ relay, bus });
  relay.start();
  return relay;
}

const quiet = (relay: Relay) => until(() => relay.isQuiet());

/** A bus that answers what the spec says, after what the bus behind it has done. */
class Puppet implements EventBus {
  readonly offered: string[] = [];

  constructor(
    /** @param times that it was asked, with this time */
    private readonly answer: (envelope: Envelope, times: number) => Promise<PublishResult>,
    private readonly behind: EventBus = new InProcessBus(() => 0),
  ) {}

  async publish(envelope: Envelope): Promise<PublishResult> {
    this.offered.push(envelope.id);
    return this.answer(envelope, this.offered.length);
  }

  subscribe(): void {
    throw new Error('Nobody listens to a puppet.');
  }

  begin(): void {
    throw new Error('Nobody begins here.');
  }

  restingPoint(): Promise<never> {
    return Promise.reject(new Error('Nothing rests here.'));
  }

  close(graceMs: number): Promise<void> {
    return this.behind.close(graceMs);
  }
}

const ACKNOWLEDGED: PublishResult = { outcome: 'acknowledged' };
const hang = () => new Promise<never>(() => undefined);

/** Processes that hold the lock of the relay. */
async function active(): Promise<number[]> {
  const rows = await shop.source.query<{ pid: number }[]>(
    `select l.pid from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
     where locktype = 'advisory' and granted`,
  );
  return rows.map((row) => row.pid);
}

describe('a relay', () => {
  it('offers an event again that had its effect, but was not deleted before a crash', async () => {
    const bus = new InProcessBus(() => 0);
    await shop.listen(bus);
    shop.desk.work = shop.recordOnce;
    let crash: () => void = () => undefined;
    const crashed = new Promise<void>((resolve) => (crash = resolve));
    const dying = shop.relay(
      new Puppet(async (envelope) => {
        await bus.publish(envelope);
        crash();
        return hang();
      }),
    );
    dying.start();
    await shop.sendSlices(slice(1));
    await crashed;
    await dying.stop();
    expect(await shop.effects()).toEqual([1]);
    expect(await shop.waiting()).toBe(1);

    await quiet(start(bus));
    expect(shop.desk.ordinals).toEqual([1, 1]);
    expect(await shop.effects()).toEqual([1]);
  });

  it('offers each event once, however many are finished while others are deleted', async () => {
    const bus = new Puppet(async () => {
      for (let turns = Math.random() * 8; turns > 0; turns -= 1)
        await new Promise((resolve) => setImmediate(resolve));
      return ACKNOWLEDGED;
    });
    await shop.sendSlices(...Array.from({ length: 1200 }, (_, n) => slice(n, n % 400)));
    await quiet(start(bus, NEVER_MS));
    expect(bus.offered).toHaveLength(1200);
    expect(new Set(bus.offered).size).toBe(1200);
  });

  it('offers the rows of a key in the order they were written, also over several reads', async () => {
    const ids: string[] = [];
    const bus = new Puppet((envelope) => {
      ids.push((JSON.parse(envelope.payload) as { fromOrdinal: string }).fromOrdinal);
      return Promise.resolve(ACKNOWLEDGED);
    });
    await shop.sendSlices(...Array.from({ length: 1200 }, (_, n) => slice(n)));
    await quiet(start(bus, NEVER_MS));
    expect(ids).toEqual(Array.from({ length: 1200 }, (_, n) => n));
  });

  it('reads on at once while there is more than one read gives', async () => {
    const bus = new Puppet(hang);
    await shop.sendSlices(...Array.from({ length: 600 }, (_, n) => slice(n, n)));
    start(bus, NEVER_MS);
    await until(() => bus.offered.length === 600);
  });

  it('is woken by a commit, not only by its clock', async () => {
    const bus = new Puppet(() => Promise.resolve(ACKNOWLEDGED));
    const relay = start(bus, NEVER_MS);
    await until(async () => (await active()).length === 1);
    for (let times = 1; times <= 3; times += 1) {
      await shop.sendSlices(slice(times));
      await quiet(relay);
      expect(bus.offered).toHaveLength(times);
    }
  });

  it('is not woken by what other services of the database send', async () => {
    let wakes = 0;
    class Sleeper extends Relay {
      override wake(): void {
        wakes += 1;
        super.wake();
      }
    }
    const bus = new Puppet(() => Promise.resolve(ACKNOWLEDGED));
    const relay = new Sleeper(shop.source, bus, SILENT, NEVER_MS);
    running.push({ relay, bus });
    await shop.sendSlices(slice(1));
    relay.start();
    // By the event it has carried. From then on it listens and knows its own name.
    await until(() => wakes === 1);
    for (const schema of ['elsewhere', '', 'relay_spec'])
      await shop.source.query('select pg_notify($1, $2)', [OUTBOX_CHANNEL, schema]);
    await until(() => wakes > 1);
    expect(wakes).toBe(2);
  });

  it('finds by its clock what nobody told it of', async () => {
    const bus = new Puppet(() => Promise.resolve(ACKNOWLEDGED));
    const relay = start(bus);
    await until(async () => (await active()).length === 1);
    await withTenant(shop.source, ALMA, (tx) =>
      tx.execute(
        `insert into outbox (tenant_id, event_id, topic, key, headers, payload)
         values ('alma', gen_random_uuid(), 'topic', 'key', '{}', '{}')`,
      ),
    );
    await quiet(relay);
    expect(bus.offered).toHaveLength(1);
  });

  it('lets a postponed row rest before it offers it again', async () => {
    const bus = new Puppet((_, times) =>
      Promise.resolve(times < 3 ? { outcome: 'postponed' } : ACKNOWLEDGED),
    );
    await shop.sendSlices(slice(1));
    const before = performance.now();
    await quiet(start(bus, 60));
    expect(bus.offered).toHaveLength(3);
    expect(performance.now() - before).toBeGreaterThan(100);
  });

  it('keeps a row whose dead letter could not be stored', async () => {
    const nul = String.fromCharCode(0) as GivenUpReason; // PostgreSQL stores no such text
    const bus = new Puppet((_, times) =>
      Promise.resolve({
        outcome: 'refused',
        reason: times < 3 ? nul : 'INVALID_RECORD',
      }),
    );
    await shop.sendSlices(slice(1));
    await quiet(start(bus));
    expect(bus.offered).toHaveLength(3);
    expect(await shop.deadLetters.list()).toMatchObject([
      { reason: 'INVALID_RECORD', attempts: 1 },
    ]);
  });

  it('keeps a row when the bus throws', async () => {
    const bus = new Puppet((_, times) =>
      times < 3 ? Promise.reject(new Error('no broker')) : Promise.resolve(ACKNOWLEDGED),
    );
    await shop.sendSlices(slice(1));
    await quiet(start(bus));
    expect(bus.offered).toHaveLength(3);
  });

  it('holds no other key while one is in hand', async () => {
    const held = slice(1, 1);
    const bus = new Puppet(({ payload }) =>
      payload === JSON.stringify(held) ? hang() : Promise.resolve(ACKNOWLEDGED),
    );
    const relay = start(bus);
    await shop.sendSlices(held);
    await until(() => bus.offered.length === 1);
    await shop.sendSlices(slice(2, 1), slice(3, 2));
    await until(async () => (await shop.waiting()) === 2);
    expect(bus.offered).toHaveLength(2);
    expect(await relay.isQuiet()).toBe(false);
  });

  it('works on after its connection was cut', async () => {
    const bus = new Puppet(() => Promise.resolve(ACKNOWLEDGED));
    const relay = start(bus);
    await until(async () => (await active()).length === 1);
    const [pid] = await active();
    await shop.source.query('select pg_terminate_backend($1)', [pid]);
    await shop.sendSlices(slice(1));
    await quiet(relay);
    expect(bus.offered).toHaveLength(1);
    await until(async () => (await active()).length === 1);
    expect(await active()).not.toEqual([pid]);
  });
});

describe('of two relays of one service', () => {
  it('one is active, and the other takes over when it stops', async () => {
    const buses = [1, 2].map(() => new Puppet(() => Promise.resolve(ACKNOWLEDGED)));
    const first = start(buses[0] as EventBus);
    await until(async () => (await active()).length === 1);
    const second = start(buses[1] as EventBus);
    for (let times = 0; times < 20; times += 1) {
      await shop.sendSlices(slice(times));
      await quiet(first);
    }
    expect(buses.map((bus) => bus.offered.length)).toEqual([20, 0]);
    expect(await active()).toHaveLength(1);

    await first.stop();
    await shop.sendSlices(slice(20));
    await quiet(second);
    expect(buses.map((bus) => bus.offered.length)).toEqual([20, 1]);
  });
});

describe('a stopped relay', () => {
  it('has deleted what the bus finished in the moment before', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<PublishResult>((resolve) => {
      finish = () => resolve(ACKNOWLEDGED);
    });
    const bus = new Puppet(() => finished);
    const relay = start(bus);
    await shop.sendSlices(slice(1));
    await until(() => bus.offered.length === 1);
    finish();
    await relay.stop();
    expect(await shop.waiting()).toBe(0);
  });

  it('has deleted what the bus finished when it closed, and leaves no lock and no listener', async () => {
    const bus = new InProcessBus(() => 0);
    await shop.listen(bus);
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    shop.desk.work = () => finished;
    const relay = start(bus);
    await shop.sendSlices(slice(1));
    await until(() => shop.desk.arrivals.length === 1);
    const closed = bus.close(60_000);
    finish();
    await closed;
    await relay.stop();
    expect(await shop.waiting()).toBe(0);
    expect(await active()).toEqual([]);
    const channels: unknown[] = [];
    // Every connection of the pool, at once.
    const runners = Array.from({ length: 20 }, () => shop.source.createQueryRunner());
    await Promise.all(
      runners.map(async (runner) =>
        channels.push(...((await runner.query('select pg_listening_channels()')) as unknown[])),
      ),
    );
    await Promise.all(runners.map((runner) => runner.release()));
    expect(channels).toEqual([]);
  });
});
