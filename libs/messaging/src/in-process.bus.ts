import { eventOfType } from '@quire/contracts/catalogue';
import {
  UnreadableEvent,
  type Envelope,
  type EventBus,
  type PublishResult,
  type Subscription,
} from './event-bus.js';
import { backoffMs, givesUp } from './retry.js';

/**
 * The bus of the embedded mode: the relay's call runs the subscribed handlers, so a row leaves the outbox when every group
 * has finished with it (effect done, or dead letter stored). A crash in between leaves the row; the inbox removes the
 * duplicate.
 *
 * Each group has lanes, one per key: the events of a key run one after the other, those of different keys side by side, at
 * most {@link LANES_AT_ONCE} at a time. An event in back-off holds its key and no lane. Only the all-in-one process may use
 * this bus: a service alone would publish to nobody.
 */
const LANES_AT_ONCE = 8;

const ACKNOWLEDGED: PublishResult = { outcome: 'acknowledged' };
const POSTPONED: PublishResult = { outcome: 'postponed' };

export class InProcessBus implements EventBus {
  private readonly groups: Group[] = [];
  private closed = false;

  /** @param backoff milliseconds before the next try, by the number of those before */
  constructor(private readonly backoff: (attempt: number) => number = backoffMs) {}

  subscribe(subscription: Subscription): void {
    this.groups.push(new Group(subscription, this.backoff));
  }

  async publish(envelope: Envelope): Promise<PublishResult> {
    if (this.closed) return POSTPONED;
    const event = eventOfType(envelope.type);
    if (!event) return { outcome: 'refused', reason: 'UNKNOWN_TYPE' };
    const groups = this.groups.filter((group) => group.types.has(envelope.type));
    if (groups.length === 0) {
      // A public fact may have no consumer of ours; work that nobody takes would leave a job waiting for ever.
      return event.work ? { outcome: 'refused', reason: 'NO_HANDLER' } : ACKNOWLEDGED;
    }
    const finished = await Promise.all(groups.map((group) => group.deliver(envelope)));
    return finished.every(Boolean) ? ACKNOWLEDGED : POSTPONED;
  }

  async close(graceMs: number): Promise<void> {
    this.closed = true;
    await Promise.all(this.groups.map((group) => group.close(graceMs)));
  }
}

interface Task {
  readonly envelope: Envelope;
  attempt: number;
  /** Of the first try, in milliseconds of `performance.now()`. */
  sinceMs?: number;
  /** true: this group has finished with the event; false: it stays in the outbox. */
  readonly settle: (finished: boolean) => void;
}

class Group {
  readonly types: ReadonlySet<string>;
  /** Waiting events by key; a key is in here from its first event to its last. */
  private readonly lanes = new Map<string, Task[]>();
  private readonly ready: string[] = [];
  private readonly timers = new Map<NodeJS.Timeout, string>();
  private running = 0;
  private closed = false;
  private whenIdle: (() => void) | undefined;

  constructor(
    private readonly subscription: Subscription,
    private readonly backoff: (attempt: number) => number,
  ) {
    this.types = new Set(subscription.types);
  }

  deliver(envelope: Envelope): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    return new Promise((settle) => {
      const task: Task = { envelope, attempt: 1, settle };
      const lane = this.lanes.get(envelope.key);
      if (lane) {
        lane.push(task);
        return;
      }
      this.lanes.set(envelope.key, [task]);
      this.ready.push(envelope.key);
      this.pump();
    });
  }

  /** Events that wait are postponed at once; those in hand may finish. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    for (const timer of this.timers.keys()) clearTimeout(timer);
    this.timers.clear();
    if (this.running > 0) {
      await new Promise<void>((resolve) => {
        this.whenIdle = resolve;
        setTimeout(resolve, graceMs).unref();
      });
    }
    for (const lane of this.lanes.values()) lane.forEach((task) => task.settle(false));
    this.lanes.clear();
  }

  private pump(): void {
    while (!this.closed && this.running < LANES_AT_ONCE) {
      const key = this.ready.shift();
      if (key === undefined) return;
      this.running += 1;
      void this.runFirst(key);
    }
  }

  private async runFirst(key: string): Promise<void> {
    const task = this.lanes.get(key)?.[0];
    const wait = task ? await this.attempt(task) : undefined;
    this.running -= 1;
    if (wait === undefined) this.finishFirst(key);
    else this.waitFor(key, wait);
    if (this.running === 0) this.whenIdle?.();
    this.pump();
  }

  /** Milliseconds to wait before the next try; undefined when this group has finished with the event. */
  private async attempt(task: Task): Promise<number | undefined> {
    const { envelope, attempt } = task;
    const sinceMs = (task.sinceMs ??= performance.now());
    try {
      await this.subscription.handle(envelope, attempt);
      return undefined;
    } catch (error) {
      task.attempt += 1;
      if (givesUp(error, attempt, performance.now() - sinceMs)) return this.giveUp(task, error);
      return this.backoff(attempt);
    }
  }

  /** A dead letter that cannot be stored is tried again: an event never vanishes. */
  private async giveUp(task: Task, error: unknown): Promise<number | undefined> {
    const reason = error instanceof UnreadableEvent ? error.reason : 'HANDLER_FAILED';
    const text = error instanceof Error ? error.message : String(error);
    try {
      await this.subscription.giveUp(task.envelope, {
        reason,
        error: text,
        attempts: task.attempt - 1,
      });
      return undefined;
    } catch {
      return this.backoff(task.attempt);
    }
  }

  private finishFirst(key: string): void {
    const lane = this.lanes.get(key);
    lane?.shift()?.settle(true);
    if (!lane || lane.length === 0) this.lanes.delete(key);
    else this.ready.push(key);
  }

  private waitFor(key: string, ms: number): void {
    if (this.closed) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.ready.push(key);
      this.pump();
    }, ms);
    this.timers.set(timer, key);
  }
}
