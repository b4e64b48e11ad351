import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import type { EventDefinition } from '@quire/contracts/define-event';
import type { Log } from '@quire/contracts/log';
import type { ServiceName } from '@quire/contracts/scope';
import type { DeadLetters } from './dead-letters.js';
import {
  deliveryOf,
  readPayload,
  UnreadableEvent,
  type Delivery,
  type Envelope,
  type EventBus,
  type GivenUp,
} from './event-bus.js';
import { givenUpPattern } from './handles.js';
import type { KnownTenants } from './known-tenants.js';
import { classify, UNKNOWN_ATTEMPTS_MAX } from './retry.js';

/** Tries of an event altogether, when also the handler that ends its work fails for an unknown reason. */
const END_ATTEMPTS_MAX = 2 * UNKNOWN_ATTEMPTS_MAX;

/**
 * Feeds Nest's event handlers from the bus. Nest's own Kafka transport is not used: it commits what nobody handles, and a
 * handler that throws blocks its partition for ever.
 */
export class EventBusStrategy extends Server implements CustomTransportStrategy {
  /** @param tenants absent: events of every tenant are taken */
  constructor(
    private readonly service: ServiceName,
    private readonly bus: EventBus,
    private readonly deadLetters: DeadLetters,
    private readonly log: Log,
    private readonly tenants?: KnownTenants,
  ) {
    super();
  }

  /** Nest ignores the promise of `listen`: what goes wrong must reach the callback. */
  listen(callback: (error?: unknown) => void): void {
    try {
      this.subscribe();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  close(): void {
    // The bus outlives a service: whoever made it closes it.
  }

  on(): void {
    throw new Error('The bus has no status events.');
  }

  unwrap<T>(): T {
    return this.bus as T;
  }

  private subscribe(): void {
    const types = new Set<string>();
    for (const [pattern, handler] of this.messageHandlers) {
      const { type } = eventOf(handler);
      if (handler.next) throw new Error(`${this.service} has two handlers for ${pattern}.`);
      if (!this.messageHandlers.has(type))
        throw new Error(`${this.service} ends the work of ${type}, but does not handle it.`);
      types.add(type);
    }
    if (types.size === 0) return;
    this.bus.subscribe({
      group: this.service,
      types: [...types],
      handle: (envelope, attempt) => this.deliver(envelope, attempt),
      giveUp: (envelope, why, store) => this.giveUp(envelope, why, store),
    });
  }

  private async deliver(envelope: Envelope, attempt: number): Promise<void> {
    const handler = this.messageHandlers.get(envelope.type);
    // Another event of a topic we listen to, for others.
    if (!handler) return;
    try {
      await this.tenants?.check(envelope.tenantId);
      await this.call(handler, envelope, deliveryOf(envelope, attempt));
    } catch (error) {
      this.log.warn({ ...aboutOf(envelope), attempt, ...whyOf(error) }, 'event not handled');
      throw error;
    }
  }

  private async giveUp(
    envelope: Envelope,
    why: GivenUp,
    store?: () => Promise<void>,
  ): Promise<void> {
    this.log.error({ ...aboutOf(envelope), ...why }, 'event given up');
    await this.endWork(envelope, why);
    await this.deadLetters.keep(envelope, why, store);
  }

  /**
   * A dead letter leaves no job waiting: the work ends with a reason first, and both are tried again when that fails. But
   * not for ever, because then the dead letter would never be seen, and the events behind it would wait.
   */
  private async endWork(envelope: Envelope, why: GivenUp): Promise<void> {
    const handler = this.messageHandlers.get(givenUpPattern(envelope.type));
    // What cannot be read names no work that could be ended.
    if (!handler || why.reason !== 'HANDLER_FAILED') return;
    try {
      await this.call(handler, envelope, deliveryOf(envelope, why.attempts));
    } catch (error) {
      const kind = classify(error);
      if (kind === 'transient' || (kind === 'unknown' && why.attempts < END_ATTEMPTS_MAX))
        throw error;
      this.log.error(
        { ...aboutOf(envelope), ...whyOf(error) },
        'work of a given up event not ended',
      );
    }
  }

  private async call(
    handler: MessageHandler,
    envelope: Envelope,
    delivery: Delivery,
  ): Promise<void> {
    const payload = readPayload(eventOf(handler), envelope);
    const result = this.transformToObservable(await handler(payload, delivery));
    await lastValueFrom(result, { defaultValue: undefined });
  }
}

/** For the log. */
function aboutOf({ id, type, tenantId }: Envelope): object {
  return { eventId: id, type, tenantId };
}

/** For the log: not the whole error, because Postgres puts values of the row beside its message. */
function whyOf(error: unknown): object {
  return { reason: error instanceof Error ? error.stack : String(error) };
}

function eventOf(handler: MessageHandler): EventDefinition<object> {
  const event = (handler.extras as { event?: EventDefinition<object> } | undefined)?.event;
  if (!event)
    throw new UnreadableEvent('NO_HANDLER', 'An event handler must be declared with @Handles.');
  return event;
}
