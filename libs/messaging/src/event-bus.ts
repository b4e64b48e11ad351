import { checkContract } from '@quire/contracts/check-contract';
import type { EventDefinition } from '@quire/contracts/define-event';
import type { Scope, ServiceName } from '@quire/contracts/scope';

/**
 * The bus: a port with two adapters, in process now and Kafka in a later step. It carries envelopes from an outbox to the
 * groups that subscribed to their topic, at least once, in order per key. The truth is in Postgres; the bus only wakes.
 */

/** CloudEvents 1.0 in binary mode: attributes in headers, JSON in the payload (reliability, section 7). */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly key: string;
  readonly tenantId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text of at most {@link PAYLOAD_BYTES_MAX} bytes. */
  readonly payload: string;
}

export const PAYLOAD_BYTES_MAX = 65_536;

/** What a handler learns of an event besides its payload. */
export interface Delivery {
  readonly id: string;
  readonly type: string;
  /** Tenant and actor for the handler's transactions. */
  readonly scope: Scope;
  readonly correlationId: string;
  readonly time: string;
  /** 1 at the first try. */
  readonly attempt: number;
}

export type PublishResult =
  | { readonly outcome: 'acknowledged' }
  /** Will never be taken: it goes to the dead letters of the sender. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Stays in the outbox; to be offered again. */
  | { readonly outcome: 'postponed' };

export interface Subscription {
  readonly group: ServiceName;
  /** Types of the events it handles; others of their topics are not delivered. */
  readonly types: readonly string[];
  /** Done when it resolves. What it throws is classed by `retry.ts`. */
  handle(envelope: Envelope, attempt: number): Promise<void>;
  /** Stores an envelope that is given up, and lets the work it stood for end with a reason. Must succeed before the bus goes on. */
  giveUp(envelope: Envelope, why: GivenUp): Promise<void>;
}

export interface GivenUp {
  readonly reason: string;
  readonly error: string;
  readonly attempts: number;
}

export interface EventBus {
  publish(envelope: Envelope): Promise<PublishResult>;
  subscribe(subscription: Subscription): void;
  /** Finishes what is in hand; what is not finished after `graceMs` is postponed. */
  close(graceMs: number): Promise<void>;
}

export function deliveryOf(envelope: Envelope, attempt: number): Delivery {
  const { headers } = envelope;
  return {
    id: envelope.id,
    type: envelope.type,
    scope: { tenantId: envelope.tenantId, actorId: headers['ce_actorid'] ?? '' },
    correlationId: headers['ce_correlationid'] ?? envelope.id,
    time: headers['ce_time'] ?? '',
    attempt,
  };
}

/** Payload, header and row of an event do not name one tenant. */
export const TENANT_MISMATCH = 'TENANT_MISMATCH';

/** An envelope that no retry can help. */
export class UnreadableEvent extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = 'UnreadableEvent';
  }
}

/** Of a tenant that this service was not told of, or not yet: given up only after a while (`retry.ts`). */
export class UnknownTenant extends UnreadableEvent {
  constructor(tenantId: string) {
    super('UNKNOWN_TENANT', `The tenant ${tenantId} is not known here.`);
    this.name = 'UnknownTenant';
  }
}

/**
 * The payload as its class has it; unknown properties are ignored, because a newer sender may say more.
 *
 * @throws UnreadableEvent for what is not JSON, fails its class, or speaks of another tenant than its row or header
 */
export function readPayload<P extends object>(event: EventDefinition<P>, envelope: Envelope): P {
  let parsed: unknown;
  try {
    parsed = JSON.parse(envelope.payload);
  } catch {
    throw new UnreadableEvent('NOT_JSON', `The payload of ${envelope.type} is not JSON.`);
  }
  const checked = checkContract<P>(event.payload, parsed, { ignoreUnknown: true });
  if ('violations' in checked) {
    const problems = checked.violations.map(
      (one) => `${one.parameters[0]?.key ?? ''} ${one.message}`,
    );
    throw new UnreadableEvent('INVALID_PAYLOAD', `${envelope.type}: ${problems.join('; ')}`);
  }
  const { tenantId } = checked.value as { readonly tenantId?: string };
  if (tenantId !== envelope.tenantId || envelope.headers['ce_tenantid'] !== envelope.tenantId) {
    throw new UnreadableEvent(
      TENANT_MISMATCH,
      `${envelope.type} speaks of another tenant than its row or its header.`,
    );
  }
  return checked.value;
}
