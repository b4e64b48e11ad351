import { inspect } from 'node:util';
import { notFound } from '@quire/contracts/failure';
import { SliceReady } from '@quire/contracts/data-export';
import type { Log } from '@quire/contracts/log';
import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { UnknownTenant, UnreadableEvent } from '../src/event-bus.js';
import { InProcessBus } from '../src/in-process.bus.js';
import { KnownTenants } from '../src/known-tenants.js';
import { envelopeOf, slice, Workshop } from './workshop.js';

let shop: Workshop;

beforeAll(async () => {
  shop = await Workshop.open(await testDatabase(), 'strategy_spec');
});
afterAll(() => shop[Symbol.asyncDispose]());

beforeEach(async () => {
  await shop.clear();
  await shop.source.query('delete from tenant');
});

const enable = (enabled = true) =>
  shop.source.query(
    `insert into tenant (tenant_id, enabled) values ('alma', $1)
     on conflict (tenant_id) do update set enabled = excluded.enabled`,
    [enabled],
  );

/** A log of messages, with their fields. */
class Lines implements Log {
  readonly lines: (readonly [string, string, object])[] = [];
  info = () => undefined;
  warn = (fields: object, message: string) => void this.lines.push(['warn', message, fields]);
  error = (fields: object, message: string) => void this.lines.push(['error', message, fields]);
}

describe('a service on the bus', () => {
  it('logs each try that fails, names the event, and shows no values of a row', async () => {
    const log = new Lines();
    const bus = new InProcessBus(() => 0);
    await shop.listen(bus, { log });
    shop.desk.work = (_, { attempt }) =>
      attempt < 3
        ? Promise.reject(Object.assign(new Error('not yet'), { detail: 'title: Secret' }))
        : Promise.resolve();
    const envelope = envelopeOf(slice(1));
    await bus.publish(envelope);
    const about = { eventId: envelope.id, type: SliceReady.type, tenantId: 'alma' };
    expect(log.lines).toMatchObject([
      [
        'warn',
        'event not handled',
        { ...about, attempt: 1, reason: expect.stringContaining('not yet') },
      ],
      ['warn', 'event not handled', { ...about, attempt: 2 }],
    ]);
    expect(inspect(log.lines, { depth: null })).not.toContain('Secret');
  });
});

describe('work that is given up', () => {
  let bus: InProcessBus;
  const reasons = async () => (await shop.deadLetters.list()).map((letter) => letter.error);

  beforeEach(async () => {
    bus = new InProcessBus(() => 0);
    await shop.listen(bus);
    shop.desk.work = () => Promise.reject(new Error('always'));
  });

  it('is ended before its dead letter is stored', async () => {
    let lettersAtTheEnd = -1;
    shop.desk.end = async () => {
      lettersAtTheEnd = (await reasons()).length;
    };
    await bus.publish(envelopeOf(slice(1)));
    expect(lettersAtTheEnd).toBe(0);
    expect(await reasons()).toEqual(['always']);
  });

  it('is ended as soon as that is possible, and has no dead letter until then', async () => {
    const letters: number[] = [];
    shop.desk.end = async () => {
      letters.push((await reasons()).length);
      if (letters.length < 20) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    };
    await bus.publish(envelopeOf(slice(1)));
    expect(letters).toEqual(Array.from({ length: 20 }, () => 0));
    expect(await reasons()).toEqual(['always']);
  });

  it('has a dead letter also when it can never be ended, and the next event comes', async () => {
    shop.desk.end = () => Promise.reject(new Error('nor this'));
    await bus.publish(envelopeOf(slice(1)));
    expect(shop.desk.givenUp).toHaveLength(6);
    expect(await reasons()).toEqual(['always']);
    shop.desk.work = () => Promise.resolve();
    await bus.publish(envelopeOf(slice(2)));
    expect(shop.desk.ordinals.at(-1)).toBe(2);
  });

  it('has a dead letter at once when its end is refused', async () => {
    shop.desk.end = () => Promise.reject(notFound('no such job'));
    await bus.publish(envelopeOf(slice(1)));
    expect(shop.desk.givenUp).toHaveLength(1);
    expect(await reasons()).toEqual(['always']);
  });
});

describe('an event of a tenant', () => {
  const clock = testClock();
  const nowMs = () => clock.now().getTime();
  let bus: InProcessBus;
  let tenants: KnownTenants;

  beforeEach(async () => {
    tenants = new KnownTenants(shop.source, nowMs);
    bus = new InProcessBus(() => 5);
    await shop.listen(bus, { tenants });
  });
  afterEach(() => bus.close(0));

  it('that is enabled is handled', async () => {
    await enable();
    await bus.publish(envelopeOf(slice(1)));
    expect(shop.desk.ordinals).toEqual([1]);
  });

  it('that is told of a little later waits for it', async () => {
    const done = bus.publish(envelopeOf(slice(1)));
    await expect(tenants.check('alma')).rejects.toThrow(UnknownTenant);
    expect(shop.desk.ordinals).toEqual([]);
    await enable();
    expect(await done).toEqual({ outcome: 'acknowledged' });
    expect(shop.desk.ordinals).toEqual([1]);
    expect(await shop.deadLetters.list()).toEqual([]);
  });

  it('that is disabled is a dead letter at once', async () => {
    await enable(false);
    await bus.publish(envelopeOf(slice(1)));
    expect(shop.desk.arrivals).toEqual([]);
    expect(shop.desk.givenUp).toEqual([]);
    expect(await shop.deadLetters.list()).toMatchObject([{ reason: 'TENANT_DISABLED' }]);
  });

  it('is looked up again after a while, so that a disabled one does not go on', async () => {
    await enable();
    await tenants.check('alma');
    await enable(false);
    clock.advance(4999);
    await tenants.check('alma');
    clock.advance(1);
    await expect(tenants.check('alma')).rejects.toThrow(UnreadableEvent);
    await enable();
    await expect(tenants.check('alma')).resolves.toBeUndefined();
  });
});
