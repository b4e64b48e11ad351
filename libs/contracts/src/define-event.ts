import type { ServiceName } from './scope.js';

export type PayloadClass<P extends object> = new () => P;

/** An event: declared once, sent only through the outbox, received only through `@Handles`. */
export interface EventDefinition<P extends object> {
  readonly name: string;
  /** The service that sends it. */
  readonly service: ServiceName;
  readonly topic: string;
  /** CloudEvents type, `quire.<service>.<EventName>.v1`. */
  readonly type: string;
  readonly payload: PayloadClass<P>;
  /** Message key: facts with one key stay in order. */
  readonly key: (payload: P) => string;
  /** CloudEvents subject: the job execution the event is about, or the thing itself. */
  readonly subject: (payload: P) => string;
  /** Work is internal and must have a handler; facts are public and may have none. */
  readonly work: boolean;
}

interface Definition<P extends object> {
  readonly service: ServiceName;
  readonly topic: string;
  readonly payload: PayloadClass<P>;
  readonly key: (payload: P) => string;
  readonly subject: (payload: P) => string;
  readonly work?: boolean;
}

export function defineEvent<P extends object>(
  name: string,
  definition: Definition<P>,
): EventDefinition<P> {
  const { service, work = false, ...rest } = definition;
  return { name, service, work, type: `quire.${service}.${name}.v1`, ...rest };
}

/** Stands for any value of a payload, so that the functions for keys show what they are made of. */
const NAMES = new Proxy({}, { get: (_, name) => `<${String(name)}>` });

/** What the key of an event is made of, for its readers: `<tenantId>:<jobExecutionId>`. */
export function keyForm(event: EventDefinition<object>): string {
  return event.key(NAMES);
}

/** As {@link keyForm}, of the subject. */
export function subjectForm(event: EventDefinition<object>): string {
  return event.subject(NAMES);
}
