import { ExportDeleted, SliceReady } from '@quire/contracts/data-export';
import type { Envelope, GivenUp, Subscription } from './event-bus.js';
import { InProcessBus } from './in-process.bus.js';

const AWAY = Object.assign(new Error('away'), { transient: true });
const NEVER_MS = 3_600_000;

function envelope(id: string, key = id, type = SliceReady.type): Envelope {
  const { topic } = SliceReady;
  const headers = { ce_tenantid: 'alma' };
  return { id, type, topic, key, tenantId: 'alma', headers, payload: '{}' };
}

/** A group whose handler does what the spec says. */
function group(
  handle: Subscription['handle'],
  giveUp: Subscription['giveUp'] = () => Promise.resolve(),
  types = [SliceReady.type],
): Subscription {
  return { group: 'data-export', types, handle, giveUp };
}

/** Lets everything run that waits for nothing outside. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Events that are in the hands of a handler, and the end of each. */
class Hands {
  readonly held = new Map<string, () => void>();
  readonly handle = ({ id }: Envelope): Promise<void> =>
    new Promise((resolve) =>
      this.held.set(id, () => {
        this.held.delete(id);
        resolve();
      }),
    );

  get ids(): string[] {
    return [...this.held.keys()];
  }
}

describe('a group on the bus', () => {
  it('works on eight keys at a time', async () => {
    const bus = new InProcessBus();
    const hands = new Hands();
    bus.subscribe(group(hands.handle));
    for (let n = 1; n <= 10; n += 1) void bus.publish(envelope(`${n}`));
    await settle();
    expect(hands.ids).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    hands.held.get('3')?.();
    await settle();
    expect(hands.ids).toEqual(['1', '2', '4', '5', '6', '7', '8', '9']);
  });

  it('takes the events of a key one after the other', async () => {
    const bus = new InProcessBus();
    const hands = new Hands();
    bus.subscribe(group(hands.handle));
    for (const id of ['1', '2', '3']) void bus.publish(envelope(id, 'key'));
    for (const id of ['1', '2', '3']) {
      await settle();
      expect(hands.ids).toEqual([id]);
      hands.held.get(id)?.();
    }
  });

  it('lets others run while an event waits for its next try', async () => {
    const bus = new InProcessBus(() => NEVER_MS);
    const seen: string[] = [];
    bus.subscribe(
      group(({ id }) => {
        seen.push(id);
        return id === 'fine' ? Promise.resolve() : Promise.reject(AWAY);
      }),
    );
    for (let n = 1; n <= 20; n += 1) void bus.publish(envelope(`${n}`));
    expect(await bus.publish(envelope('fine'))).toEqual({ outcome: 'acknowledged' });
    expect(seen).toHaveLength(21);
    await bus.close(0);
  });

  it('waits longer with every try', async () => {
    const waits: number[] = [];
    const bus = new InProcessBus((attempt) => {
      waits.push(attempt);
      return 0;
    });
    const attempts: number[] = [];
    bus.subscribe(
      group((_, attempt) => {
        attempts.push(attempt);
        return attempt > 7 ? Promise.resolve() : Promise.reject(AWAY);
      }),
    );
    await bus.publish(envelope('1'));
    expect(waits).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('never lets go of an event that it gives up before that is stored', async () => {
    const bus = new InProcessBus(() => 0);
    const tries: GivenUp[] = [];
    const unreadable = new Error('always');
    bus.subscribe(
      group(
        () => Promise.reject(unreadable),
        (_, why) => {
          tries.push(why);
          return tries.length < 3 ? Promise.reject(new Error('no room')) : Promise.resolve();
        },
      ),
    );
    expect(await bus.publish(envelope('1'))).toEqual({ outcome: 'acknowledged' });
    expect(tries).toMatchObject([
      { reason: 'HANDLER_FAILED', error: 'always', attempts: 5 },
      { attempts: 6 },
      { attempts: 7 },
    ]);
  });
});

describe('an event', () => {
  it('is acknowledged when every group has finished with it', async () => {
    const bus = new InProcessBus();
    const [one, two] = [new Hands(), new Hands()];
    bus.subscribe(group(one.handle));
    bus.subscribe(group(two.handle));
    let outcome: unknown;
    void bus.publish(envelope('1')).then((result) => (outcome = result));
    await settle();
    one.held.get('1')?.();
    await settle();
    expect(outcome).toBeUndefined();
    two.held.get('1')?.();
    await settle();
    expect(outcome).toEqual({ outcome: 'acknowledged' });
  });

  it('comes to the groups that handle its type, and not to others', async () => {
    const bus = new InProcessBus();
    const seen: string[] = [];
    const noting = (name: string) => () => {
      seen.push(name);
      return Promise.resolve();
    };
    bus.subscribe(group(noting('slices')));
    bus.subscribe(group(noting('deletions'), undefined, [ExportDeleted.type]));
    await bus.publish(envelope('1'));
    expect(seen).toEqual(['slices']);
  });
});

describe('closing the bus', () => {
  const POSTPONED = { outcome: 'postponed' };

  it('waits for what is in hand, and postpones what waits', async () => {
    const bus = new InProcessBus();
    const hands = new Hands();
    bus.subscribe(group(hands.handle));
    const published = ['1', '2'].map((id) => bus.publish(envelope(id, 'key')));
    await settle();
    let closed = false;
    const closing = bus.close(NEVER_MS).then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    hands.held.get('1')?.();
    await closing;
    expect(await Promise.all(published)).toEqual([{ outcome: 'acknowledged' }, POSTPONED]);
    expect(hands.ids).toEqual([]);
  });

  it('postpones what does not end in time', async () => {
    const bus = new InProcessBus();
    const hands = new Hands();
    bus.subscribe(group(hands.handle));
    const published = bus.publish(envelope('1'));
    await bus.close(1);
    expect(await published).toEqual(POSTPONED);
    hands.held.get('1')?.();
    await settle();
  });

  it('postpones at once what is in back-off, also when that begins while it closes', async () => {
    const bus = new InProcessBus(() => NEVER_MS);
    let fail: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => (fail = () => reject(AWAY)));
    bus.subscribe(group(({ id }) => (id === 'late' ? late : Promise.reject(AWAY))));
    const published = ['early', 'late'].map((id) => bus.publish(envelope(id)));
    await settle();
    const closing = bus.close(NEVER_MS);
    fail();
    await closing;
    expect(await Promise.all(published)).toEqual([POSTPONED, POSTPONED]);
  });

  it('postpones what one of two groups has not finished', async () => {
    const bus = new InProcessBus();
    const hands = new Hands();
    bus.subscribe(group(() => Promise.resolve()));
    bus.subscribe(group(hands.handle));
    const published = bus.publish(envelope('1'));
    await bus.close(1);
    expect(await published).toEqual(POSTPONED);
  });

  it('leaves no timer that would keep the process alive', async () => {
    const WAIT_MS = NEVER_MS + 1;
    const { jest } = import.meta;
    const made = jest.spyOn(globalThis, 'setTimeout');
    const cleared = jest.spyOn(globalThis, 'clearTimeout');
    const timers = (): unknown[] =>
      made.mock.calls
        .map(([, ms], at) => ({ ms, timer: made.mock.results[at]?.value as unknown }))
        .filter(({ ms }) => ms === WAIT_MS)
        .map(({ timer }) => timer);
    try {
      const bus = new InProcessBus(() => WAIT_MS);
      let fail: () => void = () => undefined;
      const late = new Promise<never>((_, reject) => (fail = () => reject(AWAY)));
      bus.subscribe(group(({ id }) => (id === 'late' ? late : Promise.reject(AWAY))));
      for (const id of ['early', 'late']) void bus.publish(envelope(id));
      await settle();
      const [timer, ...others] = timers();
      expect(others).toEqual([]);
      const closing = bus.close(NEVER_MS);
      expect(cleared.mock.calls.flat()).toContain(timer);
      fail();
      await closing;
      expect(timers()).toHaveLength(1);
    } finally {
      made.mockRestore();
      cleared.mockRestore();
    }
  });

  it('takes nothing afterwards, also what nobody listens to', async () => {
    const bus = new InProcessBus();
    bus.subscribe(group(() => Promise.reject(new Error('not to be called'))));
    await bus.close(0);
    expect(await bus.publish(envelope('1'))).toEqual(POSTPONED);
    expect(await bus.publish(envelope('2', 'key', ExportDeleted.type))).toEqual(POSTPONED);
  });
});
