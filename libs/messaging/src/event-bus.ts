import { eventOfType } from '@quire/contracts/catalogue';
import { checkContract } from '@quire/contracts/check-contract';
import type { EventDefinition } from '@quire/contracts/define-event';
import type { Scope, ServiceName } from '@quire/contracts/scope';

/**
 * The bus: a port with two adapters, in process and Kafka. It carries envelopes from an outbox to the
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

/** Payload, header and row of an event do not name one tenant. */
export const TENANT_MISMATCH = 'TENANT_MISMATCH';

/** Why an event becomes a dead letter. A closed list: each is counted from 0, and docs/operations.md tells what it means. */
export const GIVEN_UP_REASONS = [
  'HANDLER_FAILED',
  'NOT_JSON',
  'INVALID_PAYLOAD',
  'PAYLOAD_TOO_LARGE',
  'NOT_CLOUDEVENT',
  'UNKNOWN_TYPE',
  'NO_HANDLER',
  TENANT_MISMATCH,
  'UNKNOWN_TENANT',
  'TENANT_DISABLED',
  // As the broker names them.
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
] as const;
export type GivenUpReason = (typeof GIVEN_UP_REASONS)[number];

export type PublishResult =
  | { readonly outcome: 'acknowledged' }
  /** Will never be taken: it goes to the dead letters of the sender. */
  | { readonly outcome: 'refused'; readonly reason: GivenUpReason }
  /** Stays in the outbox; to be offered again. */
  | { readonly outcome: 'postponed' };

export interface Subscription {
  readonly group: ServiceName;
  /** Types of the events it handles; others of their topics are not delivered. */
  readonly types: readonly string[];
  /** Done when it resolves. What it throws is classed by `retry.ts`. */
  handle(envelope: Envelope, attempt: number): Promise<void>;
  /**
   * Lets the work that a given up envelope stood for end with a reason, and stores it. Must succeed before the bus goes on.
   *
   * @param store puts it where the bus keeps its dead letters; absent: into the table of the service
   */
  giveUp(envelope: Envelope, why: GivenUp, store?: () => Promise<void>): Promise<void>;
}

export interface GivenUp {
  readonly reason: GivenUpReason;
  readonly error: string;
  readonly attempts: number;
}

export interface EventBus {
  publish(envelope: Envelope): Promise<PublishResult>;
  /** Before {@link begin}; once per group. */
  subscribe(subscription: Subscription): void;
  /** Every group has subscribed: events may come. May be called again, to no effect. */
  begin(): void;
  /**
   * Where the bus rests when no event is on its way to a group that subscribed here; undefined while one is, or nobody can
   * tell. Equal before and after a look at empty outboxes means that all is quiet ({@link settled}).
   */
  restingPoint(): Promise<string | undefined>;
  /** Of a bus that needs a server. @throws when it does not answer, or is not as the bus needs it */
  check?(): Promise<void>;
  /** Finishes what is in hand; what is not finished after `graceMs` is postponed. */
  close(graceMs: number): Promise<void>;
}

/** What is counted of events: the metrics of the process. */
export interface BusWatcher {
  /** Messages of a topic that a group has not finished. */
  lag(group: ServiceName, topic: string, messages: number): void;
  consumer(group: ServiceName, stand: ConsumerStand): void;
}

export interface ConsumerStand {
  /** Not read at the moment, because too much of them is in hand. */
  readonly pausedPartitions: number;
  /** Since the first try of the event that is tried longest; 0: none is. */
  readonly stuckSeconds: number;
}

/** Something whose events leave by the bus. */
interface Sender {
  isQuiet(): Promise<boolean>;
}

const SETTLED_LOOK_MS = 10;

/** Resolves when the outboxes are empty and no event is on its way. For tests, and for what waits until all is quiet. */
export async function settled(bus: EventBus, senders: readonly Sender[]): Promise<void> {
  for (;;) {
    const before = await bus.restingPoint();
    if (before !== undefined) {
      const quiet = await Promise.all(senders.map((sender) => sender.isQuiet()));
      // A handler may have written while we looked: then its event is in an outbox, or the bus rests elsewhere.
      if (quiet.every(Boolean) && (await bus.restingPoint()) === before) return;
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLED_LOOK_MS));
  }
}

export function deliveryOf(envelope: Envelope, attempt: number): Delivery {
  const { headers } = envelope;
  return {
    id: envelope.id,
    type: envelope.type,
    scope: {
      tenantId: envelope.tenantId,
      actorId: headers['ce_actorid'] ?? '',
      causationId: envelope.id,
    },
    correlationId: headers['ce_correlationid'] ?? envelope.id,
    time: headers['ce_time'] ?? '',
    attempt,
  };
}

/** The event of an envelope that a bus may carry; or why no bus ever will. */
export function refusalOf(
  envelope: Envelope,
): { readonly event: EventDefinition<object> } | { readonly reason: GivenUpReason } {
  const event = eventOfType(envelope.type);
  if (!event) return { reason: 'UNKNOWN_TYPE' };
  // The row's tenant stays behind: from here on only the header tells.
  if (envelope.headers['ce_tenantid'] !== envelope.tenantId) return { reason: TENANT_MISMATCH };
  return { event };
}

/** An envelope that no retry can help. */
export class UnreadableEvent extends Error {
  constructor(
    readonly reason: GivenUpReason,
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
