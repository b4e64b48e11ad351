import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import type { Message } from 'kafkajs';
import { SliceReady } from '@quire/contracts/data-export';
import { testDatabase } from '@quire/testing/database';
import { lab, type EngineKind } from '@quire/testing/lab/config';
import { KafkaBroker } from '@quire/testing/lab/kafka-broker';
import { settled } from '../src/event-bus.js';
import { brokerError, kafkaClient } from '../src/kafka-client.js';
import { readDeadLetters } from '../src/kafka-dead-letters.js';
import { openKafkaBus, type KafkaBus } from '../src/kafka.bus.js';
import { kafkaSettings, type KafkaSettings } from '../src/kafka-settings.js';
import { prepareTopics, untilLed } from '../src/kafka-topics.js';
import { KafkaShelf } from './kafka-shelf.js';
import { envelopeOf, SILENT, slice, systemClock, until, Workshop } from './workshop.js';

/*
 * What only a bus with a server has to bear (reliability, section 5 and F7-F17): rebalances, a broker that restarts or is
 * away, topics that are missing, and messages that somebody else wrote.
 */
const POISON_MS_MAX = 5000;

const open = (settings: KafkaSettings): Promise<KafkaBus> =>
  openKafkaBus(settings, { clock: systemClock, log: SILENT, backoff: () => 0 });

(lab.kafka ? describe : describe.skip)('on Kafka', () => {
  let shelf: KafkaShelf;
  let shop: Workshop;
  const buses: KafkaBus[] = [];

  beforeAll(async () => {
    shelf = await KafkaShelf.open(lab.kafka?.brokers ?? []);
    shop = await Workshop.open(await testDatabase(), 'kafka_faults_spec');
  });
  afterAll(async () => {
    await shelf[Symbol.asyncDispose]();
    await shop[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await shelf.clear();
    await shop.clear();
  });
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close(0)));
  });

  /** Another replica of the service. */
  async function replica(): Promise<KafkaBus> {
    const bus = await open(shelf.settings);
    buses.push(bus);
    await shop.listen(bus);
    bus.begin();
    return bus;
  }

  async function produce(...messages: Message[]): Promise<void> {
    const producer = kafkaClient(shelf.settings, 'spec').producer();
    await producer.connect();
    await producer.send({ topic: `${shelf.settings.topicPrefix}${SliceReady.topic}`, messages });
    await producer.disconnect();
  }

  const good = (ordinal: number, sliceNo = 1): Message => {
    const { headers, key, payload, id } = envelopeOf(slice(ordinal, sliceNo));
    return { key, value: payload, headers: { ...headers, ce_id: id } };
  };

  it('an event in the hands of a handler has one effect when its partition goes to another replica', async () => {
    shop.desk.work = async (payload, delivery) => {
      // The first replica is in the middle of it while the second joins.
      if (shop.desk.arrivals.length === 1) {
        await replica();
        await until(async () => (await shelf.members()) === 2);
      }
      await shop.recordOnce(payload, delivery);
    };
    const bus = await replica();
    await shop.sendSlices(...Array.from({ length: 40 }, (_, n) => slice(n, n % 8)));
    const relay = shop.relay(bus);
    relay.start();
    await settled(bus, [relay]);
    await relay.stop();
    const effects = await shop.effects();
    expect([...effects].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    for (const key of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const ofKey = effects.filter((n) => n % 8 === key);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
    }
    expect(await shelf.deadLetters()).toEqual([]);
  });

  it('an event that a replica did not finish is delivered to the next one, and what came behind it too', async () => {
    const held = new Promise<void>(() => undefined);
    shop.desk.work = ({ fromOrdinal }) => (fromOrdinal === 1 ? held : Promise.resolve());
    const dying = await replica();
    // One partition, several keys: the others pass the one that hangs.
    const partition = 0;
    await produce(...[1, 2, 3].map((n) => ({ ...good(n, n), partition })));
    await until(() => shop.desk.arrivals.length === 3);
    await dying.close(0);
    shop.desk.work = shop.recordOnce;
    const bus = await replica();
    await settled(bus, []);
    expect(shop.desk.ordinals.slice(3).sort()).toEqual([1, 2, 3]);
    expect((await shop.effects()).sort()).toEqual([1, 2, 3]);
  });

  it('a replica that leaves hands over at once', async () => {
    shop.desk.work = shop.recordOnce;
    const leaving = await replica();
    const staying = await replica();
    await until(async () => (await shelf.members()) === 2);
    await leaving.close(1000);
    // It has said so: nobody waits for its session to end.
    expect(await shelf.membersNow()).toBe(1);
    const bus = await open(shelf.settings);
    buses.push(bus);
    for (let n = 0; n < 12; n += 1) await bus.publish(envelopeOf(slice(n, n)));
    await settled(staying, []);
    expect(await shop.effects()).toHaveLength(12);
  });

  it.each<[string, string, Message]>([
    ['no CloudEvent', 'NOT_CLOUDEVENT', { key: 'x', value: Buffer.from([0xff, 0x00, 0xfe]) }],
    ['no JSON', 'NOT_JSON', { ...good(1), value: '{"tenantId":' }],
    ['of an unknown type', 'UNKNOWN_TYPE', typed(good(1), 'quire.data-export.Nonsense.v1')],
    ['too long', 'PAYLOAD_TOO_LARGE', { ...good(1), value: `{"a":"${'a'.repeat(65_536)}"}` }],
    ['of two tenants', 'TENANT_MISMATCH', headed(good(1), 'ce_tenantid', 'berta')],
  ])(
    'a message that is %s is a dead letter within 5 s, as it came, and the next is handled',
    async (_, reason, poison) => {
      const bus = await replica();
      await until(async () => (await shelf.members()) === 1);
      const startMs = performance.now();
      await produce(poison, good(2));
      await until(() => shop.desk.ordinals.includes(2));
      await settled(bus, []);
      expect(performance.now() - startMs).toBeLessThan(POISON_MS_MAX);
      expect(shop.desk.ordinals).toEqual([2]);
      expect(await shelf.deadLetters()).toMatchObject([{ reason, topic: SliceReady.topic }]);
      await readDeadLetters(shelf.settings, ({ message }) => {
        expect(message.value?.equals(Buffer.from(poison.value ?? ''))).toBe(true);
        expect(message.key?.toString()).toBe(poison.key);
        expect(String(message.headers?.['dlq_origin'])).toMatch(/slice\.v1\/\d@\d+$/);
        expect(String(message.headers?.['dlq_service'])).toBe('data-export');
        expect(Date.parse(String(message.headers?.['dlq_at']))).toBeGreaterThan(
          Date.now() - 60_000,
        );
      });
    },
  );

  it('a message over 1 MiB is refused for ever, and those offered with it are sent', async () => {
    const bus = await open(shelf.settings);
    buses.push(bus);
    const large = { ...envelopeOf(slice(2)), payload: 'x'.repeat(2_000_000) };
    const results = await Promise.all(
      [envelopeOf(slice(1)), large, envelopeOf(slice(3))].map((one) => bus.publish(one)),
    );
    expect(results).toEqual([
      { outcome: 'acknowledged' },
      { outcome: 'refused', reason: 'MESSAGE_TOO_LARGE' },
      { outcome: 'acknowledged' },
    ]);
  });

  it('a message of 2 MB that its topic takes is a dead letter within 5 s, as far as one may be long, and the next is handled', async () => {
    const bus = await replica();
    await until(async () => (await shelf.members()) === 1);
    await using wide = new AsyncDisposableStack();
    wide.use(await shelf.widened(SliceReady.topic, 4_000_000));
    const startMs = performance.now();
    const value = `{"a":"${'a'.repeat(2_000_000)}"}`;
    await produce({ ...good(1), value }, good(2));
    await until(() => shop.desk.ordinals.includes(2));
    await settled(bus, []);
    expect(performance.now() - startMs).toBeLessThan(POISON_MS_MAX);
    expect(shop.desk.ordinals).toEqual([2]);
    expect(await shelf.deadLetters()).toMatchObject([{ reason: 'PAYLOAD_TOO_LARGE' }]);
    await readDeadLetters(shelf.settings, ({ message }) => {
      expect(message.value?.toString()).toBe(value.slice(0, 65_536));
      expect(String(message.headers?.['dlq_value_bytes'])).toBe(String(value.length));
    });
  });

  it('a bus does not open without its topics, makes none, and names what is wrong', async () => {
    const none = { ...shelf.settings, topicPrefix: `none-${randomUUID().slice(0, 8)}.` };
    await expect(open(none)).rejects.toThrow(`${none.topicPrefix}${SliceReady.topic} is missing`);
    const topics = await shelf.asAdmin((admin) => admin.listTopics());
    expect(topics.filter((topic) => topic.startsWith(none.topicPrefix))).toEqual([]);
    const more = { ...shelf.settings, workPartitions: 7, replicationFactor: 2 };
    await expect(open(more)).rejects.toThrow(/slice\.v1 has 6 partitions, not 7/);
    await expect(open(more)).rejects.toThrow(/slice\.v1 has 1 replicas, not 2/);
  });

  it('the migration step says which settings of a topic are not as they should be, and may run again', async () => {
    expect(await prepareTopics(shelf.settings)).toEqual({ made: [], found: 28 });
    const longer = { ...shelf.settings, retentionDays: 30 };
    await expect(prepareTopics(longer)).rejects.toThrow(
      /slice\.v1 has retention\.ms=604800000, not 2592000000/,
    );
  });

  it('the migration step waits for a topic that the broker does not know yet', async () => {
    const topic = `${shelf.settings.topicPrefix}late`;
    const admin = kafkaClient(shelf.settings, 'spec', { patient: false }).admin();
    await admin.connect();
    try {
      const refused = await admin.fetchTopicOffsets(topic).catch((error: unknown) => error);
      expect(brokerError(refused)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
      const asked = new Promise((resolve) => admin.on(admin.events.REQUEST, resolve));
      const waited = untilLed(admin, topic);
      await asked;
      await shelf.asAdmin((other) => other.createTopics({ topics: [{ topic }] }));
      await expect(waited).resolves.toBeUndefined();
    } finally {
      await admin.disconnect();
    }
  });
});

/** Brokers that are killed are not those of the run. */
const kind = lab.engines as EngineKind;

(lab.engines ? describe : describe.skip)('without Kafka', () => {
  const lanes = { partitions: 3, workPartitions: 6, sessionMs: 6000 };

  it('a bus opens, postpones what it is given, says so, and closes at once', async () => {
    const port = await closedPort();
    const bus = await open(kafkaSettings({ brokers: `127.0.0.1:${port}`, ...lanes }));
    bus.subscribe({
      group: 'data-export',
      types: [SliceReady.type],
      handle: () => Promise.resolve(),
      giveUp: () => Promise.resolve(),
    });
    bus.begin();
    await expect(bus.check()).rejects.toThrow();
    const offered = bus.publish(envelopeOf(slice(1)));
    const startMs = performance.now();
    await bus.close(20_000);
    expect(await offered).toEqual({ outcome: 'postponed' });
    expect(performance.now() - startMs).toBeLessThan(15_000);
  }, 60_000);

  it('events wait, and all of them have their effect when it is back, in order and with no dead letter', async () => {
    await using broker = await KafkaBroker.open(kind);
    await using shop = await Workshop.open(await testDatabase(), 'kafka_outage_spec');
    const settings = kafkaSettings({ brokers: broker.address, ...lanes });
    await prepareTopics(settings);
    const bus = await openKafkaBus(settings, { clock: systemClock, log: SILENT });
    await shop.listen(bus);
    shop.desk.work = shop.recordOnce;
    const relay = shop.relay(bus);
    bus.begin();
    relay.start();
    let sent = 0;
    const send = (count: number) =>
      shop.sendSlices(...Array.from({ length: count }, () => slice(sent, sent++ % 4)));
    await send(20);
    await settled(bus, [relay]);
    for (let round = 0; round < 2; round += 1) {
      await send(20);
      await broker.kill();
      await send(20);
      await expect(bus.check()).rejects.toThrow();
      await broker.start();
      await settled(bus, [relay]);
    }
    const effects = await shop.effects();
    for (const key of [0, 1, 2, 3])
      expect(effects.filter((n) => n % 4 === key)).toEqual(
        Array.from({ length: sent / 4 }, (_, n) => n * 4 + key),
      );
    let letters = 0;
    await readDeadLetters(settings, () => void (letters += 1));
    expect(letters).toBe(0);
    await bus.close(1000);
    await relay.stop();
  }, 180_000);

  it('a bus that is opened before its broker runs connects by itself, and what waited has its effect', async () => {
    await using broker = await KafkaBroker.open(kind);
    await using shop = await Workshop.open(await testDatabase(), 'kafka_later_spec');
    const settings = kafkaSettings({ brokers: broker.address, ...lanes });
    await prepareTopics(settings);
    await broker.stop();
    const bus = await openKafkaBus(settings, { clock: systemClock, log: SILENT });
    await shop.listen(bus);
    shop.desk.work = shop.recordOnce;
    const relay = shop.relay(bus);
    bus.begin();
    relay.start();
    await shop.sendSlices(...Array.from({ length: 10 }, (_, n) => slice(n)));
    await expect(bus.check()).rejects.toThrow();
    expect(await shop.effects()).toEqual([]);

    await broker.start();

    await settled(bus, [relay]);
    expect(await shop.effects()).toEqual(Array.from({ length: 10 }, (_, n) => n));
    await bus.close(1000);
    await relay.stop();
  }, 180_000);

  it('a broker that takes everything and answers nothing is given up within 30 s, and used again when it answers', async () => {
    await using broker = await KafkaBroker.open(kind);
    await using shop = await Workshop.open(await testDatabase(), 'kafka_frozen_spec');
    const settings = kafkaSettings({ brokers: broker.address, ...lanes });
    await prepareTopics(settings);
    const bus = await openKafkaBus(settings, { clock: systemClock, log: SILENT });
    await shop.listen(bus);
    shop.desk.work = shop.recordOnce;
    const relay = shop.relay(bus);
    bus.begin();
    relay.start();
    await shop.sendSlices(...Array.from({ length: 10 }, (_, n) => slice(n)));
    await settled(bus, [relay]);

    await broker.freeze();
    const startMs = performance.now();
    const offered = bus.publish(envelopeOf(slice(1000, 9)));
    await expect(bus.check()).rejects.toThrow();
    expect(await offered).toEqual({ outcome: 'postponed' });
    expect(performance.now() - startMs).toBeLessThan(30_000);
    await shop.sendSlices(...Array.from({ length: 10 }, (_, n) => slice(10 + n)));
    await broker.continue();

    await settled(bus, [relay]);
    expect((await shop.effects()).filter((n) => n < 1000)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
    await bus.close(1000);
    await relay.stop();
  }, 180_000);

  it('a lost disk costs the events that stood there, and nothing else: new ones pass', async () => {
    await using broker = await KafkaBroker.open(kind);
    await using shop = await Workshop.open(await testDatabase(), 'kafka_wiped_spec');
    const settings = kafkaSettings({ brokers: broker.address, ...lanes });
    await prepareTopics(settings);
    const bus = await openKafkaBus(settings, { clock: systemClock, log: SILENT });
    await shop.listen(bus);
    const relay = shop.relay(bus);
    bus.begin();
    relay.start();
    await shop.sendSlices(...Array.from({ length: 50 }, (_, n) => slice(n, n)));
    await settled(bus, [relay]);
    await broker.stop();
    await broker.wipe();
    await broker.start();
    await prepareTopics(settings);
    await shop.sendSlices(...Array.from({ length: 10 }, (_, n) => slice(100 + n, n)));
    await until(() => shop.desk.ordinals.filter((n) => n >= 100).length >= 10);
    await bus.close(1000);
    await relay.stop();
  }, 180_000);
});

function headed(message: Message, name: string, value: string): Message {
  return { ...message, headers: { ...message.headers, [name]: value } };
}

function typed(message: Message, type: string): Message {
  return headed(message, 'ce_type', type);
}

/** Nobody listens there. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
