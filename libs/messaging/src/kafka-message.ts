import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import { eventOfType } from '@quire/contracts/catalogue';
import { isAnyUuid } from '@quire/contracts/ids';
import { PAYLOAD_BYTES_MAX, UnreadableEvent, type Envelope, type GivenUp } from './event-bus.js';

/**
 * Envelopes as Kafka messages: CloudEvents 1.0 in binary mode, attributes in headers, JSON in the value, so that other
 * tools route without parsing (reliability, section 7). And dead letters: the message as it came, with the reason beside it.
 */
export function messageOf({ id, type, key, headers, payload }: Envelope): Message {
  return { key, value: payload, headers: { ...headers, ce_id: id, ce_type: type } };
}

/** What was read: an envelope, and why nobody can handle it, if so. */
export interface Reading {
  readonly envelope: Envelope;
  readonly refusal?: UnreadableEvent;
}

/** @param topic as the catalogue names it */
export function readMessage(topic: string, message: KafkaMessage): Reading {
  const headers = textHeaders(message.headers ?? {});
  const envelope: Envelope = {
    id: headers['ce_id'] ?? '',
    type: headers['ce_type'] ?? '',
    topic,
    key: message.key?.toString('utf8') ?? '',
    tenantId: headers['ce_tenantid'] ?? '',
    headers,
    payload: message.value?.toString('utf8') ?? '',
  };
  const refusal = refusalOf(envelope, message.value?.length ?? 0);
  return refusal ? { envelope, refusal } : { envelope };
}

function refusalOf({ id, type, topic }: Envelope, bytes: number): UnreadableEvent | undefined {
  if (!isAnyUuid(id) || type === '')
    return new UnreadableEvent(
      'NOT_CLOUDEVENT',
      'The message has no ce_id that is a UUID, or no ce_type.',
    );
  if (eventOfType(type)?.topic !== topic)
    return new UnreadableEvent('UNKNOWN_TYPE', `${topic} has no events of type ${type}.`);
  if (bytes > PAYLOAD_BYTES_MAX)
    return new UnreadableEvent('PAYLOAD_TOO_LARGE', `The payload of ${type} has ${bytes} bytes.`);
  return undefined;
}

export function textHeaders(headers: IHeaders): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const one = Array.isArray(value) ? value[0] : value;
    if (one !== undefined) texts[name] = one.toString();
  }
  return texts;
}

/** Dead letters of a topic are beside it. */
export const deadLetterTopic = (topic: string): string => `${topic}.dlq`;

/** The inverse of {@link deadLetterTopic}. */
export const liveTopic = (topic: string): string => topic.replace(/\.dlq$/, '');

export interface DeadLetterFacts extends GivenUp {
  /** `topic/partition@offset`. */
  readonly origin: string;
  readonly at: Date;
  readonly service: string;
}

type Content = Pick<KafkaMessage, 'key' | 'value' | 'headers'>;

/**
 * What a topic of dead letters does not take as it came: somebody let a larger message into the topic beside it. Its beginning
 * tells an operator what it was; the whole of it stands at its origin until its retention has passed.
 */
export function shortened({ key, value, headers }: Content): Content {
  return {
    key,
    value: value?.subarray(0, PAYLOAD_BYTES_MAX) ?? null,
    headers: { ...headers, dlq_value_bytes: String(value?.length ?? 0) },
  };
}

const ERROR_BYTES_MAX = 1024;

/** The message with key, value and headers as they came, and `dlq_*` headers. */
export function deadLetterOf(message: Content, facts: DeadLetterFacts): Message {
  return {
    key: message.key,
    value: message.value,
    headers: {
      ...message.headers,
      dlq_reason: facts.reason,
      dlq_error: cut(facts.error),
      dlq_origin: facts.origin,
      dlq_attempts: String(facts.attempts),
      dlq_at: facts.at.toISOString(),
      dlq_service: facts.service,
    },
  };
}

/** At most so many bytes, and no half character at the end. */
function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= ERROR_BYTES_MAX) return text;
  return bytes
    .subarray(0, ERROR_BYTES_MAX)
    .toString('utf8')
    .replace(/\uFFFD+$/u, '');
}
