import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage, Offsets } from 'kafkajs';
import { eventOfType } from '@quire/contracts/catalogue';
import type { Log } from '@quire/contracts/log';
import { UnreadableEvent, type GivenUp, type Subscription } from './event-bus.js';
import { readMessage, type Reading } from './kafka-message.js';
import { Progress } from './kafka-progress.js';
import { Lanes, type Errand } from './lanes.js';
import { backoffMs } from './retry.js';

/**
 * One group's consumer. The loop of kafkajs only reads and says that we live: it hands what it read to the lanes and goes
 * on, so that a long handler costs no session and a rebalance waits for nobody. Offsets are committed by us, after the
 * effect, up to the lowest message of the partition that has not ended.
 *
 * A partition of which too much is in hand is paused; a key in back-off holds only itself until then. With a rebalance all
 * that waits is forgotten and read again by its new owner; what is in hand ends, and may run twice: the inbox removes the
 * second effect.
 */

/** In hand of one partition before it is paused, and when it goes on. Keeps the lanes busy over a round trip. */
const IN_HAND_MAX = 16;
const IN_HAND_RESUME = 8;
/** Of one partition in one answer, and of the answer: what waits keeps the memory of all that came with it. */
const FETCH_BYTES_MAX = 131_072;
const FETCH_BYTES_TOTAL_MAX = 2_097_152;
/** Heartbeats go out between two answers, so an empty one must not take long. */
const FETCH_WAIT_MS = 250;
const REBALANCE_MS = 10_000;
/** Pause between two commits. */
const COMMIT_MS = 50;
/** After one that failed: in a rebalance, or while the coordinator is away. */
const COMMIT_AGAIN_MS = 500;
/** Leaving the group needs one answer of the broker; without it the session ends by itself. */
const LEAVE_MS = 3000;

export interface ConsumerOptions {
  readonly subscription: Subscription;
  readonly sessionMs: number;
  readonly topicPrefix: string;
  readonly backoff: (attempt: number) => number;
  readonly log: Log;
  /** Makes a client; after a crash without restart another one. @param restart whether kafkajs may restart by itself */
  readonly client: (restart: () => boolean) => Kafka;
  /** Stores a dead letter. @throws when it was not stored */
  readonly bury: (origin: Origin, message: KafkaMessage, why: GivenUp) => Promise<void>;
}

export interface Origin {
  /** Without the prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

type Commit = (offsets: Offsets) => Promise<void>;

export class GroupConsumer {
  readonly groupId: string;
  /** With the prefix. */
  readonly topics: readonly string[];
  private readonly types: ReadonlySet<string>;
  private readonly lanes: Lanes;
  private readonly parts = new Map<string, Progress>();
  private readonly paused = new Set<Progress>();
  private consumer: Consumer | undefined;
  private commit: Commit | undefined;
  private commitTimer: NodeJS.Timeout | undefined;
  private committing: Promise<void> | undefined;
  private running: Promise<void> | undefined;
  private closing = false;
  /** While closing: the last commit was made. */
  private readonly committed = Promise.withResolvers<void>();
  private readonly stop = new AbortController();

  constructor(private readonly options: ConsumerOptions) {
    const { subscription, topicPrefix, backoff } = options;
    this.groupId = `${topicPrefix}${subscription.group}`;
    this.types = new Set(subscription.types);
    const topics = subscription.types.flatMap((type) => eventOfType(type)?.topic ?? []);
    this.topics = [...new Set(topics)].map((topic) => `${topicPrefix}${topic}`);
    this.lanes = new Lanes(backoff);
  }

  get pausedPartitions(): number {
    return this.paused.size;
  }

  oldestTryMs(): number {
    return this.lanes.oldestTryMs(performance.now());
  }

  /** Runs until {@link close}; a consumer that cannot go on is made anew. */
  begin(): void {
    this.running ??= this.run();
  }

  private async run(): Promise<void> {
    for (let attempt = 1; this.goesOn(); attempt += 1) {
      try {
        await this.consume(() => (attempt = 0));
      } catch (error) {
        this.warn(error, 'the consumer could not start, trying again');
      }
      this.forget();
      if (this.goesOn())
        await delay(backoffMs(attempt), undefined, { signal: this.stop.signal }).catch(
          () => undefined,
        );
    }
  }

  /** A call, because it changes while others run: a plain field would count as known after the first look. */
  private goesOn(): boolean {
    return !this.closing;
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    this.stop.abort();
    this.pauseAll();
    await this.lanes.close(graceMs);
    clearTimeout(this.commitTimer);
    await this.committing;
    await Promise.race([this.commitDue(), delay(LEAVE_MS, undefined, { ref: false })]);
    this.committed.resolve();
    await Promise.race([this.running, delay(LEAVE_MS, undefined, { ref: false })]);
  }

  /** Resolves when the consumer has ended for good, with or without a wish of ours. */
  private async consume(joined: () => void): Promise<void> {
    const { sessionMs, client } = this.options;
    const consumer = client(() => this.goesOn()).consumer({
      groupId: this.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: sessionMs,
      heartbeatInterval: Math.floor(sessionMs / 5),
      rebalanceTimeout: Math.max(REBALANCE_MS, sessionMs),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: FETCH_BYTES_MAX,
      maxBytes: FETCH_BYTES_TOTAL_MAX,
    });
    this.consumer = consumer;
    const ended = new Promise<void>((resolve) => {
      this.stop.signal.addEventListener('abort', () => resolve(), { once: true });
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        this.warn(payload.error, 'the consumer crashed');
        this.forget();
        if (!payload.restart) resolve();
      });
    });
    const disconnect = (): Promise<void> => consumer.disconnect().catch(() => undefined);
    let leaving = false;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      // kafkajs overlooks a disconnect while a start is under way, and would stay in the group for ever.
      if (leaving) setImmediate(() => void disconnect());
      joined();
      this.forget();
      const { groupId, memberAssignment } = payload;
      this.options.log.info({ groupId, memberAssignment }, 'the consumer joined its group');
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.topics], fromBeginning: true });
      if (!this.goesOn()) return;
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (batch) => {
          this.take(batch);
          return Promise.resolve();
        },
      });
      await ended;
    } finally {
      // While closing, what is in hand may end and be committed before we leave the group.
      if (!this.goesOn()) await this.committed.promise;
      this.consumer = undefined;
      leaving = true;
      await disconnect();
    }
  }

  /** Another generation of the group, or none: what waits is read again, by whoever gets its partition. */
  private forget(): void {
    for (const part of this.parts.values()) {
      this.lanes.drop(part);
      this.resume(part);
    }
    this.parts.clear();
  }

  private take(payload: EachBatchPayload): void {
    if (this.closing) return;
    const { batch } = payload;
    this.commit = (offsets) => payload.commitOffsetsIfNecessary(offsets);
    const part = this.partOf(batch.topic, batch.partition);
    for (const message of batch.messages) {
      const offset = BigInt(message.offset);
      part.take(offset);
      // The lanes hold it from here on; the next fetch begins behind it.
      payload.resolveOffset(message.offset);
      const errand = this.errandOf(part, message);
      void this.lanes
        .deliver(errand, part)
        .then((finished) => this.finished(part, offset, finished));
    }
    if (part.size >= IN_HAND_MAX) this.pause(part);
  }

  private partOf(topic: string, partition: number): Progress {
    const name = `${topic}/${partition}`;
    const part = this.parts.get(name) ?? new Progress(topic, partition);
    this.parts.set(name, part);
    return part;
  }

  private finished(part: Progress, offset: bigint, finished: boolean): void {
    if (!finished) return;
    part.finish(offset);
    if (this.parts.get(`${part.topic}/${part.partition}`) !== part) return;
    if (part.size < IN_HAND_RESUME) this.resume(part);
    this.commitSoon(COMMIT_MS);
  }

  private errandOf({ topic: prefixed, partition }: Progress, message: KafkaMessage): Errand {
    const { subscription, topicPrefix, bury } = this.options;
    const topic = prefixed.slice(topicPrefix.length);
    const reading = this.read(topic, message);
    const { envelope, refusal } = reading;
    return {
      // What has no key may overtake nothing of its partition.
      key: envelope.key === '' ? `${topic}/${partition}` : envelope.key,
      handle: async (attempt) => {
        if (refusal) throw refusal;
        if (this.types.has(envelope.type)) await subscription.handle(envelope, attempt);
      },
      giveUp: (why) =>
        subscription.giveUp(envelope, why, () =>
          bury({ topic, partition, offset: message.offset }, message, why),
        ),
    };
  }

  private read(topic: string, message: KafkaMessage): Reading {
    const reading = readMessage(topic, message);
    const { envelope } = reading;
    if (reading.refusal || this.types.has(envelope.type)) return reading;
    // A topic of work has one group: what that does not handle, nobody does. Facts may be for others.
    if (!eventOfType(envelope.type)?.work) return reading;
    const refusal = new UnreadableEvent('NO_HANDLER', `Nobody handles ${envelope.type}.`);
    return { envelope, refusal };
  }

  private pause(part: Progress): void {
    this.paused.add(part);
    this.consumer?.pause([{ topic: part.topic, partitions: [part.partition] }]);
  }

  private resume(part: Progress): void {
    if (!this.paused.delete(part)) return;
    try {
      this.consumer?.resume([{ topic: part.topic, partitions: [part.partition] }]);
    } catch {
      // Between a crash and its restart there is nothing to resume, and nothing stays paused.
    }
  }

  private pauseAll(): void {
    try {
      this.consumer?.pause(this.topics.map((topic) => ({ topic })));
    } catch {
      // It does not run: nothing comes.
    }
  }

  private commitSoon(ms: number): void {
    if (this.closing || this.committing) return;
    this.commitTimer ??= setTimeout(() => {
      this.commitTimer = undefined;
      this.committing = this.commitDue().then((done) => {
        this.committing = undefined;
        if (this.dueParts().length > 0) this.commitSoon(done ? COMMIT_MS : COMMIT_AGAIN_MS);
      });
    }, ms);
  }

  private dueParts(): Progress[] {
    return [...this.parts.values()].filter((part) => part.isDue);
  }

  /** @returns whether the broker took it. A rebalance or an absence shows itself in the loop of kafkajs, which acts on it. */
  private async commitDue(): Promise<boolean> {
    const due = this.dueParts().flatMap((part) =>
      part.position === undefined ? [] : [{ part, position: part.position }],
    );
    if (due.length === 0 || !this.commit) return true;
    const topics = this.topics.map((topic) => ({
      topic,
      partitions: due
        .filter(({ part }) => part.topic === topic)
        .map(({ part, position }) => ({ partition: part.partition, offset: String(position) })),
    }));
    try {
      await this.commit({ topics: topics.filter(({ partitions }) => partitions.length > 0) });
      for (const { part, position } of due) part.committed = position;
      return true;
    } catch {
      return false;
    }
  }

  private warn(error: unknown, message: string): void {
    if (!this.closing) this.options.log.warn({ err: error, groupId: this.groupId }, message);
  }
}
