/*
 * Dead letters as an operator sees them. They stand in two places: the table `dead_letter` of the service that gave up (all
 * of them in process; under Kafka those of its outbox that the broker will never take), and the topics `….dlq` of Kafka.
 * In both an operator looks at them, sends them again or writes them off; each act leaves a row in the audit of the tenant.
 */

export interface DeadLetter {
  /** What an operator names it by: the event's id, or the place of a message that has none. */
  readonly id: string;
  /** The service that gave up. */
  readonly service: string;
  readonly type: string;
  readonly tenantId: string;
  readonly topic: string;
  readonly key: string;
  readonly reason: string;
  readonly error: string;
  readonly attempts: number;
  /** RFC 3339. */
  readonly at: string;
  /** Where it stands: `data_export.dead_letter/7`, `quire.….dlq/0@42`. */
  readonly place: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

/** A dead letter and what can be done about it. */
export interface HeldLetter {
  readonly letter: DeadLetter;
  /** Sends the event again under its id, so that who has had it already does nothing. */
  replay(): Promise<void>;
  discard(reason: string): Promise<void>;
}

export interface DeadLetterBox {
  /** Shows those that were neither sent again nor written off, one after the other, oldest first in each place. */
  visit(visitor: (held: HeldLetter) => Promise<void>): Promise<void>;
}

export const REPLAYED = 'DEAD_LETTER_REPLAYED';
export const DISCARDED = 'DEAD_LETTER_DISCARDED';
