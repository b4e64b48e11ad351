import {
  refusalOf,
  type Envelope,
  type EventBus,
  type PublishResult,
  type Subscription,
} from './event-bus.js';
import { Lanes } from './lanes.js';
import { backoffMs } from './retry.js';

/**
 * The bus of the embedded mode: the relay's call runs the subscribed handlers, so a row leaves the outbox when every group
 * has finished with it (effect done, or dead letter stored). A crash in between leaves the row; the inbox removes the
 * duplicate. Only the all-in-one process may use this bus: a service alone would publish to nobody.
 */
const ACKNOWLEDGED: PublishResult = { outcome: 'acknowledged' };
const POSTPONED: PublishResult = { outcome: 'postponed' };

interface Group {
  readonly subscription: Subscription;
  readonly types: ReadonlySet<string>;
  readonly lanes: Lanes;
}

export class InProcessBus implements EventBus {
  private readonly groups: Group[] = [];
  private closed = false;

  /** @param backoff milliseconds before the next try, by the number of those before */
  constructor(private readonly backoff: (attempt: number) => number = backoffMs) {}

  subscribe(subscription: Subscription): void {
    const lanes = new Lanes(this.backoff);
    this.groups.push({ subscription, types: new Set(subscription.types), lanes });
  }

  begin(): void {
    // The relays drive this bus: nothing comes before they begin.
  }

  async publish(envelope: Envelope): Promise<PublishResult> {
    if (this.closed) return POSTPONED;
    const refusal = refusalOf(envelope);
    if ('reason' in refusal) return { outcome: 'refused', ...refusal };
    const groups = this.groups.filter((group) => group.types.has(envelope.type));
    if (groups.length === 0) {
      // A public fact may have no consumer of ours; work that nobody takes would leave a job waiting for ever.
      return refusal.event.work ? { outcome: 'refused', reason: 'NO_HANDLER' } : ACKNOWLEDGED;
    }
    const finished = await Promise.all(groups.map((group) => deliver(group, envelope)));
    return finished.every(Boolean) ? ACKNOWLEDGED : POSTPONED;
  }

  /** An event that is on its way stands in an outbox. */
  restingPoint(): Promise<string> {
    return Promise.resolve('');
  }

  async close(graceMs: number): Promise<void> {
    this.closed = true;
    await Promise.all(this.groups.map(({ lanes }) => lanes.close(graceMs)));
  }
}

function deliver({ subscription, lanes }: Group, envelope: Envelope): Promise<boolean> {
  return lanes.deliver({
    key: envelope.key,
    handle: (attempt) => subscription.handle(envelope, attempt),
    giveUp: (why) => subscription.giveUp(envelope, why),
  });
}
