import { randomUUID } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { SliceReady } from '@quire/contracts/data-export';
import { PAYLOAD_BYTES_MAX } from './event-bus.js';
import { deadLetterOf, messageOf, readMessage } from './kafka-message.js';

const id = randomUUID();
const { topic, type } = SliceReady;
const headers = { ce_id: id, ce_type: type, ce_tenantid: 'alma' };
const envelope = { id, type, topic, key: 'k', tenantId: 'alma', headers, payload: '{"ä":1}' };

function received(changes: Partial<KafkaMessage> = {}): KafkaMessage {
  const { key, value, headers: sent } = messageOf(envelope);
  const asBuffers = Object.entries(sent ?? {}).map(([name, text]) => [
    name,
    Buffer.from(String(text)),
  ]);
  return {
    key: Buffer.from(String(key)),
    value: Buffer.from(String(value)),
    headers: Object.fromEntries(asBuffers) as Record<string, Buffer>,
    timestamp: '0',
    attributes: 0,
    offset: '7',
    ...changes,
  } as KafkaMessage;
}

describe('a message', () => {
  it('is the envelope that was sent', () => {
    expect(readMessage(topic, received())).toEqual({ envelope });
  });

  it.each<[string, string, Partial<KafkaMessage>]>([
    ['NOT_CLOUDEVENT', 'without headers', { headers: {} }],
    ['NOT_CLOUDEVENT', 'with an id that is none', { headers: { ...headers, ce_id: '7' } }],
    ['UNKNOWN_TYPE', 'of another topic', { headers: { ...headers, ce_type: `${type}0` } }],
    ['PAYLOAD_TOO_LARGE', 'too long', { value: Buffer.alloc(PAYLOAD_BYTES_MAX + 1, 0x20) }],
  ])('is %s %s', (reason, _, changes) => {
    expect(readMessage(topic, received(changes)).refusal?.reason).toBe(reason);
  });

  it('may have neither key nor value', () => {
    const read = readMessage(topic, received({ key: null, value: null }));
    expect(read.envelope).toMatchObject({ key: '', payload: '' });
  });
});

describe('a dead letter', () => {
  const facts = {
    reason: 'NOT_JSON' as const,
    attempts: 1,
    origin: `${topic}/3@7`,
    at: new Date('2026-01-01T00:00:00Z'),
    service: 'data-export',
  };

  it('is the message as it came, and why', () => {
    const came = received({ value: Buffer.from([0xff, 0xfe]) });
    const letter = deadLetterOf(came, { ...facts, error: 'no JSON' });
    expect(letter).toMatchObject({ key: came.key, value: came.value });
    expect(letter.headers).toEqual({
      ...came.headers,
      dlq_reason: 'NOT_JSON',
      dlq_error: 'no JSON',
      dlq_origin: `${topic}/3@7`,
      dlq_attempts: '1',
      dlq_at: '2026-01-01T00:00:00.000Z',
      dlq_service: 'data-export',
    });
  });

  it('has at most 1 KiB of its error, and no half letter', () => {
    const error = `${'a'.repeat(1023)}ä`;
    expect(deadLetterOf(received(), { ...facts, error }).headers?.['dlq_error']).toBe(
      'a'.repeat(1023),
    );
  });
});
