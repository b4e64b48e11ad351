import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaMessage } from 'kafkajs';
import type { Clock } from '@quire/contracts/clock';
import type { Log } from '@quire/contracts/log';
import type { ServiceName } from '@quire/contracts/scope';
import {
  refusalOf,
  type BusWatcher,
  type Envelope,
  type EventBus,
  type GivenUp,
  type PublishResult,
  type Subscription,
} from './event-bus.js';
import { kafkaClient } from './kafka-client.js';
import { GroupConsumer, type Origin } from './kafka-consumer.js';
import { deadLetterOf, deadLetterTopic, messageOf, shortened } from './kafka-message.js';
import { Offsets } from './kafka-offsets.js';
import { Publisher } from './kafka-publisher.js';
import type { KafkaSettings } from './kafka-settings.js';
import { KafkaSockets } from './kafka-sockets.js';
import { TopicsWrong, verifyTopics } from './kafka-topics.js';
import { backoffMs } from './retry.js';

/**
 * The bus of services that run apart or in several replicas: events go through Kafka. A row leaves the outbox when the
 * broker has acknowledged it, or will never take it; a group's offset moves on when the effect is done or the dead letter
 * stored. While the broker is away events wait in the outbox, and everything connects by itself when it is back.
 */
const CLOSE_MS = 3000;
/** Between two looks at the broker: lag, paused partitions, and whether it is there. */
const WATCH_MS = 15_000;

export interface KafkaBusParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly watcher?: BusWatcher;
  /** Milliseconds before the next try of an event, by the number of those before. */
  readonly backoff?: (attempt: number) => number;
  readonly watchMs?: number;
}

/**
 * Opens the bus. When the broker is there, its topics must be as the settings say; when it is away, the bus opens all the
 * same, `check` fails, and it connects later.
 *
 * @throws TopicsWrong
 */
export async function openKafkaBus(
  settings: KafkaSettings,
  parts: KafkaBusParts,
): Promise<KafkaBus> {
  const bus = new KafkaBus(settings, parts);
  try {
    await bus.check();
  } catch (error) {
    if (error instanceof TopicsWrong) throw error;
    parts.log.warn({ err: error }, 'Kafka does not answer; events wait until it does');
  }
  return bus;
}

export class KafkaBus implements EventBus {
  private readonly publisher: Publisher;
  private readonly offsets: Offsets;
  private readonly groups: { readonly group: ServiceName; readonly consumer: GroupConsumer }[] = [];
  private readonly sockets = new KafkaSockets();
  private readonly stop = new AbortController();
  private watching: Promise<void> | undefined;
  private verified = false;

  /** Use {@link openKafkaBus}. */
  constructor(
    private readonly settings: KafkaSettings,
    private readonly parts: KafkaBusParts,
  ) {
    const { sockets } = this;
    this.publisher = new Publisher(kafkaClient(settings, 'publisher', { sockets }), parts.log);
    this.offsets = new Offsets(kafkaClient(settings, 'watch', { patient: false, sockets }));
  }

  async publish(envelope: Envelope): Promise<PublishResult> {
    const refusal = refusalOf(envelope);
    if ('reason' in refusal) return { outcome: 'refused', ...refusal };
    return this.publisher.publish(this.nameOf(envelope.topic), messageOf(envelope));
  }

  subscribe(subscription: Subscription): void {
    const { settings, parts } = this;
    const { group } = subscription;
    const consumer = new GroupConsumer({
      subscription,
      sessionMs: settings.sessionMs,
      topicPrefix: settings.topicPrefix,
      backoff: parts.backoff ?? backoffMs,
      log: parts.log,
      client: (restart) => kafkaClient(settings, group, { restart, sockets: this.sockets }),
      bury: (origin, message, why) => this.bury(group, origin, message, why),
    });
    this.groups.push({ group, consumer });
  }

  begin(): void {
    for (const { consumer } of this.groups) consumer.begin();
    this.watching ??= this.watch();
  }

  /** Every message of the groups' topics is finished, also those of other processes. */
  async restingPoint(): Promise<string | undefined> {
    const ends: string[] = [];
    for (const { consumer } of this.groups) {
      const stands = await this.offsets
        .stand(consumer.groupId, consumer.topics)
        .catch(() => undefined);
      if (!stands || stands.some(({ lag }) => lag > 0)) return undefined;
      ends.push(...stands.map(({ topic, end }) => `${topic}=${end}`));
    }
    return ends.join(' ');
  }

  /** For readiness. @throws when the broker does not answer @throws TopicsWrong when it was away at the start */
  async check(): Promise<void> {
    if (this.verified) return this.offsets.check();
    await verifyTopics(this.settings);
    this.verified = true;
  }

  async close(graceMs: number): Promise<void> {
    this.stop.abort();
    await Promise.all(this.groups.map(({ consumer }) => consumer.close(graceMs)));
    await this.publisher.close(CLOSE_MS);
    await this.watching;
    await this.offsets.close();
    this.sockets.end();
  }

  /** A call, because it changes while others run: a plain field would count as known after the first look. */
  private goesOn(): boolean {
    return !this.stop.signal.aborted;
  }

  private nameOf(topic: string): string {
    return `${this.settings.topicPrefix}${topic}`;
  }

  private async bury(
    service: ServiceName,
    { topic, partition, offset }: Origin,
    message: KafkaMessage,
    why: GivenUp,
  ): Promise<void> {
    const origin = `${this.nameOf(topic)}/${partition}@${offset}`;
    const facts = { ...why, origin, at: this.parts.clock.now(), service };
    const letters = deadLetterTopic(this.nameOf(topic));
    let { outcome } = await this.publisher.publish(letters, deadLetterOf(message, facts));
    if (outcome === 'refused') {
      const short = deadLetterOf(shortened(message), facts);
      ({ outcome } = await this.publisher.publish(letters, short));
    }
    if (outcome !== 'acknowledged') throw new Error(`The dead letter of ${origin} was ${outcome}.`);
  }

  /** Looks at the broker from time to time, and says when it goes and comes. */
  private async watch(): Promise<void> {
    const { log, watchMs = WATCH_MS } = this.parts;
    const { signal } = this.stop;
    let answered = true;
    while (this.goesOn()) {
      try {
        await this.check();
        await this.count();
        if (!answered) log.info({}, 'Kafka answers again');
        answered = true;
      } catch (error) {
        if (answered && this.goesOn()) log.warn({ err: error }, 'trouble with Kafka');
        answered = false;
      }
      await delay(watchMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async count(): Promise<void> {
    const { watcher } = this.parts;
    if (!watcher) return;
    for (const { group, consumer } of this.groups) {
      watcher.consumer(group, {
        pausedPartitions: consumer.pausedPartitions,
        stuckSeconds: consumer.oldestTryMs() / 1000,
      });
      const stands = await this.offsets.stand(consumer.groupId, consumer.topics);
      for (const { topic, lag } of stands) watcher.lag(group, topic, lag);
    }
  }
}
