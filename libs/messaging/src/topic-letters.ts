import type { KafkaMessage, Message } from 'kafkajs';
import type { Clock } from '@quire/contracts/clock';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, TENANT_PATTERN } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';
import {
  DISCARDED,
  REPLAYED,
  type DeadLetter,
  type DeadLetterBox,
  type HeldLetter,
} from './dead-letter.js';
import { auditAct } from './dead-letters.js';
import { kafkaClient } from './kafka-client.js';
import { readDeadLetters, type Letter } from './kafka-dead-letters.js';
import { liveTopic, textHeaders } from './kafka-message.js';
import { Publisher } from './kafka-publisher.js';
import type { KafkaSettings } from './kafka-settings.js';

/**
 * The dead letters in the topics of Kafka. A topic forgets nothing before its time, so what was done about a letter is
 * written behind it: a mark, a message without value whose header `dlq_settles` is the letter's offset in its partition, with
 * `dlq_outcome` and `dlq_why`. Letters with a mark are not shown again. A mark comes after its letter and so outlives it.
 *
 * The audit row is written first, then the event, then the mark: a crash in between shows the letter again, and the event's
 * id keeps a second replay from a second effect.
 */
const MARK = 'dlq_settles';
const CLOSE_MS = 5000;

export interface TopicLettersParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Opened as the app role of the service that gave up; undefined: it is none of ours. */
  readonly sourceOf: (service: string) => DataSource | undefined;
}

export class TopicLetters implements DeadLetterBox, AsyncDisposable {
  private readonly publisher: Publisher;

  constructor(
    private readonly settings: KafkaSettings,
    private readonly parts: TopicLettersParts,
  ) {
    this.publisher = new Publisher(kafkaClient(settings, 'dead-letters'), parts.log);
  }

  async visit(visitor: (held: HeldLetter) => Promise<void>): Promise<void> {
    const settled = new Set<string>();
    await readDeadLetters(this.settings, ({ topic, partition, message }) => {
      const mark = textHeaders(message.headers ?? {})[MARK];
      if (mark !== undefined) settled.add(`${topic}/${partition}@${mark}`);
    });
    await readDeadLetters(this.settings, async (found) => {
      if (settled.has(placeOf(found)) || isMark(found.message)) return;
      const letter = letterOf(found);
      await visitor({
        letter,
        replay: () => this.replay(found, letter),
        discard: (why) => this.discard(found, letter, why),
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher.close(CLOSE_MS);
  }

  private async replay(found: Letter, letter: DeadLetter): Promise<void> {
    await this.audit(letter, REPLAYED, '');
    await this.send(liveTopic(found.topic), asItCame(found.message));
    await this.mark(found, REPLAYED, '');
  }

  private async discard(found: Letter, letter: DeadLetter, why: string): Promise<void> {
    await this.audit(letter, DISCARDED, why);
    await this.mark(found, DISCARDED, why);
  }

  private async mark(found: Letter, outcome: string, why: string): Promise<void> {
    await this.send(found.topic, {
      key: found.message.key,
      value: null,
      partition: found.partition,
      headers: {
        [MARK]: found.message.offset,
        dlq_outcome: outcome,
        dlq_why: why,
        dlq_at: this.parts.clock.now().toISOString(),
      },
    });
  }

  /** A message of nobody has no auditors: its mark tells what was done. */
  private async audit(letter: DeadLetter, action: string, why: string): Promise<void> {
    const { id, service, type, tenantId, topic, reason } = letter;
    const source = this.parts.sourceOf(service);
    if (!source || !TENANT_PATTERN.test(tenantId)) return;
    await withTenant(source, { tenantId, actorId: SYSTEM_USER_ID }, (tx) =>
      auditAct(tx, action, id, { type, topic, reason, ...(why === '' ? {} : { why }) }),
    );
  }

  private async send(topic: string, message: Message): Promise<void> {
    const result = await this.publisher.publish(topic, message);
    if (result.outcome !== 'acknowledged')
      throw new Error(`Kafka did not take the message for ${topic}: ${result.outcome}.`);
  }
}

function isMark({ headers }: KafkaMessage): boolean {
  return headers?.[MARK] !== undefined;
}

function placeOf({ topic, partition, message }: Letter): string {
  return `${topic}/${partition}@${message.offset}`;
}

/** Without what was written beside it. */
function asItCame({ key, value, headers = {} }: KafkaMessage): Message {
  const own = Object.entries(headers).filter(([name]) => !name.startsWith('dlq_'));
  return { key, value, headers: Object.fromEntries(own) };
}

function letterOf(found: Letter): DeadLetter {
  const headers = textHeaders(found.message.headers ?? {});
  const place = placeOf(found);
  return {
    id: headers['ce_id'] ?? place,
    service: headers['dlq_service'] ?? '',
    type: headers['ce_type'] ?? '',
    tenantId: headers['ce_tenantid'] ?? '',
    topic: liveTopic(found.topic),
    key: found.message.key?.toString() ?? '',
    reason: headers['dlq_reason'] ?? '',
    error: headers['dlq_error'] ?? '',
    attempts: Number(headers['dlq_attempts'] ?? 0),
    at: headers['dlq_at'] ?? '',
    place,
    headers,
    payload: found.message.value?.toString() ?? '',
  };
}
