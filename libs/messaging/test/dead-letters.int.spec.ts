import { lab } from '@quire/testing/lab/config';
import { refused } from '@quire/contracts/failure';
import { withTenant } from '@quire/postgres/tenant';
import { testDatabase } from '@quire/testing/database';
import type { DeadLetter, DeadLetterBox } from '../src/dead-letter.js';
import { DeadLetters } from '../src/dead-letters.js';
import { settled, type EventBus } from '../src/event-bus.js';
import { InProcessBus } from '../src/in-process.bus.js';
import { openKafkaBus } from '../src/kafka.bus.js';
import { TableLetters } from '../src/table-letters.js';
import { TopicLetters } from '../src/topic-letters.js';
import { KafkaShelf } from './kafka-shelf.js';
import { ALMA, envelopeOf, SILENT, slice, systemClock, Workshop } from './workshop.js';

/** Where an adapter keeps its dead letters. */
interface Keeping {
  makeBus(): Promise<EventBus>;
  box(): DeadLetterBox;
}

describe('dead letters in a table', () => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await Workshop.open(await testDatabase(), 'table_letters_spec');
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  deadLetters(() => shop, {
    makeBus: () => Promise.resolve(new InProcessBus(() => 0)),
    box: () => new TableLetters('data-export', shop.source),
  });

  it('are counted when they are stored, not whenever that fails', async () => {
    await shop.clear();
    const counted: string[] = [];
    const letters = new DeadLetters(shop.source, (reason) => counted.push(reason));
    const why = { reason: 'HANDLER_FAILED', error: 'always', attempts: 5 } as const;
    const away = (): Promise<void> => Promise.reject(new Error('away'));
    await expect(letters.keep(envelopeOf(slice(1)), why, away)).rejects.toThrow('away');
    expect(counted).toEqual([]);
    await letters.keep(envelopeOf(slice(1)), why);
    expect(counted).toEqual(['HANDLER_FAILED']);
    expect(await letters.list()).toHaveLength(1);
  });
});

(lab.kafka ? describe : describe.skip)('dead letters in a topic of Kafka', () => {
  let shop: Workshop;
  let shelf: KafkaShelf;
  const opened: TopicLetters[] = [];
  beforeAll(async () => {
    shelf = await KafkaShelf.open(lab.kafka?.brokers ?? []);
    shop = await Workshop.open(await testDatabase(), 'topic_letters_spec');
  });
  afterEach(async () => {
    for (const box of opened.splice(0)) await box[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await shelf[Symbol.asyncDispose]();
    await shop[Symbol.asyncDispose]();
  });

  deadLetters(() => shop, {
    makeBus: async () => {
      await shelf.clear();
      return openKafkaBus(shelf.settings, { clock: systemClock, log: SILENT, backoff: () => 0 });
    },
    box: () => {
      const sourceOf = () => shop.source;
      const box = new TopicLetters(shelf.settings, { clock: systemClock, log: SILENT, sourceOf });
      opened.push(box);
      return box;
    },
  });
});

function deadLetters(shopOf: () => Workshop, keeping: Keeping): void {
  let shop: Workshop;
  let bus: EventBus;
  let quiet: () => Promise<void>;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    shop = shopOf();
    await shop.clear();
    bus = await keeping.makeBus();
    await shop.listen(bus);
    const relay = shop.relay(bus);
    bus.begin();
    relay.start();
    quiet = () => settled(bus, [relay]);
    stop = async () => {
      await bus.close(0);
      await relay.stop();
    };
  });
  afterEach(() => stop());

  async function held(): Promise<DeadLetter[]> {
    const found: DeadLetter[] = [];
    await keeping.box().visit(({ letter }) => {
      found.push(letter);
      return Promise.resolve();
    });
    return found;
  }

  const actions = () =>
    withTenant(shop.source, ALMA, (tx) =>
      tx.query<{ action: string; subject: string; details: object }>(
        `select action, subject, details from audit where action like 'DEAD%' order by at desc limit 10`,
      ),
    );

  /** Events of one key whose handler cannot do them. */
  async function giveUp(...ordinals: number[]): Promise<void> {
    shop.desk.work = () => Promise.reject(refused('the shelf is full'));
    await shop.sendSlices(...ordinals.map((ordinal) => slice(ordinal)));
    await quiet();
  }

  it('are shown with what an operator needs', async () => {
    await giveUp(1);
    expect(await held()).toMatchObject([
      {
        service: 'data-export',
        tenantId: 'alma',
        reason: 'HANDLER_FAILED',
        error: 'the shelf is full',
        attempts: 1,
        payload: JSON.stringify(slice(1)),
      },
    ]);
  });

  it('are sent again under their id once their cause is gone, in order, and have one effect', async () => {
    await giveUp(1, 2, 3);
    const before = await held();
    const failed = shop.desk.arrivals.map(({ delivery }) => delivery.id);
    shop.desk.work = shop.recordOnce;
    await keeping.box().visit((one) => one.replay());
    await quiet();
    expect(await shop.effects()).toEqual([1, 2, 3]);
    expect(shop.desk.arrivals.map(({ delivery }) => delivery.id)).toEqual([...failed, ...failed]);
    expect(await held()).toEqual([]);
    const acts = (await actions()).slice(0, 3).reverse();
    expect(acts.map(({ action, subject }) => [action, subject])).toEqual(
      before.map(({ id }) => ['DEAD_LETTER_REPLAYED', id]),
    );
  });

  it('come back when the cause is still there', async () => {
    await giveUp(1);
    await keeping.box().visit((one) => one.replay());
    await quiet();
    expect((await held()).map(({ payload }) => payload)).toEqual([JSON.stringify(slice(1))]);
    expect(shop.desk.arrivals).toHaveLength(2);
  });

  it('are written off one by one, and the audit says why', async () => {
    await giveUp(1, 2);
    const [first] = await held();
    await keeping
      .box()
      .visit((one) =>
        one.letter.id === first?.id ? one.discard('sent by mistake') : Promise.resolve(),
      );
    expect((await held()).map(({ payload }) => payload)).toEqual([JSON.stringify(slice(2))]);
    expect((await actions())[0]).toMatchObject({
      action: 'DEAD_LETTER_DISCARDED',
      subject: first?.id,
      details: { why: 'sent by mistake', reason: 'HANDLER_FAILED' },
    });
    await quiet();
    expect(shop.desk.arrivals).toHaveLength(2);
  });
}
