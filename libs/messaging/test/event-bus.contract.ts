import { refused } from '@quire/contracts/failure';
import { ExportCompleted, SliceFinished, SliceReady } from '@quire/contracts/data-export';
import { ChunkRejected } from '@quire/contracts/source-record-events';
import { withTenant } from '@quire/postgres/tenant';
import { PAYLOAD_BYTES_MAX, settled, type EventBus } from '../src/event-bus.js';
import type { Relay } from '../src/relay.js';
import { ALMA, completed, envelopeOf, slice, until, type Workshop } from './workshop.js';

/** A dead letter, wherever the adapter keeps it. */
export interface Kept {
  readonly topic: string;
  readonly reason: string;
  readonly error: string;
  readonly attempts: number;
}

/** One adapter. */
export interface Adapter {
  /** Called once. */
  openShop(): Promise<Workshop>;
  /** Without delays between tries. Called before each spec. */
  makeBus(): Promise<EventBus> | EventBus;
  /** Those that do not stand in the table of the service, since `makeBus`. */
  deadLetters(): Promise<Kept[]>;
  close(): Promise<void>;
  /** Does the sender learn that nobody listens to a topic? */
  readonly knowsListeners: boolean;
}

/** What every adapter of the bus must do (reliability, section 5), from the outbox to the handlers. */
export function eventBusContract(adapter: Adapter): void {
  const bench = new Bench(adapter);
  beforeAll(async () => {
    bench.shop = await adapter.openShop();
  });
  afterAll(async () => {
    await adapter.close();
    await bench.shop[Symbol.asyncDispose]();
  });
  beforeEach(async () => bench.start(await adapter.makeBus()));
  afterEach(() => bench.stop());

  events(bench);
  order(bench);
  handlersThatThrow(bench);
  aHandlerThatHangs(bench);
  deadLetters(bench);
  closing(bench);
}

/** Shop, bus and relay of the spec that runs. */
class Bench {
  shop!: Workshop;
  bus!: EventBus;
  relay!: Relay;

  constructor(readonly adapter: Adapter) {}

  async start(bus: EventBus): Promise<void> {
    await this.shop.clear();
    this.bus = bus;
    await this.shop.listen(bus);
    this.relay = this.shop.relay(bus);
    bus.begin();
    this.relay.start();
  }

  async stop(): Promise<void> {
    await this.bus.close(0);
    await this.relay.stop();
  }

  quiet(): Promise<void> {
    return settled(this.bus, [this.relay]);
  }

  async deadLetters(): Promise<Kept[]> {
    return [...(await this.shop.deadLetters.list()), ...(await this.adapter.deadLetters())];
  }
}

function events(bench: Bench): void {
  describe('an event', () => {
    it('reaches its handler with payload, tenant and actor, and leaves the outbox', async () => {
      await bench.shop.sendSlices(slice(1));
      await bench.quiet();
      const [arrival] = bench.shop.desk.arrivals;
      expect(arrival?.payload).toEqual(slice(1));
      expect(arrival?.delivery).toMatchObject({
        type: SliceReady.type,
        scope: { ...ALMA, causationId: arrival?.delivery.id },
        attempt: 1,
        correlationId: slice(1).jobExecutionId,
        time: '2026-01-01T00:00:00.000+00:00',
      });
      expect(bench.shop.desk.arrivals).toHaveLength(1);
      expect(await bench.shop.waiting()).toBe(0);
    });

    it('is not there when its transaction was rolled back', async () => {
      const work = withTenant(bench.shop.source, ALMA, async (tx) => {
        await bench.shop.outbox.add(tx, SliceReady, slice(1));
        throw new Error('thought better of it');
      });
      await expect(work).rejects.toThrow('thought better of it');
      await bench.shop.sendSlices(slice(2));
      await bench.quiet();
      expect(bench.shop.desk.ordinals).toEqual([2]);
    });

    it('has one effect when it is offered twice, and when it comes late', async () => {
      bench.shop.desk.work = bench.shop.recordOnce;
      const first = envelopeOf(slice(1));
      await bench.bus.publish(first);
      await bench.bus.publish(first);
      await bench.bus.publish(envelopeOf(slice(2)));
      await bench.bus.publish(first);
      await until(() => bench.shop.desk.arrivals.length === 4);
      await until(async () => (await bench.shop.effects()).length === 2);
      expect(await bench.shop.effects()).toEqual([1, 2]);
    });

    it('may have 65,536 bytes of payload and not one more', async () => {
      const send = (bytes: number) =>
        withTenant(bench.shop.source, ALMA, (tx) =>
          bench.shop.outbox.add(tx, ExportCompleted, completed(bytes)),
        );
      await send(PAYLOAD_BYTES_MAX);
      await bench.quiet();
      expect(bench.shop.desk.arrivals[0]?.payload).toEqual(completed(PAYLOAD_BYTES_MAX));
      await expect(send(PAYLOAD_BYTES_MAX + 1)).rejects.toThrow(/over 65536 bytes/);
    });

    it('may say more than its class knows', async () => {
      await bench.shop.sendRaw({ payload: JSON.stringify({ ...slice(1), colour: 'red' }) });
      await bench.quiet();
      expect(bench.shop.desk.arrivals.map(({ payload }) => payload)).toEqual([slice(1)]);
    });
  });
}

function order(bench: Bench): void {
  describe('an event among others', () => {
    it('stays in order with those of its key', async () => {
      bench.shop.desk.work = bench.shop.recordOnce;
      const ordinals = Array.from({ length: 60 }, (_, index) => index);
      for (let at = 0; at < 60; at += 20)
        await bench.shop.sendSlices(...ordinals.slice(at, at + 20).map((n) => slice(n, n % 3)));
      await bench.quiet();
      const effects = await bench.shop.effects();
      for (const key of [0, 1, 2])
        expect(effects.filter((n) => n % 3 === key)).toEqual(ordinals.filter((n) => n % 3 === key));
    });

    it('runs beside those of other keys', async () => {
      let both: () => void = () => undefined;
      const met = new Promise<void>((resolve) => (both = resolve));
      bench.shop.desk.work = async ({ sliceNo }) => {
        if (sliceNo === 2) both();
        await met;
      };
      await bench.shop.sendSlices(slice(1, 1), slice(2, 2));
      await bench.quiet();
      expect(bench.shop.desk.arrivals).toHaveLength(2);
    });
  });
}

function handlersThatThrow(bench: Bench): void {
  describe('a handler that throws', () => {
    it('gets the event again, with its attempt', async () => {
      bench.shop.desk.work = (payload, delivery) =>
        delivery.attempt === 1
          ? Promise.reject(new Error('once'))
          : bench.shop.recordOnce(payload, delivery);
      await bench.shop.sendSlices(slice(1));
      await bench.quiet();
      expect(bench.shop.desk.arrivals.map(({ delivery }) => delivery.attempt)).toEqual([1, 2]);
      expect(await bench.shop.effects()).toEqual([1]);
      expect(await bench.deadLetters()).toEqual([]);
    });

    it('is given up at the fifth attempt: a dead letter, an end for its work, and the key goes on', async () => {
      bench.shop.desk.work = ({ fromOrdinal }) =>
        fromOrdinal === 1 ? Promise.reject(new Error('always')) : Promise.resolve();
      await bench.shop.sendSlices(slice(1), slice(2));
      await bench.quiet();
      expect(bench.shop.desk.ordinals).toEqual([1, 1, 1, 1, 1, 2]);
      expect(bench.shop.desk.givenUp.map(({ payload }) => payload)).toEqual([slice(1)]);
      expect(await bench.deadLetters()).toMatchObject([
        { reason: 'HANDLER_FAILED', error: 'always', attempts: 5, topic: SliceReady.topic },
      ]);
    });

    it('is given up again when the work it stood for could not be ended', async () => {
      bench.shop.desk.work = () => Promise.reject(refused('never'));
      let ends = 0;
      bench.shop.desk.end = () => {
        ends += 1;
        return ends < 3 ? Promise.reject(new Error('no database')) : Promise.resolve();
      };
      await bench.shop.sendSlices(slice(1));
      await bench.quiet();
      expect(ends).toBe(3);
      expect(await bench.deadLetters()).toHaveLength(1);
    });

    it('is given up at once when no retry can help', async () => {
      bench.shop.desk.work = () => Promise.reject(refused('never'));
      await bench.shop.sendSlices(slice(1));
      await bench.quiet();
      expect(bench.shop.desk.arrivals).toHaveLength(1);
      expect(bench.shop.desk.givenUp).toHaveLength(1);
      expect(await bench.deadLetters()).toMatchObject([{ error: 'never', attempts: 1 }]);
    });

    it('gets the event for as long as a dependency is away, and holds only its key', async () => {
      let away = true;
      bench.shop.desk.work = ({ sliceNo }) =>
        away && sliceNo === 1
          ? Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }))
          : Promise.resolve();
      await bench.shop.sendSlices(slice(1, 1), slice(2, 1), slice(3, 2));
      const { desk } = bench.shop;
      await until(() => desk.arrivals.length > 30 && desk.ordinals.includes(3));
      expect(bench.shop.desk.ordinals).not.toContain(2);
      away = false;
      await bench.quiet();
      expect(bench.shop.desk.ordinals.slice(-2)).toEqual([1, 2]);
      expect(await bench.deadLetters()).toEqual([]);
    });
  });
}

function aHandlerThatHangs(bench: Bench): void {
  describe('a handler that never returns', () => {
    it('holds only its key', async () => {
      bench.shop.desk.work = ({ sliceNo }) =>
        sliceNo === 1 ? new Promise<void>(() => undefined) : Promise.resolve();
      await bench.shop.sendSlices(slice(1, 1), slice(2, 1));
      await until(() => bench.shop.desk.ordinals.length === 1);
      await bench.shop.sendSlices(slice(3, 2), slice(4, 3));
      await until(() => bench.shop.desk.ordinals.length === 3);
      expect(bench.shop.desk.ordinals).toEqual([1, 3, 4]);
    });
  });
}

function deadLetters(bench: Bench): void {
  describe('a dead letter', () => {
    const onlyReason = async (): Promise<string[]> => {
      await bench.quiet();
      return (await bench.deadLetters()).map((letter) => letter.reason);
    };

    it.each([
      ['is not JSON', 'NOT_JSON', '{"tenantId":'],
      ['breaks its class', 'INVALID_PAYLOAD', '{"tenantId":"alma"}'],
      [
        'speaks of another tenant',
        'TENANT_MISMATCH',
        JSON.stringify({ ...slice(1), tenantId: 'berta' }),
      ],
    ])('is an event that %s', async (_, reason, payload) => {
      await bench.shop.sendRaw({ payload });
      await bench.shop.sendSlices(slice(2));
      expect(await onlyReason()).toEqual([reason]);
      expect(bench.shop.desk.ordinals).toEqual([2]);
      expect(bench.shop.desk.givenUp).toEqual([]);
    });

    it('is an event whose header names another tenant than its row, and the audit says so', async () => {
      await bench.shop.sendRaw({ headers: { ce_tenantid: 'berta' } });
      expect(await onlyReason()).toEqual(['TENANT_MISMATCH']);
      const audit = await withTenant(bench.shop.source, ALMA, (tx) =>
        tx.query('select action from audit'),
      );
      expect(audit).toContainEqual({ action: 'TENANT_MISMATCH' });
    });

    it('is an event that Quire does not know', async () => {
      await bench.shop.sendRaw({ type: `${SliceReady.type}0` });
      expect(await onlyReason()).toEqual(['UNKNOWN_TYPE']);
    });

    it.each(bench.adapter.knowsListeners ? [ChunkRejected, SliceFinished] : [SliceFinished])(
      'is work that nobody handles, also on a topic that somebody listens to: $name',
      async ({ type, topic }) => {
        await bench.shop.sendRaw({ type, topic });
        expect(await onlyReason()).toEqual(['NO_HANDLER']);
      },
    );

    it('is not a public fact that nobody handles', async () => {
      await bench.shop.sendDeleted();
      expect(await onlyReason()).toEqual([]);
      expect(await bench.shop.waiting()).toBe(0);
    });
  });
}

function closing(bench: Bench): void {
  describe('closing', () => {
    it('finishes the event in hand, and takes no other', async () => {
      let finish: () => void = () => undefined;
      const finished = new Promise<void>((resolve) => (finish = resolve));
      bench.shop.desk.work = async (payload, delivery) => {
        await finished;
        await bench.shop.recordOnce(payload, delivery);
      };
      await bench.shop.sendSlices(slice(1), slice(2));
      await until(() => bench.shop.desk.arrivals.length === 1);
      const closed = bench.bus.close(60_000);
      finish();
      await closed;
      expect(await bench.shop.effects()).toEqual([1]);
      await bench.relay.stop();
      expect(bench.shop.desk.ordinals).toEqual([1]);
    });
  });
}
