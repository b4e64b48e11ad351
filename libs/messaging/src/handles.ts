import { Catch, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { EventDefinition } from '@quire/contracts/define-event';
import type { Delivery } from './event-bus.js';

/** Nest masks what an event handler throws; without the original, retry and dead letter cannot be told apart. */
@Catch()
class Rethrow implements RpcExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}

type Handler<P> = (payload: P, delivery: Delivery) => Promise<void>;

/**
 * Makes a method the handler of an event: `@Handles(SliceFinished) async sliceFinished(slice: SliceFinishedPayload, delivery:
 * Delivery)`. A method that takes another event's payload does not compile.
 */
export function Handles<P extends object>(event: EventDefinition<P>) {
  return register<P>(event, event.type);
}

/**
 * Called when an event is given up, before its dead letter is stored: lets the work it stood for end with a reason, so that
 * no job waits for ever. It may be called again, if the dead letter cannot be stored.
 */
export function HandlesGivenUp<P extends object>(event: EventDefinition<P>) {
  return register<P>(event, givenUpPattern(event.type));
}

export const givenUpPattern = (type: string): string => `${type}#given-up`;

function register<P extends object>(event: EventDefinition<P>, pattern: string) {
  return (target: object, key: string, descriptor: TypedPropertyDescriptor<Handler<P>>): void => {
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    EventPattern<string>(pattern, { event })(target, key, descriptor as PropertyDescriptor);
    UseFilters(new Rethrow())(target, key, descriptor as PropertyDescriptor);
  };
}
