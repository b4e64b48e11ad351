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

/**
 * Feeds Nest's event handlers from the bus. Nest's own Kafka transport is not used: it commits what nobody handles, and a
 * handler that throws blocks its partition for ever.
 */
export class EventBusStrategy extends Server implements CustomTransportStrategy {
  constructor(
    private readonly service: ServiceName,
    private readonly bus: EventBus,
    private readonly deadLetters: DeadLetters,
    private readonly log: Log,
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
      giveUp: (envelope, why) => this.giveUp(envelope, why),
    });
  }

  private async deliver(envelope: Envelope, attempt: number): Promise<void> {
    const handler = this.messageHandlers.get(envelope.type);
    // Another event of a topic we listen to, for others.
    if (!handler) return;
    await this.call(handler, envelope, deliveryOf(envelope, attempt));
  }

  private async giveUp(envelope: Envelope, why: GivenUp): Promise<void> {
    this.log.error(
      { eventId: envelope.id, type: envelope.type, tenantId: envelope.tenantId, ...why },
      'event given up',
    );
    const handler = this.messageHandlers.get(givenUpPattern(envelope.type));
    // What cannot be read names no work that could be ended.
    if (handler && why.reason === 'HANDLER_FAILED')
      await this.call(handler, envelope, deliveryOf(envelope, why.attempts));
    await this.deadLetters.add(envelope, why);
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

function eventOf(handler: MessageHandler): EventDefinition<object> {
  const event = (handler.extras as { event?: EventDefinition<object> } | undefined)?.event;
  if (!event)
    throw new UnreadableEvent('NO_HANDLER', 'An event handler must be declared with @Handles.');
  return event;
}
