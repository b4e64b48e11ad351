import kafkajs, { type Kafka, type Message, type Producer } from 'kafkajs';
import type { Log } from '@quire/contracts/log';
import type { GivenUpReason, PublishResult } from './event-bus.js';
import { brokerError } from './kafka-client.js';

/**
 * Sends messages, many at a time: what is offered while one request is under way goes together with the next, so that the
 * rate does not hang on round trips. One request at a time, and after a failure nothing that was offered later goes before
 * it: events of a key stay in order.
 *
 * The producer is idempotent, so that a repeated request writes nothing twice; nothing depends on it. After an error it is
 * made anew: the broker may have forgotten it, or may hold its sequence numbers against it for ever.
 */

/** Of one request, and so of one batch of a partition, which the broker takes up to 1 MiB. */
const REQUEST_BYTES_MAX = 524_288;
const MESSAGES_MAX = 1000;
/** What a message takes beside its value: headers, key, framing. An estimate from above. */
const OVERHEAD_BYTES = 1024;

const ACKNOWLEDGED: PublishResult = { outcome: 'acknowledged' };
const POSTPONED: PublishResult = { outcome: 'postponed' };
/** More than the broker takes, now and ever. */
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'] as const;
/** Of one topic: the others may go. */
const TOPIC_TROUBLE = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'TOPIC_AUTHORIZATION_FAILED',
  'INVALID_TOPIC_EXCEPTION',
]);

interface Offer {
  readonly topic: string;
  readonly message: Message;
  readonly settle: (result: PublishResult) => void;
}

export class Publisher {
  private waiting: Offer[] = [];
  private readonly sending = new Set<Offer>();
  private pumping: Promise<void> | undefined;
  private producer: Producer | undefined;
  private closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly log: Log,
  ) {}

  /** Never throws: what could not be sent is postponed, what never will be is refused. */
  publish(topic: string, message: Message): Promise<PublishResult> {
    if (this.closed) return Promise.resolve(POSTPONED);
    return new Promise((settle) => {
      this.waiting.push({ topic, message, settle });
      this.pumping ??= this.pump();
    });
  }

  /** What waits is postponed; the request under way may finish, for at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    this.postpone(this.waiting.splice(0));
    await Promise.race([this.pumping, after(graceMs)]);
    this.postpone([...this.sending]);
    await Promise.race([this.reset(), after(graceMs)]);
  }

  private async pump(): Promise<void> {
    // Who offers many does so in one turn of the event loop.
    await new Promise(setImmediate);
    while (this.waiting.length > 0) {
      const batch = this.take();
      for (const offer of batch) this.sending.add(offer);
      try {
        await this.send(batch);
      } catch (error) {
        this.log.warn({ err: error }, 'events could not be published, they stay where they are');
        this.postpone([...this.sending, ...this.waiting.splice(0)]);
        await this.reset();
      }
      this.sending.clear();
    }
    this.pumping = undefined;
  }

  private take(): Offer[] {
    let bytes = 0;
    let count = 0;
    for (const { message } of this.waiting) {
      bytes += Buffer.byteLength(message.value ?? '') + OVERHEAD_BYTES;
      if (count > 0 && (bytes > REQUEST_BYTES_MAX || count >= MESSAGES_MAX)) break;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  /** @throws what says nothing about the messages themselves */
  private async send(batch: readonly Offer[]): Promise<void> {
    try {
      const producer = await this.connected();
      await producer.sendBatch({ acks: -1, topicMessages: byTopic(batch) });
      this.settle(batch, ACKNOWLEDGED);
    } catch (error) {
      const type = brokerError(error) ?? '';
      const tooLarge = TOO_LARGE.find((reason) => reason === type);
      if (tooLarge) await this.isolate(batch, tooLarge);
      else if (TOPIC_TROUBLE.has(type)) await this.sendByTopic(batch, error);
      else throw error;
    }
  }

  /** The broker refuses a request as a whole: halves find the message that is meant. */
  private async isolate(batch: readonly Offer[], reason: GivenUpReason): Promise<void> {
    if (batch.length === 1) return this.settle(batch, { outcome: 'refused', reason });
    const half = batch.length >> 1;
    await this.send(batch.slice(0, half));
    await this.send(batch.slice(half));
  }

  private async sendByTopic(batch: readonly Offer[], error: unknown): Promise<void> {
    const topics = [...new Set(batch.map(({ topic }) => topic))];
    const [topic] = topics;
    if (topics.length > 1) {
      for (const one of topics) await this.send(batch.filter((offer) => offer.topic === one));
      return;
    }
    this.log.error({ err: error, topic }, 'events could not be published to this topic');
    const later = this.waiting.filter((offer) => offer.topic === topic);
    this.waiting = this.waiting.filter((offer) => offer.topic !== topic);
    this.postpone([...batch, ...later]);
  }

  private settle(offers: readonly Offer[], result: PublishResult): void {
    for (const offer of offers) {
      this.sending.delete(offer);
      offer.settle(result);
    }
  }

  private postpone(offers: readonly Offer[]): void {
    this.settle(offers, POSTPONED);
  }

  private async connected(): Promise<Producer> {
    if (this.producer) return this.producer;
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // The same hash as the Java clients: tools that send a key reach the same partition.
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    this.producer = producer;
    await producer.connect();
    return producer;
  }

  private async reset(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }
}

function byTopic(batch: readonly Offer[]): { topic: string; messages: Message[] }[] {
  const messages = new Map<string, Message[]>();
  for (const { topic, message } of batch) {
    const list = messages.get(topic);
    if (list) list.push(message);
    else messages.set(topic, [message]);
  }
  return [...messages].map(([topic, list]) => ({ topic, messages: list }));
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
