import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import { TOPICS } from '@quire/contracts/catalogue';
import { kafkaClient } from './kafka-client.js';
import { deadLetterTopic } from './kafka-message.js';
import type { KafkaSettings } from './kafka-settings.js';

/** A message of a topic of dead letters. */
export interface Letter {
  /** With the prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage;
}

interface Span {
  next: bigint;
  readonly end: bigint;
}

/**
 * Shows every message that stands in the topics of dead letters now, those of one partition in order. It reads as a group
 * of its own, which is gone afterwards: kafkajs cannot read without one.
 *
 * @throws when the broker does not answer, and what `visit` throws
 */
export async function readDeadLetters(
  settings: KafkaSettings,
  visit: (letter: Letter) => Promise<void> | void,
): Promise<void> {
  const kafka = kafkaClient(settings, 'dead-letters', { restart: () => false });
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `${settings.topicPrefix}quire-dead-letters-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 100,
  });
  try {
    const spans = new Map<string, Span>();
    for (const topic of TOPICS.map((one) => deadLetterTopic(`${settings.topicPrefix}${one}`))) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
        if (BigInt(high) > BigInt(low))
          spans.set(`${topic}/${partition}`, { next: BigInt(low), end: BigInt(high) });
    }
    if (spans.size === 0) return;
    await consumer.connect();
    const topics = [...spans.keys()].map((name) => name.slice(0, name.lastIndexOf('/')));
    await consumer.subscribe({ topics: [...new Set(topics)], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
        try {
          await readBatch(spans, payload, visit);
          if ([...spans.values()].every(({ next, end }) => next >= end)) resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      consumer.run({ autoCommit: false, eachBatch }).catch(reject);
    });
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect().catch(() => undefined);
  }
}

async function readBatch(
  spans: ReadonlyMap<string, Span>,
  payload: EachBatchPayload,
  visit: (letter: Letter) => Promise<void> | void,
): Promise<void> {
  const { batch } = payload;
  const { topic, partition, messages } = batch;
  const span = spans.get(`${topic}/${partition}`);
  if (!span) return;
  for (const message of messages) {
    const offset = BigInt(message.offset);
    // After a rebalance it is read again; what came later is for the next look.
    if (offset < span.next || offset >= span.end) continue;
    await visit({ topic, partition, message });
    span.next = offset + 1n;
    await payload.heartbeat();
  }
  // Offsets may have gaps at the end.
  if (BigInt(batch.lastOffset()) + 1n >= span.end) span.next = span.end;
}
